//! `MUX`: the picture of one input with the sound of another.

use crate::base::Params;
use crate::base::limits::CONFIG_NODES;
use crate::base::schema::{Default, Kind as Type, Param};
use crate::media::time::SAMPLE_RATE;
use crate::media::{Clip, ClipOp, Facts, Kind, Loom, Pad, Pixels};
use crate::nodes::film::{self, Film};
use crate::nodes::{Lowered, NodeError, NodeType, Ports};

/// The node type.
pub(super) struct Mux;

const WHICH: Type = Type::Integer { min: 0, max: CONFIG_NODES as i64 };

const PARAMS: &[Param] = &[
    Param {
        name: "video_stream",
        kind: WHICH,
        default: Default::Number(0.0),
        doc: "Which input gives the picture, counted from 0.",
        unit: "",
    },
    Param {
        name: "audio_stream",
        kind: WHICH,
        default: Default::Number(1.0),
        doc: "Which input gives the sound.",
        unit: "",
    },
    Param {
        name: "shortest",
        kind: Type::Bool,
        default: Default::Bool(true),
        doc: "End with the shorter of the two; else the last frame is held, or silence follows. A still always \
              lasts as long as the sound.",
        unit: "",
    },
];

struct Muxed {
    picture: usize,
    sound: usize,
    film: Film,
    frames: u64,
}

impl Muxed {
    fn new(params: &Params, inputs: &[Facts]) -> Result<Self, NodeError> {
        let (picture, sound) = (params.integer("video_stream") as usize, params.integer("audio_stream") as usize);
        let refused = |reason: String| Err(NodeError::Inputs(reason));
        if !matches!(inputs[picture].kind, Kind::Video | Kind::Image) {
            return refused(format!("inputs[{picture}], its video_stream, has no picture"));
        }
        if !inputs[sound].has_sound() {
            return refused(format!("inputs[{sound}], its audio_stream, has no sound"));
        }
        let samples = inputs[sound].samples;
        let rate = film::rate_of(&inputs[picture..=picture]);
        let film = Film::new(&inputs[picture], rate, rate.frames_of(samples));
        let frames = if inputs[picture].kind == Kind::Image {
            film.frames
        } else if params.flag("shortest") {
            let whole = u128::from(samples) * u128::from(rate.num()) / u128::from(SAMPLE_RATE * u64::from(rate.den()));
            film.frames.min(whole as u64)
        } else {
            film.frames.max(rate.frames_of(samples))
        };
        if frames == 0 {
            return refused("its sound lasts less than one frame".to_owned());
        }
        Ok(Self { picture, sound, film, frames })
    }
}

impl NodeType for Mux {
    fn name(&self) -> &'static str {
        "MUX"
    }

    fn version(&self) -> u32 {
        1
    }

    fn description(&self) -> &'static str {
        "Puts the picture of one input and the sound of another together."
    }

    fn params(&self) -> &'static [Param] {
        PARAMS
    }

    fn ports(&self) -> Ports {
        let kinds = &[Kind::Video, Kind::Audio, Kind::Image];
        Ports { min: 1, max: CONFIG_NODES, names: &["video", "audio"], kinds }
    }

    fn output(&self) -> Option<Kind> {
        Some(Kind::Video)
    }

    fn check(&self, params: &Params, inputs: usize) -> Vec<(String, String)> {
        let names = ["video_stream", "audio_stream"].into_iter();
        let outside = names.filter(|name| params.integer(name) as usize >= inputs);
        outside.map(|name| (name.to_owned(), format!("there is no inputs[{}]", params.integer(name)))).collect()
    }

    fn facts(&self, params: &Params, inputs: &[Facts]) -> Result<Facts, NodeError> {
        let muxed = Muxed::new(params, inputs)?;
        let clip = Clip { rate: muxed.film.rate, frames: muxed.frames, pixels: muxed.film.pixels, sound: true };
        Ok(Facts::video(muxed.film.size.0, muxed.film.size.1, clip))
    }

    fn lower(&self, params: &Params, inputs: &[Facts]) -> Lowered {
        let muxed = Muxed::new(params, inputs).unwrap_or_else(|error| panic!("BUG: lowered without facts: {error}"));
        Lowered::Clip(Box::new(muxed))
    }
}

impl ClipOp for Muxed {
    fn picture(&self, loom: &mut dyn Loom) -> Pad {
        self.film.take(loom, self.picture, (0, self.frames), self.pixels())
    }

    fn sound(&self, loom: &mut dyn Loom) -> Pad {
        loom.sound(self.sound, 0, self.film.rate.samples_of(self.frames))
    }

    fn cost(&self) -> f64 {
        0.5
    }
}

impl Muxed {
    const fn pixels(&self) -> Pixels {
        self.film.pixels
    }
}
