//! How far a stage is, told while its processes run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::engine::film::{Run, Studio};
use crate::media::ffmpeg::{Child, Written};
use crate::plan::Plan;

/// How far the making of a node is.
#[derive(Debug, Clone, PartialEq)]
pub struct Advance {
    /// The node.
    pub node: usize,
    /// Of its making, 0 to 1.
    pub fraction: f64,
    /// Frames written and frames expected, of what has frames.
    pub frames: Option<(u64, u64)>,
    /// Seconds that are left, by the pace so far.
    pub seconds_left: f64,
}

/// Looks at what a process has written, and tells where it is more than before.
pub struct Pace<'a> {
    studio: &'a dyn Studio,
    node: usize,
    written: Arc<Written>,
    begun: Instant,
    told: AtomicU64,
    /// Microseconds that are expected.
    whole: u64,
    frames: Option<u64>,
}

impl<'a> Pace<'a> {
    /// Of a process that makes a node, which lasts as long as what it is made from at least.
    pub fn new(run: &Run<'a>, node: usize, child: &Child) -> Self {
        let facts = longest(run.plan, node);
        let seconds = run.plan.nodes[facts].facts.seconds();
        Self {
            studio: run.studio,
            node,
            written: child.written(),
            begun: Instant::now(),
            told: AtomicU64::new(0),
            whole: (seconds * 1e6) as u64,
            frames: run.plan.nodes[facts].facts.clip.map(|clip| clip.frames),
        }
    }

    /// Tells how far the process is, if that has changed; is it to stop?
    pub fn look(&self) -> bool {
        let written = self.written.microseconds().min(self.whole);
        if self.told.swap(written, Ordering::Relaxed) != written {
            let fraction = written as f64 / self.whole as f64;
            let elapsed = self.begun.elapsed().as_secs_f64();
            self.studio.advance(&Advance {
                node: self.node,
                fraction,
                frames: self.frames.map(|frames| ((fraction * frames as f64).round() as u64, frames)),
                seconds_left: elapsed * (1.0 - fraction) / fraction,
            });
        }
        self.studio.cancelled()
    }
}

/// The node itself, or of what has no time its longest input.
fn longest(plan: &Plan, node: usize) -> usize {
    if plan.nodes[node].facts.seconds() > 0.0 {
        return node;
    }
    let seconds = |input: &usize| plan.nodes[*input].facts.seconds();
    let inputs = plan.nodes[node].inputs.iter().copied();
    inputs.max_by(|a, b| seconds(a).total_cmp(&seconds(b))).unwrap_or(node)
}
