//! `GENERATE`: a picture, film or sound out of nothing.
//!
//! Pictures are drawn by our own code, by integers alone; with a duration they are shown that
//! long at 25 frames a second.

use crate::base::Params;
use crate::base::schema::{self, Default, Kind as Type, Param};
use crate::media::drawing::{self, Drawing};
use crate::media::image::size_is_allowed;
use crate::media::time::{Rate, SAMPLE_RATE, sample_at};
use crate::media::{Clip, ClipOp, Facts, Kind, Loom, Pad, Pixels};
use crate::nodes::segment::MOST_SECONDS;
use crate::nodes::{Lowered, NodeError, NodeType, Ports};

/// The node type.
pub(super) struct Generate;

const SIDE: Type = Type::Integer { min: 1, max: 16_384 };

const PARAMS: &[Param] = &[
    Param {
        name: "kind",
        kind: Type::Choice(&["colour", "gradient", "text", "pattern", "noise", "silence", "tone"]),
        default: Default::Required,
        doc: "What: one colour, a gradient from the colour down to the second, a text, a test pattern, noise; or \
              silence, or a sine tone.",
        unit: "",
    },
    Param { name: "width", kind: SIDE, default: Default::Number(1280.0), doc: "Width of a picture.", unit: "px" },
    Param { name: "height", kind: SIDE, default: Default::Number(720.0), doc: "Height of a picture.", unit: "px" },
    Param {
        name: "colour",
        kind: Type::Colour,
        default: Default::Absent,
        doc: "The colour; black, of a text white.",
        unit: "",
    },
    Param {
        name: "colour2",
        kind: Type::Colour,
        default: Default::Text("#ffffffff"),
        doc: "The colour at the bottom of a gradient.",
        unit: "",
    },
    Param {
        name: "background",
        kind: Type::Colour,
        default: Default::Text("#00000000"),
        doc: "What a text stands on.",
        unit: "",
    },
    Param {
        name: "text",
        kind: Type::Text { max: 4096 },
        default: Default::Absent,
        doc: "The text, as it stands.",
        unit: "",
    },
    Param {
        name: "size",
        kind: Type::Number { min: 4.0, max: 2000.0 },
        default: Default::Absent,
        doc: "Height of a text's line: 72 if it is not written, or less where the text would not fit.",
        unit: "px",
    },
    Param {
        name: "seed",
        kind: Type::Integer { min: 0, max: i64::MAX },
        default: Default::Number(0.0),
        doc: "Another seed gives other noise.",
        unit: "",
    },
    Param {
        name: "frequency",
        kind: Type::Number { min: 1.0, max: 24_000.0 },
        default: Default::Number(440.0),
        doc: "Of a tone.",
        unit: "Hz",
    },
    Param {
        name: "duration",
        kind: Type::Number { min: 0.001, max: MOST_SECONDS },
        default: Default::Absent,
        doc: "With one a picture is a film. Silence and tones need one.",
        unit: "s",
    },
];

fn is_sound(params: &Params) -> bool {
    matches!(params.text("kind"), "silence" | "tone")
}

/// Pixels by which the picture that a film of noise is cut from is larger to each side.
const NOISE_ROOM: u32 = 254;

fn noise(params: &Params, room: u32) -> drawing::Noise {
    let side = |name: &str| params.integer(name) as u32 + room;
    drawing::Noise { width: side("width"), height: side("height"), seed: params.integer("seed") as u64 }
}

fn drawing(params: &Params) -> Box<dyn Drawing> {
    let (width, height) = (params.integer("width") as u32, params.integer("height") as u32);
    match params.text("kind") {
        "gradient" => Box::new(drawing::Gradient {
            width,
            height,
            top: colour(params, "colour", [0, 0, 0, 255]),
            bottom: colour(params, "colour2", [255; 4]),
        }),
        "pattern" => Box::new(drawing::Pattern { width, height }),
        "noise" => Box::new(noise(params, 0)),
        "text" => Box::new(written(params)),
        _ => Box::new(drawing::Colour { width, height, rgba: colour(params, "colour", [0, 0, 0, 255]) }),
    }
}

/// The size of a text that fits, if none is written.
const TEXT_SIZE: f64 = 72.0;

fn written(params: &Params) -> drawing::Text {
    let size = params.optional_number("size");
    let mut text = drawing::Text {
        width: params.integer("width") as u32,
        height: params.integer("height") as u32,
        text: params.optional_text("text").unwrap_or_default().to_owned(),
        size: size.unwrap_or(TEXT_SIZE),
        colour: colour(params, "colour", [255; 4]),
        background: colour(params, "background", [0; 4]),
    };
    if size.is_none() {
        text.size = text.fitting();
    }
    text
}

fn colour(params: &Params, name: &str, default: [u8; 4]) -> [u8; 4] {
    params.optional_text(name).and_then(schema::colour).unwrap_or(default)
}

