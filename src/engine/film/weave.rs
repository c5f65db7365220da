//! The filter graph of a stage: woven from its outputs back to what it reads.
//!
//! Every node's value is cut or held to the length that its facts say, and renumbered; so is
//! what is read. A source is opened once for each time that it is taken, since pieces of
//! different times would wait for each other in memory.

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::base::ContentHash;
use crate::engine::film::frames::Laid;
use crate::engine::film::reading;
use crate::media::clip::{convert, numbered, rgb_to_yuv};
use crate::media::time::{Rate, SAMPLE_RATE};
use crate::media::{Clip, Facts, Form, Image, Loom, MediaType, Pad, Pixels};
use crate::nodes::Lowered;
use crate::plan::{Plan, Work};

/// A file or pipe that a process reads, in the order of its inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// A blob of the store: arguments before its name.
    Blob(ContentHash, Vec<String>),
    /// The same of an animated WebP: what our own decoder makes of it.
    Moving(ContentHash, Vec<String>),
    /// A picture of one frame, written out as RGBA.
    Still(usize, Vec<String>),
    /// Frames of the effects before, from the standard input.
    Frames(Vec<String>),
}

/// What a graph may ask of a stage beside its plan.
pub trait Store {
    /// The content of a node outside of the stage.
    fn hash(&self, node: usize) -> ContentHash;
    /// The picture of a node outside of the stage, decoded.
    fn image(&mut self, node: usize) -> Result<Image, super::Trouble>;
}

/// A graph being woven.
pub struct Weave<'a> {
    plan: &'a Plan,
    stage: usize,
    /// The last of the stage's effects, whose frames come in by a pipe.
    piped: Option<(usize, Laid)>,
    /// Is alpha asked for of frames that come without?
    pub wants_alpha: bool,
    store: &'a mut dyn Store,
    lines: Vec<String>,
    /// What is read.
    pub reads: Vec<Read>,
    /// Pictures that are read, in the order of their numbers.
    pub stills: Vec<Image>,
    bases: HashMap<(usize, Stream), Base>,
    labels: usize,
    /// The first thing that went wrong.
    trouble: Option<super::Trouble>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Stream {
    Picture,
    Sound,
}

/// A node's stream, and how often it is taken.
struct Base {
    pad: Pad,
    taken: Vec<Pad>,
    stream: Stream,
}

impl<'a> Weave<'a> {
    pub fn new(plan: &'a Plan, stage: usize, piped: Option<(usize, Laid)>, store: &'a mut dyn Store) -> Self {
        Self {
            plan,
            stage,
            piped,
            wants_alpha: false,
            store,
            lines: Vec::new(),
            reads: Vec::new(),
            stills: Vec::new(),
            bases: HashMap::new(),
            labels: 0,
            trouble: None,
        }
    }

    /// The picture of a node of the stage, for one use.
    pub fn picture(&mut self, node: usize) -> Pad {
        self.wants_alpha |= self.comes_without_alpha(node);
        self.take(node, Stream::Picture)
    }

    /// The sound of a node of the stage, for one use.
    pub fn sound(&mut self, node: usize) -> Pad {
        self.take(node, Stream::Sound)
    }

    /// An input of a node as the loom gives it.
    pub fn input(&mut self, node: usize) -> impl Loom + use<'_, 'a> {
        At { weave: self, node }
    }

    /// The text of the graph.
    pub fn finish(mut self) -> Result<(String, Vec<Read>, Vec<Image>), super::Trouble> {
        if let Some(trouble) = self.trouble {
            return Err(trouble);
        }
        let mut bases: Vec<_> = self.bases.into_iter().collect();
        bases.sort_by_key(|((node, stream), _)| (*node, *stream == Stream::Sound));
        for (_, base) in bases {
            let taken = labels(&base.taken);
            let split = match (base.stream, base.taken.len()) {
                (Stream::Picture, 1) => "null".to_owned(),
                (Stream::Sound, 1) => "anull".to_owned(),
                (Stream::Picture, count) => format!("split={count}"),
                (Stream::Sound, count) => format!("asplit={count}"),
            };
            self.lines.push(format!("[{}]{split}{taken}", base.pad.0));
        }
        // What ffmpeg puts in by itself scales by the same rules.
        let head = format!("sws_flags={};\n", crate::media::clip::SCALE_FLAGS);
        Ok((head + &self.lines.join(";\n"), self.reads, self.stills))
    }

