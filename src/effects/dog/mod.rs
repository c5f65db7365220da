//! `dog`: a line drawing by the extended difference of Gaussians.
//!
//! The method is that of H. Winnemöller, J. E. Kyprianidis and S. C. Olsen, "XDoG: An eXtended
//! Difference-of-Gaussians Compendium including Advanced Image Stylization", Computers &
//! Graphics 36(6), 2012, in its isotropic form: with luma L and Gaussians G,
//! S = (1 + p)·G(σ)∗L - p·G(k·σ)∗L, which is a blurred L with its edges strengthened p times,
//! and then a threshold on S. The picture is laid over white first, and the drawing has its
//! transparency.

mod ink;

use std::sync::{Arc, OnceLock};

use crate::base::Params;
use crate::base::schema::{Default, Kind, Param};
use crate::effects::dog::ink::{Ink, Mode};
use crate::effects::{Body, Effect};
use crate::media::blur::{Field, LumaOverWhite, gaussian_cost, sweep};
use crate::media::image::CHANNELS;
use crate::media::{Image, OpError, PixelOp};

/// The extended difference of Gaussians.
pub(super) struct Dog;

impl Effect for Dog {
    fn name(&self) -> &'static str {
        "dog"
    }

    fn version(&self) -> u32 {
        1
    }

    fn description(&self) -> &'static str {
        "A line drawing in black on white, by the extended Difference of Gaussians (XDoG)."
    }

    fn params(&self) -> &'static [Param] {
        PARAMS
    }

    fn golden(&self) -> &'static str {
        "20f07a392076fa1fc3ff96f4aceaf9c334ea3e940a7e4a34c597c7a31de962f7"
    }

    fn body(&self, params: &Params) -> Body {
        Body::Pixels(Box::new(Op::new(params)))
    }
}

const PARAMS: &[Param] = &[
    Param {
        name: "sigma",
        kind: Kind::Number { min: 0.1, max: 20.0 },
        default: Default::Number(1.4),
        doc: "standard deviation of the finer Gaussian, about half of a line's width: larger draws broader lines \
              and leaves out more detail and noise",
        unit: "px",
    },
    Param {
        name: "k",
        kind: Kind::Number { min: 1.01, max: 10.0 },
        default: Default::Number(1.6),
        doc: "the coarser Gaussian's standard deviation as a multiple of sigma: larger draws softer edges as lines too",
        unit: "",
    },
    Param {
        name: "sharpness",
        kind: Kind::Number { min: 0.0, max: 200.0 },
        default: Default::Number(20.0),
        doc: "p, how much edges are strengthened before the threshold: 0 gives plain light and dark areas, larger \
              more lines",
        unit: "",
    },
    Param {
        name: "epsilon",
        kind: Kind::Number { min: 0.0, max: 1.0 },
        default: Default::Number(0.4),
        doc: "luma (0 black, 1 white) from which the paper stays white; what is darker is inked, so that larger \
              gives larger dark areas",
        unit: "",
    },
    Param {
        name: "phi",
        kind: Kind::Number { min: 0.01, max: 200.0 },
        default: Default::Number(10.0),
        doc: "steepness of the threshold in the modes soft and tone: about 1 shades as a pencil does, from 20 on \
              lines are as of pen and ink",
        unit: "",
    },
    Param {
        name: "mode",
        kind: Kind::Choice(&["soft", "hard", "tone"]),
        default: Default::Text("soft"),
        doc: "soft: smooth lines; hard: black and white alone; tone: darks in three greys, as an ink wash",
        unit: "",
    },
];

struct Op {
    sigma: f32,
    wide_sigma: f32,
    sharpness: f32,
    mode: Mode,
    epsilon: f64,
    phi: f64,
    /// Made when there is something to draw: planning a run whose result is known makes ops too.
    ink: OnceLock<Ink>,
}

impl Op {
    fn new(params: &Params) -> Self {
        let sigma = params.number("sigma");
        let mode = match params.text("mode") {
            "hard" => Mode::Hard,
            "tone" => Mode::Tone,
            _ => Mode::Soft,
        };
        Self {
            sigma: sigma as f32,
            wide_sigma: (sigma * params.number("k")) as f32,
            sharpness: params.number("sharpness") as f32,
            mode,
            epsilon: params.number("epsilon"),
            phi: params.number("phi"),
            ink: OnceLock::new(),
        }
    }
}

