//! The table of a run's nodes as they go on: what `watch` draws on a terminal.
//!
//! Fed with what happens; gives lines. Knows neither terminals nor where events come from.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::cli::backend::follow::{Advance, Happened, NodeChange};
use crate::cli::table::seconds;
use crate::cli::wait::bar;
use crate::engine::views::{PlanView, RunView};

/// A run's nodes and how far they are.
pub struct Board {
    run: RunView,
    nodes: Vec<Row>,
    places: HashMap<String, usize>,
    begun: Instant,
    /// What the run waits for, if it does.
    waits: Option<String>,
    lost: bool,
}

struct Row {
    id: String,
    node_type: String,
    state: String,
    /// Seconds of one core that it is thought to take.
    estimate: f64,
    since: Option<Instant>,
    took: Option<Duration>,
    /// How far it is.
    words: String,
}

impl Row {
    fn is_done(&self) -> bool {
        rank(&self.state) == 2
    }
}

/// States only ever go up.
fn rank(state: &str) -> u8 {
    match state {
        "pending" | "waiting" => 0,
        "running" => 1,
        _ => 2,
    }
}

impl Board {
    /// The board of a run with this plan.
    pub fn new(run: RunView, plan: PlanView, now: Instant) -> Self {
        let row = |node: crate::engine::views::PlanNodeView| Row {
            id: node.id.to_string(),
            node_type: node.node_type.into_owned(),
            state: node.state.into_owned(),
            estimate: if node.known == "miss" { node.estimated_seconds } else { 0.0 },
            since: None,
            took: None,
            words: String::new(),
        };
        let nodes: Vec<Row> = plan.nodes.into_iter().map(row).collect();
        let places = nodes.iter().enumerate().map(|(index, node)| (node.id.clone(), index)).collect();
        Self { run, nodes, places, begun: now, waits: None, lost: false }
    }

    /// Takes note of what happened.
    pub fn take(&mut self, happened: &Happened, now: Instant) {
        self.lost = matches!(happened, Happened::Reconnecting);
        match happened {
            Happened::Run(run) => self.run = (**run).clone(),
            Happened::Progress(advance @ Advance { done, nodes, fraction, .. }) => {
                // What is told again is older than what is known.
                self.run.progress.done = self.run.progress.done.max(*done);
                self.run.progress.nodes = *nodes;
                self.run.progress.fraction = self.run.progress.fraction.max(*fraction);
                if let (Some(node), Some(words)) = (&advance.node, advance.words())
                    && let Some(place) = self.places.get(node)
                {
                    self.nodes[*place].words = words;
                }
            }
            Happened::Node(change) => self.change(change, now),
            Happened::Reconnecting => {}
        }
    }

    /// Is the way to who tells lost?
    pub fn is_lost(&self) -> bool {
        self.lost
    }

    /// Takes over what nodes have become while nobody told.
    pub fn catch_up(&mut self, plan: &PlanView, now: Instant) {
        for node in &plan.nodes {
            self.set_state(node.id.as_str(), &node.state, now);
        }
    }

    fn change(&mut self, change: &NodeChange, now: Instant) {
        self.waits = change.waits_for.map(|run| format!("waiting for a value that run {run} is making"));
        self.set_state(&change.node, &change.state, now);
    }

    fn set_state(&mut self, node: &str, state: &str, now: Instant) {
        let Some(place) = self.places.get(node) else { return };
        let row = &mut self.nodes[*place];
        if rank(state) < rank(&row.state) {
            return;
        }
        if state == "running" {
            row.since = row.since.or(Some(now));
        } else if let Some(since) = row.since.take() {
            row.took = Some(now.duration_since(since));
        }
        state.clone_into(&mut row.state);
    }

    /// One line of a node whose state changed, for where nothing can be drawn over.
    pub fn line(&self, change: &NodeChange) -> String {
        let row = self.places.get(&change.node).map(|place| &self.nodes[*place]);
        let node_type = row.map_or("", |row| row.node_type.as_str());
        let waits = change.waits_for.map_or_else(String::new, |run| format!("  for run {run}"));
        let what = format!("{}  {node_type}{waits}", change.node);
        let took = row.and_then(|row| row.took).map_or_else(String::new, |took| format!("  {}", span(took)));
        let error = change.error.as_ref().map_or_else(String::new, |error| format!("  {error}"));
        format!("{:9}  {what}{took}{error}", change.state)
    }

