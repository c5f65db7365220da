//! `LAYER`: pictures laid over one another.
//!
//! The first input is the ground, and the result is as large as it. Each further input is
//! scaled, placed with its top left corner at its position (which may be negative or outside;
//! what does not lie on the ground is cut off), and laid over what is there by its alpha times
//! its opacity. `inputs` has an entry for each input in order; missing ones are defaults. The
//! ground cannot move: of its entry only the opacity may be written, and scales its alpha.

use std::sync::Arc;

use serde_json::Value;

use crate::base::Params;
use crate::base::schema::{Default, Kind as Type, Param};
use crate::media::composite::{self, Mode, Opacity};
use crate::media::image::size_is_allowed;
use crate::media::{Clip, Facts, Image, Kind, OpError, PixelOp, Pixels, codec, resample};
use crate::nodes::film::layer::{LaidFilm, LayerFilm};
use crate::nodes::film::{self, Film};
use crate::nodes::{Lowered, NodeError, NodeType, Ports, Tool};

/// The node type.
pub(super) struct Layer;

/// Most inputs: the ground and one for each further node that a config may have.
const MOST: usize = crate::base::limits::CONFIG_NODES;

const PARAMS: &[Param] = &[Param {
    name: "inputs",
    kind: Type::List { of: &Type::Map(ENTRY), min: 0, max: MOST },
    default: Default::EmptyList,
    doc: "How each input is laid, in the order of the inputs; missing entries are defaults. The first input is the \
          ground: it has an opacity alone.",
    unit: "",
}];

const ENTRY: &[Param] = &[
    Param {
        name: "position",
        kind: Type::List { of: &Type::Integer { min: -1_000_000, max: 1_000_000 }, min: 2, max: 2 },
        default: Default::Numbers(&[0.0, 0.0]),
        doc: "Column and row of the ground where the top left corner lies; may be negative or outside.",
        unit: "px",
    },
    Param {
        name: "opacity",
        kind: Type::Number { min: 0.0, max: 1.0 },
        default: Default::Number(1.0),
        doc: "Multiplies the input's alpha.",
        unit: "",
    },
    Param {
        name: "scale",
        kind: Type::Number { min: 0.001, max: 1000.0 },
        default: Default::Number(1.0),
        doc: "Multiplies width and height, rounded half up, at least 1.",
        unit: "",
    },
];

/// One entry, parsed.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Laid {
    at: (i64, i64),
    opacity: f64,
    scale: f64,
}

impl Laid {
    const DEFAULT: Self = Self { at: (0, 0), opacity: 1.0, scale: 1.0 };

    fn new(entry: &Value) -> Self {
        let number = |name: &str| entry.get(name).and_then(Value::as_f64);
        let coordinate = |index: usize| {
            let value = entry.get("position").and_then(|position| position.get(index));
            value.and_then(Value::as_f64).map_or(0, |value| value as i64)
        };
        Self {
            at: (coordinate(0), coordinate(1)),
            opacity: number("opacity").unwrap_or(Self::DEFAULT.opacity),
            scale: number("scale").unwrap_or(Self::DEFAULT.scale),
        }
    }

    fn all(params: &Params) -> Vec<Self> {
        params.list("inputs").iter().map(Self::new).collect()
    }

    fn is_scaled(&self) -> bool {
        self.scale.total_cmp(&1.0).is_ne()
    }

    /// Width and height after scaling, rounded half up: one product each, the same on every CPU.
    fn size(&self, width: u32, height: u32) -> (u64, u64) {
        let side = |side: u32| ((f64::from(side) * self.scale + 0.5).floor() as u64).max(1);
        (side(width), side(height))
    }
}

