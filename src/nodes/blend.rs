//! `BLEND`: a second picture mixed into the first.
//!
//! The result is as large as the first. The second is scaled inside of it, keeping its aspect
//! ratio, and centred; around it the first shows. Then the W3C formulas of
//! [`composite`](crate::media::composite) hold, with the second's alpha times the opacity as the
//! weight of the mixture. At opacity 0 the first keeps its bits.

use std::sync::Arc;

use crate::base::Params;
use crate::base::schema::{Default, Kind as Type, Param};
use crate::media::composite::{self, Mode, Opacity};
use crate::media::{Clip, Facts, Image, Kind, OpError, PixelOp, Pixels, codec, resample};
use crate::nodes::film::blend::{BlendFilm, mode_word};
use crate::nodes::film::{self, Film};
use crate::nodes::{Lowered, NodeError, NodeType, Ports, Tool, geometry};

/// The node type.
pub(super) struct Blend;

const PARAMS: &[Param] = &[
    Param {
        name: "mode",
        kind: Type::Choice(&[
            "multiply",
            "screen",
            "overlay",
            "add",
            "subtract",
            "average",
            "difference",
            "lighten",
            "darken",
        ]),
        default: Default::Text("overlay"),
        doc: "How the colours are mixed, channel by channel; subtract takes the second from the first, overlay \
              multiplies where the first is dark and screens where it is light.",
        unit: "",
    },
    Param {
        name: "opacity",
        kind: Type::Number { min: 0.0, max: 1.0 },
        default: Default::Number(0.5),
        doc: "How much of the mixture is seen: 0 leaves the first picture.",
        unit: "",
    },
];

fn mode(word: &str) -> Mode {
    match word {
        "multiply" => Mode::Multiply,
        "screen" => Mode::Screen,
        "overlay" => Mode::Overlay,
        "add" => Mode::Add,
        "subtract" => Mode::Subtract,
        "average" => Mode::Average,
        "difference" => Mode::Difference,
        "lighten" => Mode::Lighten,
        "darken" => Mode::Darken,
        other => panic!("BUG: validation let the mode {other:?} pass"),
    }
}

impl NodeType for Blend {
    fn name(&self) -> &'static str {
        "BLEND"
    }

    fn version(&self) -> u32 {
        1
    }

    fn description(&self) -> &'static str {
        "Mixes a second picture into the first by a blend mode."
    }

    fn params(&self) -> &'static [Param] {
        PARAMS
    }

    fn ports(&self) -> Ports {
        Ports { min: 2, max: 2, names: &["base", "overlay"], kinds: &[Kind::Image, Kind::Video] }
    }

    fn output(&self) -> Option<Kind> {
        None
    }

    fn facts(&self, _params: &Params, inputs: &[Facts]) -> Result<Facts, NodeError> {
        if !film::any(inputs) {
            return Ok(Facts::image(inputs[0].width, inputs[0].height));
        }
        let base = films(inputs).0;
        let clip = Clip { rate: base.rate, frames: base.frames, pixels: Pixels::Yuv420, sound: base.sound };
        Ok(Facts::video(inputs[0].width, inputs[0].height, clip))
    }

    fn lower(&self, params: &Params, inputs: &[Facts]) -> Lowered {
        if film::any(inputs) {
            let (base, over) = films(inputs);
            let mode = mode_word(params.text("mode"));
            return Lowered::Clip(Box::new(BlendFilm { base, over, mode, opacity: params.number("opacity") }));
        }
        let is_scaled = inputs.len() == 2 && (inputs[0].width, inputs[0].height) != (inputs[1].width, inputs[1].height);
        Lowered::Pixels(Box::new(BlendOp {
            mode: mode(params.text("mode")),
            opacity: Opacity::new(params.number("opacity")),
            is_scaled,
        }))
    }

    fn tools(&self, _params: &Params) -> Vec<Tool> {
        // Whether sizes differ is not known here.
        vec![codec::RESAMPLER.into()]
    }
}

/// Both inputs as films of the same rate; the first gives the length.
fn films(inputs: &[Facts]) -> (Film, Film) {
    let rate = film::rate_of(inputs);
    let length = film::layer::length(inputs, rate);
    (Film::new(&inputs[0], rate, length), Film::new(&inputs[1], rate, length))
}

struct BlendOp {
    mode: Mode,
    opacity: Opacity,
    /// Do the sizes differ? For the estimate alone.
    is_scaled: bool,
}

impl PixelOp for BlendOp {
    fn start(&self, first: Arc<Image>) -> Result<Image, OpError> {
        Ok(Arc::unwrap_or_clone(first))
    }