    fn facts(&self, node: usize) -> &'a Facts {
        &self.plan.nodes[node].facts
    }

    fn is_inside(&self, node: usize) -> bool {
        self.plan.nodes[node].stage == Some(self.stage)
    }

    fn label(&mut self) -> Pad {
        self.labels += 1;
        Pad(format!("p{}", self.labels))
    }

    fn link(&mut self, pads: &[Pad], filters: &str) -> Pad {
        let out = self.label();
        let ins = labels(pads);
        self.lines.push(format!("{ins}{filters}[{}]", out.0));
        out
    }

    /// A stream of a node of the stage: woven once, and split if it is taken again.
    fn take(&mut self, node: usize, stream: Stream) -> Pad {
        if !self.bases.contains_key(&(node, stream)) {
            let pad = match stream {
                Stream::Picture => self.weave_picture(node),
                Stream::Sound => self.weave_sound(node),
            };
            self.bases.insert((node, stream), Base { pad, taken: Vec::new(), stream });
        }
        let label = self.label();
        if let Some(base) = self.bases.get_mut(&(node, stream)) {
            base.taken.push(label.clone());
        }
        label
    }

    fn weave_picture(&mut self, node: usize) -> Pad {
        let clip = self.clip(node);
        if let Some((_, laid)) = self.piped.filter(|(piped, _)| *piped == node) {
            let Facts { width, height, .. } = self.facts(node);
            self.reads.push(Read::Frames(raw_args(laid, *width, *height, clip.rate)));
            let pad = Pad(format!("{}:v:0", self.reads.len() - 1));
            return self.held_to(&pad, laid_form(laid), clip);
        }
        let lowered = self.lowered(node);
        let pad = match &lowered {
            Lowered::Clip(op) => op.picture(&mut At { weave: self, node }),
            // Its input's picture, or (an effect before the pipe) never asked for.
            _ => At { weave: self, node }.picture(0, 0, clip.frames, clip.pixels),
        };
        self.bounded(&pad, clip)
    }

    fn weave_sound(&mut self, node: usize) -> Pad {
        let samples = self.facts(node).samples;
        let lowered = self.lowered(node);
        let pad = match &lowered {
            Lowered::Clip(op) => op.sound(&mut At { weave: self, node }),
            // Effects hand on their input's sound.
            _ => At { weave: self, node }.sound(0, 0, samples),
        };
        self.link(&[pad], &heard(samples))
    }

    /// A picture in its form and its length, its frames numbered.
    fn bounded(&mut self, pad: &Pad, clip: Clip) -> Pad {
        self.held_to(pad, form(clip.pixels), clip)
    }

    fn held_to(&mut self, pad: &Pad, form: &str, clip: Clip) -> Pad {
        let filters =
            format!("{form},tpad=stop=-1:stop_mode=clone,trim=end_frame={},{}", clip.frames, numbered(clip.rate));
        self.link(std::slice::from_ref(pad), &filters)
    }

    fn comes_without_alpha(&self, node: usize) -> bool {
        self.piped == Some((node, Laid::Gbr))
    }

    fn clip(&self, node: usize) -> Clip {
        self.facts(node).clip.unwrap_or_else(|| panic!("BUG: the picture of node {node}, which is no film"))
    }

    fn lowered(&self, node: usize) -> Lowered {
        let node = &self.plan.nodes[node];
        let inputs: Vec<Facts> = node.inputs.iter().map(|input| self.plan.nodes[*input].facts.clone()).collect();
        node.node_type.lower(&node.params, &inputs)
    }

    /// Opens a film outside of the stage for frames `from..to`.
    fn open_picture(&mut self, node: usize, (from, to): (u64, u64), pixels: Pixels) -> Pad {
        let (facts, clip, hash) = (self.facts(node), self.clip(node), self.store.hash(node));
        let index = self.reads.len();
        match &facts.form {
            Form::Blob(source) => {
                let picture = source.clip.as_ref().and_then(|clip| clip.picture.as_ref());
                let picture = picture.unwrap_or_else(|| panic!("BUG: a film without a picture"));
                let seek = reading::seek(picture, from);
                let mut args = reading::source_args(source.media_type);
                args.extend(reading::decoder_args(picture));
                args.extend(
                    seek.as_ref()
                        .map(|seconds| ["-noaccurate_seek".to_owned(), "-ss".to_owned(), seconds.clone()])
                        .into_iter()
                        .flatten(),
                );
                let is_webp = source.media_type == MediaType::Webp;
                self.reads.push(if is_webp { Read::Moving(hash, args) } else { Read::Blob(hash, args) });
                let filters = reading::picture_filters(picture, (from, to), seek.is_some());
                let pad = self.link(&[Pad(format!("{index}:{}", picture.stream))], &filters);
                let pad = self.bounded(&pad, Clip { frames: to - from, ..clip });
                self.converted(pad, clip.pixels, pixels)
            }
            Form::Value => {
                self.reads.push(Read::Blob(hash, reading::stored_args()));
                let pad = self.bounded(&Pad(format!("{index}:v:0")), clip);
                self.piece(pad, clip, (from, to), pixels)
            }
        }
    }

    /// Opens a sound outside of the stage, from its beginning: cutting is by samples.
    fn open_sound(&mut self, node: usize) -> Pad {
        let (facts, hash, index) = (self.facts(node), self.store.hash(node), self.reads.len());
        match &facts.form {
            Form::Blob(source) => {
                let sound = source.clip.as_ref().and_then(|clip| clip.sound.as_ref());
                let sound = sound.unwrap_or_else(|| panic!("BUG: a sound without a sound"));
                self.reads.push(Read::Blob(hash, reading::source_args(source.media_type)));
                let filters = format!("{},{}", reading::sound_filters(sound), heard(facts.samples));
                self.link(&[Pad(format!("{index}:{}", sound.stream))], &filters)
            }
            Form::Value => {
                self.reads.push(Read::Blob(hash, reading::stored_args()));
                self.link(&[Pad(format!("{index}:a:0"))], &heard(facts.samples))
            }
        }
    }

    /// Frames of a picture, in a form.
    fn piece(&mut self, pad: Pad, clip: Clip, (from, to): (u64, u64), pixels: Pixels) -> Pad {
        let pad = if (from, to) == (0, clip.frames) {
            pad
        } else {
            self.link(&[pad], &format!("trim=start_frame={from}:end_frame={to},{}", numbered(clip.rate)))
        };
        self.converted(pad, clip.pixels, pixels)
    }

    fn converted(&mut self, pad: Pad, from: Pixels, to: Pixels) -> Pad {
        match convert(from, to) {
            Some(filters) => self.link(&[pad], &filters),
            None => pad,
        }
    }

    /// A picture in memory, as so many frames.
    fn held(&mut self, image: Image, rate: Rate, frames: u64, pixels: Pixels) -> Pad {
        let args = raw_args(Laid::Rgba, image.width(), image.height(), rate);
        let index = self.reads.len();
        self.reads.push(Read::Still(self.stills.len(), args));
        self.stills.push(image);
        let filters = convert(Pixels::Rgba, pixels).map_or_else(String::new, |filters| filters + ",");
        let filters = format!(
            "format=rgba,setsar=1,{filters}loop=loop=-1:size=1:start=0,trim=end_frame={frames},{}",
            numbered(rate)
        );
        let pad = self.link(&[Pad(format!("{index}:v:0"))], &filters);
        let clip = Clip { rate, frames, pixels, sound: false };
        self.bounded(&pad, clip)
    }
}

