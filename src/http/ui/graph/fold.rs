//! Which nodes of a large DAG are drawn as one box.
//!
//! Rows of nodes that only hand on to the next are one unit; units of the same types that lead to
//! the same readers are one box; what is still too much is cut into pieces of an order in which
//! it can run. A box that is opened is drawn node by node, or in smaller pieces.
//!
//! Boxes never form a circle: whatever enters one of the first two kinds leaves it to all that it
//! leads to, so a way through boxes is a way through nodes; and pieces of an order only lead on.
//! Pure, and linear but for sorting.

use std::collections::{BTreeMap, BinaryHeap, HashMap};

/// Nodes that are all drawn: a graph as small as that has no boxes.
pub const FEW: usize = 100;
/// Boxes above which all is cut into pieces.
const MOST: usize = 150;
/// Pieces that it is cut into then, about.
const PIECES: usize = 60;
/// Nodes that an opened box shows at once; of a larger one smaller boxes are made.
const AT_ONCE: usize = 100;
/// Units that are worth a box: fewer are drawn as they are.
const WORTH: usize = 3;

/// A DAG as it is drawn.
pub struct Folded {
    /// The nodes of each box, in topological order, as the boxes are.
    pub boxes: Vec<Vec<usize>>,
    /// The boxes that each box reads.
    pub inputs: Vec<Vec<usize>>,
}

impl Folded {
    /// Every node by itself.
    pub fn not(inputs: &[Vec<usize>]) -> Self {
        Self { boxes: (0..inputs.len()).map(|node| vec![node]).collect(), inputs: inputs.to_vec() }
    }

    /// Folds a DAG whose nodes are in topological order. `opened` are nodes that are to be seen.
    pub fn of(inputs: &[Vec<usize>], kinds: &[&str], opened: &[usize]) -> Self {
        if inputs.len() <= FEW {
            return Self::not(inputs);
        }
        let units = units(inputs);
        let mut groups = siblings(inputs, kinds, units);
        if groups.len() > MOST {
            groups = pieces(inputs, groups);
        }
        let groups = groups.into_iter().flat_map(|group| open(group, opened)).collect();
        quotient(inputs, groups)
    }
}

/// The readers of each node, each once.
fn readers(inputs: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut readers = vec![Vec::new(); inputs.len()];
    for (node, read) in inputs.iter().enumerate() {
        for input in read {
            if readers[*input].last() != Some(&node) {
                readers[*input].push(node);
            }
        }
    }
    readers
}

/// Rows of nodes, each the only reader of the one before, and reading nothing else.
fn units(inputs: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let readers = readers(inputs);
    let mut unit_of = vec![usize::MAX; inputs.len()];
    let mut units: Vec<Vec<usize>> = Vec::new();
    for (node, read) in inputs.iter().enumerate() {
        let only = read.first().filter(|first| read.iter().all(|input| input == *first));
        match only.filter(|before| readers[**before].len() == 1) {
            Some(before) => {
                unit_of[node] = unit_of[*before];
                units[unit_of[node]].push(node);
            }
            None => {
                unit_of[node] = units.len();
                units.push(vec![node]);
            }
        }
    }
    units
}

/// What units that go together have in common: the types of their nodes, and who reads the last.
type Likeness<'a> = (Vec<&'a str>, &'a [usize]);

/// Puts units of the same types with the same readers together.
fn siblings(inputs: &[Vec<usize>], kinds: &[&str], units: Vec<Vec<usize>>) -> Vec<Vec<usize>> {
    let readers = readers(inputs);
    let mut alike: BTreeMap<Likeness<'_>, Vec<Vec<usize>>> = BTreeMap::new();
    let mut groups = Vec::new();
    for unit in units {
        let leads_to = unit.last().map_or(&[][..], |last| readers[*last].as_slice());
        if leads_to.is_empty() {
            groups.extend(row(inputs, &readers, unit));
            continue;
        }
        alike.entry((unit.iter().map(|node| kinds[*node]).collect(), leads_to)).or_default().push(unit);
    }
    for units in alike.into_values() {
        if units.len() >= WORTH {
            groups.push(units.into_iter().flatten().collect());
        } else {
            groups.extend(units.into_iter().flat_map(|unit| row(inputs, &readers, unit)));
        }
    }
    groups
}