impl PixelOp for Op {
    fn start(&self, first: Arc<Image>) -> Result<Image, OpError> {
        let source = LumaOverWhite(&first);
        let ink = self.ink.get_or_init(|| Ink::new(self.mode, self.epsilon, self.phi));
        let fields = [Field::gaussian(&source, self.sigma), Field::gaussian(&source, self.wide_sigma)];
        let mut out = vec![0; first.pixels().len()];
        sweep(&source, &fields, &mut out, |x, y, blurred, out| {
            let row = &first.pixels()[y * first.stride() + x * CHANNELS..][..out.len()];
            let (row, out) = (row.as_chunks::<CHANNELS>().0, out.as_chunks_mut::<CHANNELS>().0);
            for (((fine, wide), pixel), out) in blurred[0].iter().zip(&blurred[1]).zip(row).zip(out) {
                let grey = ink.grey(fine + self.sharpness * (fine - wide));
                *out = (grey | u32::from_le_bytes(*pixel) & 0xff00_0000).to_le_bytes();
            }
        });
        Ok(Image::new(first.width(), first.height(), out))
    }

    fn cost(&self) -> f64 {
        // One channel where the blur has four, and what is common to both Gaussians.
        let plane = |sigma| 0.3 * (gaussian_cost(sigma) - 5.0);
        5.0 + plane(self.sigma) + plane(self.wide_sigma)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::schema;
    use crate::effects::golden;

    fn draw(image: Image) -> Image {
        Op::new(&schema::defaults(PARAMS)).start(Arc::new(image)).unwrap()
    }

    /// The Gaussian mean around a pixel by the definition, of luma over white.
    fn mean(image: &Image, x: i64, y: i64, sigma: f64) -> f64 {
        let radius = (5.0 * sigma) as i64;
        let (mut sum, mut weights) = (0.0, 0.0);
        for v in -radius..=radius {
            for u in -radius..=radius {
                let (at, to) = ((x + u).clamp(0, 60) as u32, (y + v).clamp(0, 46) as u32);
                let [r, g, b, a] = image.pixel(at, to).map(|value| f64::from(value) / 255.0);
                let luma = (0.2126 * r + 0.7152 * g + 0.0722 * b) * a + 1.0 - a;
                let weight = libm::exp(-((u * u + v * v) as f64) / (2.0 * sigma * sigma));
                (sum, weights) = (sum + weight * luma, weights + weight);
            }
        }
        sum / weights
    }

    #[test]
    fn it_is_the_definition() {
        let (image, out) = (golden::picture(), draw(golden::picture()));
        let mut worst = 0.0_f64;
        for y in 0..47 {
            for x in 0..61 {
                let (fine, wide) = (mean(&image, x, y, 1.4), mean(&image, x, y, 1.4 * 1.6));
                let below = (21.0 * fine - 20.0 * wide - 0.4).min(0.0);
                let exact = 255.0 * (1.0 + libm::tanh(10.0 * below));
                let [r, g, b, a] = out.pixel(x as u32, y as u32);
                assert!(r == g && g == b && a == image.pixel(x as u32, y as u32)[3]);
                worst = worst.max((f64::from(r) - exact).abs());
            }
        }
        // Gaussians end at three standard deviations, and 21 times that little is seen.
        assert!(worst < 20.0, "{worst}");
    }

    #[test]
    fn paper_is_white_and_shade_is_black() {
        assert_eq!(draw(Image::filled(30, 20, [200, 180, 150, 255])), Image::filled(30, 20, [255; 4]));
        assert_eq!(draw(Image::filled(30, 20, [9, 5, 7, 255])), Image::filled(30, 20, [0, 0, 0, 255]));
        assert_eq!(draw(Image::filled(30, 20, [0; 4])), Image::filled(30, 20, [255, 255, 255, 0]));
    }

    #[test]
    fn an_edge_between_two_lights_is_a_line() {
        let row: Vec<u8> =
            (0..40).flat_map(|x| if x < 20 { [180, 180, 180, 255] } else { [240, 240, 240, 255] }).collect();
        let out = draw(Image::new(40, 9, row.repeat(9)));
        let greys: Vec<u8> = (0..40).map(|x| out.pixel(x, 4)[0]).collect();
        assert!(greys[..14].iter().chain(&greys[20..]).all(|grey| *grey == 255), "{greys:?}");
        assert!(greys[18] < 30, "{greys:?}");
    }
}
