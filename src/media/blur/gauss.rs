//! The Gaussian blur of a picture.

use std::sync::Arc;

use crate::media::blur::field::{COARSE_SIGMA, Field};
use crate::media::blur::pixel::to_pixel;
use crate::media::blur::source::Premultiplied;
use crate::media::blur::sweep::sweep;
use crate::media::image::{CHANNELS, Image};

/// The picture under a Gaussian of standard deviation `sigma` pixels (0 to 200; 0 changes
/// nothing).
///
/// Below 4 pixels it is convolved as far as three standard deviations; from there on it is
/// computed on a reduced picture. Before rounding either is within a third of a level of 255.
pub fn gaussian(image: Arc<Image>, sigma: f32) -> Image {
    if sigma <= 0.0 {
        return Arc::unwrap_or_clone(image);
    }
    let source = Premultiplied(&image);
    let fields = [Field::gaussian(&source, sigma)];
    let mut out = vec![0; image.pixels().len()];
    sweep(&source, &fields, &mut out, |_, _, blurred, out| {
        for (sums, out) in blurred[0].as_chunks::<CHANNELS>().0.iter().zip(out.as_chunks_mut::<CHANNELS>().0) {
            let [r, g, b, a] = *sums;
            let share = if a > 0.0 { 1.0 / a } else { 0.0 };
            *out = to_pixel([r * share, g * share, b * share, a]);
        }
    });
    Image::new(image.width(), image.height(), out)
}

/// Estimated nanoseconds of one core for a pixel of [`gaussian`].
pub fn gaussian_cost(sigma: f32) -> f64 {
    if sigma < COARSE_SIGMA {
        5.0 + 3.6 * f64::from(sigma)
    } else if sigma < 2.0 * COARSE_SIGMA {
        15.0
    } else {
        11.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noise, a grating just short of the finest, a step, and alpha of every kind.
    fn picture(width: u32, height: u32, opaque: bool) -> Arc<Image> {
        let mut state = 99_u32;
        let mut pixels = Vec::new();
        for y in 0..height {
            for x in 0..width {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let grating = if (x * 19 / 20) % 2 == 0 { 255 } else { 0 };
                let alpha = if opaque || (x / 9 + y / 9) % 3 > 0 { 255 } else { (state >> 20) as u8 };
                pixels.extend([(state >> 24) as u8, grating, if x + y < width { 255 } else { 0 }, alpha]);
            }
        }
        Arc::new(Image::new(width, height, pixels))
    }

    /// The definition in double precision, as far as five standard deviations.
    fn plain(image: &Image, sigma: f64) -> Vec<[f64; 4]> {
        let (width, height) = (i64::from(image.width()), i64::from(image.height()));
        let radius = (5.0 * sigma).ceil() as i64;
        let bell: Vec<f64> = (-radius..=radius).map(|d| libm::exp(-((d * d) as f64) / (2.0 * sigma * sigma))).collect();
        let sum: f64 = bell.iter().sum();
        let along = |of: &dyn Fn(i64) -> [f64; 4]| {
            bell.iter().zip(-radius..).fold([0.0; 4], |sums: [f64; 4], (weight, d)| {
                let values = of(d);
                std::array::from_fn(|i| sums[i] + weight / sum * values[i])
            })
        };
        let pixel = |x: i64, y: i64| {
            let [r, g, b, a] = image.pixel(x.clamp(0, width - 1) as u32, y as u32).map(f64::from);
            [r * a, g * a, b * a, a]
        };
        let rows: Vec<[f64; 4]> = (0..height)
            .flat_map(|y| (0..width).map(move |x| (x, y)))
            .map(|(x, y)| along(&|d| pixel(x + d, y)))
            .collect();
        let at = |x: i64, y: i64| rows[(y.clamp(0, height - 1) * width + x) as usize];
        (0..height)
            .flat_map(|y| (0..width).map(move |x| (x, y)))
            .map(|(x, y)| along(&|d| at(x, y + d)))
            .map(|[r, g, b, a]| [r / a, g / a, b / a, a])
            .collect()
    }

    #[test]
    fn it_is_the_gaussian_but_for_rounding() {
        for (sigma, opaque) in
            [(0.4, true), (1.4, false), (3.9, true), (4.0, true), (6.5, false), (8.0, true), (33.0, true)]
        {
            for (width, height) in [(90, 70), (1, 40), (7, 1)] {
                let image = picture(width, height, opaque);
                let out = gaussian(image.clone(), sigma);
                let exact = plain(&image, f64::from(sigma));
                let off = out.pixels().iter().zip(exact.as_flattened()).map(|(a, b)| (f64::from(*a) - b).abs());
                let worst = off.fold(0.0, f64::max);
                assert!(worst < 0.8, "sigma {sigma}, {width}x{height}: {worst}");
            }
        }
    }

    #[test]
    fn a_plain_picture_stays_at_every_width() {
        for rgba in [[255; 4], [0, 0, 0, 255], [200, 100, 3, 255], [9, 80, 255, 3]] {
            let plain = Arc::new(Image::filled(300, 150, rgba));
            for sigma in [0.0, 0.1, 2.0, 3.99, 4.0, 20.0, 200.0] {
                assert_eq!(gaussian(plain.clone(), sigma), *plain, "{rgba:?}, sigma {sigma}");
            }
        }
    }

    #[test]
    fn transparent_pixels_lend_no_colour() {
        let row: Vec<u8> = (0..40).flat_map(|x| if x < 20 { [0, 255, 0, 0] } else { [200, 10, 30, 255] }).collect();
        for sigma in [2.0, 12.0] {
            let out = gaussian(Arc::new(Image::new(40, 3, row.repeat(3))), sigma);
            let seen = out.pixels().as_chunks::<CHANNELS>().0.iter().filter(|pixel| pixel[3] > 0);
            assert!(seen.clone().count() > 66);
            assert!(seen.into_iter().all(|pixel| pixel[..3] == [200, 10, 30]), "{:?}", out.pixels());
        }
    }
}
