//! Which nodes run as one stage.
//!
//! A node joins the stage of its consumers when all of them are in one stage. It starts a
//! stage of its own when it is the output, when two stages want it, when it hands on a blob's
//! very bytes (`identity` of a source), or when nothing may be fused. So every edge between
//! stages starts at a stage's root, and stages cannot depend on each other in a circle.

use crate::media::Form;
use crate::nodes::{ENCODE, NodeType as _};
use crate::plan::stage::{PlanNode, State};

/// For each node that must run, the root of its group: its own index for a root. A kept node
/// inside a group stays there; its value is one more result of the stage.
pub fn groups(nodes: &[PlanNode], output: usize, fuse: bool) -> Vec<Option<usize>> {
    let mut groups: Vec<Option<usize>> = vec![None; nodes.len()];
    // What the consumers seen so far say: none yet, all in one group, or in several.
    let mut wanted_by: Vec<Wanted> = vec![Wanted::Nobody; nodes.len()];
    for index in (0..nodes.len()).rev().filter(|index| nodes[*index].state == State::Miss) {
        let alone = !fuse || index == output || hands_on_bytes(&nodes[index]);
        let root = match wanted_by[index] {
            Wanted::By(root) if !alone => root,
            _ => index,
        };
        groups[index] = Some(root);
        for input in &nodes[index].inputs {
            wanted_by[*input] = wanted_by[*input].and(root);
        }
    }
    groups
}

/// Is the node's value a blob because its input's is?
pub fn hands_on_bytes(node: &PlanNode) -> bool {
    matches!(node.facts.form, Form::Blob(_)) && node.source.is_none() && node.node_type.name() != ENCODE.name()
}

#[derive(Clone, Copy)]
enum Wanted {
    Nobody,
    By(usize),
    BySeveral,
}

impl Wanted {
    fn and(self, root: usize) -> Self {
        match self {
            Self::Nobody => Self::By(root),
            Self::By(other) if other == root => self,
            _ => Self::BySeveral,
        }
    }
}
