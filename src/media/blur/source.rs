//! Where a blur takes its floats from: a picture seen as one, two or four channels.

use crate::media::blur::pixel::{floats, luma};
use crate::media::image::{CHANNELS, Image};

/// Rows of pixels of `C` interleaved floats.
pub trait Source<const C: usize>: Sync {
    /// Columns.
    fn width(&self) -> usize;
    /// Rows.
    fn height(&self) -> usize;
    /// Writes the pixels of row `y` from column `x` on: as many as `out` holds, all inside.
    fn read(&self, x: usize, y: usize, out: &mut [f32]);
}

/// Like [`Source::read`], for a run that may begin and end beyond the edges: the nearest
/// pixel of the edge stands for what lies outside.
pub(super) fn read_clamped<const C: usize>(source: &impl Source<C>, x: isize, y: isize, out: &mut [f32]) {
    let y = y.clamp(0, source.height() as isize - 1) as usize;
    let (width, pixels) = (source.width() as isize, (out.len() / C) as isize);
    let first = x.clamp(0, width - 1);
    let end = (x + pixels).clamp(first + 1, width);
    let from = (first - x).clamp(0, pixels - 1);
    let to = (from + end - first).min(pixels);
    source.read(first as usize, y, &mut out[from as usize * C..to as usize * C]);
    let (from, to) = (from as usize * C, to as usize * C);
    for at in (0..from).step_by(C) {
        out.copy_within(from..from + C, at);
    }
    for at in (to..out.len()).step_by(C) {
        out.copy_within(to - C..to, at);
    }
}

/// Colour times alpha (0 to 65,025) and alpha (0 to 255).
pub(super) struct Premultiplied<'a>(pub(super) &'a Image);

/// Luma (0 to 255) of the picture laid over white.
pub struct LumaOverWhite<'a>(pub &'a Image);

/// Luma times alpha (0 to 65,025) and alpha (0 to 255).
pub(super) struct WeightedLuma<'a>(pub(super) &'a Image);

impl Source<4> for Premultiplied<'_> {
    fn width(&self) -> usize {
        self.0.width() as usize
    }

    fn height(&self) -> usize {
        self.0.height() as usize
    }

    fn read(&self, x: usize, y: usize, out: &mut [f32]) {
        for (pixel, out) in run(self.0, x, y).iter().zip(out.as_chunks_mut::<4>().0) {
            let [r, g, b, a] = floats(*pixel);
            *out = [r * a, g * a, b * a, a];
        }
    }
}

impl Source<1> for LumaOverWhite<'_> {
    fn width(&self) -> usize {
        self.0.width() as usize
    }

    fn height(&self) -> usize {
        self.0.height() as usize
    }

    fn read(&self, x: usize, y: usize, out: &mut [f32]) {
        for (pixel, out) in run(self.0, x, y).iter().zip(out) {
            let pixel = floats(*pixel);
            let paper = 255.0 - pixel[3];
            *out = luma(pixel) * (pixel[3] * (1.0 / 255.0)) + paper;
        }
    }
}

impl Source<2> for WeightedLuma<'_> {
    fn width(&self) -> usize {
        self.0.width() as usize
    }

    fn height(&self) -> usize {
        self.0.height() as usize
    }

    fn read(&self, x: usize, y: usize, out: &mut [f32]) {
        for (pixel, out) in run(self.0, x, y).iter().zip(out.as_chunks_mut::<2>().0) {
            let pixel = floats(*pixel);
            *out = [luma(pixel) * pixel[3], pixel[3]];
        }
    }
}

/// The pixels of row `y` from column `x` on.
#[inline]
fn run(image: &Image, x: usize, y: usize) -> &[[u8; CHANNELS]] {
    let row = &image.pixels()[y * image.stride()..][..image.stride()];
    row[x * CHANNELS..].as_chunks().0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One channel, each pixel its column.
    struct Columns(usize);

    impl Source<1> for Columns {
        fn width(&self) -> usize {
            self.0
        }

        fn height(&self) -> usize {
            1
        }

        fn read(&self, x: usize, y: usize, out: &mut [f32]) {
            assert!(y == 0 && x + out.len() <= self.0);
            for (i, value) in out.iter_mut().enumerate() {
                *value = (x + i) as f32;
            }
        }
    }

    #[test]
    fn a_run_beyond_the_edges_repeats_the_edge() {
        for width in [1, 2, 5] {
            for x in -9..9_isize {
                for pixels in 1..12_usize {
                    let mut out = vec![f32::NAN; pixels];
                    read_clamped(&Columns(width), x, 7, &mut out);
                    let expected: Vec<f32> =
                        (x..x + pixels as isize).map(|x| x.clamp(0, width as isize - 1) as f32).collect();
                    assert_eq!(out, expected, "{width} {x} {pixels}");
                }
            }
        }
    }

    #[test]
    fn luma_of_white_and_of_nothing_is_white() {
        for pixel in [[255; 4], [0, 0, 0, 0]] {
            let mut out = [0.0];
            LumaOverWhite(&Image::filled(1, 1, pixel)).read(0, 0, &mut out);
            assert!((out[0] - 255.0).abs() < 1e-4, "{out:?}");
        }
    }
}
