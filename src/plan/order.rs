//! From groups to stages: what each does step by step, what it reads and writes, what comes
//! before it, and how long the way from it to the output is.

use std::collections::HashSet;

use crate::media::Facts;
use crate::nodes::Lowered;
use crate::plan::stage::{PlanNode, Stage, Step, Work};
use crate::plan::{cost, fuse};

/// Makes the stages of the groups (see [`fuse::groups`]) and marks each node with its stage
/// and whether its value is kept.
pub fn stages(nodes: &mut [PlanNode], groups: &[Option<usize>], keeps: &[usize]) -> Vec<Stage> {
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    for (index, root) in groups.iter().enumerate() {
        if let Some(root) = root {
            members[*root].push(index);
        }
    }
    let keeps: HashSet<usize> = keeps.iter().copied().collect();
    let mut stages = Vec::new();
    // Roots in topological order: what a stage reads was made by a stage before it.
    for root in (0..nodes.len()).filter(|index| groups[*index] == Some(*index)) {
        let of_stage = std::mem::take(&mut members[root]);
        for member in &of_stage {
            nodes[*member].stage = Some(stages.len());
            nodes[*member].kept = *member == root || keeps.contains(member);
        }
        let stage = stage(nodes, root, of_stage);
        stages.push(stage);
    }
    remaining(&mut stages);
    stages
}

fn stage(nodes: &[PlanNode], root: usize, members: Vec<usize>) -> Stage {
    let inside: HashSet<usize> = members.iter().copied().collect();
    let keeps: Vec<usize> = members.iter().copied().filter(|member| nodes[*member].kept).collect();
    let mut reads: Vec<usize> = members
        .iter()
        .flat_map(|member| nodes[*member].inputs.iter().copied())
        .filter(|input| !inside.contains(input))
        .collect();
    reads.sort_unstable();
    reads.dedup();
    let mut after: Vec<usize> = reads.iter().filter_map(|read| nodes[*read].stage).collect();
    after.sort_unstable();
    after.dedup();
    let uses = uses(nodes, &members);
    let work = match nodes[root].work {
        _ if fuse::hands_on_bytes(&nodes[root]) => Work::Pixels,
        Work::Frames => Work::Film,
        work => work,
    };
    let is_pixels = work == Work::Pixels;
    let steps = if is_pixels { join_points(nodes, steps(nodes, root, &keeps, &inside), &uses) } else { Vec::new() };
    let memory = if is_pixels { memory(nodes, &steps, &uses) } else { cost::film_memory(nodes, &members) };
    Stage {
        work,
        memory,
        cost: members.iter().map(|member| nodes[*member].cost).sum(),
        remaining: 0.0,
        steps,
        reads,
        keeps,
        nodes: members,
        after,
    }
}

/// How often the stage takes each node's value.
fn uses(nodes: &[PlanNode], members: &[usize]) -> std::collections::HashMap<usize, usize> {
    let mut uses = std::collections::HashMap::new();
    for input in members.iter().flat_map(|member| &nodes[*member].inputs) {
        *uses.entry(*input).or_insert(0) += 1;
    }
    uses
}

/// Steps in depth-first order from the root, so that a fold takes each input as soon as it is
/// made and few pictures are in memory at once. No recursion: chains are long.
fn steps(nodes: &[PlanNode], root: usize, keeps: &[usize], inside: &HashSet<usize>) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut made: HashSet<usize> = HashSet::new();
    // (node, inputs already taken). Kept values that the root does not need come last.
    let mut stack: Vec<(usize, usize)> = keeps.iter().rev().map(|keep| (*keep, 0)).collect();
    stack.push((root, 0));
    while let Some((node, taken)) = stack.pop() {
        if made.contains(&node) {
            continue;
        }
        if !inside.contains(&node) {
            made.insert(node);
            steps.push(Step::Load(node));
            continue;
        }
        let inputs = &nodes[node].inputs;
        if inputs.is_empty() {
            made.insert(node);
            steps.push(Step::Draw(node));
            continue;
        }
        if fuse::hands_on_bytes(&nodes[node]) {
            made.insert(node);
            steps.push(Step::Alias(node));
            continue;
        }
        // The input asked for in the round before is there now: take it.
        let next = match taken {
            0 => 0,
            taken => {
                steps.push(take(nodes, node, taken - 1));
                taken
            }
        };
        if next == inputs.len() {
            made.insert(node);
        } else {
            stack.push((node, next + 1));
            stack.push((inputs[next], 0));
        }
    }
    steps
}