impl NodeType for Generate {
    fn name(&self) -> &'static str {
        "GENERATE"
    }

    fn version(&self) -> u32 {
        4
    }

    fn description(&self) -> &'static str {
        "Makes a colour, gradient, text, test pattern, noise, silence or tone."
    }

    fn params(&self) -> &'static [Param] {
        PARAMS
    }

    fn ports(&self) -> Ports {
        Ports { min: 0, max: 0, names: &[], kinds: &[] }
    }

    fn output(&self) -> Option<Kind> {
        None
    }

    fn check(&self, params: &Params, _inputs: usize) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        let kind = params.text("kind");
        if is_sound(params) && params.get("duration").is_none() {
            problems.push(("duration".to_owned(), format!("{kind} needs a duration")));
        }
        if kind == "text" {
            match params.optional_text("text") {
                None => problems.push(("text".to_owned(), "a text needs a text".to_owned())),
                Some(text) => {
                    problems.extend(drawing::Text::undrawable(text).map(|reason| ("text".to_owned(), reason)));
                }
            }
        } else if params.get("text").is_some() {
            problems.push(("text".to_owned(), format!("{kind} has no text; take kind: text")));
        }
        problems
    }

    fn facts(&self, params: &Params, _inputs: &[Facts]) -> Result<Facts, NodeError> {
        let seconds = params.optional_number("duration");
        if is_sound(params) {
            return Ok(Facts::audio(sample_at(seconds.unwrap_or_default()).max(1)));
        }
        let (width, height) = (params.integer("width") as u32, params.integer("height") as u32);
        if !size_is_allowed(u64::from(width), u64::from(height)) {
            return Err(NodeError::TooLarge { width: u64::from(width), height: u64::from(height) });
        }
        Ok(match seconds {
            None => Facts::image(width, height),
            Some(seconds) => {
                let frames = Rate::STILL.frame_at(seconds).max(1);
                Facts::video(width, height, Clip { rate: Rate::STILL, frames, pixels: Pixels::Yuv420, sound: false })
            }
        })
    }

    fn lower(&self, params: &Params, inputs: &[Facts]) -> Lowered {
        let facts = self.facts(params, inputs).unwrap_or_else(|error| panic!("BUG: lowered without facts: {error}"));
        match facts.kind {
            Kind::Image => Lowered::Draw(drawing(params)),
            Kind::Audio => {
                let tone = (params.text("kind") == "tone").then(|| params.number("frequency"));
                Lowered::Clip(Box::new(Heard { tone, samples: facts.samples }))
            }
            _ => {
                let frames = facts.clip.map_or(1, |clip| clip.frames);
                Lowered::Clip(match params.text("kind") {
                    "noise" => Box::new(Flicker { noise: noise(params, NOISE_ROOM), frames }),
                    _ => Box::new(Shown { drawing: drawing(params), frames }),
                })
            }
        }
    }
}

/// A drawing that is shown for a while.
struct Shown {
    drawing: Box<dyn Drawing>,
    frames: u64,
}

impl ClipOp for Shown {
    fn picture(&self, loom: &mut dyn Loom) -> Pad {
        loom.drawn(&self.drawing.draw(), Rate::STILL, self.frames, Pixels::Yuv420)
    }

    fn sound(&self, _loom: &mut dyn Loom) -> Pad {
        panic!("BUG: the sound of a drawing")
    }

    fn cost(&self) -> f64 {
        1.0
    }
}

/// Noise that is another in each frame: cut from a larger picture, each frame from another place.
struct Flicker {
    noise: drawing::Noise,
    frames: u64,
}

impl ClipOp for Flicker {
    fn picture(&self, loom: &mut dyn Loom) -> Pad {
        let (width, height) = (self.noise.width - NOISE_ROOM, self.noise.height - NOISE_ROOM);
        let pad = loom.drawn(&self.noise.draw(), Rate::STILL, self.frames, Pixels::Yuv420);
        // Even places, so that the chroma's are whole; squares, so that nothing seems to drift.
        let x = "2*mod(7*n*n+29*n\\,128)";
        let y = "2*mod(5*n*n+43*n+17*floor(n/128)\\,128)";
        loom.link(&[pad], &format!("crop=w={width}:h={height}:x={x}:y={y}:exact=1"))
    }

    fn sound(&self, _loom: &mut dyn Loom) -> Pad {
        panic!("BUG: the sound of a drawing")
    }

    fn cost(&self) -> f64 {
        1.0
    }
}

/// Silence or a tone.
struct Heard {
    tone: Option<f64>,
    samples: u64,
}

impl ClipOp for Heard {
    fn picture(&self, _loom: &mut dyn Loom) -> Pad {
        panic!("BUG: the picture of a sound")
    }

    fn sound(&self, loom: &mut dyn Loom) -> Pad {
        let source = match self.tone {
            // An eighth of full scale, as ffmpeg's `sine` has it, on both sides: left to itself ffmpeg
            // takes 3 dB away when it makes two channels of one.
            Some(frequency) => format!("sine=frequency={frequency}:sample_rate={SAMPLE_RATE},pan=stereo|c0=c0|c1=c0"),
            None => format!("anullsrc=channel_layout=stereo:sample_rate={SAMPLE_RATE}"),
        };
        loom.link(&[], &format!("{source},atrim=end_sample={}", self.samples))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::nodes::testing::params;

    #[test]
    fn a_duration_makes_a_film() {
        let facts = |config| Generate.facts(&params(&Generate, config), &[]).unwrap();
        assert_eq!(facts(json!({"kind": "colour", "width": 9, "height": 5})), Facts::image(9, 5));
        let film = facts(json!({"kind": "pattern", "duration": 2}));
        assert_eq!((film.kind, film.clip.unwrap().frames, film.has_sound()), (Kind::Video, 50, false));
        assert_eq!(facts(json!({"kind": "tone", "duration": 0.5})), Facts::audio(24_000));
    }

    #[test]
    fn what_a_kind_needs_is_asked_for() {
        let problems = |config| Generate.check(&params(&Generate, config), 0).len();
        assert_eq!(problems(json!({"kind": "silence"})), 1);
        assert_eq!(problems(json!({"kind": "text"})), 1);
        assert_eq!(problems(json!({"kind": "colour", "text": "x"})), 1);
        assert_eq!(problems(json!({"kind": "text", "text": "Grüße"})), 0);
        assert_eq!(problems(json!({"kind": "text", "text": "\u{1}"})), 1);
    }
}
