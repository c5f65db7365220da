//! `SWITCH`: which of several films or sounds is shown or heard when. Time goes on in all of them.

use serde_json::Value;

use crate::base::Params;
use crate::base::limits::CONFIG_NODES;
use crate::base::schema::{Default, Kind as Type, Param};
use crate::media::time::{Rate, sample_at};
use crate::media::{Clip, ClipOp, Facts, Kind, Loom, Pad, Pixels};
use crate::nodes::film::{self, Film, resize};
use crate::nodes::geometry::{self, Size};
use crate::nodes::{Lowered, NodeError, NodeType, Ports};

/// The node type.
pub(super) struct Switch;

const PARAMS: &[Param] = &[Param {
    name: "times",
    kind: Type::List { of: &Type::Number { min: 0.001, max: super::segment::MOST_SECONDS }, min: 0, max: CONFIG_NODES },
    default: Default::Required,
    doc: "When each input but the first takes over, ascending; each input goes on in time unseen.",
    unit: "s",
}];

fn times(params: &Params) -> Vec<f64> {
    params.list("times").iter().filter_map(Value::as_f64).collect()
}

/// Pieces of inputs one after another, in frames or, of sounds, in samples.
pub(super) struct Switched {
    films: Vec<Option<Film>>,
    /// Which input, and its range.
    pieces: Vec<(usize, (u64, u64))>,
    size: Size,
    rate: Rate,
    sound: bool,
    heard_only: bool,
}

impl Switched {
    /// Each input from the time before it to its own, the last to its end.
    fn new(times: &[f64], inputs: &[Facts]) -> Result<Self, NodeError> {
        let mut switched = Self::empty(inputs, times.last().copied().unwrap_or(0.0))?;
        let mut starts: Vec<u64> = times.iter().map(|seconds| switched.index(*seconds)).collect();
        starts.insert(0, 0);
        let end = switched.length_of(inputs, inputs.len() - 1);
        for (at, start) in starts.iter().enumerate() {
            let to = starts.get(at + 1).copied().unwrap_or(end);
            if to <= *start {
                let reason = if at + 1 == starts.len() {
                    format!("the last input ends before it would be switched to, at {} s", times.last().unwrap_or(&0.0))
                } else {
                    format!("times[{at}] is less than a frame after what is before it")
                };
                return Err(NodeError::Inputs(reason));
            }
            switched.pieces.push((at, (*start, to)));
        }
        Ok(switched)
    }

    /// The pieces between times, of each input in turn.
    pub(super) fn between(times: &[f64], inputs: &[Facts]) -> Result<Self, NodeError> {
        let mut switched = Self::empty(inputs, times.last().copied().unwrap_or(0.0))?;
        for (at, pair) in times.windows(2).enumerate() {
            let (from, to) = (switched.index(pair[0]), switched.index(pair[1]));
            if to <= from {
                return Err(NodeError::Inputs(format!(
                    "times[{}] is less than a frame after what is before it",
                    at + 1
                )));
            }
            switched.pieces.push((at % inputs.len(), (from, to)));
        }
        Ok(switched)
    }

    /// Those of ascending times that are at least a frame (a sample, of sounds) after the one before.
    pub(super) fn apart(times: &[f64], inputs: &[Facts]) -> Result<Vec<f64>, NodeError> {
        let switched = Self::empty(inputs, 0.0)?;
        let mut last = None;
        let is_apart = |seconds: &f64| {
            let index = Some(switched.index(*seconds));
            let apart = index > last;
            last = last.max(index);
            apart
        };
        Ok(times.iter().copied().filter(is_apart).collect())
    }

    fn empty(inputs: &[Facts], last: f64) -> Result<Self, NodeError> {
        let heard_only = inputs.iter().all(|input| input.kind == Kind::Audio);
        if !heard_only && inputs.iter().any(|input| input.kind == Kind::Audio) {
            return Err(NodeError::Inputs(
                "some inputs are sounds and some are pictures; switch between one kind".to_owned(),
            ));
        }
        let rate = film::rate_of(inputs);
        let mut switched = Self {
            films: Vec::new(),
            pieces: Vec::new(),
            size: (inputs[0].width, inputs[0].height),
            rate,
            sound: inputs.iter().any(Facts::has_sound),
            heard_only,
        };
        let still = switched.index(last + film::STILL_SECONDS);
        switched.films = inputs.iter().map(|input| (!heard_only).then(|| Film::new(input, rate, still))).collect();
        Ok(switched)
    }

