//! Scaling pictures.
//!
//! The kernel is the cubic convolution of Keys (IEEE Trans. ASSP 29, 1981) with a = -1/2, also
//! known as Catmull-Rom, widened where the picture shrinks, so that nothing is skipped. Colours
//! are weighted by their alpha: what is transparent does not bleed. Beyond its edges a picture
//! goes on with the pixels of the edge.
//!
//! Each row of the result is computed on its own, first down the columns of the source, then
//! along the row. A value is one sum with a fixed order of its terms and no fused
//! multiply-add, so that the bits depend neither on the CPU nor on the number of threads.

use rayon::prelude::*;

use crate::media::image::{CHANNELS, Image};

/// A pixel while it is summed up: colours times alpha, and alpha; in an opaque picture the
/// colours themselves.
type Sum = [f32; CHANNELS];

/// Pixels of source and result together up to which the calling thread does the work alone: a
/// millisecond, where waking other threads begins to pay.
const ALONE: u64 = 64 << 10;
/// Pixels of the source that are summed up at a time, which is what fits the registers.
const LANE: usize = 4;
/// Added to a float from 0 to 2²², this leaves its nearest integer in the low bits.
const ROUNDING: f32 = 8_388_608.0;

/// The picture in another size. Its own size gives a copy.
pub fn resize(image: &Image, width: u32, height: u32) -> Image {
    if (image.width(), image.height()) == (width, height) {
        return image.clone();
    }
    let scaler = Scaler {
        source: image,
        is_opaque: is_opaque(image),
        columns: Weights::new(image.width(), width),
        rows: Weights::new(image.height(), height),
    };
    let stride = width as usize * CHANNELS;
    let mut pixels = vec![0; stride * height as usize];
    let work = u64::from(image.width()) * u64::from(image.height()) + u64::from(width) * u64::from(height);
    let sums = || vec![[0.0; CHANNELS]; image.width() as usize];
    if work <= ALONE {
        let mut sums = sums();
        for (y, row) in pixels.chunks_exact_mut(stride).enumerate() {
            scaler.row(y, &mut sums, row);
        }
    } else {
        pixels.par_chunks_exact_mut(stride).enumerate().with_min_len(4).for_each_init(sums, |sums, (y, row)| {
            scaler.row(y, sums, row);
        });
    }
    Image::new(width, height, pixels)
}

fn is_opaque(image: &Image) -> bool {
    let is_opaque = |run: &[u8]| run.as_chunks::<CHANNELS>().0.iter().all(|pixel| pixel[3] == 255);
    let pixels = image.pixels();
    if pixels.len() <= ALONE as usize * CHANNELS {
        is_opaque(pixels)
    } else {
        pixels.par_chunks(ALONE as usize * CHANNELS).all(is_opaque)
    }
}

/// A picture and what it is scaled with.
struct Scaler<'a> {
    source: &'a Image,
    is_opaque: bool,
    columns: Weights,
    rows: Weights,
}

impl Scaler<'_> {
    /// Fills row `y` of the result; `sums` has a place for each column of the source.
    fn row(&self, y: usize, sums: &mut [Sum], row: &mut [u8]) {
        let (first, weights) = self.rows.of(y);
        if self.is_opaque {
            self.down(first, weights, sums, |pixel| pixel.map(f32::from));
            self.along(sums, row, opaque_pixel);
        } else {
            self.down(first, weights, sums, |[r, g, b, a]| {
                let alpha = f32::from(a);
                [f32::from(r) * alpha, f32::from(g) * alpha, f32::from(b) * alpha, alpha]
            });
            self.along(sums, row, straight_pixel);
        }
    }

    /// Weighs the rows of the source from `first` on.
    #[inline]
    fn down(&self, first: usize, weights: &[f32], sums: &mut [Sum], term: impl Fn([u8; CHANNELS]) -> Sum) {
        let width = self.source.width() as usize;
        let pixels = self.source.pixels().as_chunks::<CHANNELS>().0;
        let rows = &pixels[first * width..(first + weights.len()) * width];
        let (lanes, rest) = sums.as_chunks_mut::<LANE>();
        for (n, lane) in lanes.iter_mut().enumerate() {
            let mut total = [[0.0_f32; CHANNELS]; LANE];
            for (weight, row) in weights.iter().zip(rows.chunks_exact(width)) {
                let source: &[[u8; CHANNELS]; LANE] = &row.as_chunks().0[n];
                for (total, pixel) in total.iter_mut().zip(source) {
                    let term = term(*pixel);
                    for channel in 0..CHANNELS {
                        total[channel] += term[channel] * weight;
                    }
                }
            }
            *lane = total;
        }
        let start = width - rest.len();
        for (n, total) in rest.iter_mut().enumerate() {
            *total = [0.0; CHANNELS];
            for (weight, row) in weights.iter().zip(rows.chunks_exact(width)) {
                let term = term(row[start + n]);
                for channel in 0..CHANNELS {
                    total[channel] += term[channel] * weight;
                }
            }
        }
    }

    /// Weighs the columns, and makes pixels.
    #[inline]
    fn along(&self, sums: &[Sum], row: &mut [u8], pixel: impl Fn(Sum) -> [u8; CHANNELS]) {
        for (x, out) in row.as_chunks_mut::<CHANNELS>().0.iter_mut().enumerate() {
            let (first, weights) = self.columns.of(x);
            let mut total = [0.0_f32; CHANNELS];
            for (weight, sum) in weights.iter().zip(&sums[first..first + weights.len()]) {
                for channel in 0..CHANNELS {
                    total[channel] += sum[channel] * weight;
                }
            }
            *out = pixel(total);
        }
    }
}

