//! Carries out one stage of pictures, in memory.
//!
//! It knows a plan's steps, where blobs are read and written, and nothing of scheduling,
//! runs' state or the memo. A node that fails or panics fails alone: what depends on it is
//! skipped, and values that the stage keeps without it are still made.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::base::ContentHash;
use crate::engine::error::EngineError;
use crate::media::encode::{EncodeError, encode, encode_stored};
use crate::media::{Facts, Form, Image, PixelOp, decode, point};
use crate::nodes::Lowered;
use crate::plan::{Plan, Step};

/// How long a stage keeps a thread of the pool before it asks for one again. A thread that waits
/// may take up another stage's slice meanwhile, and is late by that much.
const SLICE: Duration = Duration::from_millis(5);

/// Where a stage's blobs come from and go to.
pub trait Blobs: Sync {
    /// The bytes of a blob, checked against its hash.
    fn read(&self, hash: &ContentHash) -> Result<Box<dyn std::ops::Deref<Target = [u8]> + '_>, EngineError>;
    /// Stores the bytes of a node's value; true if they were new.
    fn write(&self, node: usize, bytes: &[u8]) -> Result<(ContentHash, bool), EngineError>;
    /// The threads that render; without any the steps are taken on this thread.
    fn pool(&self) -> Option<&rayon::ThreadPool>;
    /// Should the stage stop?
    fn cancelled(&self) -> bool;
    /// A node of the stage is done.
    fn done(&self, node: usize);
}

/// The blobs that a stage reads, by node.
pub type Inputs = BTreeMap<usize, ContentHash>;

/// What came of a stage.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Values kept: node and content hash.
    pub kept: Vec<(usize, ContentHash)>,
    /// Blobs that were new.
    pub written: u64,
    /// Why the first node failed, if one did.
    pub failure: Option<Failure>,
    /// Nodes that could not run because of it.
    pub skipped: Vec<usize>,
}

/// A node's failure.
#[derive(Debug)]
pub struct Failure {
    /// The node.
    pub node: usize,
    /// Why.
    pub error: WorkError,
}

