//! Runs and contents as they are committed here, copied to Redis.
//!
//! | key | what |
//! |---|---|
//! | `artdag:run:{run_id}` | the run, JSON, with `celery_task_id` |
//! | `artdag:content_index` | hash: content hash → node key |
//! | `artdag:contents:{home}` | set: the content hashes that this home has put there |
//! | `artdag:mirror:{home}` | the mark: how far this home has written |
//!
//! The mark is written in the transaction that writes what it stands for. Where it is gone, or
//! names a place that is no longer known here, everything is written anew.

use std::time::{Duration, Instant};

use redis::{Connection, Pipeline};
use serde::{Deserialize, Serialize};

use crate::base::limits::{CHANGES_AT_ONCE, MIRROR_LOOK_SECONDS};
use crate::base::{ContentHash, RunId};
use crate::engine::Engine;
use crate::engine::changes::{Part, Place, Standing};
use crate::engine::views::RunView;
use crate::link::redis::state::Link;
use crate::link::redis::wire::{Stop, Trouble, Wire};

const INDEX: &str = "artdag:content_index";
const RUNS: &str = "artdag:run:";

/// How far a home has written.
#[derive(Debug, Serialize, Deserialize)]
struct Mark {
    epoch: u64,
    change: u64,
}

/// A run as readers of the original find it.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    view: &'a RunView,
    celery_task_id: String,
    mirrored_by: &'a str,
}

/// What of a shown run tells whose it is.
#[derive(Deserialize)]
struct Whose {
    mirrored_by: Option<String>,
}

/// The mirror of a home.
struct Mirror<'a> {
    engine: &'a Engine,
    link: &'a Link,
    home: String,
    mark: String,
    /// The key of what this home has put into the index.
    contents: String,
    /// When it was last seen that the mark is there.
    looked: Option<Instant>,
    /// The last change that was let go of.
    gone: u64,
}

/// Keeps the mirror until it is time to end.
pub fn run(engine: &Engine, mut wire: Wire, link: &Link, stop: &Stop) {
    let mut mirror = None;
    while !stop.begun() {
        let seen = engine.events().latest();
        let more = wire.with(|connection| {
            let mirror = match &mut mirror {
                Some(mirror) => mirror,
                none => none.insert(Mirror::new(engine, link)?),
            };
            mirror.step(connection, stop)
        });
        if more == Some(false) {
            engine.events().wait_after(seen, Duration::from_millis(250));
            // What happens together is written together.
            stop.wait(Duration::from_millis(20));
        }
    }
}

impl<'a> Mirror<'a> {
    fn new(engine: &'a Engine, link: &'a Link) -> Result<Self, Trouble> {
        let home = engine.home_id()?;
        let (mark, contents) = (format!("artdag:mirror:{home}"), format!("artdag:contents:{home}"));
        Ok(Self { engine, link, home, mark, contents, looked: None, gone: 0 })
    }

    /// Writes some of what changed; true if there may be more.
    fn step(&mut self, connection: &mut Connection, stop: &Stop) -> Result<bool, Trouble> {
        let latest = self.engine.last_change()?;
        let fresh = self.looked.is_some_and(|at| at.elapsed() < Duration::from_secs(MIRROR_LOOK_SECONDS));
        if fresh && self.link.figures().is_some_and(|figures| figures.place == latest) {
            return Ok(false);
        }
        // Whoever takes the mark away from here on has the transaction fail.
        redis::cmd("WATCH").arg(&self.mark).exec(connection)?;
        let mark: Option<String> = redis::cmd("GET").arg(&self.mark).query(connection)?;
        let mark: Option<Mark> = mark.and_then(|text| serde_json::from_str(&text).ok());
        let known = mark.map(|mark| Place { epoch: mark.epoch, change: mark.change });
        let part = known.map(|place| self.engine.changes_after(place, CHANGES_AT_ONCE)).transpose()?.flatten();
        let Some(part) = part else {
            redis::cmd("UNWATCH").exec(connection)?;
            return self.all(connection, stop).map(|()| true);
        };
        self.looked = Some(Instant::now());
        if part.standings.is_empty() {
            redis::cmd("UNWATCH").exec(connection)?;
            self.link.set_place(part.place.change);
            return Ok(false);
        }
        let Part { standings, place, more } = part;
        let mut pipe = redis::pipe();
        pipe.atomic();
        for standing in &standings {
            self.write(&mut pipe, standing);
        }
        pipe.cmd("SET").arg(&self.mark).arg(text_of(place)).ignore();
        // Refused where the mark was taken away meanwhile: the next step sees why.
        let written: Option<()> = pipe.query(connection)?;
        if written.is_some() {
            self.link.add_done(standings.len());
            self.link.set_place(place.change);
            if place.change.saturating_sub(self.gone) >= CHANGES_AT_ONCE as u64 {
                self.engine.forget_changes(place)?;
                self.gone = place.change;
            }
        }
        Ok(more || written.is_none())
    }

    /// Writes everything, and takes away what this home no longer has; then the mark.
    fn all(&self, connection: &mut Connection, stop: &Stop) -> Result<(), Trouble> {
        self.link.add_anew();
        let place = self.engine.note_changes()?;
        let mut after = None;
        loop {
            let standings = self.engine.runs_standing(after, CHANGES_AT_ONCE)?;
            let Some(Standing::Run(last, _)) = standings.last() else { break };
            after = Some(*last);
            self.write_part(connection, &standings)?;
            if stop.begun() {
                return Ok(());
            }
        }
        let mut after = None;
        loop {
            let standings = self.engine.contents_standing(after, CHANGES_AT_ONCE)?;
            let Some(Standing::Content(last, _)) = standings.last() else { break };
            after = Some(*last);
            self.write_part(connection, &standings)?;
            if stop.begun() {
                return Ok(());
            }
        }
        if !self.take_stray_runs(connection, stop)? || !self.take_stray_contents(connection, stop)? {
            return Ok(());
        }
        redis::cmd("SET").arg(&self.mark).arg(text_of(place)).exec(connection)?;
        self.link.set_place(place.change);
        tracing::info!("the mirror in Redis was written anew");
        Ok(())
    }