impl NodeType for Layer {
    fn name(&self) -> &'static str {
        "LAYER"
    }

    fn version(&self) -> u32 {
        1
    }

    fn description(&self) -> &'static str {
        "Lays pictures over the first one, each with a position, an opacity and a scale."
    }

    fn params(&self) -> &'static [Param] {
        PARAMS
    }

    fn ports(&self) -> Ports {
        Ports { min: 1, max: MOST, names: &["ground", "layers"], kinds: &[Kind::Image, Kind::Video] }
    }

    fn output(&self) -> Option<Kind> {
        None
    }

    fn check(&self, params: &Params, inputs: usize) -> Vec<(String, String)> {
        let entries = params.list("inputs");
        let mut problems = Vec::new();
        if entries.len() > inputs {
            let plural = if inputs == 1 { "" } else { "s" };
            let reason = format!("{} entries are written for {inputs} input{plural}", entries.len());
            problems.push((format!("inputs[{inputs}]"), reason));
        }
        if let Some(ground) = entries.first().map(Laid::new) {
            let ground_stays =
                "the first input is the ground, and the result is as large as it: only its opacity may be set";
            if ground.at != Laid::DEFAULT.at {
                problems.push(("inputs[0].position".to_owned(), ground_stays.to_owned()));
            }
            if ground.is_scaled() {
                problems.push(("inputs[0].scale".to_owned(), ground_stays.to_owned()));
            }
        }
        problems
    }

    fn facts(&self, params: &Params, inputs: &[Facts]) -> Result<Facts, NodeError> {
        for (index, (laid, input)) in Laid::all(params).iter().zip(inputs).enumerate() {
            let (width, height) = laid.size(input.width, input.height);
            if !size_is_allowed(width, height) {
                let reason = format!(
                    "inputs[{index}] scaled by {} would be {width}x{height}, which is more than a picture may have",
                    laid.scale
                );
                return Err(NodeError::Inputs(reason));
            }
        }
        if !film::any(inputs) {
            return Ok(Facts::image(inputs[0].width, inputs[0].height));
        }
        let ground = ground_film(inputs);
        let clip = Clip { rate: ground.rate, frames: ground.frames, pixels: Pixels::Yuv420, sound: ground.sound };
        Ok(Facts::video(inputs[0].width, inputs[0].height, clip))
    }

    fn lower(&self, params: &Params, inputs: &[Facts]) -> Lowered {
        if film::any(inputs) {
            return Lowered::Clip(Box::new(laid_films(&Laid::all(params), inputs)));
        }
        Lowered::Pixels(Box::new(LayerOp { entries: Laid::all(params) }))
    }

    fn tools(&self, params: &Params) -> Vec<Tool> {
        let scales = Laid::all(params).iter().any(Laid::is_scaled);
        if scales { vec![codec::RESAMPLER.into()] } else { Vec::new() }
    }
}

/// The first input as the film that gives length, rate and sound.
fn ground_film(inputs: &[Facts]) -> Film {
    let rate = film::rate_of(inputs);
    Film::new(&inputs[0], rate, film::layer::length(inputs, rate))
}

fn laid_films(entries: &[Laid], inputs: &[Facts]) -> LayerFilm {
    let ground = ground_film(inputs);
    let of = |(index, input): (usize, &Facts)| {
        let laid = entries.get(index).copied().unwrap_or(Laid::DEFAULT);
        let (width, height) = laid.size(input.width, input.height);
        LaidFilm {
            film: Film::new(input, ground.rate, ground.frames),
            at: laid.at,
            opacity: laid.opacity,
            size: (width as u32, height as u32),
        }
    };
    LayerFilm { layers: inputs.iter().enumerate().map(of).collect() }
}

struct LayerOp {
    entries: Vec<Laid>,
}

impl LayerOp {
    fn entry(&self, index: usize) -> Laid {
        self.entries.get(index).copied().unwrap_or(Laid::DEFAULT)
    }
}

impl PixelOp for LayerOp {
    fn start(&self, first: Arc<Image>) -> Result<Image, OpError> {
        let mut ground = Arc::unwrap_or_clone(first);
        composite::fade(&mut ground, Opacity::new(self.entry(0).opacity));
        Ok(ground)
    }

    fn fold(&self, mut accumulator: Image, index: usize, input: &Image) -> Result<Image, OpError> {
        let laid = self.entry(index);
        let opacity = Opacity::new(laid.opacity);
        let (width, height) = laid.size(input.width(), input.height());
        if !size_is_allowed(width, height) {
            return Err(OpError::TooLarge { width, height });
        }
        if (width, height) == (u64::from(input.width()), u64::from(input.height())) {
            composite::composite(&mut accumulator, input, laid.at, Mode::Normal, opacity);
        } else if !opacity.is_zero() {
            let scaled = resample::resize(input, width as u32, height as u32);
            composite::composite(&mut accumulator, &scaled, laid.at, Mode::Normal, opacity);
        }
        Ok(accumulator)
    }

    fn cost(&self) -> f64 {
        if self.entries.iter().any(Laid::is_scaled) { COST + SCALING_COST } else { COST }
    }
}

