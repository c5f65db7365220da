//! Sharpening: what a blur takes away is added once more.

use std::sync::Arc;

use crate::media::blur::field::Field;
use crate::media::blur::pixel::{floats, luma, to_pixel};
use crate::media::blur::source::{Premultiplied, Source, WeightedLuma};
use crate::media::blur::sweep::sweep;
use crate::media::image::{CHANNELS, Image};

/// Unsharp mask: to each colour value, `amount` (≥ 0) times its difference from the Gaussian
/// mean around it (`sigma` pixels, 0 to 200) is added. Alpha is kept, and pixels that are
/// transparent have no part in the mean.
pub fn unsharp(image: Arc<Image>, amount: f32, sigma: f32) -> Image {
    if amount <= 0.0 {
        return Arc::unwrap_or_clone(image);
    }
    let source = Premultiplied(&image);
    masked(&image, &source, Field::gaussian(&source, sigma), |[r, g, b, _], sums: &[f32; 4]| {
        let share = if sums[3] > 0.0 { 1.0 / sums[3] } else { 0.0 };
        [amount * (r - sums[0] * share), amount * (g - sums[1] * share), amount * (b - sums[2] * share)]
    })
}

/// FFmpeg's `unsharp` on luma, 5×5: the mean is binomial (1 4 6 4 1 along both axes), and
/// `amount` (-2 to 5; below 0 it softens) times luma's difference from it is added to all
/// three colours, which leaves chroma as it is. Alpha is kept, and pixels that are transparent
/// have no part in the mean.
pub fn unsharp_5x5(image: Arc<Image>, amount: f32) -> Image {
    if amount == 0.0 {
        return Arc::unwrap_or_clone(image);
    }
    let binomial = Field::Direct([6.0, 4.0, 1.0].map(|weight| weight / 16.0).to_vec());
    masked(&image, &WeightedLuma(&image), binomial, |pixel, sums: &[f32; 2]| {
        let mean = if sums[1] > 0.0 { sums[0] / sums[1] } else { 0.0 };
        [amount * (luma(pixel) - mean); 3]
    })
}

/// The picture with `added(pixel, sums)` added to the colours of each pixel that is not
/// transparent; `sums` are the source's channels under the field.
fn masked<const C: usize>(
    image: &Image,
    source: &impl Source<C>,
    field: Field<C>,
    added: impl Fn([f32; 4], &[f32; C]) -> [f32; 3] + Sync,
) -> Image {
    let mut out = vec![0; image.pixels().len()];
    sweep(source, &[field], &mut out, |x, y, blurred, out| {
        let row = &image.pixels()[y * image.stride() + x * CHANNELS..][..out.len()];
        let pixels = row.as_chunks::<CHANNELS>().0.iter().zip(out.as_chunks_mut::<CHANNELS>().0);
        for ((pixel, out), sums) in pixels.zip(blurred[0].as_chunks::<C>().0) {
            let values = floats(*pixel);
            let [r, g, b] = added(values, sums);
            *out = to_pixel([values[0] + r, values[1] + g, values[2] + b, values[3]]);
            if pixel[3] == 0 {
                *out = *pixel;
            }
        }
    });
    Image::new(image.width(), image.height(), out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Black columns left, grey ones right, of this alpha.
    fn step(alpha: u8) -> Arc<Image> {
        let row: Vec<u8> =
            (0..12).flat_map(|x| if x < 6 { [60, 60, 60, alpha] } else { [160, 160, 160, 255] }).collect();
        Arc::new(Image::new(12, 5, row.repeat(5)))
    }

    #[test]
    fn an_edge_overshoots_on_both_sides_and_plains_stay() {
        for out in [unsharp(step(255), 1.0, 1.0), unsharp_5x5(step(255), 1.0)] {
            let at = |x| out.pixel(x, 2)[0];
            assert_eq!((at(0), at(11)), (60, 160), "{:?}", out.pixels());
            assert!(at(5) < 60 && at(6) > 160, "{:?}", out.pixels());
        }
    }

    #[test]
    fn binomial_mean_is_exact() {
        // Beside the edge five sixteenths of the mean lie across it: 60 - 100 * 5/16.
        assert_eq!(unsharp_5x5(step(255), 1.0).pixel(5, 2), [29, 29, 29, 255]);
        assert_eq!(unsharp_5x5(step(255), -1.0).pixel(5, 2), [91, 91, 91, 255]);
    }

    #[test]
    fn no_amount_changes_nothing() {
        assert_eq!(unsharp(step(77), 0.0, 2.0), *step(77));
        assert_eq!(unsharp_5x5(step(77), 0.0), *step(77));
    }

    #[test]
    fn what_is_transparent_neither_counts_nor_changes() {
        for out in [unsharp(step(0), 5.0, 1.0), unsharp_5x5(step(0), 5.0)] {
            assert_eq!(out, *step(0));
        }
    }
}
