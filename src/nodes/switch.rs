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
    kind: Type::List {
        of: &Type::Number { min: 0.001, max: super::segment::MOST_SECONDS },
        min: 0,
        max: CONFIG_NODES,
    },
    default: Default::Required,
    doc: "When each input but the first takes over, ascending; each input goes on in time unseen.",
    unit: "s",
}];

fn times(params: &Params) -> Vec<f64> {
    params.list("times").iter().filter_map(Value::as_f64).collect()
}

/// Which input holds which range, in frames or, of sounds, in samples.
struct Switched {
    films: Vec<Option<Film>>,
    ranges: Vec<(u64, u64)>,
    size: Size,
    rate: Rate,
    sound: bool,
    heard_only: bool,
}

impl Switched {
    fn new(params: &Params, inputs: &[Facts]) -> Result<Self, NodeError> {
        let heard_only = inputs.iter().all(|input| input.kind == Kind::Audio);
        if !heard_only && inputs.iter().any(|input| input.kind == Kind::Audio) {
            return Err(NodeError::Inputs("some inputs are sounds and some are pictures; switch between one kind".to_owned()));
        }
        let rate = film::rate_of(inputs);
        let times = times(params);
        let index = |seconds: f64| if heard_only { sample_at(seconds) } else { rate.frame_at(seconds) };
        let still = index(times.last().copied().unwrap_or(0.0) + film::STILL_SECONDS);
        let films: Vec<Option<Film>> =
            inputs.iter().map(|input| (!heard_only).then(|| Film::new(input, rate, still))).collect();
        let length = |at: usize| films[at].map_or(inputs[at].samples, |film| film.frames);
        let mut starts: Vec<u64> = times.iter().map(|seconds| index(*seconds)).collect();
        starts.insert(0, 0);
        let end = length(inputs.len() - 1);
        let mut ranges = Vec::new();
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
            ranges.push((*start, to));
        }
        let size = (inputs[0].width, inputs[0].height);
        let sound = inputs.iter().any(Facts::has_sound);
        Ok(Self { films, ranges, size, rate, sound, heard_only })
    }

    fn length(&self) -> u64 {
        self.ranges.last().map_or(0, |(_, to)| *to)
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
        let switched = Switched::new(params, inputs)?;
        if switched.heard_only {
            return Ok(Facts::audio(switched.length()));
        }
        let clip =
            Clip { rate: switched.rate, frames: switched.length(), pixels: Pixels::Yuv420, sound: switched.sound };
        Ok(Facts::video(switched.size.0, switched.size.1, clip))
    }

    fn lower(&self, params: &Params, inputs: &[Facts]) -> Lowered {
        let switched =
            Switched::new(params, inputs).unwrap_or_else(|error| panic!("BUG: lowered without facts: {error}"));
        Lowered::Clip(Box::new(switched))
    }
}

impl ClipOp for Switched {
    fn picture(&self, loom: &mut dyn Loom) -> Pad {
        let mut pads = Vec::new();
        for (index, (range, film)) in self.ranges.iter().zip(&self.films).enumerate() {
            let film = film.unwrap_or_else(|| panic!("BUG: the picture of a sound"));
            let pad = film.take(loom, index, *range, Pixels::Yuv420);
            let inner = geometry::inside(film.size, self.size);
            let pad = resize::frame(loom, pad, film.size, inner, self.size, [0, 0, 0, 255]);
            pads.push(loom.link(&[pad], &format!("setsar=1,{}", film::numbered(self.rate))));
        }
        let count = pads.len();
        loom.link(&pads, &format!("concat=n={count}:v=1:a=0"))
    }

    fn sound(&self, loom: &mut dyn Loom) -> Pad {
        let samples = |length: u64| if self.heard_only { length } else { self.rate.samples_of(length) };
        let ranges = self.ranges.iter().enumerate();
        let pads: Vec<Pad> =
            ranges.map(|(index, (from, to))| loom.sound(index, samples(*from), samples(*to))).collect();
        loom.link(&pads, &format!("concat=n={}:v=0:a=1", pads.len()))
    }

    fn is_in_step(&self) -> bool {
        false
    }
}
