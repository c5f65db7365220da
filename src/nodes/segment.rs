//! `SEGMENT`: a piece of a film or a sound.
//!
//! Times become frames (of a sound, samples) at once: the nearest, halves up. A still lasts.

use crate::base::Params;
use crate::base::schema::{Default, Kind as Type, Param};
use crate::media::time::{Rate, sample_at};
use crate::media::{Clip, ClipOp, Facts, Form, Kind, Loom, Pad, Pixels};
use crate::nodes::film::{self, Film};
use crate::nodes::{Lowered, NodeError, NodeType, Ports};

/// The node type.
pub(super) struct Segment;

/// Most seconds that a time may be: a week.
pub(super) const MOST_SECONDS: f64 = 604_800.0;

const fn seconds(name: &'static str, default: Default, doc: &'static str) -> Param {
    Param { name, kind: Type::Number { min: 0.0, max: MOST_SECONDS }, default, doc, unit: "s" }
}

const PARAMS: &[Param] = &[
    seconds("offset", Default::Absent, "Where it begins; 0 if neither this nor start is written."),
    seconds("duration", Default::Absent, "How long it lasts; to the end if neither this nor end is written."),
    seconds("start", Default::Absent, "Another word for offset."),
    seconds("end", Default::Absent, "Where it ends, in the place of a duration."),
    Param {
        name: "precise",
        kind: Type::Bool,
        default: Default::Bool(true),
        doc: "Begin at the very frame; if false, at the source's last keyframe before it.",
        unit: "",
    },
];

/// What is cut out: of the whole input, `from..to`, in frames or samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cut {
    from: u64,
    to: u64,
}

fn cut(params: &Params, input: &Facts) -> Result<Cut, NodeError> {
    let (at, length): (Box<dyn Fn(f64) -> u64>, u64) = match input.clip {
        Some(clip) => (Box::new(move |seconds| clip.rate.frame_at(seconds)), clip.frames),
        None if input.kind == Kind::Image => (Box::new(|seconds| Rate::STILL.frame_at(seconds)), u64::MAX),
        None => (Box::new(sample_at), input.samples),
    };
    let start = params.optional_number("offset").or_else(|| params.optional_number("start")).unwrap_or(0.0);
    let end = params.optional_number("end").or_else(|| Some(start + params.optional_number("duration")?));
    let asked = at(start);
    if asked >= length {
        return Err(NodeError::Inputs(format!(
            "it begins at {start} s, and its input ends at {:.3} s; take an earlier offset",
            input.seconds()
        )));
    }
    let from = if params.flag("precise") { asked } else { keyframe_before(input, asked) };
    let to = match end {
        Some(end) => at(end).min(length),
        None if input.kind == Kind::Image => asked + Rate::STILL.frame_at(film::STILL_SECONDS),
        None => length,
    };
    if to <= asked {
        return Err(NodeError::Inputs(format!(
            "it begins at {start} s and would last less than one frame; take a longer duration"
        )));
    }
    Ok(Cut { from, to })
}

/// The last keyframe of a source at or before a frame; of what is no source, that frame.
fn keyframe_before(input: &Facts, frame: u64) -> u64 {
    let Form::Blob(source) = &input.form else { return frame };
    let picture = source.clip.as_ref().and_then(|clip| clip.picture.as_ref());
    let keyframes = picture.map(|picture| picture.keyframes.iter().map(|pts| picture.frame_of(*pts)));
    keyframes.and_then(|frames| frames.filter(|key| *key <= frame).max()).unwrap_or(frame)
}