fn take(nodes: &[PlanNode], node: usize, input: usize) -> Step {
    if input > 0 {
        return Step::Fold(node, input);
    }
    match lowered(nodes, node) {
        Lowered::Encode { .. } => Step::Encode(node),
        Lowered::Identity => Step::Pass(node),
        _ => Step::Start(node),
    }
}

fn lowered(nodes: &[PlanNode], node: usize) -> Lowered {
    let inputs: Vec<Facts> = nodes[node].inputs.iter().map(|input| nodes[*input].facts.clone()).collect();
    nodes[node].node_type.lower(&nodes[node].params, &inputs)
}

/// Joins point operations that follow each other on a value nobody else takes.
fn join_points(nodes: &[PlanNode], steps: Vec<Step>, uses: &std::collections::HashMap<usize, usize>) -> Vec<Step> {
    let mut joined: Vec<Step> = Vec::with_capacity(steps.len());
    for step in steps {
        let Step::Start(node) = step else {
            joined.push(step);
            continue;
        };
        let is_point = nodes[node].inputs.len() == 1
            && matches!(lowered(nodes, node), Lowered::Pixels(op) if op.point().is_some());
        if !is_point {
            joined.push(step);
            continue;
        }
        let input = nodes[node].inputs[0];
        match joined.last_mut() {
            Some(Step::Points(chain))
                if chain.last() == Some(&input) && uses.get(&input) == Some(&1) && !nodes[input].kept =>
            {
                chain.push(node);
            }
            _ => joined.push(Step::Points(vec![node])),
        }
    }
    joined
}

/// The most bytes of pictures that are alive at once, with one more picture of the largest
/// size for an operation's own work.
fn memory(nodes: &[PlanNode], steps: &[Step], uses: &std::collections::HashMap<usize, usize>) -> u64 {
    let mut left = uses.clone();
    let (mut alive, mut peak, mut largest) = (0_u64, 0_u64, 0_u64);
    let size = |node: usize| cost::memory_bytes(&nodes[node].facts);
    let mut release = |alive: &mut u64, node: usize| {
        if let Some(count) = left.get_mut(&node) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                *alive = alive.saturating_sub(size(node));
            }
        }
    };
    for step in steps {
        let (made, taken) = match step {
            Step::Load(node) | Step::Draw(node) => (Some(*node), None),
            Step::Start(node) | Step::Pass(node) | Step::Encode(node) => (Some(*node), Some(nodes[*node].inputs[0])),
            Step::Points(chain) => (chain.last().copied(), Some(nodes[chain[0]].inputs[0])),
            Step::Fold(node, input) => (None, Some(nodes[*node].inputs[*input])),
            Step::Alias(_) => (None, None),
        };
        if let Some(node) = made {
            largest = largest.max(size(node));
            alive += size(node);
        }
        peak = peak.max(alive);
        if let Some(node) = taken {
            release(&mut alive, node);
        }
    }
    peak + largest
}

/// Longest remaining path, from the last stage to the first.
fn remaining(stages: &mut [Stage]) {
    for index in (0..stages.len()).rev() {
        stages[index].remaining += stages[index].cost;
        let path = stages[index].remaining;
        for before in stages[index].after.clone() {
            // `remaining` of a stage not reached yet holds the longest path after it.
            stages[before].remaining = stages[before].remaining.max(path);
        }
    }
}
