//! Which nodes run as one stage.
//!
//! A node joins the stage of its consumers when all of them are in one stage. It starts a
//! stage of its own when it is the output, when two stages want it, when it hands on a blob's
//! very bytes (`identity` of a source), or when nothing may be fused. So every edge between
//! stages starts at a stage's root, and stages cannot depend on each other in a circle.
//!
//! Pictures in memory and films through ffmpeg are different work, and never one stage. Of films
//! a value that is taken twice, or kept, stays inside only if everything from it to the root is
//! in step, so that no branch must wait in memory for another. A stage has at most one row of
//! effects over frames: what is before it and what comes after it are two processes, and no
//! picture goes to both. A picture that is taken from a film (`FRAME`) is read by others as a blob.

use std::collections::HashSet;

use crate::base::limits::FILM_STAGE_NODES;
use crate::media::{Form, Kind};
use crate::nodes::{ENCODE, Lowered, NodeType as _};
use crate::plan::stage::{PlanNode, State, Work};

/// For each node that must run, the root of its group: its own index for a root. A kept node
/// inside a group stays there; its value is one more result of the stage.
pub fn groups(nodes: &[PlanNode], output: usize, keeps: &[usize], fuse: bool) -> Vec<Option<usize>> {
    let mut grouping = Grouping {
        nodes,
        keeps: keeps.iter().copied().collect(),
        groups: vec![None; nodes.len()],
        wanted: vec![Wanted::Nobody; nodes.len()],
        uses: vec![0; nodes.len()],
        shared_in_step: vec![true; nodes.len()],
        sides: vec![Sides::default(); nodes.len()],
        sizes: vec![0; nodes.len()],
        chains: vec![None; nodes.len()],
    };
    for index in (0..nodes.len()).rev().filter(|index| nodes[*index].state == State::Miss) {
        let alone = !fuse || index == output || hands_on_bytes(&nodes[index]);
        let root = match grouping.wanted[index] {
            Wanted::By(root) if !alone && grouping.may_join(index, root) => root,
            _ => index,
        };
        grouping.place(index, root);
    }
    grouping.groups
}

/// Is the node's value a blob because its input's is?
pub fn hands_on_bytes(node: &PlanNode) -> bool {
    matches!(node.facts.form, Form::Blob(_)) && node.source.is_none() && node.node_type.name() != ENCODE.name()
}

struct Grouping<'a> {
    nodes: &'a [PlanNode],
    keeps: HashSet<usize>,
    groups: Vec<Option<usize>>,
    /// What the consumers seen so far say: none yet, all in one group, or in several.
    wanted: Vec<Wanted>,
    /// How often each value is taken.
    uses: Vec<usize>,
    /// Is everything from the node's consumers to the root of their group in step?
    shared_in_step: Vec<bool>,
    /// On which sides of its group's effects the node's picture is taken.
    sides: Vec<Sides>,
    /// Nodes of each group, by root.
    sizes: Vec<usize>,
    /// The first effect of each group's row of effects, by root.
    chains: Vec<Option<usize>>,
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

/// Which sides of a row of effects take a picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sides {
    before: bool,
    after: bool,
}

impl Grouping<'_> {
    fn may_join(&self, index: usize, root: usize) -> bool {
        let (work, of_root) = (self.nodes[index].work, self.nodes[root].work);
        match (work, of_root) {
            (Work::Pixels, Work::Pixels) => true,
            (Work::Film | Work::Frames, Work::Film | Work::Frames) => {
                let sides = self.sides[index];
                let shared = self.uses[index] > 1 || self.keeps.contains(&index);
                let fits = self.sizes[root] < FILM_STAGE_NODES;
                let is_moving = self.nodes[index].facts.kind != Kind::Image;
                fits && is_moving
                    && (!shared || self.shared_in_step[index])
                    && !(sides.before && sides.after)
                    && (work == Work::Film || self.may_join_chain(index, root))
            }
            _ => false,
        }
    }

    /// An effect joins as the only one of its group, or right before the first one.
    fn may_join_chain(&self, index: usize, root: usize) -> bool {
        let Some(first) = self.chains[root] else { return !self.sides[index].before };
        self.uses[index] == 1 && !self.keeps.contains(&index) && self.nodes[first].inputs.first() == Some(&index)
    }

    fn place(&mut self, index: usize, root: usize) {
        let node = &self.nodes[index];
        self.groups[index] = Some(root);
        self.sizes[root] += 1;
        let is_frames = node.work == Work::Frames;
        if is_frames {
            self.chains[root] = Some(index);
        }
        let after_root = index == root || self.shared_in_step[index];
        let in_step = after_root && is_in_step(self.nodes, node);
        let sides = self.sides[index];
        for input in &node.inputs {
            self.wanted[*input] = self.wanted[*input].and(root);
            self.uses[*input] += 1;
            self.shared_in_step[*input] &= in_step;
            if is_frames || (index != root && sides.before) {
                self.sides[*input].before = true;
            } else {
                self.sides[*input].after = true;
            }
        }
    }
}

/// Do all inputs of a node advance together?
fn is_in_step(nodes: &[PlanNode], node: &PlanNode) -> bool {
    if node.work == Work::Pixels {
        return true;
    }
    let inputs: Vec<_> = node.inputs.iter().map(|input| nodes[*input].facts.clone()).collect();
    match node.node_type.lower(&node.params, &inputs) {
        Lowered::Clip(op) => op.is_in_step(),
        Lowered::Frame { .. } => false,
        _ => true,
    }
}
