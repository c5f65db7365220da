//! `invert`: the negative.

use std::sync::Arc;

use crate::base::Params;
use crate::base::schema::Param;
use crate::effects::{Body, Effect};
use crate::media::image::CHANNELS;
use crate::media::op::PointOp;
use crate::media::{Image, OpError, PixelOp, point};

/// Each colour value from the other end of its range; alpha stays.
pub(super) struct Invert;

impl Effect for Invert {
    fn name(&self) -> &'static str {
        "invert"
    }

    fn version(&self) -> u32 {
        1
    }

    fn description(&self) -> &'static str {
        "The negative: every colour value is taken from 255; transparency stays."
    }

    fn params(&self) -> &'static [Param] {
        &[]
    }

    fn golden(&self) -> &'static str {
        "41c2e2acf3f502cbdbead760db7b8fe66db3d9a4368b26fe9f66aa03479f438d"
    }

    fn body(&self, _params: &Params) -> Body {
        Body::Pixels(Box::new(Op))
    }
}

struct Op;

impl PixelOp for Op {
    fn start(&self, first: Arc<Image>) -> Result<Image, OpError> {
        Ok(point::apply(first, &[self]))
    }

    fn point(&self) -> Option<&dyn PointOp> {
        Some(self)
    }

    fn cost(&self) -> f64 {
        0.3
    }
}

impl PointOp for Op {
    fn map(&self, pixels: &mut [u8]) {
        for pixel in pixels.as_chunks_mut::<CHANNELS>().0 {
            *pixel = (u32::from_le_bytes(*pixel) ^ 0x00ff_ffff).to_le_bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_turn_and_alpha_stays() {
        let image = Arc::new(Image::new(2, 1, vec![0, 100, 255, 255, 1, 2, 3, 40]));
        let out = Op.start(image).unwrap();
        assert_eq!(out.pixels(), [255, 155, 0, 255, 254, 253, 252, 40]);
    }
}
