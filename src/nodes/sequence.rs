//! `SEQUENCE`: films, stills and sounds one after another: one node, however many they are.
//!
//! Every input is brought to the first film's rate, scaled inside of the target size and framed.
//! A film without sound is silent. A cut joins; a crossfade overlaps the last frames of one with
//! the first of the next, as many as its duration has; a fade goes through black and overlaps
//! nothing. Frames, sounds and their mixtures are counted in frames, and the sound under k frames
//! always has as many samples as k frames have.

use crate::base::Params;
use crate::base::limits::{CONFIG_NODES, IMAGE_SIDE};
use crate::base::schema::{self, Default, Kind as Type, Param};
use crate::media::image::size_is_allowed;
use crate::media::time::{Rate, sample_at};
use crate::media::{Clip, ClipOp, Facts, Kind, Loom, Pad, Pixels};
use crate::nodes::film::{self, Film, resize};
use crate::nodes::geometry::{self, Size};
use crate::nodes::{Lowered, NodeError, NodeType, Ports};

/// The node type.
pub(super) struct Sequence;

const SIDE: Type = Type::Integer { min: 1, max: IMAGE_SIDE as i64 };

const PARAMS: &[Param] = &[
    Param {
        name: "transition",
        kind: Type::Map(TRANSITION),
        default: Default::Entries,
        doc: "How one becomes the next.",
        unit: "",
    },
    Param {
        name: "target_size",
        kind: Type::Choice(&["first", "last", "largest", "explicit"]),
        default: Default::Text("first"),
        doc: "Whose size the result has; explicit takes width and height.",
        unit: "",
    },
    Param { name: "width", kind: SIDE, default: Default::Absent, doc: "Width, for target_size explicit.", unit: "px" },
    Param {
        name: "height",
        kind: SIDE,
        default: Default::Absent,
        doc: "Height, for target_size explicit.",
        unit: "px",
    },
    Param {
        name: "background",
        kind: Type::Colour,
        default: Default::Text("#000000ff"),
        doc: "The colour of the frame around what has another shape.",
        unit: "",
    },
    Param {
        name: "duration",
        kind: Type::Number { min: 0.001, max: super::segment::MOST_SECONDS },
        default: Default::Number(film::STILL_SECONDS),
        doc: "How long each still is shown.",
        unit: "s",
    },
];

const TRANSITION: &[Param] = &[
    Param {
        name: "type",
        kind: Type::Choice(&["cut", "crossfade", "fade"]),
        default: Default::Text("cut"),
        doc: "cut joins; crossfade overlaps; fade goes through black.",
        unit: "",
    },
    Param {
        name: "duration",
        kind: Type::Number { min: 0.0, max: 3600.0 },
        default: Default::Number(0.5),
        doc: "How long a crossfade overlaps, or each half of a fade lasts.",
        unit: "s",
    },
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transition {
    Cut,
    Crossfade,
    Fade,
}

/// Everything that is joined, in frames of the first film's rate (in samples, of sounds alone).
struct Joined {
    parts: Vec<Part>,
    size: Size,
    rate: Rate,
    transition: Transition,
    /// Frames (or samples) of a transition.
    overlap: u64,
    background: [u8; 4],
    sound: bool,
    /// Are they all sounds?
    heard_only: bool,
}

/// One input.
#[derive(Clone, Copy)]
struct Part {
    length: u64,
    film: Option<Film>,
}

/// What is shown or heard between two joints.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    /// `from..to` of an input.
    Of(usize, u64, u64),
    /// The end of an input over the beginning of the next.
    Mixed(usize),
}

