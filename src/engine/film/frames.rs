//! Native effects over the frames of a film: read from one pipe, rendered on the pool, written to
//! another, with a few frames in memory. Where alpha is not wanted, planes go through the pipes.

use std::io::{ErrorKind, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{ChildStdin, ChildStdout};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use crate::engine::film::{Studio, Trouble};
use crate::engine::work::{WorkError, panic_text};
use crate::media::planar::{from_gbr, to_gbr_over_black};
use crate::media::{Facts, Image, PixelOp};
use crate::nodes::Lowered;
use crate::plan::Plan;

/// Why frames did not all get through.
pub enum Broken {
    /// An effect failed.
    Effect(usize, Trouble),
    /// A process left its end of a pipe.
    Pipe(String),
    /// The process after them has all the frames that it needs, or has failed: it knows.
    Enough,
    /// The run was cancelled.
    Stopped,
}

/// How the pixels of a frame lie in a pipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Laid {
    /// Four bytes a pixel.
    Rgba,
    /// Planes of green, blue and red: of what is opaque, or over black.
    Gbr,
}

impl Laid {
    /// ffmpeg's name for it.
    pub const fn format(self) -> &'static str {
        match self {
            Self::Rgba => "rgba",
            Self::Gbr => "gbrp",
        }
    }

    const fn bytes(self) -> usize {
        match self {
            Self::Rgba => 4,
            Self::Gbr => 3,
        }
    }
}

/// Bytes that a pipe of frames holds, if the system lets it.
const PIPE_BYTES: usize = 1 << 20;

/// Frames as they lie in a pipe.
type Batch = Vec<Vec<u8>>;

/// Memory of frames, used again: it would be given back to the system and asked for each time.
#[derive(Default)]
struct Buffers(Mutex<Vec<Vec<u8>>>);

impl Buffers {
    /// So many bytes, whatever they are.
    fn take(&self, len: usize) -> Vec<u8> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().position(|buffer| buffer.len() == len);
        found.map_or_else(|| vec![0; len], |at| kept.swap_remove(at))
    }

    fn give(&self, buffer: Vec<u8>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(buffer);
    }
}

/// What frames go through.
struct Row<'a> {
    buffers: &'a Buffers,
    size: (u32, u32),
    from: Laid,
    ops: &'a [(usize, Box<dyn PixelOp>)],
    to: Laid,
}

/// Hands all frames of the effects' input over, with every effect of the row applied. Where what is
/// after them takes no more, the rest is read and dropped if what is before them `goes_on`.
pub fn hand_over(
    plan: &Plan,
    chain: &[usize],
    studio: &dyn Studio,
    (from, laid, goes_on): (ChildStdout, Laid, bool),
    (to, laid_after): (ChildStdin, Laid),
) -> Result<(), Broken> {
    let ops: Vec<(usize, Box<dyn PixelOp>)> = chain.iter().map(|node| (*node, op(plan, *node))).collect();
    let facts = &plan.nodes[chain[0]].facts;
    let buffers = Buffers::default();
    let row = Row { buffers: &buffers, size: (facts.width, facts.height), from: laid, ops: &ops, to: laid_after };
    // As much as the system lets a pipe hold: processes wait for each other less often.
    for pipe in [from.as_fd(), to.as_fd()] {
        let _ = rustix::pipe::fcntl_setpipe_size(pipe, PIPE_BYTES);
    }
    let at_once = studio.pool().map_or(1, rayon::ThreadPool::current_num_threads).max(1);
    std::thread::scope(|scope| {
        let (raw, raws) = sync_channel::<Batch>(1);
        let (done, dones) = sync_channel::<Batch>(1);
        let reader = scope.spawn(move || {
            let mut from = from;
            let is_taken = read_frames(&mut from, (laid.bytes(), row.buffers), facts, at_once, &raw)?;
            if goes_on && !is_taken {
                std::io::copy(&mut from, &mut std::io::sink())?;
            }
            Ok(())
        });
        let writer = scope.spawn(move || write_frames(to, row.buffers, &dones));
        let rendered = render(raws, &row, studio, done);
        let panicked = |_| Err(std::io::Error::other("a thread of frames panicked"));
        let [read, written] = [reader.join(), writer.join()].map(|ended| ended.unwrap_or_else(panicked));
        let is_enough = written.as_ref().is_err_and(|error| error.kind() == ErrorKind::BrokenPipe);
        match rendered {
            Ok(()) | Err(Broken::Pipe(_)) if is_enough => return Err(Broken::Enough),
            rendered => rendered?,
        }
        read.and(written).map_err(broken)
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

/// Were all frames taken?
fn read_frames(
    from: &mut ChildStdout,
    (bytes, buffers): (usize, &Buffers),
    facts: &Facts,
    at_once: usize,
    to: &SyncSender<Batch>,
) -> std::io::Result<bool> {
    let frames = facts.clip.map_or(0, |clip| clip.frames);
    let mut batch = Batch::new();
    for index in 0..frames {
        let mut pixels = buffers.take(facts.pixels() as usize * bytes);
        from.read_exact(&mut pixels)
            .map_err(|error| std::io::Error::new(error.kind(), format!("{index} of {frames} frames came")))?;
        batch.push(pixels);
        if batch.len() == at_once || index + 1 == frames {
            // Whoever does not take it any more has a better reason.
            if to.send(std::mem::take(&mut batch)).is_err() {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

#[expect(clippy::needless_pass_by_value, reason = "the writer ends when the sender is dropped")]
fn render(raws: Receiver<Batch>, row: &Row<'_>, studio: &dyn Studio, done: SyncSender<Batch>) -> Result<(), Broken> {
    for batch in raws {
        if studio.cancelled() {
            return Err(Broken::Stopped);
        }
        let work = || batch.into_par_iter().map(|frame| row.apply(frame)).collect::<Result<Batch, _>>();
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

impl Row<'_> {
    fn apply(&self, frame: Vec<u8>) -> Result<Vec<u8>, (usize, Trouble)> {
        let (width, height) = self.size;
        let mut image = Arc::new(match self.from {
            Laid::Rgba => Image::new(width, height, frame),
            Laid::Gbr => {
                let mut pixels = self.buffers.take(frame.len() / 3 * 4);
                from_gbr(&frame, &mut pixels);
                self.buffers.give(frame);
                Image::new(width, height, pixels)
            }
        });
        for (node, op) in self.ops {
            let made = catch_unwind(AssertUnwindSafe(|| op.start(image)))
                .map_err(|panic| (*node, WorkError::Panic(panic_text(panic.as_ref()))))?;
            image = Arc::new(made.map_err(|error| (*node, error.into()))?);
        }
        if self.to == Laid::Rgba {
            return Ok(Arc::unwrap_or_clone(image).into_pixels());
        }
        let mut planes = self.buffers.take(image.pixels().len() / 4 * 3);
        to_gbr_over_black(&image, &mut planes);
        self.buffers.give(Arc::unwrap_or_clone(image).into_pixels());
        Ok(planes)
    }
}

fn write_frames(mut to: ChildStdin, buffers: &Buffers, from: &Receiver<Batch>) -> std::io::Result<()> {
    for batch in from {
        for frame in batch {
            to.write_all(&frame)?;
            buffers.give(frame);
        }
    }
    to.flush()
}