#[inline]
fn byte(value: f32) -> u8 {
    (value.clamp(0.0, 255.0) + ROUNDING).to_bits() as u8
}

#[inline]
fn opaque_pixel([r, g, b, _]: Sum) -> [u8; CHANNELS] {
    [byte(r), byte(g), byte(b), 255]
}

/// What is nearly transparent has no colour worth keeping.
#[inline]
fn straight_pixel([r, g, b, alpha]: Sum) -> [u8; CHANNELS] {
    match byte(alpha) {
        0 => [0; CHANNELS],
        a => [byte(r / alpha), byte(g / alpha), byte(b / alpha), a],
    }
}

/// For each place along a side of the result, the places of the source that it is made of.
struct Weights {
    /// The first of them, and where their weights begin in `weights`.
    starts: Vec<(usize, usize)>,
    weights: Vec<f32>,
}

impl Weights {
    fn new(from: u32, to: u32) -> Self {
        let ratio = f64::from(from) / f64::from(to);
        let widening = ratio.max(1.0);
        let last = i64::from(from) - 1;
        let mut weights = Self { starts: Vec::with_capacity(to as usize + 1), weights: Vec::new() };
        for place in 0..to {
            let centre = (f64::from(place) + 0.5) * ratio - 0.5;
            let reach = (centre - 2.0 * widening).ceil() as i64..=(centre + 2.0 * widening).floor() as i64;
            let first = (*reach.start()).clamp(0, last);
            let count = ((*reach.end()).clamp(0, last) - first + 1) as usize;
            let mut shares = vec![0.0; count];
            for source in reach {
                // What lies beyond an edge counts for the edge.
                shares[(source.clamp(0, last) - first) as usize] += keys((source as f64 - centre) / widening);
            }
            weights.starts.push((first as usize, weights.weights.len()));
            weights.weights.extend(normalised(&shares));
        }
        weights.starts.push((0, weights.weights.len()));
        weights
    }

    /// The first place of the source, and the weights from there on.
    #[inline]
    fn of(&self, place: usize) -> (usize, &[f32]) {
        let (first, start) = self.starts[place];
        (first, &self.weights[start..self.starts[place + 1].1])
    }
}

/// The weights whose sum, as the rounded numbers that they are, is one as nearly as one of
/// them can make it: a flat colour stays what it is.
fn normalised(shares: &[f64]) -> Vec<f32> {
    let sum: f64 = shares.iter().sum();
    let mut weights: Vec<f32> = shares.iter().map(|share| (share / sum) as f32).collect();
    let missing = 1.0 - weights.iter().map(|weight| f64::from(*weight)).sum::<f64>();
    if let Some(largest) = weights.iter_mut().max_by(|a, b| a.total_cmp(b)) {
        *largest = (f64::from(*largest) + missing) as f32;
    }
    weights
}

