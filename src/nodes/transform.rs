//! `TRANSFORM`: colour, hue, blur and sharpness of a picture or film, and the speed of what has
//! time, applied in that order.
//!
//! Each of colour (with hue), blur and sharpen ends rounded to 8 bits; what is at its neutral
//! value is not done at all. `speed` is for what has time: a still accepts it and stays as it is.

use std::sync::Arc;

use crate::base::Params;
use crate::base::schema::{Default, Kind as Type, Param};
use crate::media::colour::{Adjustment, ColourMap};
use crate::media::op::PointOp;
use crate::media::{Clip, Facts, Image, Kind, OpError, PixelOp, Pixels, blur, point};
use crate::nodes::film::transform::{TransformFilm, frames_at_speed, samples_at_speed};
use crate::nodes::{Lowered, NodeError, NodeType, Ports};

/// The node type.
pub(super) struct Transform;

const PARAMS: &[Param] = &[Param {
    name: "effects",
    kind: Type::Map(EFFECTS),
    default: Default::Entries,
    doc: "What is done; entries that are not written change nothing.",
    unit: "",
}];

pub(super) const EFFECTS: &[Param] = &[
    number("saturation", 0.0, 2.0, 1.0, "Strength of the colours; 0 leaves greys.", ""),
    number("contrast", 0.0, 2.0, 1.0, "Distance from middle grey.", ""),
    number("brightness", -1.0, 1.0, 0.0, "Added to the brightness, which goes from 0 to 1.", ""),
    number("gamma", 0.1, 10.0, 1.0, "Above 1 lightens the dark parts, below 1 darkens them.", ""),
    number("hue", -3600.0, 3600.0, 0.0, "Turns all colours around the colour wheel.", "degrees"),
    number("blur", 0.0, MAX_BLUR, 0.0, "Radius of a box blur done twice; a fraction is dropped.", "px"),
    number("sharpen", -2.0, 5.0, 0.0, "Amount of a 5x5 unsharp mask on brightness; below 0 softens.", ""),
    number("speed", 0.01, 100.0, 1.0, "How fast time goes by; no effect on a still.", ""),
];

const MAX_BLUR: f64 = 1000.0;

const fn number(name: &'static str, min: f64, max: f64, default: f64, doc: &'static str, unit: &'static str) -> Param {
    Param { name, kind: Type::Number { min, max }, default: Default::Number(default), doc, unit }
}

impl NodeType for Transform {
    fn name(&self) -> &'static str {
        "TRANSFORM"
    }

    fn version(&self) -> u32 {
        1
    }

    fn description(&self) -> &'static str {
        "Changes colour, hue and sharpness of a picture or film, and the speed of a film or sound."
    }

    fn params(&self) -> &'static [Param] {
        PARAMS
    }

    fn ports(&self) -> Ports {
        Ports { min: 1, max: 1, names: &["input"], kinds: &[Kind::Image, Kind::Video, Kind::Audio] }
    }

    fn output(&self) -> Option<Kind> {
        None
    }

    fn facts(&self, params: &Params, inputs: &[Facts]) -> Result<Facts, NodeError> {
        let (input, speed) = (&inputs[0], params.nested("effects").number("speed"));
        Ok(match (input.clip, input.kind) {
            (Some(clip), _) => {
                let frames = frames_at_speed(clip.frames, speed);
                Facts::video(input.width, input.height, Clip { frames, pixels: Pixels::Yuv420, ..clip })
            }
            (None, Kind::Audio) => Facts::audio(samples_at_speed(input.samples, speed)),
            _ => Facts::image(input.width, input.height),
        })
    }

    fn lower(&self, params: &Params, inputs: &[Facts]) -> Lowered {
        let effects = params.nested("effects");
        if inputs[0].has_time() {
            return Lowered::Clip(Box::new(TransformFilm::new(effects, &inputs[0])));
        }
        let adjustment = Adjustment {
            saturation: effects.number("saturation"),
            contrast: effects.number("contrast"),
            brightness: effects.number("brightness"),
            gamma: effects.number("gamma"),
            hue: effects.number("hue"),
        };
        Lowered::Pixels(Box::new(TransformOp {
            colour: (!adjustment.is_neutral()).then(|| ColourMap::new(&adjustment)),
            blur: effects.number("blur") as u32,
            sharpen: effects.number("sharpen") as f32,
        }))
    }
}

struct TransformOp {
    colour: Option<ColourMap>,
    blur: u32,
    sharpen: f32,
}

impl TransformOp {
    fn is_sharpened(&self) -> bool {
        self.sharpen.abs() > 0.0
    }
}