    /// The lines to draw: the run, then as many nodes as `rows` lines hold, those at work first
    /// where not all fit.
    pub fn lines(&self, rows: usize, now: Instant) -> Vec<String> {
        let mut lines = vec![self.head(now)];
        if let Some(waits) = &self.waits {
            lines.push(waits.clone());
        }
        if self.lost {
            lines.push("the way to the server is lost; trying again".to_owned());
        }
        let room = rows.saturating_sub(lines.len() + 1);
        let mut shown: Vec<&Row> = self.nodes.iter().collect();
        if shown.len() > room {
            let news = |row: &&Row| match (row.state.as_str(), row.took) {
                ("running" | "failed", _) => 0,
                (_, Some(_)) => 1,
                ("pending", _) => 2,
                _ => 3,
            };
            shown.sort_by_key(news);
        }
        let left = shown.split_off(shown.len().min(room));
        // Of all nodes, so that columns stay where they are.
        let widest = |width: &dyn Fn(&Row) -> usize| self.nodes.iter().map(width).max().unwrap_or(0);
        let (id, kind) = (widest(&|row| row.id.chars().count()).min(40), widest(&|row| row.node_type.len()));
        for row in &shown {
            let time = row.took.or_else(|| row.since.map(|since| now.duration_since(since)));
            let time = time.map(span).unwrap_or_default();
            let words = if row.state == "running" { row.words.as_str() } else { "" };
            let line = format!("{:9}  {:id$}  {:kind$}  {time}  {words}", row.state, row.id, row.node_type);
            lines.push(line.trim_end().to_owned());
        }
        if !left.is_empty() {
            lines.push(format!("and {} more: {}", left.len(), counts(&left)));
        }
        lines
    }

    fn head(&self, now: Instant) -> String {
        let progress = self.run.progress;
        let held = if self.run.held { " (held)" } else { "" };
        format!(
            "{}{held}  {}  {} {}/{} nodes, {} cached  {}{}",
            self.run.status,
            self.run.recipe,
            bar((progress.fraction * 1000.0) as u64, 1000),
            progress.done,
            progress.nodes,
            progress.cached,
            span(now.duration_since(self.begun)),
            self.left(now).map(|left| format!(", about {} left", seconds(left))).unwrap_or_default(),
        )
    }

    /// Seconds that are left, by the pace so far.
    fn left(&self, now: Instant) -> Option<f64> {
        let of = |wanted: &dyn Fn(&Row) -> bool| -> f64 {
            self.nodes.iter().filter(|row| wanted(row)).map(|row| row.estimate).sum()
        };
        let (open, seen) = (of(&|row| !row.is_done()), of(&|row| row.took.is_some()));
        let elapsed = now.duration_since(self.begun).as_secs_f64();
        let pace = if seen > 0.0 { elapsed / seen } else { 1.0 };
        (open > 0.0).then_some(open * pace)
    }
}

fn span(span: Duration) -> String {
    seconds(span.as_secs_f64())
}