impl Joined {
    fn new(params: &Params, inputs: &[Facts]) -> Result<Self, NodeError> {
        let transition = params.nested("transition");
        let kind = match transition.text("type") {
            "cut" => Transition::Cut,
            "crossfade" => Transition::Crossfade,
            "fade" => Transition::Fade,
            other => panic!("BUG: validation let the transition {other:?} pass"),
        };
        let heard_only = inputs.iter().all(|input| input.kind == Kind::Audio);
        if !heard_only && let Some(at) = inputs.iter().position(|input| input.kind == Kind::Audio) {
            let reason =
                format!("inputs[{at}] is a sound, and others are pictures; join sounds alone, and add them with MUX");
            return Err(NodeError::Inputs(reason));
        }
        let rate = film::rate_of(inputs);
        let still = rate.frame_at(params.number("duration")).max(1);
        let parts: Vec<Part> = inputs
            .iter()
            .map(|input| {
                if heard_only {
                    return Part { length: input.samples, film: None };
                }
                let film = Film::new(input, rate, still);
                Part { length: film.frames, film: Some(film) }
            })
            .collect();
        let seconds = transition.number("duration");
        let overlap = match kind {
            Transition::Cut => 0,
            _ if heard_only => sample_at(seconds),
            _ => rate.frame_at(seconds),
        };
        let joined = Self {
            size: if heard_only { (0, 0) } else { target(params, inputs)? },
            rate,
            transition: if overlap == 0 { Transition::Cut } else { kind },
            overlap,
            background: schema::colour(params.text("background")).unwrap_or_else(|| panic!("BUG: no colour")),
            sound: inputs.iter().any(Facts::has_sound),
            heard_only,
            parts,
        };
        joined.check()?;
        Ok(joined)
    }

    /// Is every part long enough for its transitions?
    fn check(&self) -> Result<(), NodeError> {
        let last = self.parts.len() - 1;
        for (index, part) in self.parts.iter().enumerate().filter(|_| self.transition != Transition::Cut) {
            let transitions = u64::from(index > 0) + u64::from(index < last);
            if part.length < self.overlap * transitions {
                let (unit, length) = (if self.heard_only { "samples" } else { "frames" }, part.length);
                let reason = format!(
                    "inputs[{index}] has {length} {unit}, and its {transitions} transitions of {} {unit} each need more; \
                     take a shorter transition.duration",
                    self.overlap
                );
                return Err(NodeError::Inputs(reason));
            }
        }
        Ok(())
    }

    fn length(&self) -> u64 {
        let all: u64 = self.parts.iter().map(|part| part.length).sum();
        match self.transition {
            Transition::Crossfade => all - self.overlap * (self.parts.len() as u64 - 1),
            _ => all,
        }
    }

    fn pieces(&self) -> Vec<Piece> {
        let last = self.parts.len() - 1;
        let overlap = if self.transition == Transition::Crossfade { self.overlap } else { 0 };
        let mut pieces = Vec::new();
        for (index, part) in self.parts.iter().enumerate() {
            let from = if index > 0 { overlap } else { 0 };
            let to = part.length - if index < last { overlap } else { 0 };
            if to > from {
                pieces.push(Piece::Of(index, from, to));
            }
            if overlap > 0 && index < last {
                pieces.push(Piece::Mixed(index));
            }
        }
        pieces
    }
}

fn target(params: &Params, inputs: &[Facts]) -> Result<Size, NodeError> {
    let size = |facts: &Facts| (facts.width, facts.height);
    let size = match params.text("target_size") {
        "last" => inputs.last().map(size),
        // The largest by area; of equals the first.
        "largest" => inputs.iter().rev().max_by_key(|facts| facts.pixels()).map(size),
        "explicit" => {
            let side = |name| params.optional_integer(name).map(|side| side as u32);
            side("width").zip(side("height"))
        }
        _ => inputs.first().map(size),
    };
    let (width, height) = size.unwrap_or_else(|| panic!("BUG: a sequence of nothing"));
    if size_is_allowed(u64::from(width), u64::from(height)) {
        Ok((width, height))
    } else {
        Err(NodeError::TooLarge { width: u64::from(width), height: u64::from(height) })
    }
}