/// A row that has no others like it: what joins several ways and what nothing reads stand for
/// themselves, and so do few nodes.
fn row(inputs: &[Vec<usize>], readers: &[Vec<usize>], mut unit: Vec<usize>) -> Vec<Vec<usize>> {
    let joins = |node: &usize| inputs[*node].iter().any(|input| *input != inputs[*node][0]);
    let first = if unit.first().is_some_and(joins) { vec![vec![unit.remove(0)]] } else { Vec::new() };
    let last = unit.pop_if(|node| readers[*node].is_empty());
    let middle = if unit.len() < WORTH { single(unit) } else { vec![unit] };
    first.into_iter().chain(middle).chain(last.map(|node| vec![node])).collect()
}

fn single(group: Vec<usize>) -> Vec<Vec<usize>> {
    group.into_iter().map(|node| vec![node]).collect()
}

/// Cuts all groups into pieces of one order: what is made for a node comes just before it.
fn pieces(inputs: &[Vec<usize>], groups: Vec<Vec<usize>>) -> Vec<Vec<usize>> {
    let folded = quotient(inputs, groups);
    let mut is_read = vec![false; folded.boxes.len()];
    folded.inputs.iter().flatten().for_each(|input| is_read[*input] = true);
    let mut order = Vec::with_capacity(folded.boxes.len());
    let mut seen = vec![false; folded.boxes.len()];
    for end in (0..folded.boxes.len()).filter(|group| !is_read[*group]) {
        let mut open = vec![(end, 0)];
        seen[end] = true;
        while let Some((group, next)) = open.pop() {
            match folded.inputs[group].get(next) {
                Some(input) => {
                    open.push((group, next + 1));
                    if !std::mem::replace(&mut seen[*input], true) {
                        open.push((*input, 0));
                    }
                }
                None => order.push(group),
            }
        }
    }
    let each = order.len().div_ceil(PIECES);
    order.chunks(each).map(|piece| piece.iter().flat_map(|group| &folded.boxes[*group]).copied().collect()).collect()
}

/// A group, or what is drawn in its place because one of its nodes is to be seen.
fn open(group: Vec<usize>, opened: &[usize]) -> Vec<Vec<usize>> {
    if group.len() == 1 || !opened.iter().any(|node| group.contains(node)) {
        return vec![group];
    }
    if group.len() <= AT_ONCE {
        return single(group);
    }
    let each = AT_ONCE.max(group.len().div_ceil(AT_ONCE));
    let part = |part: &[usize]| {
        if opened.iter().any(|node| part.contains(node)) { single(part.to_vec()) } else { vec![part.to_vec()] }
    };
    group.chunks(each).flat_map(part).collect()
}