    fn write_part(&self, connection: &mut Connection, standings: &[Standing]) -> Result<(), Trouble> {
        let mut pipe = redis::pipe();
        for standing in standings {
            self.write(&mut pipe, standing);
        }
        pipe.exec(connection)?;
        self.link.add_done(standings.len());
        Ok(())
    }

    fn write(&self, pipe: &mut Pipeline, standing: &Standing) {
        match standing {
            Standing::Run(run, Some((view, task))) => {
                let celery_task_id = task.clone().unwrap_or_else(|| run.to_string());
                let shown = Shown { view, celery_task_id, mirrored_by: &self.home };
                let json = serde_json::to_string(&shown).unwrap_or_else(|error| panic!("BUG: a run is JSON: {error}"));
                pipe.cmd("SET").arg(format!("{RUNS}{run}")).arg(json).ignore();
            }
            Standing::Run(run, None) => {
                pipe.cmd("DEL").arg(format!("{RUNS}{run}")).ignore();
            }
            Standing::Content(hash, Some(key)) => {
                pipe.cmd("HSET").arg(INDEX).arg(hash.to_string()).arg(key.to_string()).ignore();
                pipe.cmd("SADD").arg(&self.contents).arg(hash.to_string()).ignore();
            }
            Standing::Content(hash, None) => {
                pipe.cmd("HDEL").arg(INDEX).arg(hash.to_string()).ignore();
                pipe.cmd("SREM").arg(&self.contents).arg(hash.to_string()).ignore();
            }
        }
    }

    /// Takes away runs that this home has shown and no longer has: Redis may have been put back
    /// to an earlier time. False if it is time to end.
    fn take_stray_runs(&self, connection: &mut Connection, stop: &Stop) -> Result<bool, Trouble> {
        let mut cursor = 0_u64;
        loop {
            let (next, keys): (u64, Vec<String>) = redis::cmd("SCAN")
                .arg(cursor)
                .arg("MATCH")
                .arg(format!("{RUNS}*"))
                .arg("COUNT")
                .arg(CHANGES_AT_ONCE)
                .query(connection)?;
            let run_of = |key: &String| key.strip_prefix(RUNS).and_then(|id| id.parse::<RunId>().ok());
            let runs: Vec<RunId> = keys.iter().filter_map(run_of).collect();
            let standings = self.engine.standings_of_runs(&runs)?;
            let gone: Vec<Standing> =
                standings.into_iter().filter(|standing| matches!(standing, Standing::Run(_, None))).collect();
            let mut asked = redis::pipe();
            for standing in &gone {
                if let Standing::Run(run, None) = standing {
                    asked.cmd("GET").arg(format!("{RUNS}{run}"));
                }
            }
            let shown: Vec<Option<String>> = if gone.is_empty() { Vec::new() } else { asked.query(connection)? };
            let whose = |json: Option<String>| serde_json::from_str::<Whose>(&json?).ok()?.mirrored_by;
            let ours =
                gone.iter().zip(shown).filter(|(_, json)| whose(json.clone()).as_deref() == Some(self.home.as_str()));
            self.take(connection, ours.map(|(standing, _)| standing))?;
            cursor = next;
            if cursor == 0 || stop.begun() {
                return Ok(cursor == 0);
            }
        }
    }

    /// Takes away contents that this home has put into the index and that are nobody's result here
    /// any more. False if it is time to end.
    fn take_stray_contents(&self, connection: &mut Connection, stop: &Stop) -> Result<bool, Trouble> {
        let mut cursor = 0_u64;
        loop {
            let (next, fields): (u64, Vec<String>) = redis::cmd("SSCAN")
                .arg(&self.contents)
                .arg(cursor)
                .arg("COUNT")
                .arg(CHANGES_AT_ONCE)
                .query(connection)?;
            let hashes: Vec<ContentHash> = fields.iter().filter_map(|field| field.parse().ok()).collect();
            let standings = self.engine.standings_of_contents(&hashes)?;
            let gone = standings.iter().filter(|standing| matches!(standing, Standing::Content(_, None)));
            self.take(connection, gone)?;
            cursor = next;
            if cursor == 0 || stop.begun() {
                return Ok(cursor == 0);
            }
        }
    }

    /// Takes away what is gone, in one go.
    fn take<'s>(&self, connection: &mut Connection, gone: impl Iterator<Item = &'s Standing>) -> Result<(), Trouble> {
        let mut pipe = redis::pipe();
        for standing in gone {
            self.write(&mut pipe, standing);
        }
        if !pipe.is_empty() {
            pipe.exec(connection)?;
        }
        Ok(())
    }
}

/// Was a run shown by a home of ours?
pub fn is_ours(json: &str) -> bool {
    serde_json::from_str::<Whose>(json).is_ok_and(|whose| whose.mirrored_by.is_some())
}

fn text_of(place: Place) -> String {
    let mark = Mark { epoch: place.epoch, change: place.change };
    serde_json::to_string(&mark).unwrap_or_else(|error| panic!("BUG: a mark is JSON: {error}"))
}