impl NodeType for Sequence {
    fn name(&self) -> &'static str {
        "SEQUENCE"
    }

    fn version(&self) -> u32 {
        2
    }

    fn description(&self) -> &'static str {
        "Joins films, stills or sounds in time, by cuts, crossfades or fades through black."
    }

    fn params(&self) -> &'static [Param] {
        PARAMS
    }

    fn ports(&self) -> Ports {
        let kinds = &[Kind::Video, Kind::Image, Kind::Audio];
        Ports { min: 1, max: CONFIG_NODES, names: &["clips"], kinds }
    }

    fn output(&self) -> Option<Kind> {
        None
    }

    fn check(&self, params: &Params, _inputs: usize) -> Vec<(String, String)> {
        let explicit = params.text("target_size") == "explicit";
        let missing = |name: &&str| params.get(name).is_none();
        let absent = ["width", "height"].into_iter().filter(missing);
        if explicit {
            absent.map(|name| (name.to_owned(), "target_size explicit needs a width and a height".to_owned())).collect()
        } else {
            let written = ["width", "height"].into_iter().filter(|name| !missing(name));
            written.map(|name| (name.to_owned(), "it is for target_size explicit".to_owned())).collect()
        }
    }

    fn facts(&self, params: &Params, inputs: &[Facts]) -> Result<Facts, NodeError> {
        let joined = Joined::new(params, inputs)?;
        let length = joined.length();
        if joined.heard_only {
            return Ok(Facts::audio(length));
        }
        let clip = Clip { rate: joined.rate, frames: length, pixels: Pixels::Yuv420, sound: joined.sound };
        Ok(Facts::video(joined.size.0, joined.size.1, clip))
    }

    fn lower(&self, params: &Params, inputs: &[Facts]) -> Lowered {
        let joined = Joined::new(params, inputs).unwrap_or_else(|error| panic!("BUG: lowered without facts: {error}"));
        Lowered::Clip(Box::new(joined))
    }
}

impl Joined {
    fn framed(&self, loom: &mut dyn Loom, index: usize, range: (u64, u64)) -> Pad {
        let film = self.parts[index].film.unwrap_or_else(|| panic!("BUG: the picture of a sound"));
        let pad = film.take(loom, index, range, Pixels::Yuv420);
        let inner = geometry::inside(film.size, self.size);
        resize::frame(loom, pad, film.size, inner, self.size, self.background)
    }

    /// The frames or samples that a piece of an input is faded in and out by.
    fn fades(&self, index: usize) -> (bool, bool) {
        let fades = self.transition == Transition::Fade;
        (fades && index > 0, fades && index + 1 < self.parts.len())
    }

    /// Samples at a place that is counted in frames (or, of sounds, in samples).
    fn samples(&self, length: u64) -> u64 {
        if self.heard_only { length } else { self.rate.samples_of(length) }
    }

    /// `count` samples of an input's sound from where `from` begins.
    fn heard(&self, loom: &mut dyn Loom, index: usize, from: u64, count: u64) -> Pad {
        let start = self.samples(from);
        loom.sound(index, start, start + count)
    }
}

impl ClipOp for Joined {
    fn picture(&self, loom: &mut dyn Loom) -> Pad {
        let mut pads = Vec::new();
        for piece in self.pieces() {
            pads.push(match piece {
                Piece::Of(index, from, to) => {
                    let pad = self.framed(loom, index, (from, to));
                    let (fades_in, fades_out) = self.fades(index);
                    let mut filters = vec![format!("setsar=1,{}", film::numbered(self.rate))];
                    if fades_in {
                        filters.push(format!("fade=t=in:start_frame=0:nb_frames={}", self.overlap));
                    }
                    if fades_out {
                        let start = to - from - self.overlap;
                        filters.push(format!("fade=t=out:start_frame={start}:nb_frames={}", self.overlap));
                    }
                    loom.link(&[pad], &filters.join(","))
                }
                Piece::Mixed(index) => {
                    let end = self.parts[index].length;
                    let out = self.framed(loom, index, (end - self.overlap, end));
                    let into = self.framed(loom, index + 1, (0, self.overlap));
                    let (of, rate) = (self.overlap + 1, self.rate);
                    // A frame's number by its time: what the filter calls N is one more than it says.
                    let number = format!("floor(T*{}/{}+1.5)", rate.num(), rate.den());
                    let blend = format!("blend=all_expr='floor(A+(B-A)*{number}/{of}+0.5)'");
                    loom.link(&[out, into], &format!("{blend},setsar=1,{}", film::numbered(self.rate)))
                }
            });
        }
        if pads.len() == 1 {
            return pads.remove(0);
        }
        let count = pads.len();
        loom.link(&pads, &format!("concat=n={count}:v=1:a=0"))
    }