/// Why a step could not be done.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// The run was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// A source cannot be decoded.
    #[error("{0}")]
    Decode(#[from] decode::DecodeError),
    /// The operation refuses its inputs.
    #[error("{0}")]
    Operation(#[from] crate::media::OpError),
    /// The picture cannot be written in the format.
    #[error("{0}")]
    Encode(#[from] EncodeError),
    /// The node's code panicked: a bug of ours, which fails the node alone.
    #[error("the node panicked: {0} (a bug in artdag; the rest of the run went on)")]
    Panic(String),
    /// ffmpeg could not do it.
    #[error("{0}")]
    Tool(String),
    /// The store could not read or write.
    #[error("{0}")]
    Storage(EngineError),
}

/// Runs a stage. `inputs` are the content hashes of the nodes that the stage reads.
pub fn run_stage(plan: &Plan, stage: usize, inputs: &Inputs, blobs: &dyn Blobs) -> Outcome {
    let mut work = Work {
        plan,
        blobs,
        inputs,
        values: HashMap::new(),
        folding: HashMap::new(),
        uses: uses(plan, stage),
        outcome: Outcome::default(),
        wanted: None,
        failed: HashSet::new(),
    };
    let (steps, mut done) = (&plan.stages[stage].steps, 0);
    while done < steps.len() {
        done += match blobs.pool() {
            Some(pool) => pool.install(|| work.slice(stage, &steps[done..])),
            None => work.slice(stage, &steps[done..]),
        };
    }
    let mut outcome = work.outcome;
    let kept: HashSet<usize> = outcome.kept.iter().map(|(node, _)| *node).collect();
    if let Some(failure) = &outcome.failure {
        let of_stage = plan.stages[stage].nodes.iter().copied();
        outcome.skipped = of_stage.filter(|node| *node != failure.node && work.failed.contains(node)).collect();
        outcome.skipped.retain(|node| !kept.contains(node));
    }
    outcome
}

struct Work<'a> {
    plan: &'a Plan,
    blobs: &'a dyn Blobs,
    inputs: &'a Inputs,
    /// Pictures that are still needed.
    values: HashMap<usize, Arc<Image>>,
    /// Operations that have taken some of their inputs.
    folding: HashMap<usize, Lowered>,
    /// How often each value is still to be taken.
    uses: HashMap<usize, usize>,
    outcome: Outcome,
    /// After a failure: the nodes that a value to be kept still needs.
    wanted: Option<HashSet<usize>>,
    /// Nodes that failed or were skipped.
    failed: HashSet<usize>,
}

impl Work<'_> {
    /// Takes steps for a while, at least one; how many. Between slices others have the threads.
    fn slice(&mut self, stage: usize, steps: &[Step]) -> usize {
        let begun = Instant::now();
        for (index, step) in steps.iter().enumerate() {
            self.step(stage, step);
            if begun.elapsed() >= SLICE {
                return index + 1;
            }
        }
        steps.len()
    }

    fn step(&mut self, stage: usize, step: &Step) {
        let node = target(step);
        if self.wanted.as_ref().is_some_and(|wanted| !wanted.contains(&node)) {
            self.failed.extend(nodes_of(step));
            return;
        }
        let done = if self.blobs.cancelled() {
            Err(WorkError::Cancelled)
        } else {
            catch_unwind(AssertUnwindSafe(|| self.perform(step)))
                .unwrap_or_else(|panic| Err(WorkError::Panic(panic_text(panic.as_ref()))))
        };
        if let Err(error) = done {
            self.failed.extend(nodes_of(step));
            self.outcome.failure.get_or_insert(Failure { node, error });
            self.wanted = Some(still_wanted(self.plan, stage, &self.failed));
        }
    }

    fn perform(&mut self, step: &Step) -> Result<(), WorkError> {
        match step {
            Step::Load(node) => {
                let image = self.load(*node)?;
                self.values.insert(*node, Arc::new(image));
                Ok(())
            }
            Step::Alias(node) => {
                let hash = self.input_hash(self.plan.nodes[*node].inputs[0]);
                self.outcome.kept.push((*node, hash));
                self.blobs.done(*node);
                Ok(())
            }
            Step::Pass(node) => {
                let image = self.take(self.plan.nodes[*node].inputs[0]);
                self.finish(*node, image)
            }
            Step::Points(chain) => self.points(chain),
            Step::Draw(node) => self.draw(*node),
            Step::Start(node) => self.start(*node),
            Step::Fold(node, index) => self.fold(*node, *index),
            Step::Encode(node) => self.encode(*node),
        }
    }

    fn load(&self, node: usize) -> Result<Image, WorkError> {
        let hash = self.input_hash(node);
        let bytes = self.blobs.read(&hash).map_err(WorkError::Storage)?;
        Ok(match self.plan.nodes[node].facts.form {
            Form::Blob(_) => decode::decode(&bytes)?,
            Form::Value => decode::decode_stored(&bytes)?,
        })
    }

    fn input_hash(&self, node: usize) -> ContentHash {
        let hash = self.inputs.get(&node).copied();
        hash.unwrap_or_else(|| panic!("BUG: node {node} is read before it is made"))
    }

    fn points(&mut self, chain: &[usize]) -> Result<(), WorkError> {
        let lowered: Vec<Lowered> = chain.iter().map(|node| self.lowered(*node)).collect();
        let points: Vec<_> = lowered
            .iter()
            .filter_map(|lowered| if let Lowered::Pixels(op) = lowered { op.point() } else { None })
            .collect();
        assert_eq!(points.len(), chain.len(), "BUG: a chain of points holds something else");
        let image = point::apply(self.take(self.plan.nodes[chain[0]].inputs[0]), &points);
        let (last, before) = chain.split_last().unwrap_or_else(|| panic!("BUG: an empty chain"));
        for node in before {
            self.blobs.done(*node);
        }
        self.finish(*last, Arc::new(image))
    }

    fn encode(&mut self, node: usize) -> Result<(), WorkError> {
        let Lowered::Encode { format, quality } = self.lowered(node) else {
            unreachable!("BUG: an encoded node encodes")
        };
        let image = self.take(self.plan.nodes[node].inputs[0]);
        let bytes = encode(&image, format, quality)?;
        drop(image);
        self.keep(node, &bytes)?;
        self.blobs.done(node);
        Ok(())
    }

    fn draw(&mut self, node: usize) -> Result<(), WorkError> {
        let Lowered::Draw(drawing) = self.lowered(node) else { unreachable!("BUG: a drawn node draws") };
        self.finish(node, Arc::new(drawing.draw()))
    }

    fn start(&mut self, node: usize) -> Result<(), WorkError> {
        let first = self.take(self.plan.nodes[node].inputs[0]);
        let lowered = self.lowered(node);
        let image = operation(&lowered).start(first)?;
        self.made(node, 0, image, lowered)
    }

    fn fold(&mut self, node: usize, index: usize) -> Result<(), WorkError> {
        let input = self.take(self.plan.nodes[node].inputs[index]);
        let (Some(accumulator), Some(lowered)) = (self.values.remove(&node), self.folding.remove(&node)) else {
            unreachable!("BUG: node {node} takes a further input before its first")
        };
        let image = operation(&lowered).fold(Arc::unwrap_or_clone(accumulator), index, &input)?;
        self.made(node, index, image, lowered)
    }

    /// The picture after input `index` of a node was taken.
    fn made(&mut self, node: usize, index: usize, image: Image, lowered: Lowered) -> Result<(), WorkError> {
        if index + 1 == self.plan.nodes[node].inputs.len() {
            return self.finish(node, Arc::new(image));
        }
        self.values.insert(node, Arc::new(image));
        self.folding.insert(node, lowered);
        Ok(())
    }

    fn finish(&mut self, node: usize, image: Arc<Image>) -> Result<(), WorkError> {
        if self.plan.nodes[node].kept {
            self.keep(node, &encode_stored(&image))?;
        }
        if self.uses.get(&node).is_some_and(|uses| *uses > 0) {
            self.values.insert(node, image);
        }
        self.blobs.done(node);
        Ok(())
    }

    fn keep(&mut self, node: usize, bytes: &[u8]) -> Result<(), WorkError> {
        let (hash, new) = self.blobs.write(node, bytes).map_err(WorkError::Storage)?;
        self.outcome.kept.push((node, hash));
        self.outcome.written += u64::from(new);
        Ok(())
    }

    /// A value for one of its uses; the last one owns it.
    fn take(&mut self, node: usize) -> Arc<Image> {
        let uses = self.uses.entry(node).or_insert(1);
        *uses -= 1;
        let value = if *uses == 0 { self.values.remove(&node) } else { self.values.get(&node).cloned() };
        value.unwrap_or_else(|| panic!("BUG: the value of node {node} is not there"))
    }

    fn lowered(&self, node: usize) -> Lowered {
        let node = &self.plan.nodes[node];
        let inputs: Vec<Facts> = node.inputs.iter().map(|input| self.plan.nodes[*input].facts.clone()).collect();
        node.node_type.lower(&node.params, &inputs)
    }
}