impl NodeType for Segment {
    fn name(&self) -> &'static str {
        "SEGMENT"
    }

    fn version(&self) -> u32 {
        1
    }

    fn description(&self) -> &'static str {
        "Cuts a piece out of a film or a sound, to the frame; a still lasts as long as the piece."
    }

    fn params(&self) -> &'static [Param] {
        PARAMS
    }

    fn ports(&self) -> Ports {
        Ports { min: 1, max: 1, names: &["input"], kinds: &[Kind::Video, Kind::Audio, Kind::Image] }
    }

    fn output(&self) -> Option<Kind> {
        None
    }

    fn check(&self, params: &Params, _inputs: usize) -> Vec<(String, String)> {
        let both = |first: &str, second: &str, why: &str| {
            let are_both = params.get(first).is_some() && params.get(second).is_some();
            are_both.then(|| (second.to_owned(), format!("{first} and {second} are both written; {why}")))
        };
        let mut problems: Vec<_> = both("offset", "start", "they mean the same").into_iter().collect();
        problems.extend(both("duration", "end", "one of them says where it ends"));
        let start = params.optional_number("offset").or_else(|| params.optional_number("start")).unwrap_or(0.0);
        if let Some(end) = params.optional_number("end").filter(|end| *end <= start) {
            problems.push(("end".to_owned(), format!("it would end at {end} s, before it begins at {start} s")));
        }
        if params.optional_number("duration").is_some_and(|duration| duration <= 0.0) {
            problems.push(("duration".to_owned(), "a piece lasts longer than 0 s".to_owned()));
        }
        problems
    }

    fn facts(&self, params: &Params, inputs: &[Facts]) -> Result<Facts, NodeError> {
        let input = &inputs[0];
        let Cut { from, to } = cut(params, input)?;
        Ok(match input.clip {
            Some(clip) => {
                Facts::video(input.width, input.height, Clip { frames: to - from, pixels: Pixels::Yuv420, ..clip })
            }
            None if input.kind == Kind::Image => {
                let clip = Clip { rate: Rate::STILL, frames: to - from, pixels: Pixels::Yuv420, sound: false };
                Facts::video(input.width, input.height, clip)
            }
            None => Facts::audio(to - from),
        })
    }

    fn lower(&self, params: &Params, inputs: &[Facts]) -> Lowered {
        let cut = cut(params, &inputs[0]).unwrap_or_else(|error| panic!("BUG: lowered without facts: {error}"));
        Lowered::Clip(Box::new(SegmentOp {
            cut,
            film: (inputs[0].kind != Kind::Audio).then(|| Film::alone(&inputs[0])),
        }))
    }
}

struct SegmentOp {
    cut: Cut,
    /// The input, if it is no sound.
    film: Option<Film>,
}

impl ClipOp for SegmentOp {
    fn picture(&self, loom: &mut dyn Loom) -> Pad {
        let film = self.film.unwrap_or_else(|| panic!("BUG: the picture of a sound"));
        film.take(loom, 0, (self.cut.from, self.cut.to), Pixels::Yuv420)
    }

    fn sound(&self, loom: &mut dyn Loom) -> Pad {
        match self.film {
            Some(film) => film.take_sound(loom, 0, (self.cut.from, self.cut.to)),
            None => loom.sound(0, self.cut.from, self.cut.to),
        }
    }

    fn is_in_step(&self) -> bool {
        false
    }

    fn cost(&self) -> f64 {
        0.5
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::nodes::testing::params;

    fn ntsc() -> Facts {
        let clip = Clip { rate: Rate::new(30_000, 1001).unwrap(), frames: 300, pixels: Pixels::Yuv420, sound: true };
        Facts::video(64, 48, clip)
    }

    fn frames(config: serde_json::Value) -> Result<u64, String> {
        let params = params(&Segment, config);
        let facts = Segment.facts(&params, &[ntsc()]).map_err(|error| error.to_string())?;
        Ok(facts.clip.unwrap().frames)
    }

    #[test]
    fn times_become_frames_of_the_whole() {
        assert_eq!(frames(json!({})), Ok(300));
        assert_eq!(frames(json!({"offset": 1})), Ok(270));
        assert_eq!(frames(json!({"offset": 1, "duration": 2})), Ok(60));
        assert_eq!(frames(json!({"start": 1, "end": 3})), Ok(60));
        assert_eq!(frames(json!({"offset": 9, "duration": 100})), Ok(30));
        assert!(frames(json!({"offset": 11})).unwrap_err().contains("ends at 10.010 s"));
        assert!(frames(json!({"offset": 1, "duration": 0.001})).unwrap_err().contains("less than one frame"));
    }

    #[test]
    fn a_sound_is_cut_by_samples_and_a_still_lasts() {
        let params = params(&Segment, json!({"offset": 0.5, "duration": 0.25}));
        assert_eq!(Segment.facts(&params, &[Facts::audio(48_000)]), Ok(Facts::audio(12_000)));
        let still = Segment.facts(&params, &[Facts::image(8, 6)]).unwrap();
        assert_eq!((still.kind, still.clip.unwrap().frames), (Kind::Video, 6));
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let problems = |config| Segment.check(&params(&Segment, config), 1).len();
        assert_eq!(problems(json!({"offset": 1, "start": 1})), 1);
        assert_eq!(problems(json!({"duration": 1, "end": 2})), 1);
        assert_eq!(problems(json!({"start": 3, "end": 2})), 1);
        assert_eq!(problems(json!({"start": 1, "end": 2})), 0);
    }
}
