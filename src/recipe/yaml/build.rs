//! From a stream of events to the tree, within limits.
//!
//! Depth, values and bytes are counted as if every alias were written out; an anchor's totals
//! are known when it ends, so that a use of it is one addition. Duplicate keys and bad merges
//! are gathered as problems; only a limit, or an alias to itself, ends the reading.

use std::collections::HashMap;
use std::sync::Arc;

use crate::base::limits;
use crate::recipe::problem::{LocPart, Mark, Problem};
use crate::recipe::words::quoted;
use crate::recipe::yaml::{Entry, Map, Node, Scalar, Style, Value, View};

/// Takes events, gives the tree.
#[derive(Default)]
pub(super) struct Builder {
    stack: Vec<Frame>,
    /// By id; `None` for those that have not ended.
    anchors: Vec<Option<Anchor>>,
    written: Totals,
    root: Option<Node>,
    problems: Vec<Problem>,
}

/// What the limits count.
#[derive(Clone, Copy, Default)]
struct Totals {
    values: usize,
    bytes: usize,
}

/// What an anchor names, and what it amounts to.
struct Anchor {
    node: Arc<Node>,
    totals: Totals,
    depth: usize,
}

/// A list or map that has begun and not ended.
struct Frame {
    mark: Mark,
    anchor: usize,
    content: Content,
    /// The totals before it.
    before: Totals,
    /// Levels of nesting in it, itself included.
    depth: usize,
}

enum Content {
    Seq(Vec<Node>),
    Map { map: Map, pending: Pending, merged_at: Option<Mark> },
}

/// What a map waits for.
enum Pending {
    Key,
    Value(String, Mark),
    /// The value of `<<`.
    Merged(Mark),
    /// The value of a key that is refused.
    Dropped,
}

/// The refusal of a config that is nested too deeply.
pub(super) fn too_deep() -> Problem {
    let message = format!("nested more than {} levels deep, which is the limit", limits::CONFIG_DEPTH);
    Problem::error("too_deep", message)
}

impl Builder {
    /// A scalar; `anchor` is 0 for none.
    pub(super) fn scalar(&mut self, scalar: Scalar, mark: Mark, anchor: usize) -> Result<(), Problem> {
        let before = self.written;
        self.count(Totals { values: 1, bytes: scalar.text.len() }, mark)?;
        let node = Node::new(mark, Value::Scalar(scalar));
        let node = self.anchored(node, anchor, before, 0);
        self.add(node);
        Ok(())
    }

    /// The start of a list.
    pub(super) fn open_seq(&mut self, mark: Mark, anchor: usize) -> Result<(), Problem> {
        self.open(Content::Seq(Vec::new()), mark, anchor)
    }

    /// The start of a map.
    pub(super) fn open_map(&mut self, mark: Mark, anchor: usize) -> Result<(), Problem> {
        self.open(Content::Map { map: Map::default(), pending: Pending::Key, merged_at: None }, mark, anchor)
    }

    fn open(&mut self, content: Content, mark: Mark, anchor: usize) -> Result<(), Problem> {
        if self.stack.len() >= limits::CONFIG_DEPTH {
            return Err(too_deep().at(mark));
        }
        let before = self.written;
        self.count(Totals { values: 1, bytes: 0 }, mark)?;
        self.stack.push(Frame { mark, anchor, content, before, depth: 1 });
        Ok(())
    }

    /// The end of the list or map begun last.
    pub(super) fn close(&mut self) {
        let Some(frame) = self.stack.pop() else { return };
        let value = match frame.content {
            Content::Seq(items) => Value::Seq(items),
            Content::Map { mut map, .. } => {
                self.drop_duplicates(&mut map);
                Value::Map(map)
            }
        };
        if let Some(outer) = self.stack.last_mut() {
            outer.depth = outer.depth.max(frame.depth + 1);
        }
        let node = self.anchored(Node::new(frame.mark, value), frame.anchor, frame.before, frame.depth);
        self.add(node);
    }

    /// The use of an anchor.
    pub(super) fn alias(&mut self, id: usize, mark: Mark) -> Result<(), Problem> {
        let Some(Some(anchor)) = self.anchors.get(id) else {
            return Err(Problem::error("syntax", "an alias within what it stands for: it would have no end").at(mark));
        };
        let node = Node::new(mark, Value::Shared(anchor.node.clone()));
        let (totals, depth) = (anchor.totals, anchor.depth);
        if self.stack.len() + depth > limits::CONFIG_DEPTH {
            return Err(too_deep().at(mark));
        }
        self.count(totals, mark)?;
        if let Some(outer) = self.stack.last_mut() {
            outer.depth = outer.depth.max(depth + 1);
        }
        self.add(node);
        Ok(())
    }

    /// A problem at the place that the events have come to.
    pub(super) fn problem(&mut self, kind: &'static str, mark: Mark, message: impl Into<String>) {
        // Far more than are ever shown; what is dropped here is only not counted.
        if self.problems.len() < 100 * limits::CONFIG_PROBLEMS {
            let loc = self.stack.iter().filter_map(Frame::place).collect();
            self.problems.push(Problem { loc, ..Problem::error(kind, message).at(mark) });
        }
    }

    fn keep(&mut self, problem: Problem) {
        // Far more than are ever shown; what is dropped here is only not counted.
        if self.problems.len() < 100 * limits::CONFIG_PROBLEMS {
            self.problems.push(problem);
        }
    }

