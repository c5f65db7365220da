//! The box blur: the same few additions for each pixel, whatever the radius.

use std::sync::Arc;

use rayon::prelude::*;

use crate::media::image::{CHANNELS, Image};

/// The greatest radius: beyond it a column's sum could leave 31 bits.
pub const RADIUS_MAX: u32 = 16_383;

/// Rows that one task computes, at the least; it sums up as many as the box is high first.
const BAND: usize = 64;

/// The mean over the square of 2·`radius` + 1 pixels a side, once: FFmpeg's `boxblur` with
/// power 1 and one radius for luma and chroma, but rounded once, and beyond the edges the
/// pixels of the edge (there, a mirror image). `radius` is 0 (changes nothing) to
/// [`RADIUS_MAX`], to which greater ones are cut.
pub fn box_blur(image: Arc<Image>, radius: u32) -> Image {
    if radius == 0 {
        return Arc::unwrap_or_clone(image);
    }
    let radius = radius.min(RADIUS_MAX) as usize;
    let (stride, band) = (image.stride(), BAND.max(2 * radius));
    let mut out = vec![0; image.pixels().len()];
    out.par_chunks_mut(band * stride).enumerate().for_each(|(i, out)| {
        let mut columns = Columns::new(&image, radius, i * band);
        for (y, row) in out.chunks_exact_mut(stride).enumerate() {
            if y > 0 {
                columns.move_down(i * band + y);
            }
            columns.means(row);
        }
    });
    Image::new(image.width(), image.height(), out)
}

/// For each column the sums over the rows of the box: of colour times alpha, and of alpha.
/// All sums are of integers and exact.
struct Columns<'a> {
    image: &'a Image,
    radius: usize,
    sums: Vec<[u32; CHANNELS]>,
}

impl<'a> Columns<'a> {
    /// Around row `y`.
    fn new(image: &'a Image, radius: usize, y: usize) -> Self {
        let mut columns = Self { image, radius, sums: vec![[0; CHANNELS]; image.width() as usize] };
        let last = image.height() as usize - 1;
        let (top, bottom) = (y.saturating_sub(radius), (y + radius).min(last));
        for row in top..=bottom {
            let beyond = if row == 0 { radius.saturating_sub(y) } else { 0 }
                + if row == last { (y + radius).saturating_sub(last) } else { 0 };
            columns.add(row, 1 + beyond as u32);
        }
        columns
    }

    /// From around row `y - 1` to around row `y`.
    fn move_down(&mut self, y: usize) {
        let enters = (y + self.radius).min(self.image.height() as usize - 1);
        let leaves = (y - 1).saturating_sub(self.radius);
        self.add(enters, 1);
        self.add(leaves, 1_u32.wrapping_neg());
    }

    /// Adds `times` a row. Sums wrap, so that minus one takes it away.
    fn add(&mut self, y: usize, times: u32) {
        let row = &self.image.pixels()[y * self.image.stride()..][..self.image.stride()];
        for (sum, pixel) in self.sums.iter_mut().zip(row.as_chunks::<CHANNELS>().0) {
            let alpha = u32::from(pixel[3]).wrapping_mul(times);
            for (sum, value) in sum.iter_mut().zip([pixel[0], pixel[1], pixel[2], 1]) {
                *sum = sum.wrapping_add(alpha.wrapping_mul(u32::from(value)));
            }
        }
    }

    /// The means along the row that the sums are around.
    fn means(&self, out: &mut [u8]) {
        let (radius, last) = (self.radius, self.sums.len() - 1);
        let mut sums = Sums::default();
        sums.add(self.sums[0], radius as f64);
        for x in 0..=radius.min(last) {
            sums.add(self.sums[x], 1.0);
        }
        sums.add(self.sums[last], radius.saturating_sub(last) as f64);
        let side = 2.0 * radius as f64 + 1.0;
        let per_area = 1.0 / (side * side);
        for (x, out) in out.as_chunks_mut::<CHANNELS>().0.iter_mut().enumerate() {
            *out = sums.mean(per_area);
            sums.add(self.sums[(x + radius + 1).min(last)], 1.0);
            sums.add(self.sums[x.saturating_sub(radius)], -1.0);
        }
    }
}

/// The sums over a box. Floats hold them exactly (they stay below 2⁵³), and are added side by
/// side in SSE2.
#[derive(Default)]
struct Sums([f64; CHANNELS]);

impl Sums {
    #[inline]
    fn add(&mut self, column: [u32; CHANNELS], times: f64) {
        for (sum, value) in self.0.iter_mut().zip(column) {
            *sum += times * f64::from(value as i32);
        }
    }

    #[inline]
    fn mean(&self, per_area: f64) -> [u8; CHANNELS] {
        let [r, g, b, a] = self.0;
        let share = if a > 0.0 { 1.0 / a } else { 0.0 };
        [nearest(r * share), nearest(g * share), nearest(b * share), nearest(a * per_area)]
    }
}

/// The nearest byte of a value from 0 to 255, halves upwards.
fn nearest(value: f64) -> u8 {
    (value + 0.5) as i32 as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(width: u32, height: u32) -> Arc<Image> {
        let mut state = 7_u32;
        let pixels = (0..width * height * 4).map(|i| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if i % 4 == 3 && i % 20 < 16 { 255 } else { (state >> 24) as u8 }
        });
        Arc::new(Image::new(width, height, pixels.collect()))
    }

    /// The definition, pixel by pixel.
    fn plain(image: &Image, radius: i64) -> Vec<u8> {
        let mut out = Vec::new();
        for y in 0..i64::from(image.height()) {
            for x in 0..i64::from(image.width()) {
                let mut sums = [0_i64; 4];
                for v in y - radius..=y + radius {
                    for u in x - radius..=x + radius {
                        let u = u.clamp(0, i64::from(image.width()) - 1) as u32;
                        let [r, g, b, a] =
                            image.pixel(u, v.clamp(0, i64::from(image.height()) - 1) as u32).map(i64::from);
                        sums = [sums[0] + r * a, sums[1] + g * a, sums[2] + b * a, sums[3] + a];
                    }
                }
                let area = (2 * radius + 1) * (2 * radius + 1);
                let mean = |sum: i64, of: i64| if of == 0 { 0 } else { ((2 * sum + of) / (2 * of)) as u8 };
                out.extend([
                    mean(sums[0], sums[3]),
                    mean(sums[1], sums[3]),
                    mean(sums[2], sums[3]),
                    mean(sums[3], area),
                ]);
            }
        }
        out
    }

    #[test]
    fn means_are_those_of_the_definition() {
        for (width, height) in [(1, 1), (1, 9), (9, 1), (13, 11), (5, 140)] {
            for radius in [1, 2, 5, 20] {
                let image = noise(width, height);
                let expected = plain(&image, i64::from(radius));
                let off = box_blur(image, radius).pixels().iter().zip(&expected).map(|(a, b)| a.abs_diff(*b)).max();
                // A tie may fall either way, since the reciprocal is rounded.
                assert!(off <= Some(1), "{width}x{height}, radius {radius}: {off:?}");
            }
        }
    }

    #[test]
    fn the_greatest_radius_keeps_white_white() {
        let white = Arc::new(Image::filled(3, 200, [255; 4]));
        assert_eq!(box_blur(white.clone(), u32::MAX), *white);
    }
}
