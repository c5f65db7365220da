//! Where the nodes of a DAG stand: layers from left to right, few crossings, straight lines where
//! there is room.
//!
//! Each node comes right of all that it reads. A line over several layers gets a place of its own
//! in each, so that it does not run through nodes. Orders are found by putting everything beside
//! the middle of its neighbours, a few times forth and back; so are heights. Pure, and linear in
//! nodes and lines for each round.

/// Width of a node.
pub const WIDTH: f64 = 188.0;
/// Height of a node.
pub const HEIGHT: f64 = 52.0;
/// From the left side of a layer to that of the next.
const STEP: f64 = WIDTH + 60.0;
/// From the middle of a node to that of the one below it, and the same beside a line.
const APART: f64 = HEIGHT + 18.0;
const BESIDE_LINE: f64 = HEIGHT / 2.0 + 16.0;
/// Space around everything.
const MARGIN: f64 = 12.0;
/// Times that everything is put beside its neighbours.
const ROUNDS: usize = 8;
/// Places that lines get; with more of them, lines run straight.
const BENDS: usize = 20_000;

/// Where everything is.
pub struct Layout {
    /// Of the whole.
    pub width: f64,
    /// Of the whole.
    pub height: f64,
    /// The upper left corner of each node.
    pub nodes: Vec<(f64, f64)>,
    /// The lines between them.
    pub lines: Vec<Line>,
}

/// From which node, to which, and the points that the line passes.
pub type Line = (usize, usize, Vec<(f64, f64)>);

/// Lays out a DAG whose nodes are in topological order, each with the nodes that it reads.
pub fn layout(inputs: &[Vec<usize>]) -> Layout {
    let mut places = Places::new(inputs);
    for round in 0..ROUNDS {
        places.reorder(round % 2 == 0);
    }
    for round in 0..ROUNDS {
        places.straighten(round % 2 == 0);
    }
    places.finish(inputs.len())
}

struct Places {
    /// Nodes first, then the bends of lines.
    layer: Vec<usize>,
    y: Vec<f64>,
    before: Vec<Vec<usize>>,
    after: Vec<Vec<usize>>,
    layers: Vec<Vec<usize>>,
    lines: Vec<(usize, usize, Vec<usize>)>,
    nodes: usize,
}

impl Places {
    fn new(inputs: &[Vec<usize>]) -> Self {
        let layer = layers(inputs);
        let mut places = Self {
            y: vec![0.0; layer.len()],
            before: vec![Vec::new(); layer.len()],
            after: vec![Vec::new(); layer.len()],
            layers: Vec::new(),
            lines: Vec::new(),
            nodes: layer.len(),
            layer,
        };
        let edges = inputs.iter().enumerate().flat_map(|(to, from)| from.iter().map(move |from| (*from, to)));
        let edges: Vec<(usize, usize)> = edges.filter(|(from, to)| from < to).collect();
        let spans = |(from, to): &(usize, usize)| places.layer[*to] - places.layer[*from] - 1;
        let bent = edges.iter().map(spans).sum::<usize>() <= BENDS;
        for (from, to) in edges {
            places.connect(from, to, bent);
        }
        let count = places.layer.iter().max().map_or(0, |last| last + 1);
        places.layers = vec![Vec::new(); count];
        for (item, layer) in places.layer.iter().enumerate() {
            places.layers[*layer].push(item);
        }
        for layer in 0..count {
            places.stack(layer);
        }
        places
    }

    fn connect(&mut self, from: usize, to: usize, bent: bool) {
        let mut bends = Vec::new();
        let mut last = from;
        if bent {
            for layer in self.layer[from] + 1..self.layer[to] {
                let bend = self.layer.len();
                self.layer.push(layer);
                self.y.push(0.0);
                self.before.push(vec![last]);
                self.after.push(Vec::new());
                self.after[last].push(bend);
                bends.push(bend);
                last = bend;
            }
        }
        self.after[last].push(to);
        self.before[to].push(last);
        self.lines.push((from, to, bends));
    }

    /// From the middle of one to the middle of the next below.
    fn apart(&self, upper: usize, lower: usize) -> f64 {
        match (upper < self.nodes, lower < self.nodes) {
            (true, true) => APART,
            (false, false) => 22.0,
            _ => BESIDE_LINE,
        }
    }