impl PixelOp for TransformOp {
    fn start(&self, first: Arc<Image>) -> Result<Image, OpError> {
        let mut image = point::apply(first, &[self]);
        if self.blur > 0 {
            // Twice, as FFmpeg's `boxblur` does unless told otherwise.
            image = blur::box_blur(Arc::new(image), self.blur);
            image = blur::box_blur(Arc::new(image), self.blur);
        }
        if self.is_sharpened() {
            image = blur::unsharp_5x5(Arc::new(image), self.sharpen);
        }
        Ok(image)
    }

    fn point(&self) -> Option<&dyn PointOp> {
        (self.blur == 0 && !self.is_sharpened()).then_some(self as &dyn PointOp)
    }

    fn cost(&self) -> f64 {
        let part = |is_done: bool, cost: f64| if is_done { cost } else { 0.0 };
        part(self.colour.is_some(), COLOUR_COST)
            + part(self.blur > 0, BLUR_COST)
            + part(self.is_sharpened(), SHARPEN_COST)
    }
}

/// Colour alone: what [`PixelOp::start`] does before blur and sharpen.
impl PointOp for TransformOp {
    fn map(&self, pixels: &mut [u8]) {
        if let Some(colour) = &self.colour {
            colour.map(pixels);
        }
    }
}

/// Nanoseconds a pixel.
const COLOUR_COST: f64 = 4.0;
const BLUR_COST: f64 = 20.0;
const SHARPEN_COST: f64 = 8.0;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::base::schema;
    use crate::nodes::testing::{golden, noise, on_threads, params, render};

    fn transformed(effects: &Value, image: &Image) -> Image {
        render(&Transform, &params(&Transform, json!({"effects": effects})), std::slice::from_ref(image))
    }

    #[test]
    fn defaults_are_the_originals() {
        let expected = json!({"effects": {"saturation": 1.0, "contrast": 1.0, "brightness": 0.0, "gamma": 1.0,
                                          "hue": 0.0, "blur": 0.0, "sharpen": 0.0, "speed": 1.0}});
        assert_eq!(Value::from(schema::defaults(PARAMS).entries().clone()), expected);
    }

    #[test]
    fn what_is_neutral_changes_no_bit() {
        for image in [noise(37, 21), noise(1, 1)] {
            for effects in [json!({}), json!({"hue": 360}), json!({"speed": 2.0}), json!({"blur": 0.9})] {
                assert_eq!(transformed(&effects, &image), image);
            }
        }
    }

    #[test]
    fn colour_alone_is_a_point_operation_with_the_same_bits() {
        let image = noise(67, 31);
        let facts = [Facts::image(67, 31)];
        for (effects, is_point) in [
            (json!({"saturation": 1.7, "hue": 40}), true),
            (json!({}), true),
            (json!({"gamma": 2, "blur": 1}), false),
            (json!({"sharpen": -0.5}), false),
        ] {
            let config = params(&Transform, json!({"effects": effects}));
            let Lowered::Pixels(op) = Transform.lower(&config, &facts) else { panic!() };
            assert_eq!(op.point().is_some(), is_point, "{effects}");
            if let Some(point) = op.point() {
                let mut mapped = image.clone();
                point.map(mapped.pixels_mut());
                assert_eq!(op.start(Arc::new(image.clone())).unwrap(), mapped);
            }
        }
    }

    #[test]
    fn the_order_is_colour_blur_sharpen() {
        let image = noise(40, 30);
        let one_by_one = ["contrast", "blur", "sharpen"]
            .iter()
            .fold(image.clone(), |image, name| transformed(&json!({*name: 2}), &image));
        let together = transformed(&json!({"sharpen": 2, "blur": 2, "contrast": 2}), &image);
        assert_eq!(together, one_by_one);
        let turned_round =
            transformed(&json!({"contrast": 2}), &transformed(&json!({"blur": 2, "sharpen": 2}), &image));
        assert_ne!(together, turned_round);
    }

    #[test]
    fn golden_bits() {
        let configs: Vec<Value> = EFFECTS
            .iter()
            .filter(|param| param.name != "speed")
            .flat_map(|param| [0.6, 1.7].map(|value| json!({"effects": {param.name: value}})))
            .chain([json!({"effects": {"saturation": 1.3, "gamma": 0.7, "hue": 200, "blur": 9, "sharpen": 2.5}})])
            .collect();
        let now = golden(&Transform, &configs, &[crate::effects::golden::picture()]);
        assert_eq!(now, "dee165f9fbe7e4b00150317a35e135a215a8b52f76fbb864fae5d008d36c9e6a", "raise version()");
    }

    #[test]
    fn threads_do_not_change_bits() {
        let effects = json!({"saturation": 0.5, "gamma": 1.3, "blur": 3, "sharpen": 1.5});
        let of = |threads| on_threads(threads, || transformed(&effects, &noise(301, 299)));
        assert_eq!(of(1), of(2));
        assert_eq!(of(1), of(8));
    }
}