    fn duplicate(&mut self, key: &str, mark: Mark, first: Mark, advice: &str) {
        let Mark { line, column } = first;
        let message = format!(
            "the key {} is here a second time; it is already at line {line}, column {column}{advice}",
            quoted(key)
        );
        let mut loc: Vec<LocPart> = self.stack.iter().filter_map(Frame::place).collect();
        loc.push(LocPart::Key(key.to_owned()));
        self.keep(Problem { loc, ..Problem::error("duplicate_key", message).at(mark) });
    }

    /// The tree and what is wrong with it.
    pub(super) fn finish(self) -> (Option<Node>, Vec<Problem>) {
        (self.root, self.problems)
    }

    fn count(&mut self, more: Totals, mark: Mark) -> Result<(), Problem> {
        self.written.values += more.values;
        self.written.bytes += more.bytes;
        let refuse = |what: String| Err(Problem::error("too_large", what).at(mark));
        if self.written.values > limits::CONFIG_VALUES {
            return refuse(format!(
                "more than {} values (aliases expanded), which is the limit",
                limits::CONFIG_VALUES
            ));
        }
        if self.written.bytes > limits::CONFIG_EXPANDED_BYTES {
            let limit = limits::CONFIG_EXPANDED_BYTES;
            return refuse(format!("more than {limit} bytes of text (aliases expanded), which is the limit"));
        }
        Ok(())
    }

    fn anchored(&mut self, node: Node, anchor: usize, before: Totals, depth: usize) -> Node {
        if anchor == 0 {
            return node;
        }
        let values = self.written.values - before.values;
        let totals = Totals { values, bytes: self.written.bytes - before.bytes };
        let node = Arc::new(node);
        // Ids are given out one after another.
        if self.anchors.len() <= anchor {
            self.anchors.resize_with(anchor + 1, || None);
        }
        self.anchors[anchor] = Some(Anchor { node: node.clone(), totals, depth });
        Node::new(node.mark, Value::Shared(node))
    }

    /// Puts a finished value where it belongs.
    fn add(&mut self, node: Node) {
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some(node);
            return;
        };
        let (map, pending) = match &mut frame.content {
            Content::Seq(items) => return items.push(node),
            Content::Map { map, pending, .. } => (map, pending),
        };
        match std::mem::replace(pending, Pending::Key) {
            Pending::Key => self.key(&node),
            Pending::Value(key, mark) => map.entries.push(Entry { key, mark, node }),
            Pending::Merged(mark) => self.merge(mark, node),
            Pending::Dropped => {}
        }
    }

    fn key(&mut self, node: &Node) {
        let mark = node.mark;
        let Some(scalar) = node.scalar() else {
            self.wait_for(Pending::Dropped);
            return self.problem("key", mark, "a key must be a text, not a list or a map");
        };
        if scalar.style != Style::Plain || scalar.text != "<<" {
            let key = scalar.text.clone();
            return self.wait_for(Pending::Value(key, mark));
        }
        let Some(Frame { content: Content::Map { merged_at, .. }, .. }) = self.stack.last_mut() else {
            return;
        };
        match *merged_at {
            None => {
                *merged_at = Some(mark);
                self.wait_for(Pending::Merged(mark));
            }
            Some(first) => {
                self.wait_for(Pending::Dropped);
                self.duplicate("<<", mark, first, "; give it a list of maps");
            }
        }
    }

    fn wait_for(&mut self, next: Pending) {
        if let Some(Frame { content: Content::Map { pending, .. }, .. }) = self.stack.last_mut() {
            *pending = next;
        }
    }

    /// Merges the value of a `<<`.
    fn merge(&mut self, mark: Mark, node: Node) {
        let fits = match node.view() {
            View::Map(_) => true,
            View::Seq(items) => items.iter().all(|item| item.map().is_some()),
            View::Scalar(_) => false,
        };
        if !fits {
            return self.problem("merge", mark, "\"<<\" merges a map or a list of maps, and this is neither");
        }
        if let Some(Frame { content: Content::Map { map, .. }, .. }) = self.stack.last_mut() {
            map.merged = Some(Box::new(node));
        }
    }

    /// Keeps the first of the entries with one key, and reports the others.
    fn drop_duplicates(&mut self, map: &mut Map) {
        // Comparing each with each is fastest for what people write.
        const FEW: usize = 16;
        let entries = &map.entries;
        let mut doubles: Vec<(usize, usize)> = Vec::new();
        if entries.len() <= FEW {
            for (later, entry) in entries.iter().enumerate() {
                let first = entries[..later].iter().position(|other| other.key == entry.key);
                doubles.extend(first.map(|first| (first, later)));
            }
        } else {
            let mut first_of: HashMap<&str, usize> = HashMap::with_capacity(entries.len());
            for (later, entry) in entries.iter().enumerate() {
                let first = *first_of.entry(&entry.key).or_insert(later);
                doubles.extend((first != later).then_some((first, later)));
            }
        }
        if doubles.is_empty() {
            return;
        }
        for (first, later) in &doubles {
            let Entry { key, mark, .. } = &map.entries[*later];
            self.duplicate(key, *mark, map.entries[*first].mark, "");
        }
        let mut index = 0;
        let mut doubles = doubles.into_iter().map(|(_, later)| later).peekable();
        map.entries.retain(|_| {
            index += 1;
            doubles.next_if_eq(&(index - 1)).is_none()
        });
    }
}

impl Frame {
    /// Its part of the path to the place that the events have come to.
    fn place(&self) -> Option<LocPart> {
        match &self.content {
            Content::Seq(items) => Some(LocPart::Index(items.len())),
            Content::Map { pending: Pending::Value(key, _), .. } => Some(LocPart::Key(key.clone())),
            Content::Map { .. } => None,
        }
    }
}