    /// Puts a layer one below the other, around the middle.
    fn stack(&mut self, layer: usize) {
        let mut y = 0.0;
        let items = std::mem::take(&mut self.layers[layer]);
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                y += self.apart(items[at - 1], *item);
            }
            self.y[*item] = y;
        }
        for item in &items {
            self.y[*item] -= y / 2.0;
        }
        self.layers[layer] = items;
    }

    fn middle(&self, item: usize, forth: bool) -> f64 {
        let beside = if forth { &self.before[item] } else { &self.after[item] };
        if beside.is_empty() {
            return self.y[item];
        }
        beside.iter().map(|other| self.y[*other]).sum::<f64>() / beside.len() as f64
    }

    fn reorder(&mut self, forth: bool) {
        for at in 0..self.layers.len() {
            let layer = if forth { at } else { self.layers.len() - 1 - at };
            let mut items = std::mem::take(&mut self.layers[layer]);
            items.sort_by(|a, b| self.middle(*a, forth).total_cmp(&self.middle(*b, forth)));
            self.layers[layer] = items;
            self.stack(layer);
        }
    }

    /// Moves a layer to the middles of its neighbours, as far as its order lets it.
    fn straighten(&mut self, forth: bool) {
        for at in 0..self.layers.len() {
            let layer = if forth { at } else { self.layers.len() - 1 - at };
            let items = std::mem::take(&mut self.layers[layer]);
            let wanted: Vec<f64> = items.iter().map(|item| self.middle(*item, forth)).collect();
            let (mut low, mut high) = (wanted.clone(), wanted);
            for k in 1..items.len() {
                low[k] = low[k].max(low[k - 1] + self.apart(items[k - 1], items[k]));
            }
            for k in (1..items.len()).rev() {
                high[k - 1] = high[k - 1].min(high[k] - self.apart(items[k - 1], items[k]));
            }
            for (k, item) in items.iter().enumerate() {
                self.y[*item] = f64::midpoint(low[k], high[k]);
            }
            self.layers[layer] = items;
        }
    }

    fn finish(self, nodes: usize) -> Layout {
        let top = self.y.iter().copied().fold(f64::INFINITY, f64::min);
        let bottom = self.y.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (top, bottom) = if nodes == 0 { (0.0, 0.0) } else { (top, bottom) };
        let x = |item: usize| MARGIN + self.layer[item] as f64 * STEP;
        let y = |item: usize| MARGIN + HEIGHT / 2.0 + self.y[item] - top;
        let lines = self.lines.iter().map(|(from, to, bends)| {
            let mut points = vec![(x(*from) + WIDTH, y(*from))];
            for bend in bends {
                points.push((x(*bend), y(*bend)));
                points.push((x(*bend) + WIDTH, y(*bend)));
            }
            points.push((x(*to), y(*to)));
            (*from, *to, points)
        });
        Layout {
            width: 2.0 * MARGIN + (self.layers.len().max(1) - 1) as f64 * STEP + WIDTH,
            height: 2.0 * MARGIN + HEIGHT + bottom - top,
            nodes: (0..nodes).map(|node| (x(node), y(node) - HEIGHT / 2.0)).collect(),
            lines: lines.collect(),
        }
    }
}

/// The layer of each node: right of all that it reads, and what reads nothing just left of its
/// first reader.
fn layers(inputs: &[Vec<usize>]) -> Vec<usize> {
    let mut layer = vec![0; inputs.len()];
    for (node, read) in inputs.iter().enumerate() {
        layer[node] = read.iter().filter(|input| **input < node).map(|input| layer[*input] + 1).max().unwrap_or(0);
    }
    let mut first_reader = vec![usize::MAX; inputs.len()];
    for (node, read) in inputs.iter().enumerate() {
        for input in read.iter().filter(|input| **input < node) {
            first_reader[*input] = first_reader[*input].min(layer[node]);
        }
    }
    for (node, read) in inputs.iter().enumerate() {
        if read.is_empty() && first_reader[node] != usize::MAX {
            layer[node] = first_reader[node] - 1;
        }
    }
    layer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlaps(layout: &Layout) -> bool {
        layout.nodes.iter().enumerate().any(|(at, a)| {
            layout.nodes[at + 1..].iter().any(|b| (a.0 - b.0).abs() < WIDTH && (a.1 - b.1).abs() < HEIGHT)
        })
    }

    #[test]
    fn nothing_overlaps_and_lines_lead_to_the_right() {
        let fan: Vec<Vec<usize>> =
            (0..60).map(|node| if node < 20 { vec![] } else { vec![node - 20, node / 3] }).collect();
        for inputs in [vec![], vec![vec![]], vec![vec![], vec![0], vec![0, 1], vec![0, 2], vec![3]], fan] {
            let layout = layout(&inputs);
            assert!(!overlaps(&layout));
            assert!(layout.lines.iter().all(|(_, _, points)| points.windows(2).all(|pair| pair[0].0 < pair[1].0)));
            assert!(layout.nodes.iter().all(|(x, y)| *x >= 0.0 && *y >= 0.0));
            assert!(layout.nodes.iter().all(|(x, y)| x + WIDTH <= layout.width && y + HEIGHT <= layout.height));
        }
    }

    #[test]
    fn a_chain_is_a_straight_line() {
        let chain: Vec<Vec<usize>> = (0..50_usize).map(|node| node.checked_sub(1).into_iter().collect()).collect();
        let layout = layout(&chain);
        assert!(layout.nodes.windows(2).all(|pair| (pair[0].1 - pair[1].1).abs() < 1e-9 && pair[0].0 < pair[1].0));
    }

    #[test]
    fn a_source_stands_beside_what_reads_it() {
        assert_eq!(layers(&[vec![], vec![0], vec![1], vec![], vec![2, 3]]), [0, 1, 2, 2, 3]);
    }
}
