//! `blur`: the Gaussian.

use std::sync::Arc;

use crate::base::Params;
use crate::base::schema::{Default, Kind, Param};
use crate::effects::{Body, Effect};
use crate::media::{Image, OpError, PixelOp, blur};

/// A Gaussian blur, colours weighted by alpha.
pub(super) struct Blur;

impl Effect for Blur {
    fn name(&self) -> &'static str {
        "blur"
    }

    fn version(&self) -> u32 {
        1
    }

    fn description(&self) -> &'static str {
        "Gaussian blur. Transparent pixels do not bleed their colour; edges go on as they end."
    }

    fn params(&self) -> &'static [Param] {
        &[Param {
            name: "sigma",
            kind: Kind::Number { min: 0.0, max: 200.0 },
            default: Default::Number(2.0),
            doc: "standard deviation of the Gaussian: details smaller than about twice this vanish; 0 changes nothing",
            unit: "px",
        }]
    }

    fn golden(&self) -> &'static str {
        "771184ae16ccd9dee9537bdf0ce481fa71b08e972e6e629a62ec3b278db0c591"
    }

    fn body(&self, params: &Params) -> Body {
        Body::Pixels(Box::new(Op { sigma: params.number("sigma") as f32 }))
    }
}

struct Op {
    sigma: f32,
}

impl PixelOp for Op {
    fn start(&self, first: Arc<Image>) -> Result<Image, OpError> {
        Ok(blur::gaussian(first, self.sigma))
    }

    fn cost(&self) -> f64 {
        blur::gaussian_cost(self.sigma)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::schema;
    use crate::effects::{EFFECTS, golden};

    /// A picture of this size out of the golden one's pixels.
    fn picture(width: u32, height: u32) -> Arc<Image> {
        let pixels = golden::picture().pixels().iter().copied().cycle().take((width * height * 4) as usize).collect();
        Arc::new(Image::new(width, height, pixels))
    }

    /// The defaults, and with each number at either bound.
    fn cases(effect: &dyn Effect) -> Vec<Params> {
        let defaults = schema::defaults(effect.params());
        let bounds = effect.params().iter().flat_map(|param| match param.kind {
            Kind::Number { min, max } => vec![(param.name, min.into()), (param.name, max.into())],
            Kind::Integer { min, max } => vec![(param.name, min.into()), (param.name, max.into())],
            _ => Vec::new(),
        });
        let changed = bounds.map(|(name, value): (&str, serde_json::Value)| {
            let mut entries = defaults.entries().clone();
            entries.insert(name.to_owned(), value);
            Params::new(entries)
        });
        std::iter::once(defaults.clone()).chain(changed).collect()
    }

    #[test]
    fn every_effect_gives_the_same_bits_on_any_number_of_threads() {
        let pools = [1, 2, 8].map(|threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap());
        for effect in EFFECTS {
            for params in cases(*effect) {
                let Body::Pixels(op) = effect.body(&params) else {
                    continue;
                };
                for (width, height) in [(1, 1), (1, 300), (300, 1), (5, 3), (560, 270)] {
                    let image = picture(width, height);
                    let [one, two, eight] =
                        pools.each_ref().map(|pool| pool.install(|| op.start(image.clone()).unwrap()));
                    assert!(one == two && two == eight, "{} {params:?} {width}x{height}", effect.name());
                    assert_eq!((one.width(), one.height()), (width, height));
                }
            }
        }
    }
}