/// The loom at a node: its inputs.
struct At<'w, 'a> {
    weave: &'w mut Weave<'a>,
    node: usize,
}

impl At<'_, '_> {
    fn node_of(&self, input: usize) -> usize {
        self.weave.plan.nodes[self.node].inputs[input]
    }
}

impl Loom for At<'_, '_> {
    fn picture(&mut self, input: usize, from: u64, to: u64, pixels: Pixels) -> Pad {
        let node = self.node_of(input);
        if self.weave.is_inside(node) {
            let clip = self.weave.clip(node);
            let pad = self.weave.take(node, Stream::Picture);
            if self.weave.comes_without_alpha(node) {
                self.weave.wants_alpha |= pixels == Pixels::Rgba;
                let pad = self.weave.piece(pad, clip, (from, to), clip.pixels);
                return self.weave.link(&[pad], &rgb_to_yuv());
            }
            return self.weave.piece(pad, clip, (from, to), pixels);
        }
        self.weave.open_picture(node, (from, to), pixels)
    }

    fn still(&mut self, input: usize, rate: Rate, frames: u64, pixels: Pixels) -> Pad {
        let node = self.node_of(input);
        match self.weave.store.image(node) {
            Ok(image) => self.weave.held(image, rate, frames, pixels),
            Err(trouble) => {
                self.weave.trouble.get_or_insert(trouble);
                self.weave.label()
            }
        }
    }

