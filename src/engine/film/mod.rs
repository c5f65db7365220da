//! Carries out a stage of films and sounds: one ffmpeg for its filter graph, or two with native
//! effects between them.
//!
//! What is before a row of effects is one process, which hands frames over by a pipe; the effects
//! run on the rendering pool, a few frames at a time; a second process takes the frames and does
//! the rest. It weaves sounds anew from their sources, so that nothing but pictures goes through
//! the pipe. Nothing is taken from a process before its files have the frames and samples that
//! the plan says.

mod analyse;
mod frames;
mod glance;
mod outputs;
mod pace;
mod reading;
mod weave;
mod writing;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use crate::base::ContentHash;
use crate::base::limits::{FILM_FILE_BYTES, FILM_MEMORY};
use crate::engine::error::EngineError;
use crate::engine::work::{Blobs, Failure, Inputs, Outcome, WorkError};
use crate::media::clip::yuv_to_rgb;
use crate::media::ffmpeg::{self, Child, Ended, Process, Toolkit};
use crate::media::{Facts, Form, Image, Kind, Loom as _, Pad, Pixels, decode};
use crate::nodes::{Film, Lowered};
use crate::plan::{Plan, Work};
use crate::records::{CommandTrace, FileTrace, Held};
use frames::Laid;
use outputs::{Output, Written};
pub use pace::Advance;
use pace::Pace;
pub use reading::write_moving;

/// What can go wrong in a stage.
pub type Trouble = WorkError;

/// What a stage of films needs beside blobs.
pub trait Studio: Blobs {
    /// The ffmpeg of this machine.
    fn toolkit(&self) -> Option<Arc<Toolkit>>;
    /// A directory for one stage, which goes away with what is in it.
    fn scratch(&self) -> Result<tempfile::TempDir, EngineError>;
    /// Where a blob lies, its bytes checked against its hash.
    fn file_of(&self, hash: &ContentHash) -> Result<PathBuf, EngineError>;
    /// Takes note of a command that was started for the stage.
    fn started(&self, command: CommandTrace);
    /// Tells how far the making of a node is.
    fn advance(&self, advance: &Advance);
    /// Takes the file of a node's value into the store; true if its bytes were new.
    fn keep_file(&self, node: usize, file: &Path) -> Result<(ContentHash, bool), EngineError>;
}

/// Runs a stage.
pub fn run_stage(plan: &Plan, stage: usize, inputs: &Inputs, studio: &dyn Studio) -> Outcome {
    let mut outcome = Outcome::default();
    let run = Run { plan, stage, inputs, studio };
    match run.all(&mut outcome) {
        Ok(()) => plan.stages[stage].nodes.iter().for_each(|node| studio.done(*node)),
        Err((node, error)) => {
            let nodes = plan.stages[stage].nodes.iter().copied();
            outcome.skipped = nodes.filter(|other| *other > node).collect();
            outcome.failure = Some(Failure { node, error });
        }
    }
    outcome
}

struct Run<'a> {
    plan: &'a Plan,
    stage: usize,
    inputs: &'a Inputs,
    studio: &'a dyn Studio,
}

/// A graph with its files: everything that a process needs.
struct Woven {
    args: Vec<OsString>,
    /// How frames lie in its pipe, of a process that has one.
    laid: Laid,
    reads: Vec<PathBuf>,
    /// What lies in its directory.
    files: Vec<FileTrace>,
    outputs: Vec<Output>,
}