/// How many rows are in which state.
fn counts(rows: &[&Row]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for row in rows {
        match counts.iter_mut().find(|(state, _)| *state == row.state) {
            Some((_, count)) => *count += 1,
            None => counts.push((&row.state, 1)),
        }
    }
    counts.iter().map(|(state, count)| format!("{count} {state}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::base::RunId;

    fn run() -> RunView {
        let run = json!({"run_id": RunId::new(), "status": "running", "recipe": "lines", "config_id": null,
            "inputs": [], "bindings": {}, "params": {}, "held": false, "output_name": "lines", "output_hash": null,
            "output_media_type": null, "created_at": "2026-01-07T00:00:00Z", "started_at": null, "completed_at": null,
            "error": null, "error_detail": null, "attempts": 1, "priority": 0,
            "progress": {"nodes": 4, "done": 1, "cached": 0, "fraction": 0.25}, "provenance_hash": null,
            "published": false, "username": null, "links": {}, "stats": {"stages": 0, "hits": 0, "misses": 0,
            "blobs_written": 0}, "warnings": [], "verifies": null, "verdict": null});
        serde_json::from_value(run).unwrap()
    }

    fn plan(ids: &[&str]) -> PlanView {
        let node = |id: &&str| {
            json!({"id": id, "type": "EFFECT", "key": "0".repeat(64), "inputs": [], "state": "pending",
                "known": "miss", "stage": 0, "output_hash": null, "estimated_seconds": 2.0, "why": "", "size": null,
                "started_at": null, "completed_at": null})
        };
        let nodes: Vec<serde_json::Value> = ids.iter().map(node).collect();
        let plan = json!({"nodes": nodes, "stages": [], "estimated_seconds": 8.0, "hits": 0, "misses": 4,
            "output_media_type": "image/png", "warnings": []});
        serde_json::from_value(plan).unwrap()
    }

    fn change(run: &RunView, node: &str, state: &str) -> Happened {
        let (node, state) = (node.to_owned(), state.to_owned());
        let change = NodeChange { run_id: run.run_id, node, state, output_hash: None, error: None, waits_for: None };
        Happened::Node(change)
    }

    #[test]
    fn nodes_stand_in_the_plans_order_with_their_times() {
        let (run, begun) = (run(), Instant::now());
        let mut board = Board::new(run.clone(), plan(&["a", "bb"]), begun);
        board.take(&change(&run, "a", "running"), begun);
        board.take(&change(&run, "a", "completed"), begun + Duration::from_secs(4));
        board.take(&change(&run, "bb", "running"), begun + Duration::from_secs(4));
        // Told late: states only go up.
        board.take(&change(&run, "a", "running"), begun + Duration::from_secs(4));
        let lines = board.lines(24, begun + Duration::from_secs(5));
        assert!(lines[0].starts_with("running  lines  ["), "{}", lines[0]);
        // A node of the same estimate took four seconds, and five have gone by.
        assert!(lines[0].ends_with("1/4 nodes, 0 cached  5.0 s, about 5.0 s left"), "{}", lines[0]);
        assert_eq!(lines[1..], ["completed  a   EFFECT  4.0 s", "running    bb  EFFECT  1.0 s"]);
    }

    #[test]
    fn where_not_all_fit_those_at_work_come_first() {
        let (run, begun) = (run(), Instant::now());
        let mut board = Board::new(run.clone(), plan(&["a", "b", "c", "d"]), begun);
        board.take(&change(&run, "c", "running"), begun);
        let lines = board.lines(4, begun);
        assert_eq!(lines[1..], ["running    c  EFFECT  <1 ms", "pending    a  EFFECT", "and 2 more: 2 pending"]);
    }

    #[test]
    fn what_was_not_told_is_caught_up_with() {
        let (run, begun) = (run(), Instant::now());
        let mut board = Board::new(run.clone(), plan(&["a", "b"]), begun);
        board.take(&change(&run, "a", "running"), begun);
        board.take(&Happened::Reconnecting, begun);
        assert!(board.is_lost() && board.lines(9, begun)[1].contains("trying again"));
        let mut later = plan(&["a", "b"]);
        later.nodes[0].state = "completed".into();
        board.catch_up(&later, begun + Duration::from_secs(2));
        board.take(&Happened::Run(Box::new(run)), begun + Duration::from_secs(2));
        assert_eq!(board.lines(9, begun)[1..], ["completed  a  EFFECT  2.0 s", "pending    b  EFFECT"]);
    }

    #[test]
    fn a_line_says_what_became_of_a_node() {
        let (run, begun) = (run(), Instant::now());
        let mut board = Board::new(run.clone(), plan(&["a"]), begun);
        board.take(&change(&run, "a", "running"), begun);
        let Happened::Node(mut failed) = change(&run, "a", "failed") else { unreachable!() };
        failed.error = Some("broken".to_owned());
        board.take(&Happened::Node(failed.clone()), begun + Duration::from_secs(1));
        assert_eq!(board.line(&failed), "failed     a  EFFECT  1.0 s  broken");
    }
}
