//! `pixelate`: squares of one colour.

use std::sync::Arc;

use rayon::prelude::*;

use crate::base::Params;
use crate::base::schema::{Default, Kind, Param};
use crate::effects::{Body, Effect};
use crate::media::image::CHANNELS;
use crate::media::{Image, OpError, PixelOp};

/// Blocks of one colour, their mean, colours weighted by alpha.
pub(super) struct Pixelate;

impl Effect for Pixelate {
    fn name(&self) -> &'static str {
        "pixelate"
    }

    fn version(&self) -> u32 {
        1
    }

    fn description(&self) -> &'static str {
        "Squares of one colour each, the mean of what they cover, counted from the top left corner."
    }

    fn params(&self) -> &'static [Param] {
        &[Param {
            name: "size",
            kind: Kind::Integer { min: 1, max: 1024 },
            default: Default::Number(8.0),
            doc: "side of a square; 1 changes nothing, and the last column and row of squares may be cut",
            unit: "px",
        }]
    }

    fn golden(&self) -> &'static str {
        "97e224d201d537414270484370e6b2d94c92a1c53de7e93bce4a3b823c942537"
    }

    fn body(&self, params: &Params) -> Body {
        Body::Pixels(Box::new(Op { size: params.integer("size") as usize }))
    }
}

struct Op {
    size: usize,
}

impl PixelOp for Op {
    fn start(&self, first: Arc<Image>) -> Result<Image, OpError> {
        let mut image = Arc::unwrap_or_clone(first);
        if self.size > 1 {
            let stride = image.stride();
            image.pixels_mut().par_chunks_mut(self.size * stride).for_each(|rows| self.average(rows, stride));
        }
        Ok(image)
    }

    fn cost(&self) -> f64 {
        1.5
    }
}

impl Op {
    /// Fills a row of squares with their means.
    fn average(&self, rows: &mut [u8], stride: usize) {
        let side = self.size * CHANNELS;
        let mut sums = vec![[0_u64; CHANNELS]; stride.div_ceil(side)];
        for row in rows.chunks_exact(stride) {
            for (run, sums) in row.chunks(side).zip(&mut sums) {
                // A run has at most 1024 pixels, whose sums fit 32 bits.
                let mut run_sums = [0_u32; CHANNELS];
                for pixel in run.as_chunks::<CHANNELS>().0 {
                    for (sum, value) in run_sums.iter_mut().zip([pixel[0], pixel[1], pixel[2], 1]) {
                        *sum += u32::from(pixel[3]) * u32::from(value);
                    }
                }
                for (sum, run_sum) in sums.iter_mut().zip(run_sums) {
                    *sum += u64::from(run_sum);
                }
            }
        }
        let height = rows.len() / stride;
        let columns = (0..stride).step_by(side).map(|at| side.min(stride - at) / CHANNELS);
        let means: Vec<[u8; CHANNELS]> =
            sums.iter().zip(columns).map(|(sums, width)| mean(*sums, (width * height) as u64)).collect();
        let (first, others) = rows.split_at_mut(stride);
        for (run, mean) in first.chunks_mut(side).zip(&means) {
            run.as_chunks_mut::<CHANNELS>().0.fill(*mean);
        }
        for row in others.chunks_exact_mut(stride) {
            row.copy_from_slice(first);
        }
    }
}

/// The mean of `pixels` pixels from their sums of colour times alpha and of alpha.
fn mean([r, g, b, a]: [u64; CHANNELS], pixels: u64) -> [u8; CHANNELS] {
    let nearest = |sum: u64, of: u64| ((sum + of / 2) / of) as u8;
    if a == 0 { [0; CHANNELS] } else { [nearest(r, a), nearest(g, a), nearest(b, a), nearest(a, pixels)] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squares_have_their_mean_also_where_they_are_cut() {
        let row = [[0, 10, 20, 255], [100, 10, 21, 255], [7, 7, 7, 255]].concat();
        let out = Op { size: 2 }.start(Arc::new(Image::new(3, 3, row.repeat(3)))).unwrap();
        let expected = [[50, 10, 21, 255], [50, 10, 21, 255], [7, 7, 7, 255]].concat();
        assert_eq!(out.pixels(), expected.repeat(3));
    }

    #[test]
    fn transparent_pixels_lend_no_colour() {
        let out = Op { size: 1024 }.start(Arc::new(Image::new(2, 1, vec![200, 100, 50, 100, 0, 0, 0, 0]))).unwrap();
        assert_eq!(out.pixels(), [200, 100, 50, 50, 200, 100, 50, 50]);
    }
}