fn operation(lowered: &Lowered) -> &dyn PixelOp {
    match lowered {
        Lowered::Pixels(op) => op.as_ref(),
        _ => unreachable!("BUG: a started node is a pixel operation"),
    }
}

fn uses(plan: &Plan, stage: usize) -> HashMap<usize, usize> {
    let mut uses = HashMap::new();
    for node in &plan.stages[stage].nodes {
        for input in &plan.nodes[*node].inputs {
            *uses.entry(*input).or_insert(0) += 1;
        }
    }
    uses
}

/// The node that a step is about.
fn target(step: &Step) -> usize {
    match step {
        Step::Load(node)
        | Step::Alias(node)
        | Step::Pass(node)
        | Step::Draw(node)
        | Step::Start(node)
        | Step::Fold(node, _)
        | Step::Encode(node) => *node,
        Step::Points(chain) => chain.last().copied().unwrap_or_default(),
    }
}

fn nodes_of(step: &Step) -> Vec<usize> {
    match step {
        Step::Points(chain) => chain.clone(),
        other => vec![target(other)],
    }
}

/// The nodes of the stage, and those it loads, that a value to be kept needs and that do not
/// depend on a failed one.
fn still_wanted(plan: &Plan, stage: usize, failed: &HashSet<usize>) -> HashSet<usize> {
    let stage = &plan.stages[stage];
    let mut lost = failed.clone();
    for node in &stage.nodes {
        if plan.nodes[*node].inputs.iter().any(|input| lost.contains(input)) {
            lost.insert(*node);
        }
    }
    let mut wanted: HashSet<usize> = HashSet::new();
    for node in stage.nodes.iter().rev() {
        if !lost.contains(node) && (plan.nodes[*node].kept || wanted.contains(node)) {
            wanted.insert(*node);
            wanted.extend(plan.nodes[*node].inputs.iter().copied());
        }
    }
    wanted
}

pub(super) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}