impl Run<'_> {
    fn all(&self, outcome: &mut Outcome) -> Result<(), (usize, Trouble)> {
        if self.plan.stages[self.stage].work == Work::Data {
            let node = self.plan.stages[self.stage].nodes[0];
            return self.analysed(node, outcome).map_err(|error| (node, error));
        }
        let chain = weave::chain(self.plan, self.stage);
        let keeps = &self.plan.stages[self.stage].keeps;
        let root = keeps.last().copied().unwrap_or(self.plan.output);
        let at_root = |error: Trouble| (root, error);
        let toolkit = self.toolkit().map_err(at_root)?;
        let scratch = self.studio.scratch().map_err(|error| at_root(WorkError::Storage(error)))?;
        let outputs = if chain.is_empty() {
            let woven = self.weave(scratch.path(), "all", None, keeps, None).map_err(at_root)?;
            self.one(root, &toolkit, scratch.path(), woven).map_err(at_root)?
        } else {
            let before = self.before(chain[0]);
            let (first, second): (Vec<usize>, Vec<usize>) = keeps.iter().partition(|node| before.contains(node));
            let last = chain[chain.len() - 1];
            let to_pipe = self.weave(scratch.path(), "before", None, &first, Some(chain[0])).map_err(at_root)?;
            let from_pipe =
                self.weave(scratch.path(), "after", Some((last, Laid::Gbr)), &second, None).map_err(at_root)?;
            self.two(&toolkit, scratch.path(), (&chain, root), to_pipe, from_pipe)?
        };
        for output in outputs {
            self.check(&toolkit, scratch.path(), &output).map_err(|error| (output.node, error))?;
            let (hash, new) = self.keep(scratch.path(), &output).map_err(|error| (output.node, error))?;
            outcome.kept.push((output.node, hash));
            outcome.written += u64::from(new);
        }
        Ok(())
    }

    fn toolkit(&self) -> Result<Arc<Toolkit>, Trouble> {
        self.studio.toolkit().ok_or_else(|| WorkError::Tool("there is no ffmpeg any more".to_owned()))
    }

    fn analysed(&self, node: usize, outcome: &mut Outcome) -> Result<(), Trouble> {
        let Lowered::Analyse(analysis) = self.lowered(node) else { unreachable!("BUG: a stage of data analyses") };
        let json = analyse::run(self, node, analysis)?;
        let (hash, new) = self.studio.write(node, json.as_bytes()).map_err(WorkError::Storage)?;
        outcome.kept.push((node, hash));
        outcome.written += u64::from(new);
        Ok(())
    }

    /// The nodes of the stage that a node is made from.
    fn before(&self, node: usize) -> std::collections::HashSet<usize> {
        let mut before = std::collections::HashSet::new();
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            for input in &self.plan.nodes[node].inputs {
                if self.plan.nodes[*input].stage == Some(self.stage) && before.insert(*input) {
                    open.push(*input);
                }
            }
        }
        before
    }

    fn lowered(&self, node: usize) -> Lowered {
        let node = &self.plan.nodes[node];
        let inputs: Vec<Facts> = node.inputs.iter().map(|input| self.plan.nodes[*input].facts.clone()).collect();
        node.node_type.lower(&node.params, &inputs)
    }

    /// Weaves the graph of one process: for the files of `keeps` and, if an effect is named, for
    /// its input's frames on the standard output. Frames of the effects before it come without
    /// alpha, unless something asks for it.
    fn weave(
        &self,
        dir: &Path,
        name: &str,
        piped: Option<(usize, Laid)>,
        keeps: &[usize],
        to_pipe: Option<usize>,
    ) -> Result<Woven, Trouble> {
        let mut contents = Contents { plan: self.plan, inputs: self.inputs, studio: self.studio };
        let mut weave = weave::Weave::new(self.plan, self.stage, piped, &mut contents);
        let mut outputs = Vec::new();
        let mut tail: Vec<String> = Vec::new();
        let mut laid = piped.map_or(Laid::Rgba, |(_, laid)| laid);
        for node in keeps {
            let (maps, args, output) = self.output(&mut weave, *node, format!("{name}{}", outputs.len()));
            for Pad(label) in maps {
                tail.extend(["-map".to_owned(), format!("[{label}]")]);
            }
            tail.extend(args);
            tail.push(format!("file:{}", output.file));
            outputs.push(output);
        }
        if let Some(effect) = to_pipe {
            let input = &self.plan.nodes[self.plan.nodes[effect].inputs[0]].facts;
            let clip = input.clip.unwrap_or_else(|| panic!("BUG: frames of what is no film"));
            let mut pad = weave.input(effect).picture(0, 0, clip.frames, clip.pixels);
            if clip.pixels == Pixels::Yuv420 {
                pad = weave.input(effect).link(&[pad], &yuv_to_rgb());
                laid = Laid::Gbr;
            }
            tail.extend(["-map".to_owned(), format!("[{}]", pad.0)]);
            tail.extend(["-r".to_owned(), clip.rate.to_string()]);
            tail.extend(words(&format!("-vsync cfr -c:v rawvideo -pix_fmt {} -f rawvideo pipe:1", laid.format())));
        }
        if weave.wants_alpha {
            let piped = piped.map(|(node, _)| (node, Laid::Rgba));
            return self.weave(dir, name, piped, keeps, to_pipe);
        }
        let woven = self.with_files(dir, name, weave.finish()?, tail, outputs)?;
        Ok(Woven { laid, ..woven })
    }

    /// Weaves the graph of a process that writes one stream to its standard output.
    fn weave_to_pipe(
        &self,
        dir: &Path,
        name: &str,
        stream: impl FnOnce(&mut weave::Weave<'_>) -> Pad,
        args: Vec<String>,
    ) -> Result<Woven, Trouble> {
        let mut contents = Contents { plan: self.plan, inputs: self.inputs, studio: self.studio };
        let mut weave = weave::Weave::new(self.plan, self.stage, None, &mut contents);
        let Pad(label) = stream(&mut weave);
        let tail = ["-map".to_owned(), format!("[{label}]")].into_iter().chain(args).collect();
        self.with_files(dir, name, weave.finish()?, tail, Vec::new())
    }

    /// Puts what a graph reads into the process's directory, and its arguments together.
    fn with_files(
        &self,
        dir: &Path,
        name: &str,
        (graph, reads, stills): (String, Vec<weave::Read>, Vec<Image>),
        tail: Vec<String>,
        outputs: Vec<Output>,
    ) -> Result<Woven, Trouble> {
        let io = |error: std::io::Error| WorkError::Tool(error.to_string());
        let script = format!("{name}.graph");
        std::fs::write(dir.join(&script), &graph).map_err(io)?;
        let mut laid_out = vec![FileTrace { name: script.clone(), holds: Held::Text(graph) }];
        let mut head = words(
            "-hide_banner -nostdin -v error -y -copyts -max_error_rate 1 -nostats -progress pipe:2 -stats_period 0.2",
        );
        let mut files = Vec::new();
        for (index, read) in reads.into_iter().enumerate() {
            let input = format!("{name}-in{index}");
            let (args, from) = match read {
                weave::Read::Blob(hash, args) => {
                    let file = self.studio.file_of(&hash).map_err(WorkError::Storage)?;
                    std::os::unix::fs::symlink(&file, dir.join(&input)).map_err(io)?;
                    files.push(file);
                    laid_out.push(FileTrace { name: input.clone(), holds: Held::Blob(hash) });
                    (args, format!("file:{input}"))
                }
                weave::Read::Moving(hash, args) => {
                    let file = self.studio.file_of(&hash).map_err(WorkError::Storage)?;
                    reading::write_moving(&file, &dir.join(&input))?;
                    (args, format!("file:{input}"))
                }
                weave::Read::Still(still, args) => {
                    std::fs::write(dir.join(&input), stills[still].pixels()).map_err(io)?;
                    laid_out.push(FileTrace { name: input.clone(), holds: Held::Pixels });
                    (args, format!("file:{input}"))
                }
                weave::Read::Frames(args) => (args, "pipe:0".to_owned()),
            };
            head.extend(args);
            head.extend(["-i".to_owned(), from]);
        }
        head.extend(["-filter_complex_script".to_owned(), script]);
        head.extend(words("-max_muxing_queue_size 8192"));
        head.extend(tail);
        let args = head.into_iter().map(OsString::from).collect();
        Ok(Woven { args, laid: Laid::Rgba, reads: files, files: laid_out, outputs })
    }

    /// What a kept node writes: its streams, the arguments of its file, and the file.
    fn output(&self, weave: &mut weave::Weave<'_>, node: usize, file: String) -> (Vec<Pad>, Vec<String>, Output) {
        let facts = &self.plan.nodes[node].facts;
        match self.lowered(node) {
            Lowered::EncodeClip(encoding) => {
                let mut value = self.plan.nodes[self.plan.nodes[node].inputs[0]].facts.clone();
                let mut pads = Vec::new();
                if let Some(clip) = value.clip {
                    let shown = writing::shown(encoding.format, clip);
                    let film = Film::new(&value, shown.rate, 0);
                    let pad = film.take(&mut weave.input(node), 0, (0, shown.frames), Pixels::Yuv420);
                    value.clip = Some(shown);
                    pads.push(weave.input(node).link(&[pad], &writing::picture_filters(encoding.format, &value)));
                }
                if value.has_sound() && writing::holds_sound(encoding.format) {
                    pads.push(weave.input(node).sound(0, 0, value.samples));
                }
                let args = writing::encoded(&encoding, &value);
                (pads, args, Output { node, file, what: Written::Encoded(encoding, value) })
            }
            Lowered::Frame { index, .. } => {
                let pad = weave.input(node).picture(0, index, index + 1, Pixels::Rgba);
                let args = words("-frames:v 1 -c:v rawvideo -pix_fmt rgba -f rawvideo");
                (vec![pad], args, Output { node, file, what: Written::Raw })
            }
            _ => {
                let mut pads = Vec::new();
                if facts.clip.is_some() {
                    pads.push(weave.picture(node));
                }
                if facts.has_sound() {
                    pads.push(weave.sound(node));
                }
                (pads, writing::stored(facts), Output { node, file, what: Written::Stored })
            }
        }
    }

    /// Starts a process, and takes note of its command.
    fn start(
        &self,
        (toolkit, dir): (&Toolkit, &Path),
        woven: &Woven,
        (stdin, stdout): (Stdio, Stdio),
    ) -> Result<Child, Trouble> {
        let process = Process {
            program: toolkit.ffmpeg.clone(),
            args: woven.args.clone(),
            dir: dir.to_owned(),
            reads: woven.reads.iter().chain(&toolkit.libraries).cloned().collect(),
            memory: FILM_MEMORY.max(self.plan.stages[self.stage].memory.saturating_mul(4)),
            file_bytes: FILM_FILE_BYTES,
        };
        let child = process.start(stdin, stdout).map_err(not_started)?;
        let word = |word: &OsStr| word.to_string_lossy().into_owned();
        self.studio.started(CommandTrace {
            program: process.program.file_name().map(word).unwrap_or_default(),
            args: process.args.iter().map(|arg| word(arg)).collect(),
            files: woven.files.clone(),
        });
        Ok(child)
    }

    /// Runs the only process of a stage.
    fn one(&self, root: usize, toolkit: &Toolkit, dir: &Path, woven: Woven) -> Result<Vec<Output>, Trouble> {
        let mut child = self.start((toolkit, dir), &woven, (Stdio::null(), Stdio::null()))?;
        self.wait(&mut child, root)?;
        Ok(woven.outputs)
    }

    /// Runs the process before the effects, the effects, and the process after them.
    fn two(
        &self,
        toolkit: &Toolkit,
        dir: &Path,
        (chain, root): (&[usize], usize),
        first: Woven,
        second: Woven,
    ) -> Result<Vec<Output>, (usize, Trouble)> {
        let at = |error: Trouble| (chain[chain.len() - 1], error);
        let mut before = self.start((toolkit, dir), &first, (Stdio::null(), Stdio::piped())).map_err(at)?;
        let mut after = self.start((toolkit, dir), &second, (Stdio::piped(), Stdio::null())).map_err(at)?;
        let (Some(from), Some(to)) = (before.stdout(), after.stdin()) else {
            return Err(at(WorkError::Tool("its pipes cannot be opened".to_owned())));
        };
        let killers = [before.killer(), after.killer()];
        let pace = Pace::new(self, root, &after);
        let goes_on = !first.outputs.is_empty();
        let handed = ffmpeg::watched(&killers, &|| pace.look(), || {
            frames::hand_over(self.plan, chain, self.studio, (from, first.laid, goes_on), (to, second.laid))
        });
        match handed {
            Ok(()) => {}
            // A process that has died is the reason, and not the pipe that it left.
            Err(frames::Broken::Effect(node, error)) => return Err((node, error)),
            Err(frames::Broken::Stopped) => return Err(at(WorkError::Cancelled)),
            Err(frames::Broken::Pipe(_) | frames::Broken::Enough) if self.studio.cancelled() => {
                return Err(at(WorkError::Cancelled));
            }
            Err(frames::Broken::Enough) => {
                self.wait(&mut after, root).map_err(at)?;
                if !goes_on {
                    before.kill();
                    return Ok(second.outputs);
                }
            }
            Err(frames::Broken::Pipe(said)) => {
                // Both ends of the pipes are closed: each process ends by itself, and the first
                // to fail is the one that the other misses.
                self.wait(&mut after, root).map_err(at)?;
                self.wait(&mut before, root).map_err(at)?;
                return Err(at(WorkError::Tool(format!("frames were lost on their way: {said}"))));
            }
        }
        self.wait(&mut before, root).map_err(at)?;
        self.wait(&mut after, root).map_err(at)?;
        Ok(first.outputs.into_iter().chain(second.outputs).collect())
    }

    /// Waits for the end of a process that makes a node.
    fn wait(&self, child: &mut Child, node: usize) -> Result<(), Trouble> {
        let pace = Pace::new(self, node, child);
        judge(child.wait(&|| pace.look()).map_err(not_started)?)
    }
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn judge(ended: Option<Ended>) -> Result<(), Trouble> {
    let ended = ended.ok_or(WorkError::Cancelled)?;
    if ended.status.success() {
        return Ok(());
    }
    let said = if ended.said.is_empty() { "it says nothing".to_owned() } else { ended.said };
    Err(WorkError::Tool(format!("ffmpeg failed ({}): {said}", ended.status)))
}

#[expect(clippy::needless_pass_by_value, reason = "map_err hands it over")]
fn not_started(error: std::io::Error) -> Trouble {
    WorkError::Tool(format!("ffmpeg cannot be run: {error}"))
}

/// What lies outside of the stage.
struct Contents<'a> {
    plan: &'a Plan,
    inputs: &'a Inputs,
    studio: &'a dyn Studio,
}

impl weave::Store for Contents<'_> {
    fn hash(&self, node: usize) -> ContentHash {
        let hash = self.inputs.get(&node).copied();
        hash.unwrap_or_else(|| panic!("BUG: node {node} is read before it is made"))
    }

    fn image(&mut self, node: usize) -> Result<Image, Trouble> {
        let bytes = self.studio.read(&self.hash(node)).map_err(WorkError::Storage)?;
        let facts = &self.plan.nodes[node].facts;
        debug_assert!(facts.kind == Kind::Image);
        Ok(match facts.form {
            Form::Blob(_) => decode::decode(&bytes)?,
            Form::Value => decode::decode_stored(&bytes)?,
        })
    }
}
