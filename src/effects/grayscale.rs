//! `grayscale`: luma alone.

use std::sync::Arc;

use crate::base::Params;
use crate::base::schema::Param;
use crate::effects::{Body, Effect};
use crate::media::image::CHANNELS;
use crate::media::op::PointOp;
use crate::media::{Image, OpError, PixelOp, point};

/// Each pixel by its luma; alpha stays.
pub(super) struct Grayscale;

impl Effect for Grayscale {
    fn name(&self) -> &'static str {
        "grayscale"
    }

    fn version(&self) -> u32 {
        1
    }

    fn description(&self) -> &'static str {
        "Shades of grey: every pixel by its luma (Rec. 709 weights); transparency stays."
    }

    fn params(&self) -> &'static [Param] {
        &[]
    }

    fn golden(&self) -> &'static str {
        "f875bf61959ad4f2fd6a06bd98af5879a4c573d4921457080bb395dfa555f71f"
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
        0.5
    }
}

impl PointOp for Op {
    fn map(&self, pixels: &mut [u8]) {
        for pixel in pixels.as_chunks_mut::<CHANNELS>().0 {
            let word = u32::from_le_bytes(*pixel);
            let (r, g, b) = (word & 255, word >> 8 & 255, word >> 16 & 255);
            // 0.2126, 0.7152 and 0.0722 of 2¹⁵, which sum to 2¹⁵.
            let luma = (6966 * r + 23_436 * g + 2366 * b + (1 << 14)) >> 15;
            *pixel = (word & 0xff00_0000 | luma << 16 | luma << 8 | luma).to_le_bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greys_stay_and_primaries_weigh_as_in_rec_709() {
        for grey in 0..=255 {
            let image = Arc::new(Image::filled(1, 1, [grey, grey, grey, 9]));
            assert_eq!(Op.start(image.clone()).unwrap(), *image);
        }
        for (colour, luma) in [([255, 0, 0, 255], 54), ([0, 255, 0, 255], 182), ([0, 0, 255, 255], 18)] {
            let out = Op.start(Arc::new(Image::filled(1, 1, colour))).unwrap();
            assert_eq!(out.pixel(0, 0), [luma, luma, luma, 255]);
        }
    }
}