    fn fold(&self, mut accumulator: Image, _index: usize, input: &Image) -> Result<Image, OpError> {
        if self.opacity.is_zero() {
            return Ok(accumulator);
        }
        let size = (input.width(), input.height());
        let bounds = (accumulator.width(), accumulator.height());
        let inner = geometry::inside(size, bounds);
        let (x, y) = geometry::centred(inner, bounds);
        let at = (i64::from(x), i64::from(y));
        if inner == size {
            composite::composite(&mut accumulator, input, at, self.mode, self.opacity);
        } else {
            let scaled = resample::resize(input, inner.0, inner.1);
            composite::composite(&mut accumulator, &scaled, at, self.mode, self.opacity);
        }
        Ok(accumulator)
    }

    fn cost(&self) -> f64 {
        if self.is_scaled { COST + SCALING_COST } else { COST }
    }
}

/// Nanoseconds a pixel of the inputs.
const COST: f64 = 3.0;
const SCALING_COST: f64 = 15.0;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::nodes::testing::{golden, noise, on_threads, params, render};

    fn blended(config: Value, inputs: [&Image; 2]) -> Image {
        render(&Blend, &params(&Blend, config), &inputs.map(Image::clone))
    }

    fn modes() -> &'static [&'static str] {
        let Type::Choice(words) = PARAMS[0].kind else { panic!() };
        words
    }

    #[test]
    fn defaults_are_the_originals() {
        let defaults = Value::from(crate::base::schema::defaults(PARAMS).entries().clone());
        assert_eq!(defaults, json!({"mode": "overlay", "opacity": 0.5}));
    }

    /// Base 200, overlay 100, in full: worked out by hand.
    #[test]
    fn every_mode_by_its_name() {
        let expected = [78, 222, 188, 255, 100, 150, 100, 200, 100];
        for (word, expected) in modes().iter().zip(expected) {
            let config = json!({"mode": word, "opacity": 1});
            let out = blended(
                config,
                [&Image::filled(1, 1, [200, 200, 200, 255]), &Image::filled(1, 1, [100, 100, 100, 255])],
            );
            assert_eq!(out.pixel(0, 0), [expected, expected, expected, 255], "{word}");
        }
    }

    #[test]
    fn opacity_weighs_the_mixture() {
        let (base, overlay) = (Image::filled(1, 1, [200, 10, 0, 255]), Image::filled(1, 1, [100, 10, 255, 255]));
        let half = blended(json!({"mode": "difference"}), [&base, &overlay]);
        assert_eq!(half.pixel(0, 0), [150, 5, 128, 255]);
        let noisy = noise(17, 9);
        for mode in modes() {
            assert_eq!(blended(json!({"mode": mode, "opacity": 0}), [&noisy, &noise(9, 17)]), noisy);
        }
    }

    #[test]
    fn the_order_of_the_inputs_counts() {
        let (a, b) = (noise(20, 20), Image::filled(20, 20, [130, 20, 250, 255]));
        assert_ne!(blended(json!({}), [&a, &b]), blended(json!({}), [&b, &a]));
    }

    #[test]
    fn the_second_is_fitted_and_the_first_shows_around_it() {
        let base = Image::filled(5, 9, [10, 20, 30, 255]);
        let overlay = Image::filled(2, 2, [255; 4]);
        let out = blended(json!({"mode": "lighten", "opacity": 1}), [&base, &overlay]);
        for y in 0..9 {
            let expected = if (2..7).contains(&y) { [255; 4] } else { [10, 20, 30, 255] };
            assert_eq!((out.pixel(0, y), out.pixel(4, y)), (expected, expected), "row {y}");
        }
    }

    #[test]
    fn alpha_is_honoured() {
        let nothing = Image::filled(3, 3, [0; 4]);
        let some = Image::filled(3, 3, [40, 50, 60, 100]);
        assert_eq!(blended(json!({"opacity": 1}), [&some, &nothing]), some);
        assert_eq!(blended(json!({"opacity": 1}), [&nothing, &some]), some);
    }

    #[test]
    fn golden_bits() {
        let picture = crate::effects::golden::picture();
        let configs: Vec<Value> = modes()
            .iter()
            .flat_map(|mode| [0.5, 1.0].map(|opacity| json!({"mode": mode, "opacity": opacity})))
            .collect();
        let opaque = Image::filled(61, 47, [140, 30, 220, 255]);
        let now = [[noise(61, 47), picture.clone()], [opaque, picture]].map(|inputs| golden(&Blend, &configs, &inputs));
        let golden = [
            "7157ebb19852fe6422e44af01169e5d3005822d9217e5d6bc9aef7f4541c1ba5",
            "d62426eb822f2271d5534ea2dd016099c3633492e3317358623ed02fad81c573",
        ];
        assert_eq!(now, golden, "raise version()");
    }

    #[test]
    fn threads_do_not_change_bits() {
        let inputs = [noise(257, 331), noise(199, 203)];
        for mode in ["overlay", "screen"] {
            let of = |threads| on_threads(threads, || blended(json!({"mode": mode}), [&inputs[0], &inputs[1]]));
            assert_eq!(of(1), of(2));
            assert_eq!(of(1), of(8));
        }
    }
}