    fn sound(&self, loom: &mut dyn Loom) -> Pad {
        let mut pads = Vec::new();
        // Where the piece begins in the whole, so that its sound ends where the next begins.
        let mut at = 0;
        for piece in self.pieces() {
            let length = match piece {
                Piece::Of(_, from, to) => to - from,
                Piece::Mixed(_) => self.overlap,
            };
            let count = self.samples(at + length) - self.samples(at);
            at += length;
            let fade = self.samples(self.overlap).min(count);
            pads.push(match piece {
                Piece::Of(index, from, _) => {
                    let pad = self.heard(loom, index, from, count);
                    let (fades_in, fades_out) = self.fades(index);
                    let mut filters = Vec::new();
                    if fades_in {
                        filters.push(format!("afade=t=in:start_sample=0:nb_samples={fade}:curve=tri"));
                    }
                    if fades_out {
                        let start = count - fade;
                        filters.push(format!("afade=t=out:start_sample={start}:nb_samples={fade}:curve=tri"));
                    }
                    if filters.is_empty() { pad } else { loom.link(&[pad], &filters.join(",")) }
                }
                Piece::Mixed(index) => {
                    let from = self.parts[index].length - self.overlap;
                    let out = self.heard(loom, index, from, count);
                    let into = self.heard(loom, index + 1, 0, count);
                    let faded = |way: &str| format!("afade=t={way}:start_sample=0:nb_samples={count}:curve=tri");
                    let out = loom.link(&[out], &faded("out"));
                    let into = loom.link(&[into], &faded("in"));
                    loom.link(&[out, into], "amix=inputs=2:normalize=0:duration=longest")
                }
            });
        }
        if pads.len() == 1 {
            return pads.remove(0);
        }
        let count = pads.len();
        loom.link(&pads, &format!("concat=n={count}:v=0:a=1"))
    }

    fn is_in_step(&self) -> bool {
        false
    }

    fn cost(&self) -> f64 {
        6.0
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::nodes::testing::params;

    fn film(frames: u64, sound: bool) -> Facts {
        Facts::video(64, 48, Clip { rate: Rate::STILL, frames, pixels: Pixels::Yuv420, sound })
    }

    fn joined(config: serde_json::Value, inputs: &[Facts]) -> Result<Joined, NodeError> {
        Joined::new(&params(&Sequence, config), inputs)
    }

    #[test]
    fn a_cut_adds_lengths_and_a_crossfade_overlaps() {
        let inputs = [film(50, true), film(30, false), film(20, true)];
        assert_eq!(joined(json!({}), &inputs).unwrap().length(), 100);
        let crossed = joined(json!({"transition": {"type": "crossfade", "duration": 0.4}}), &inputs).unwrap();
        assert_eq!(crossed.length(), 80);
        let pieces =
            [Piece::Of(0, 0, 40), Piece::Mixed(0), Piece::Of(1, 10, 20), Piece::Mixed(1), Piece::Of(2, 10, 20)];
        assert_eq!(crossed.pieces(), pieces);
        let faded = joined(json!({"transition": {"type": "fade", "duration": 0.4}}), &inputs).unwrap();
        assert_eq!((faded.length(), faded.pieces().len()), (100, 3));
    }

    #[test]
    fn what_is_too_short_for_its_transitions_is_refused() {
        let refusal = joined(
            json!({"transition": {"type": "crossfade", "duration": 1}}),
            &[film(50, true), film(30, false), film(60, true)],
        );
        let Err(NodeError::Inputs(reason)) = refusal else { panic!() };
        assert!(reason.contains("inputs[1] has 30 frames") && reason.contains("shorter"), "{reason}");
    }

    #[test]
    fn kinds_sizes_and_stills() {
        let largest = joined(json!({"target_size": "largest"}), &[film(5, false), Facts::image(200, 100)]).unwrap();
        assert_eq!((largest.size, largest.length()), ((200, 100), 130));
        assert!(joined(json!({}), &[film(5, false), Facts::audio(9)]).is_err());
        let sounds = joined(json!({}), &[Facts::audio(7), Facts::audio(9)]).unwrap();
        assert_eq!((sounds.heard_only, sounds.length()), (true, 16));
        let problems = |config| Sequence.check(&params(&Sequence, config), 2).len();
        assert_eq!(problems(json!({"target_size": "explicit", "width": 3})), 1);
        assert_eq!(problems(json!({"width": 3})), 1);
    }
}
