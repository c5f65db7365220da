//! Native effects over the frames of a film: read from one pipe, rendered on the pool, written to
//! another, with a few frames in memory.

use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{ChildStdin, ChildStdout};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use crate::engine::film::{Studio, Trouble};
use crate::engine::work::{WorkError, panic_text};
use crate::media::{Facts, Image, PixelOp};
use crate::nodes::Lowered;
use crate::plan::Plan;

/// Why frames did not all get through.
pub enum Broken {
    /// An effect failed.
    Effect(usize, Trouble),
    /// A process left its end of a pipe.
    Pipe(String),
    /// The run was cancelled.
    Stopped,
}

type Batch = Vec<Image>;

/// Hands all frames of the effects' input over, with every effect of the row applied.
pub fn hand_over(
    plan: &Plan,
    chain: &[usize],
    studio: &dyn Studio,
    from: ChildStdout,
    to: ChildStdin,
) -> Result<(), Broken> {
    let ops: Vec<(usize, Box<dyn PixelOp>)> = chain.iter().map(|node| (*node, op(plan, *node))).collect();
    let facts = &plan.nodes[chain[0]].facts;
    let at_once = studio.pool().map_or(1, rayon::ThreadPool::current_num_threads).max(1);
    std::thread::scope(|scope| {
        let (raw, raws) = sync_channel::<Batch>(1);
        let (done, dones) = sync_channel::<Batch>(1);
        let reader = scope.spawn(move || read_frames(from, facts, at_once, &raw));
        let writer = scope.spawn(move || write_frames(to, &dones));
        let rendered = render(raws, &ops, studio, done);
        let (read, written) = (reader.join(), writer.join());
        rendered?;
        for ended in [read, written] {
            ended.unwrap_or_else(|_| Err(std::io::Error::other("a thread of frames panicked"))).map_err(broken)?;
        }
        Ok(())
    })
}

#[expect(clippy::needless_pass_by_value, reason = "map_err hands it over")]
fn broken(error: std::io::Error) -> Broken {
    Broken::Pipe(error.to_string())
}

fn op(plan: &Plan, node: usize) -> Box<dyn PixelOp> {
    let node = &plan.nodes[node];
    let inputs: Vec<Facts> = node.inputs.iter().map(|input| plan.nodes[*input].facts.clone()).collect();
    match node.node_type.lower(&node.params, &inputs) {
        Lowered::Pixels(op) => op,
        _ => unreachable!("BUG: an effect over frames is a pixel operation"),
    }
}

fn read_frames(mut from: ChildStdout, facts: &Facts, at_once: usize, to: &SyncSender<Batch>) -> std::io::Result<()> {
    let frames = facts.clip.map_or(0, |clip| clip.frames);
    let mut batch = Batch::new();
    for index in 0..frames {
        let mut pixels = vec![0; facts.pixels() as usize * 4];
        from.read_exact(&mut pixels)
            .map_err(|error| std::io::Error::new(error.kind(), format!("{index} of {frames} frames came")))?;
        batch.push(Image::new(facts.width, facts.height, pixels));
        if batch.len() == at_once || index + 1 == frames {
            // Whoever does not take it any more has a better reason.
            if to.send(std::mem::take(&mut batch)).is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "the writer ends when the sender is dropped")]
fn render(
    raws: Receiver<Batch>,
    ops: &[(usize, Box<dyn PixelOp>)],
    studio: &dyn Studio,
    done: SyncSender<Batch>,
) -> Result<(), Broken> {
    for batch in raws {
        if studio.cancelled() {
            return Err(Broken::Stopped);
        }
        let work = || batch.into_par_iter().map(|image| apply(image, ops)).collect::<Result<Batch, _>>();
        let batch = match studio.pool() {
            Some(pool) => pool.install(work),
            None => work(),
        };
        let batch = batch.map_err(|(node, error)| Broken::Effect(node, error))?;
        if done.send(batch).is_err() {
            return Err(Broken::Pipe("the process after the effects ended".to_owned()));
        }
    }
    Ok(())
}

fn apply(image: Image, ops: &[(usize, Box<dyn PixelOp>)]) -> Result<Image, (usize, Trouble)> {
    let mut image = Arc::new(image);
    for (node, op) in ops {
        let made = catch_unwind(AssertUnwindSafe(|| op.start(image)))
            .map_err(|panic| (*node, WorkError::Panic(panic_text(panic.as_ref()))))?;
        image = Arc::new(made.map_err(|error| (*node, error.into()))?);
    }
    Ok(Arc::unwrap_or_clone(image))
}

fn write_frames(mut to: ChildStdin, from: &Receiver<Batch>) -> std::io::Result<()> {
    for batch in from {
        for image in batch {
            to.write_all(image.pixels())?;
        }
    }
    to.flush()
}