    fn sound(&mut self, input: usize, from: u64, to: u64) -> Pad {
        let node = self.node_of(input);
        let facts = self.weave.facts(node);
        if !facts.has_sound() {
            let source = format!("anullsrc=channel_layout=stereo:sample_rate={SAMPLE_RATE}");
            return self.weave.link(&[], &format!("{source},{}", heard(to - from)));
        }
        let pad =
            if self.weave.is_inside(node) { self.weave.take(node, Stream::Sound) } else { self.weave.open_sound(node) };
        if (from, to) == (0, facts.samples) {
            return pad;
        }
        let cut = format!("atrim=start_sample={from},{NUMBERED}");
        self.weave.link(&[pad], &format!("{cut},{}", heard(to - from)))
    }

    fn link(&mut self, pads: &[Pad], filters: &str) -> Pad {
        self.weave.link(pads, filters)
    }

    fn split(&mut self, pad: Pad) -> [Pad; 2] {
        let (first, second) = (self.weave.label(), self.weave.label());
        self.weave.lines.push(format!("[{}]split=2[{}][{}]", pad.0, first.0, second.0));
        [first, second]
    }

    fn drawn(&mut self, image: &Image, rate: Rate, frames: u64, pixels: Pixels) -> Pad {
        self.weave.held(image.clone(), rate, frames, pixels)
    }
}

/// Pads as a graph names them: `[a][b]`.
fn labels(pads: &[Pad]) -> String {
    pads.iter().fold(String::new(), |mut text, Pad(label)| {
        let _ = write!(text, "[{label}]");
        text
    })
}

/// The form of pixels with all that frames carry beside them.
fn form(pixels: Pixels) -> &'static str {
    match pixels {
        Pixels::Yuv420 => {
            "format=yuv420p,setsar=1,\
             setparams=field_mode=prog:range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709"
        }
        Pixels::Rgba => {
            "format=rgba,setsar=1,\
             setparams=field_mode=prog:range=pc:color_primaries=bt709:color_trc=bt709:colorspace=gbr"
        }
    }
}

/// Samples numbered from 0 on. What is not quite a whole number in floating point would become the one below.
const NUMBERED: &str = "asetpts=round(N/SR/TB)";

/// A sound in its form and its length, in pieces of one size, its samples numbered.
fn heard(samples: u64) -> String {
    format!(
        "aformat=sample_fmts=flt:sample_rates={SAMPLE_RATE}:channel_layouts=stereo,apad,atrim=end_sample={samples},\
         asetnsamples=n=1024:p=0,{NUMBERED}"
    )
}

/// The same of frames as they lie in a pipe.
fn laid_form(laid: Laid) -> &'static str {
    match laid {
        Laid::Rgba => form(Pixels::Rgba),
        Laid::Gbr => {
            "format=gbrp,setsar=1,\
             setparams=field_mode=prog:range=pc:color_primaries=bt709:color_trc=bt709:colorspace=gbr"
        }
    }
}

fn raw_args(laid: Laid, width: u32, height: u32, rate: Rate) -> Vec<String> {
    [
        "-f",
        "rawvideo",
        "-pixel_format",
        laid.format(),
        "-video_size",
        &format!("{width}x{height}"),
        "-framerate",
        &rate.to_string(),
    ]
    .map(str::to_owned)
    .to_vec()
}

/// The row of effects of a stage, from the first to the last, if it has one.
pub fn chain(plan: &Plan, stage: usize) -> Vec<usize> {
    plan.stages[stage].nodes.iter().copied().filter(|node| plan.nodes[*node].work == Work::Frames).collect()
}
