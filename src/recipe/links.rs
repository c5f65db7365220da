//! How the nodes of a config hang together: ids, references, cycles, and what is not used.
//!
//! Everything here is linear in nodes and references and keeps its own stack, so that a chain
//! of the most nodes there may be is no deeper than any other.

use std::collections::{HashMap, HashSet};

use crate::base::limits;
use crate::recipe::draft::Draft;
use crate::recipe::place::Place;
use crate::recipe::problem::Mark;
use crate::recipe::problems::Problems;
use crate::recipe::words::quoted;

/// The positions of the nodes by their ids.
pub(crate) struct Ids<'a> {
    positions: HashMap<&'a str, usize>,
    /// In the order written, for suggestions that do not change from run to run.
    written: Vec<&'a str>,
}

impl<'a> Ids<'a> {
    /// The nodes by id, the first of those with one id; the others are reported.
    pub(crate) fn new(drafts: &'a [Draft<'_>], nodes_place: &Place<'_>, problems: &mut Problems) -> Self {
        let mut positions = HashMap::with_capacity(drafts.len());
        let mut written = Vec::with_capacity(drafts.len());
        for (index, draft) in drafts.iter().enumerate() {
            let Some(id) = &draft.id else { continue };
            let first = *positions.entry(id.as_str()).or_insert(index);
            if first == index {
                written.push(id.as_str());
                continue;
            }
            let Mark { line, column } = drafts[first].id_mark;
            let message = format!("the id is taken: another node has it at line {line}, column {column}");
            problems.error("duplicate_id", &nodes_place.node(id).key("id"), draft.id_mark, message);
        }
        Self { positions, written }
    }

    /// The position of the node of this id.
    pub(crate) fn find(&self, id: &str) -> Option<usize> {
        self.positions.get(id).copied()
    }
}

/// That there is no node of this id, with a suggestion.
pub(crate) fn no_such_node(id: &str, ids: &Ids<'_>, problems: &mut Problems) -> String {
    let suggestion = problems.did_you_mean(id, ids.written.iter().copied());
    format!("there is no node {}{suggestion}", quoted(id))
}

/// The inputs of each node as positions; what names no node is reported and left out.
pub(crate) fn resolve(
    drafts: &[Draft<'_>],
    ids: &Ids<'_>,
    nodes_place: &Place<'_>,
    problems: &mut Problems,
) -> Vec<Vec<usize>> {
    let resolve = |(index, draft): (usize, &Draft<'_>)| {
        let by_index = nodes_place.index(index);
        let place = draft.id.as_ref().map_or(by_index, |id| nodes_place.node(id));
        let mut inputs = Vec::with_capacity(draft.inputs.len());
        for reference in &draft.inputs {
            match ids.find(reference.id) {
                Some(input) if input == index => {
                    reference.error("self_loop", "the node takes itself as an input", &place, problems);
                }
                Some(input) => inputs.push(input),
                None => {
                    let message = no_such_node(reference.id, ids, problems);
                    reference.error("unknown_input", &message, &place, problems);
                }
            }
        }
        inputs
    };
    drafts.iter().enumerate().map(resolve).collect()
}

/// Reports the cycles: each reference that closes one, with the nodes on its way.
pub(crate) fn find_cycles(
    drafts: &[Draft<'_>],
    links: &[Vec<usize>],
    nodes_place: &Place<'_>,
    problems: &mut Problems,
) {
    let mut found: HashSet<(usize, usize)> = HashSet::new();
    // 0: not seen; else its place on the way here, from 1; usize::MAX: done.
    let mut seen = vec![0_usize; links.len()];
    // The way here: nodes, each the input before of the one above it, and how many of its
    // inputs have been followed.
    let mut way: Vec<(usize, usize)> = Vec::new();
    for start in 0..links.len() {
        if seen[start] == 0 {
            seen[start] = 1;
            way.push((start, 0));
        }
        while let Some((node, followed)) = way.last_mut() {
            let Some(input) = links[*node].get(*followed).copied() else {
                seen[*node] = usize::MAX;
                way.pop();
                continue;
            };
            *followed += 1;
            let node = *node;
            match seen[input] {
                0 => {
                    way.push((input, 0));
                    seen[input] = way.len();
                }
                usize::MAX => {}
                position if found.len() < limits::CONFIG_PROBLEMS && found.insert((node, input)) => {
                    let cycle: Vec<usize> = way[position - 1..].iter().rev().map(|(node, _)| *node).collect();
                    report_cycle(&cycle, drafts, nodes_place, problems);
                }
                _ => {}
            }
        }
    }
}

/// Reports a cycle given in the order in which values would flow.
fn report_cycle(cycle: &[usize], drafts: &[Draft<'_>], nodes_place: &Place<'_>, problems: &mut Problems) {
    const SHOWN: usize = 12;
    let first = (0..cycle.len()).min_by_key(|position| cycle[*position]).unwrap_or(0);
    let at = |step: usize| cycle[(first + step) % cycle.len()];
    let name = |step: usize| drafts[at(step)].id.as_ref().map_or("", |id| id.as_str());
    let mut names: Vec<String> = (0..cycle.len().min(SHOWN)).map(|step| name(step).to_owned()).collect();
    if cycle.len() > SHOWN {
        names.push(format!("… ({} more)", cycle.len() - SHOWN));
    }
    names.push(name(0).to_owned());
    let message = format!("a cycle: {}", names.join(" -> "));
    let draft = &drafts[at(0)];
    let before = name(cycle.len() - 1);
    let Some(id) = &draft.id else { return };
    if let Some(reference) = draft.inputs.iter().find(|reference| reference.id == before) {
        reference.error("cycle", &message, &nodes_place.node(id), problems);
    }
}
