//! Why a node is, or is not, known: its key against the nearest known one.

use std::collections::{BTreeMap, HashSet};

use redb::ReadableTable as _;

use crate::base::NodeKey;
use crate::engine::error::EngineError;
use crate::engine::{Engine, Request};
use crate::plan::Plan;
use crate::plan::explain::{self, Why};
use crate::plan::key::KeyParts;
use crate::records::{KeyRow, Record, tables as names};

/// Key rows that one explanation looks at; the newest are not told from the oldest, so a home
/// with more may be told of a key that is not the very nearest.
const KEYS_LOOKED_AT: usize = 200_000;
/// Inputs followed to the cause of a difference.
const DEPTH: usize = 200;

/// What a key is made of, as it is kept.
pub(super) fn parts_of(row: KeyRow) -> KeyParts {
    let KeyRow { node_type, version, content, params, inputs, tools } = row;
    KeyParts { node_type, version, content, params, inputs, tools }
}

impl Engine {
    /// Explains a node of a request's plan.
    pub fn why(&self, request: &Request, node: &str) -> Result<Why, EngineError> {
        let plan = self.prepare(request)?.plan;
        let Some(index) = plan.find(node) else {
            if let Some(later) = plan.later.as_ref().filter(|later| later.nodes.iter().any(|n| n.id.as_str() == node)) {
                let until = &later.until;
                return Err(EngineError::Refused(format!(
                    "the key of {node} is known only when {until} is; ask again when it has run"
                )));
            }
            return Err(EngineError::not_found("node", node, plan.nodes.iter().map(|node| node.id.as_str())));
        };
        let known = self.known_parts()?;
        let mut explanation = Explanation { plan: &plan, known: &known, told: HashSet::new() };
        Ok(explanation.of(index, DEPTH))
    }

    /// Explains a node of a recorded run, as it would be planned now.
    pub fn why_of_run(&self, run: crate::base::RunId, node: &str) -> Result<Why, EngineError> {
        self.why(&super::runs::request_of(&self.run_row(run)?), node)
    }

    fn known_parts(&self) -> Result<BTreeMap<NodeKey, KeyParts>, EngineError> {
        let rows = self.0.db.read(|tx| {
            let table = tx.open_table(names::KEYS)?;
            let mut rows = BTreeMap::new();
            for row in table.iter()?.take(KEYS_LOOKED_AT) {
                let (key, bytes) = row?;
                let row = KeyRow::from_bytes(bytes.value())?;
                rows.insert(NodeKey::from_bytes(*key.value()), parts_of(row));
            }
            Ok(rows)
        })?;
        Ok(rows)
    }
}

struct Explanation<'a> {
    plan: &'a Plan,
    known: &'a BTreeMap<NodeKey, KeyParts>,
    /// Nodes explained already: in a graph with many ways to a node it is still told once.
    told: HashSet<usize>,
}

impl Explanation<'_> {
    fn of(&mut self, index: usize, depth: usize) -> Why {
        self.told.insert(index);
        let node = &self.plan.nodes[index];
        let mut why = Why {
            node: node.id.to_string(),
            key: node.key,
            state: node.state.word().to_owned(),
            parts: node.parts.lines(),
            nearest: None,
            differences: Vec::new(),
            causes: Vec::new(),
        };
        if node.source.is_some() || self.known.contains_key(&node.key) {
            return why;
        }
        let Some(nearest) = explain::nearest(&node.parts, self.known.values()) else { return why };
        why.nearest = Some(nearest.key());
        why.differences = explain::differences(&node.parts, nearest);
        let inputs = node.inputs.iter().zip(&node.parts.inputs).zip(&nearest.inputs);
        for ((input, _), _) in inputs.filter(|((_, here), there)| here != there) {
            if depth > 0 && !self.told.contains(input) {
                let cause = self.of(*input, depth - 1);
                if !cause.differences.is_empty() || cause.state == "source" {
                    why.causes.push(cause);
                }
            }
        }
        why
    }
}