/// The graph of groups, in topological order; of those that could come next the one with the
/// first node does.
fn quotient(inputs: &[Vec<usize>], groups: Vec<Vec<usize>>) -> Folded {
    let mut of = vec![usize::MAX; inputs.len()];
    for (at, group) in groups.iter().enumerate() {
        for node in group {
            of[*node] = at;
        }
    }
    let mut reads: Vec<Vec<usize>> = Vec::with_capacity(groups.len());
    for (at, group) in groups.iter().enumerate() {
        let all = group.iter().flat_map(|node| &inputs[*node]).map(|input| of[*input]).filter(|input| *input != at);
        let mut seen = std::collections::HashSet::new();
        // In the order in which nodes name them: a layout keeps to it.
        reads.push(all.filter(|input| seen.insert(*input)).collect());
    }
    let mut left: Vec<usize> = reads.iter().map(Vec::len).collect();
    let followers = readers(&reads);
    let first = |at: usize| std::cmp::Reverse((groups[at].iter().min().copied(), at));
    let mut ready: BinaryHeap<_> = (0..groups.len()).filter(|at| left[*at] == 0).map(first).collect();
    let mut place = HashMap::new();
    let mut order = Vec::with_capacity(groups.len());
    while let Some(std::cmp::Reverse((_, at))) = ready.pop() {
        place.insert(at, order.len());
        order.push(at);
        for follower in &followers[at] {
            left[*follower] -= 1;
            if left[*follower] == 0 {
                ready.push(first(*follower));
            }
        }
    }
    let inputs = order.iter().map(|at| reads[*at].iter().map(|input| place[input]).collect()).collect();
    let mut groups = groups;
    Folded { boxes: order.iter().map(|at| std::mem::take(&mut groups[*at])).collect(), inputs }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every node is in one box, and boxes only read what comes before them.
    fn check(inputs: &[Vec<usize>], folded: &Folded) {
        let mut all: Vec<usize> = folded.boxes.iter().flatten().copied().collect();
        all.sort_unstable();
        assert!(all.iter().copied().eq(0..inputs.len()), "a node is lost or drawn twice");
        assert!(folded.inputs.iter().enumerate().all(|(at, read)| read.iter().all(|input| *input < at)));
    }

    /// `count` times source and resize, all stacked, and a tail.
    fn fan(count: usize) -> (Vec<Vec<usize>>, Vec<&'static str>) {
        let (mut inputs, mut kinds) = (Vec::new(), Vec::new());
        for at in 0..count {
            inputs.extend([vec![], vec![2 * at]]);
            kinds.extend(["SOURCE", "RESIZE"]);
        }
        inputs.push((0..count).map(|at| 2 * at + 1).collect());
        inputs.extend([vec![2 * count], vec![2 * count]]);
        kinds.extend(["STACK", "EFFECT", "CROP"]);
        (inputs, kinds)
    }

    #[test]
    fn a_small_graph_is_drawn_as_it_is() {
        let (inputs, kinds) = fan(40);
        let folded = Folded::of(&inputs, &kinds, &[]);
        assert_eq!(folded.boxes.len(), inputs.len());
        assert_eq!(folded.inputs, inputs);
    }

    #[test]
    fn siblings_that_feed_one_node_are_one_box_that_opens() {
        let (inputs, kinds) = fan(120);
        let folded = Folded::of(&inputs, &kinds, &[]);
        check(&inputs, &folded);
        let sizes: Vec<usize> = folded.boxes.iter().map(Vec::len).collect();
        assert_eq!(sizes, [240, 1, 1, 1]);
        let opened = Folded::of(&inputs, &kinds, &[150]);
        check(&inputs, &opened);
        let sizes = |size: usize| opened.boxes.iter().filter(|group| group.len() == size).count();
        assert_eq!((sizes(1), sizes(100), sizes(40)), (103, 1, 1), "a hundred around the node are drawn");
    }

    #[test]
    fn a_chain_is_one_box() {
        let chain: Vec<Vec<usize>> = (0..1000_usize).map(|node| node.checked_sub(1).into_iter().collect()).collect();
        let folded = Folded::of(&chain, &vec!["EFFECT"; 1000], &[]);
        let sizes: Vec<usize> = folded.boxes.iter().map(Vec::len).collect();
        assert_eq!(sizes, [999, 1], "the output stands for itself");
    }

    #[test]
    fn whatever_its_shape_a_large_graph_has_few_boxes_and_no_circle() {
        let mut seed = 7_u64;
        let mut random = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) as usize % below
        };
        for size in [101, 400, 3000] {
            for reads in 1..4 {
                let inputs: Vec<Vec<usize>> = (0..size)
                    .map(|node| if node == 0 { vec![] } else { (0..reads).map(|_| random(node)).collect() })
                    .collect();
                let kinds: Vec<&str> = (0..size).map(|_| ["RESIZE", "CROP"][random(2)]).collect();
                for opened in [vec![], vec![size / 2], vec![0, size / 3, size - 1]] {
                    let folded = Folded::of(&inputs, &kinds, &opened);
                    check(&inputs, &folded);
                    assert!(folded.boxes.len() <= MOST + opened.len() * 2 * AT_ONCE, "{}", folded.boxes.len());
                    let alone = |node: &usize| folded.boxes.contains(&vec![*node]);
                    assert!(opened.iter().all(alone), "what is opened is seen");
                }
            }
        }
    }
}