fn keys(distance: f64) -> f64 {
    let d = distance.abs();
    if d < 1.0 {
        (1.5 * d - 2.5) * d * d + 1.0
    } else if d < 2.0 {
        ((-0.5 * d + 2.5) * d - 4.0) * d + 2.0
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(width: u32, height: u32, is_opaque: bool) -> Image {
        let mut state = width * 7919 + height;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        let pixels = (0..width * height).flat_map(|n| {
            let alpha = if is_opaque || n % 3 == 0 { 255 } else { next() };
            [next(), next(), next(), alpha]
        });
        Image::new(width, height, pixels.collect())
    }

    /// The definition, in doubles, pixel by pixel: alpha, and colours times alpha.
    fn reference(image: &Image, width: u32, height: u32, x: u32, y: u32) -> [f64; 4] {
        let side = |from: u32, to: u32, place: u32| {
            let ratio = f64::from(from) / f64::from(to);
            let centre = (f64::from(place) + 0.5) * ratio - 0.5;
            let reach = 2.0 * ratio.max(1.0);
            let range = (centre - reach).floor() as i64..=(centre + reach).ceil() as i64;
            let weight = |n: i64| {
                let t = ((n as f64 - centre) / ratio.max(1.0)).abs();
                match t {
                    t if t < 1.0 => 1.5 * t.powi(3) - 2.5 * t.powi(2) + 1.0,
                    t if t < 2.0 => -0.5 * t.powi(3) + 2.5 * t.powi(2) - 4.0 * t + 2.0,
                    _ => 0.0,
                }
            };
            let total: f64 = range.clone().map(weight).sum();
            range.map(|n| (n.clamp(0, i64::from(from) - 1) as u32, weight(n) / total)).collect::<Vec<_>>()
        };
        let mut sum = [0.0; 4];
        for (source_y, down) in side(image.height(), height, y) {
            for (source_x, along) in side(image.width(), width, x) {
                let [r, g, b, a] = image.pixel(source_x, source_y).map(f64::from);
                for (sum, value) in sum.iter_mut().zip([r * a, g * a, b * a, a]) {
                    *sum += value * down * along;
                }
            }
        }
        sum
    }

    fn check(image: &Image, width: u32, height: u32) {
        let scaled = resize(image, width, height);
        assert_eq!((scaled.width(), scaled.height()), (width, height));
        for (x, y) in (0..height).flat_map(|y| (0..width).map(move |x| (x, y))) {
            let [r, g, b, a] = reference(image, width, height, x, y);
            let found = scaled.pixel(x, y);
            assert!((f64::from(found[3]) - a.clamp(0.0, 255.0)).abs() < 1.0, "{x} {y}: alpha {} and not {a}", found[3]);
            for (found, sum) in found.iter().zip([r, g, b]).filter(|_| found[3] > 0) {
                let wanted = (sum / a).clamp(0.0, 255.0);
                assert!((f64::from(*found) - wanted).abs() < 1.0, "{x} {y}: {found} and not {wanted}");
            }
        }
    }

    #[test]
    fn values_are_those_of_the_definition() {
        for (size, target) in [
            ((17, 13), (40, 29)),
            ((40, 29), (17, 13)),
            ((33, 20), (5, 61)),
            ((64, 64), (1, 1)),
            ((1, 1), (5, 3)),
            ((3, 50), (4, 2)),
            ((5, 5), (5, 9)),
            ((200, 3), (3, 3)),
        ] {
            for is_opaque in [true, false] {
                check(&noise(size.0, size.1, is_opaque), target.0, target.1);
            }
        }
    }

    #[test]
    fn flat_stays_flat() {
        for colour in
            [[0, 0, 0, 255], [255, 255, 255, 255], [1, 127, 254, 255], [200, 100, 3, 7], [9, 99, 199, 254], [0; 4]]
        {
            let image = Image::filled(37, 23, colour);
            for (width, height) in [(1, 1), (36, 24), (5, 90), (111, 7), (74, 46), (1000, 1)] {
                assert!(
                    resize(&image, width, height) == Image::filled(width, height, colour),
                    "{colour:?} {width}x{height}"
                );
            }
        }
    }

    #[test]
    fn transparent_pixels_do_not_bleed() {
        // Clear red beside opaque blue: no pixel may show any red.
        let pixels = (0..40 * 40).flat_map(|n| if n % 40 < 20 { [255, 0, 0, 0] } else { [0, 0, 200, 255] });
        let image = Image::new(40, 40, pixels.collect());
        for size in [13, 57, 1, 160] {
            for pixel in resize(&image, size, size).pixels().chunks_exact(4) {
                assert!(pixel[0] == 0 && (pixel[3] == 0 || pixel[2] == 200), "{size}: {pixel:?}");
            }
        }
    }

    #[test]
    fn its_own_size_is_a_copy() {
        let image = noise(30, 20, false);
        assert!(resize(&image, 30, 20) == image);
    }

    #[test]
    fn threads_do_not_change_bits() {
        let image = noise(500, 400, false);
        let of = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| (resize(&image, 333, 777), resize(&image, 50, 60)))
        };
        assert!(of(1) == of(2) && of(1) == of(7));
    }

    /// If this fails, scaling makes other bits: raise `codec::RESAMPLER`, then replace the hash.
    #[test]
    fn golden_sizes() {
        let mut hasher = blake3::Hasher::new();
        for is_opaque in [true, false] {
            for (width, height) in [(1, 1), (61, 47), (200, 150), (97, 300), (122, 94)] {
                hasher.update(resize(&noise(123, 95, is_opaque), width, height).pixels());
            }
        }
        assert_eq!(hasher.finalize().to_hex()[..16], *"343cc1f1fcd6ba14");
    }
}