    fn index(&self, seconds: f64) -> u64 {
        if self.heard_only { sample_at(seconds) } else { self.rate.frame_at(seconds) }
    }

    fn length_of(&self, inputs: &[Facts], at: usize) -> u64 {
        self.films[at].map_or(inputs[at].samples, |film| film.frames)
    }

    fn length(&self) -> u64 {
        self.pieces.iter().map(|(_, (from, to))| to - from).sum()
    }

    /// What is known of the whole.
    pub(super) fn facts(&self) -> Facts {
        if self.heard_only {
            return Facts::audio(self.length());
        }
        let clip = Clip { rate: self.rate, frames: self.length(), pixels: Pixels::Yuv420, sound: self.sound };
        Facts::video(self.size.0, self.size.1, clip)
    }
}

impl NodeType for Switch {
    fn name(&self) -> &'static str {
        "SWITCH"
    }

    fn version(&self) -> u32 {
        1
    }

    fn description(&self) -> &'static str {
        "Shows one film after another while time goes on in all of them."
    }

    fn params(&self) -> &'static [Param] {
        PARAMS
    }

    fn ports(&self) -> Ports {
        let kinds = &[Kind::Video, Kind::Image, Kind::Audio];
        Ports { min: 1, max: CONFIG_NODES, names: &["inputs"], kinds }
    }

    fn output(&self) -> Option<Kind> {
        None
    }

    fn check(&self, params: &Params, inputs: usize) -> Vec<(String, String)> {
        let times = times(params);
        let mut problems = Vec::new();
        if times.len() + 1 != inputs {
            let reason = format!("{} times are written for {inputs} inputs; each but the first needs one", times.len());
            problems.push(("times".to_owned(), reason));
        }
        for (at, pair) in times.windows(2).enumerate().filter(|(_, pair)| pair[1] <= pair[0]) {
            problems.push((format!("times[{}]", at + 1), format!("{} is not after {}", pair[1], pair[0])));
        }
        problems
    }

    fn facts(&self, params: &Params, inputs: &[Facts]) -> Result<Facts, NodeError> {
        Ok(Switched::new(&times(params), inputs)?.facts())
    }

    fn lower(&self, params: &Params, inputs: &[Facts]) -> Lowered {
        let switched =
            Switched::new(&times(params), inputs).unwrap_or_else(|error| panic!("BUG: lowered without facts: {error}"));
        Lowered::Clip(Box::new(switched))
    }
}

impl ClipOp for Switched {
    fn picture(&self, loom: &mut dyn Loom) -> Pad {
        let mut pads = Vec::new();
        for (index, range) in &self.pieces {
            let film = self.films[*index].unwrap_or_else(|| panic!("BUG: the picture of a sound"));
            let pad = film.take(loom, *index, *range, Pixels::Yuv420);
            let inner = geometry::inside(film.size, self.size);
            let pad = resize::frame(loom, pad, film.size, inner, self.size, [0, 0, 0, 255]);
            pads.push(loom.link(&[pad], &format!("setsar=1,{}", film::numbered(self.rate))));
        }
        let count = pads.len();
        loom.link(&pads, &format!("concat=n={count}:v=1:a=0"))
    }

    fn sound(&self, loom: &mut dyn Loom) -> Pad {
        let samples = |length: u64| if self.heard_only { length } else { self.rate.samples_of(length) };
        // Where each piece begins in the whole, so that its sound ends where the next begins.
        let mut at = 0;
        let mut pads = Vec::new();
        for (index, (from, to)) in &self.pieces {
            let count = samples(at + to - from) - samples(at);
            at += to - from;
            pads.push(loom.sound(*index, samples(*from), samples(*from) + count));
        }
        loom.link(&pads, &format!("concat=n={}:v=0:a=1", pads.len()))
    }

    fn is_in_step(&self) -> bool {
        false
    }
}