/// Nanoseconds a pixel of the inputs.
const COST: f64 = 5.0;
const SCALING_COST: f64 = 20.0;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::nodes::testing::{golden, noise, on_threads, params, render};

    fn layered(entries: &Value, inputs: &[Image]) -> Image {
        render(&Layer, &params(&Layer, json!({"inputs": entries})), inputs)
    }

    #[test]
    fn defaults_are_the_originals() {
        assert_eq!(Value::from(crate::base::schema::defaults(PARAMS).entries().clone()), json!({"inputs": []}));
        let entry = Value::from(crate::base::schema::defaults(ENTRY).entries().clone());
        assert_eq!(entry, json!({"position": [0, 0], "opacity": 1.0, "scale": 1.0}));
        assert_eq!(Laid::new(&entry), Laid::DEFAULT);
        assert_eq!(Laid::new(&json!({})), Laid::DEFAULT);
    }

    #[test]
    fn entries_are_checked_against_the_inputs() {
        let paths = |entries, inputs| -> Vec<String> {
            let config = params(&Layer, json!({"inputs": entries}));
            Layer.check(&config, inputs).into_iter().map(|(path, _)| path).collect()
        };
        assert!(paths(json!([{"opacity": 0.5}, {"position": [9, 9], "scale": 2}]), 2).is_empty());
        assert!(paths(json!([{}]), 3).is_empty());
        assert_eq!(paths(json!([{}, {}, {}]), 2), ["inputs[2]"]);
        assert_eq!(paths(json!([{"position": [0, 1], "scale": 2}]), 1), ["inputs[0].position", "inputs[0].scale"]);
    }

    #[test]
    fn layers_are_placed_scaled_and_cut_off() {
        let ground = Image::filled(6, 5, [0, 0, 255, 255]);
        let dot = Image::filled(2, 1, [255, 0, 0, 255]);
        let entries = json!([{}, {"position": [-1, -1], "scale": 2}, {"position": [5, 4], "opacity": 0.5}]);
        let out = layered(&entries, &[ground, dot.clone(), dot]);
        let red = |x, y| out.pixel(x, y)[0];
        for (x, y) in (0..5).flat_map(|y| (0..6).map(move |x| (x, y))) {
            let expected = match (x, y) {
                (0..3, 0) => 255,
                (5, 4) => 128,
                _ => 0,
            };
            assert_eq!(red(x, y), expected, "{x},{y}");
        }
    }

    #[test]
    fn missing_entries_are_defaults_and_the_grounds_opacity_counts() {
        let (a, b) = (noise(9, 7), noise(5, 11));
        let written = json!([{}, {"position": [0, 0], "opacity": 1, "scale": 1}]);
        assert_eq!(layered(&json!([]), &[a.clone(), b.clone()]), layered(&written, &[a.clone(), b.clone()]));
        assert_eq!(layered(&json!([]), std::slice::from_ref(&a)), a);
        let faded = layered(&json!([{"opacity": 0.5}]), &[Image::filled(1, 1, [1, 2, 3, 200])]);
        assert_eq!(faded.pixel(0, 0), [1, 2, 3, 100]);
        assert_ne!(layered(&json!([]), &[a.clone(), b.clone()]), layered(&json!([]), &[b, a]));
    }

    #[test]
    fn sizes_are_rounded_half_up_and_bounded() {
        let laid = |scale| Laid { scale, ..Laid::DEFAULT };
        assert_eq!(laid(0.5).size(3, 1), (2, 1));
        assert_eq!(laid(0.001).size(3, 499), (1, 1));
        assert_eq!(laid(1.5).size(5, 7), (8, 11));
        let config = params(&Layer, json!({"inputs": [{}, {"scale": 1000}]}));
        let refusal = Layer.facts(&config, &[Facts::image(1, 1), Facts::image(100, 100)]).unwrap_err().to_string();
        assert!(refusal.starts_with("inputs[1] scaled by 1000 would be 100000x100000"), "{refusal}");
    }

    #[test]
    fn the_resampler_is_a_tool_where_something_is_scaled() {
        let tools = |entries| Layer.tools(&params(&Layer, json!({"inputs": entries}))).len();
        assert_eq!((tools(json!([])), tools(json!([{}, {"scale": 1}])), tools(json!([{}, {"scale": 0.5}]))), (0, 0, 1));
    }

    #[test]
    fn golden_bits() {
        let picture = crate::effects::golden::picture();
        let configs = [
            json!({}),
            json!({"inputs": [{"opacity": 0.7}, {"position": [3, -4], "opacity": 0.3}, {"position": [40, 30]}]}),
        ];
        let now = golden(&Layer, &configs, &[noise(90, 80), picture.clone(), picture]);
        assert_eq!(now, "547d740b78cbf09d9141c800c509df4185235b2703fdbfdf4273753373fb52c3", "raise version()");
    }

    #[test]
    fn threads_do_not_change_bits() {
        let entries = json!([{"opacity": 0.9}, {"position": [-20, 31], "opacity": 0.4, "scale": 1.7}]);
        let inputs = [noise(331, 257), noise(203, 199)];
        let of = |threads| on_threads(threads, || layered(&entries, &inputs));
        assert_eq!(of(1), of(2));
        assert_eq!(of(1), of(8));
    }
}
