//! One picture laid over another: Porter and Duff's "over" and the blend modes of W3C
//! Compositing and Blending Level 1, on 8-bit straight alpha.
//!
//! With Cb, αb the base, Cs, αs the overlay (αs already times the opacity) and B the mode:
//!
//! ```text
//! αo      = αs + αb·(1 − αs)
//! αo · Co = αs·(1 − αb)·Cs + αs·αb·B(Cb, Cs) + (1 − αs)·αb·Cb
//! ```
//!
//! αs is rounded to 1/32768 and B to 8 bits; all else is exact until αo and Co are rounded, half
//! up, once each. Where αs is 0 the base keeps its bits. The module does not know why sizes
//! differ: what lies outside of the base is dropped.

use rayon::prelude::*;

use crate::media::image::{CHANNELS, Image};

/// How an overlay's colour is mixed with the base's, channel by channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The overlay's colour: plain "over".
    Normal,
    /// b · s
    Multiply,
    /// 1 − (1 − b)(1 − s)
    Screen,
    /// Multiply where the base is dark, screen where it is light: 2bs, or 1 − 2(1 − b)(1 − s).
    Overlay,
    /// b + s, at most 1
    Add,
    /// b − s, at least 0
    Subtract,
    /// (b + s) / 2
    Average,
    /// |b − s|
    Difference,
    /// max(b, s)
    Lighten,
    /// min(b, s)
    Darken,
}

/// How much an overlay counts: 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Opacity(f32);

/// Alpha 1 as the weight of an overlay's pixel. A byte's product with a weight, and half a unit
/// more, have less than 24 bits, so that 32-bit floats hold them exactly.
const UNIT: u32 = 1 << 15;
/// Adding it to a float from 0 to 2²² rounds that to the nearest integer (even on ties) and
/// leaves the integer in the low bits: 2²³. Unlike a cast it is one vector instruction.
const INTEGERS: f32 = 8_388_608.0;
/// Bytes that go through one step after the other together, in the first-level cache.
const BLOCK: usize = 64 * CHANNELS;
/// Pixels that one task composites: a smaller overlap is not worth a second thread.
const TASK_PIXELS: usize = 32 << 10;

impl Opacity {
    /// The overlay counts in full.
    pub const FULL: Self = Self(1.0);

    /// The opacity nearest to `value`, which is brought into 0 to 1.
    pub fn new(value: f64) -> Self {
        Self(value.clamp(0.0, 1.0) as f32)
    }

    /// Does the overlay not count at all?
    pub fn is_zero(self) -> bool {
        self.0 <= 0.0
    }

    /// The weight of a pixel of this alpha: a whole number up to [`UNIT`].
    #[inline]
    fn weight(self, alpha: u8) -> f32 {
        (f32::from(alpha) * (self.0 * (UNIT as f32 / 255.0)) + INTEGERS) - INTEGERS
    }
}

/// Lays `overlay` over `base`, its top left corner at column and row `at` of the base (which may
/// be negative or outside); `base` keeps its size.
pub fn composite(base: &mut Image, overlay: &Image, at: (i64, i64), mode: Mode, opacity: Opacity) {
    match mode {
        Mode::Normal => lay(base, overlay, at, opacity, |_, s| s),
        Mode::Multiply => lay(base, overlay, at, opacity, |b, s| over_255(b * s)),
        Mode::Screen => lay(base, overlay, at, opacity, |b, s| 255 - over_255((255 - b) * (255 - s))),
        Mode::Overlay => lay(base, overlay, at, opacity, |b, s| {
            // Both are computed, so that there is no branch; the one not taken may wrap.
            let dark = over_255((2 * b).wrapping_mul(s));
            let light = over_255((2 * (255 - b)).wrapping_mul(255 - s));
            std::hint::select_unpredictable(b < 128, dark, 255_u16.wrapping_sub(light))
        }),
        Mode::Add => lay(base, overlay, at, opacity, |b, s| (b + s).min(255)),
        Mode::Subtract => lay(base, overlay, at, opacity, u16::saturating_sub),
        Mode::Average => lay(base, overlay, at, opacity, |b, s| (b + s).div_ceil(2)),
        Mode::Difference => lay(base, overlay, at, opacity, u16::abs_diff),
        Mode::Lighten => lay(base, overlay, at, opacity, u16::max),
        Mode::Darken => lay(base, overlay, at, opacity, u16::min),
    }
}

/// Multiplies the picture's alpha by the opacity, rounded half up.
pub fn fade(image: &mut Image, opacity: Opacity) {
    if opacity != Opacity::FULL {
        image.pixels_mut().par_chunks_mut(TASK_PIXELS * CHANNELS).for_each(|run| {
            for pixel in run.chunks_exact_mut(CHANNELS) {
                pixel[3] = (f32::from(pixel[3]) * opacity.0 + 0.5) as u8;
            }
        });
    }
}

/// `x` / 255 to the nearest, for `x` up to 255²; no `x` lies half way.
#[inline]
const fn over_255(x: u16) -> u16 {
    x.wrapping_add(127) / 255
}

/// The overlap of base and overlay, row by row.
fn lay(base: &mut Image, overlay: &Image, at: (i64, i64), opacity: Opacity, mix: impl Fn(u16, u16) -> u16 + Sync) {
    let columns = overlap(at.0, overlay.width(), base.width());
    let rows = overlap(at.1, overlay.height(), base.height());
    if opacity.is_zero() || columns.is_empty() || rows.is_empty() {
        return;
    }
    let (base_stride, overlay_stride) = (base.stride(), overlay.stride());
    let bytes = columns.start * CHANNELS..columns.end * CHANNELS;
    let overlay_byte = (columns.start as i64 - at.0) as usize * CHANNELS;
    let overlay_row = (rows.start as i64 - at.1) as usize;
    let band = (TASK_PIXELS / columns.len()).max(1);
    let task = |(index, chunk): (usize, &mut [u8])| {
        for (row, line) in chunk.chunks_exact_mut(base_stride).enumerate() {
            let from = (overlay_row + index * band + row) * overlay_stride + overlay_byte;
            lay_row(&mut line[bytes.clone()], &overlay.pixels()[from..from + bytes.len()], opacity, &mix);
        }
    };
    let touched = &mut base.pixels_mut()[rows.start * base_stride..rows.end * base_stride];
    if rows.len() <= band {
        task((0, touched));
    } else {
        touched.par_chunks_mut(band * base_stride).enumerate().for_each(task);
    }
}

/// Where a line of `inner` pixels that starts at `at` meets one of `outer` pixels.
fn overlap(at: i64, inner: u32, outer: u32) -> std::ops::Range<usize> {
    let start = at.clamp(0, i64::from(outer));
    let end = at.saturating_add(i64::from(inner)).clamp(start, i64::from(outer));
    start as usize..end as usize
}

fn lay_row(base: &mut [u8], overlay: &[u8], opacity: Opacity, mix: &impl Fn(u16, u16) -> u16) {
    let (blocks, rest) = base.as_chunks_mut::<BLOCK>();
    let (overlay_blocks, overlay_rest) = overlay.as_chunks::<BLOCK>();
    for (base, overlay) in blocks.iter_mut().zip(overlay_blocks) {
        let alphas = base.chunks_exact(CHANNELS).fold(255, |all, pixel| all & pixel[3]);
        if alphas == 255 {
            lay_on_opaque(base, overlay, opacity, mix);
        } else {
            lay_on_any(base, overlay, opacity, mix);
        }
    }
    lay_on_any(rest, overlay_rest, opacity, mix);
}

/// A base with alpha 1 everywhere, which it keeps: Co = Cb + αs·(B − Cb).
fn lay_on_opaque(base: &mut [u8; BLOCK], overlay: &[u8; BLOCK], opacity: Opacity, mix: &impl Fn(u16, u16) -> u16) {
    let mut weights = [0.0_f32; BLOCK];
    for (weights, pixel) in weights.as_chunks_mut::<CHANNELS>().0.iter_mut().zip(overlay.as_chunks::<CHANNELS>().0) {
        let weight = opacity.weight(pixel[3]) * (1.0 / UNIT as f32);
        *weights = [weight, weight, weight, 0.0];
    }
    let mut mixed = [0_u16; BLOCK];
    for i in 0..BLOCK {
        mixed[i] = mix(u16::from(base[i]), u16::from(overlay[i]));
    }
    for i in 0..BLOCK {
        let value = f32::from(base[i]);
        let sum = value + (f32::from(mixed[i]) - value) * weights[i];
        // Half of the least step more, so that what lies half way is rounded up.
        base[i] = (sum + 0.5 / UNIT as f32 + INTEGERS).to_bits() as u8;
    }
}

/// The general case; with αb = 1 it comes to the same.
fn lay_on_any(base: &mut [u8], overlay: &[u8], opacity: Opacity, mix: &impl Fn(u16, u16) -> u16) {
    for (b, s) in base.as_chunks_mut::<CHANNELS>().0.iter_mut().zip(overlay.as_chunks::<CHANNELS>().0) {
        let weight = opacity.weight(s[3]) as u32;
        if weight > 0 {
            *b = lay_pixel(*b, *s, weight, mix);
        }
    }
}

fn lay_pixel(b: [u8; CHANNELS], s: [u8; CHANNELS], weight: u32, mix: &impl Fn(u16, u16) -> u16) -> [u8; CHANNELS] {
    let base_alpha = u32::from(b[3]);
    let (overlay_alone, both, base_alone) =
        (weight * (255 - base_alpha), weight * base_alpha, (UNIT - weight) * base_alpha);
    // In 1/(255 · UNIT): a byte's product with it, and half of it more, fit 32 bits.
    let alpha = overlay_alone + both + base_alone;
    let colour = |i: usize| {
        let mixed = u32::from(mix(u16::from(b[i]), u16::from(s[i])));
        let sum = u32::from(s[i]) * overlay_alone + mixed * both + u32::from(b[i]) * base_alone;
        ((sum + alpha / 2) / alpha) as u8
    };
    [colour(0), colour(1), colour(2), ((alpha + UNIT / 2) / UNIT) as u8]
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODES: [Mode; 10] = [
        Mode::Normal,
        Mode::Multiply,
        Mode::Screen,
        Mode::Overlay,
        Mode::Add,
        Mode::Subtract,
        Mode::Average,
        Mode::Difference,
        Mode::Lighten,
        Mode::Darken,
    ];
    const VALUES: [u8; 9] = [0, 1, 60, 127, 128, 129, 200, 254, 255];

    /// The formulas of the module's head, in floating point.
    fn reference(b: [u8; 4], s: [u8; 4], mode: Mode, opacity: f64) -> [f64; 4] {
        let unit = |v: u8| f64::from(v) / 255.0;
        let (ab, a_s) = (unit(b[3]), unit(s[3]) * opacity);
        let alpha = a_s + ab * (1.0 - a_s);
        if a_s == 0.0 {
            return b.map(f64::from);
        }
        let colour = |channel: usize| {
            let (cb, cs) = (unit(b[channel]), unit(s[channel]));
            let mixed = match mode {
                Mode::Normal => cs,
                Mode::Multiply => cb * cs,
                Mode::Screen => cb + cs - cb * cs,
                Mode::Overlay if cb <= 0.5 => 2.0 * cb * cs,
                Mode::Overlay => (2.0 * cb - 1.0) + cs - (2.0 * cb - 1.0) * cs,
                Mode::Add => (cb + cs).min(1.0),
                Mode::Subtract => (cb - cs).max(0.0),
                Mode::Average => f64::midpoint(cb, cs),
                Mode::Difference => (cb - cs).abs(),
                Mode::Lighten => cb.max(cs),
                Mode::Darken => cb.min(cs),
            };
            255.0 * (a_s * (1.0 - ab) * cs + a_s * ab * mixed + (1.0 - a_s) * ab * cb) / alpha
        };
        [colour(0), colour(1), colour(2), 255.0 * alpha]
    }

    fn one(b: [u8; 4], s: [u8; 4], mode: Mode, opacity: f64) -> [u8; 4] {
        let mut base = Image::filled(1, 1, b);
        composite(&mut base, &Image::filled(1, 1, s), (0, 0), mode, Opacity::new(opacity));
        base.pixel(0, 0)
    }

    #[test]
    fn every_mode_is_within_one_step_of_the_formula() {
        for mode in MODES {
            for (cb, cs) in VALUES.iter().flat_map(|b| VALUES.iter().map(move |s| (*b, *s))) {
                for (ab, a_s) in VALUES.iter().flat_map(|b| VALUES.iter().map(move |s| (*b, *s))) {
                    for opacity in [0.0, 0.25, 0.5, 0.9, 1.0] {
                        let (b, s) = ([cb, cs, 255 - cb, ab], [cs, cb, cs / 2, a_s]);
                        let (got, want) = (one(b, s, mode, opacity), reference(b, s, mode, opacity));
                        for channel in 0..4 {
                            let off = (f64::from(got[channel]) - want[channel]).abs();
                            assert!(off <= 1.0, "{mode:?} {b:?} {s:?} at {opacity}: {got:?}, not {want:?}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn plain_over_is_the_nearest_step() {
        for (b, s) in [([10, 20, 30, 255], [200, 100, 0, 128]), ([9, 8, 7, 100], [1, 2, 255, 77])] {
            let (got, want) = (one(b, s, Mode::Normal, 1.0), reference(b, s, Mode::Normal, 1.0));
            for channel in 0..4 {
                assert!((f64::from(got[channel]) - want[channel]).abs() <= 0.5, "{got:?}, not {want:?}");
            }
        }
        assert_eq!(one([0, 0, 0, 0], [5, 6, 7, 9], Mode::Normal, 1.0), [5, 6, 7, 9]);
        assert_eq!(one([0, 0, 0, 255], [5, 6, 7, 255], Mode::Normal, 1.0), [5, 6, 7, 255]);
        assert_eq!(one([1, 2, 3, 0], [5, 6, 7, 0], Mode::Add, 1.0), [1, 2, 3, 0]);
    }

    #[test]
    fn what_lies_outside_is_dropped() {
        let dot = Image::filled(3, 2, [255, 0, 0, 255]);
        for (at, columns, rows) in [
            ((-2_i64, -1_i64), 0..1_u32, 0..1_u32),
            ((3, 3), 3..5, 3..4),
            ((0, 0), 0..3, 0..2),
            ((5, 0), 0..0, 0..0),
            ((0, -2), 0..0, 0..0),
            ((i64::MAX, i64::MIN), 0..0, 0..0),
        ] {
            let mut base = Image::filled(5, 4, [0, 0, 0, 255]);
            composite(&mut base, &dot, at, Mode::Normal, Opacity::FULL);
            for (x, y) in (0..4).flat_map(|y| (0..5).map(move |x| (x, y))) {
                let inside = columns.contains(&x) && rows.contains(&y);
                assert_eq!(base.pixel(x, y)[0] == 255, inside, "{at:?}: {x},{y}");
            }
        }
    }

    #[test]
    fn bands_meet_at_the_right_rows() {
        let (width, height) = (301_u32, 407_u32);
        let gradient = |seed: u32| {
            let value = |i: u32| (i.wrapping_mul(2_654_435_761).wrapping_add(seed) >> 24) as u8;
            Image::new(width, height, (0..width * height * 4).map(value).collect())
        };
        let (base, overlay) = (gradient(1), gradient(99));
        let mut whole = base.clone();
        composite(&mut whole, &overlay, (-7, 11), Mode::Screen, Opacity::new(0.7));
        for (x, y) in [(0, 0), (0, 11), (0, 10), (293, 406), (294, 406), (150, 200), (17, 121)] {
            let (ox, oy) = (x + 7, i64::from(y) - 11);
            let expected = if ox < width && oy >= 0 {
                one(base.pixel(x, y), overlay.pixel(ox, oy as u32), Mode::Screen, 0.7)
            } else {
                base.pixel(x, y)
            };
            assert_eq!(whole.pixel(x, y), expected, "{x},{y}");
        }
    }

    #[test]
    fn blocks_and_single_pixels_agree() {
        let value = |i: u32| (i.wrapping_mul(2_654_435_761) >> 24) as u8;
        let overlay = Image::new(151, 9, (0..151 * 9 * 4).map(value).collect());
        let mut base = Image::new(151, 9, (0..151 * 9 * 4).map(|i| value(i + 5000)).collect());
        base.pixels_mut().chunks_exact_mut(CHANNELS).for_each(|pixel| pixel[3] = 255);
        for (mode, opacity) in MODES.into_iter().flat_map(|mode| [0.5, 0.63, 1.0].map(|opacity| (mode, opacity))) {
            let mut whole = base.clone();
            composite(&mut whole, &overlay, (0, 0), mode, Opacity::new(opacity));
            for (x, y) in (0..9).flat_map(|y| (0..151).map(move |x| (x, y))) {
                let single = one(base.pixel(x, y), overlay.pixel(x, y), mode, opacity);
                assert_eq!(whole.pixel(x, y), single, "{mode:?} at {opacity}: {x},{y}");
            }
        }
    }

    #[test]
    fn fading_scales_alpha_alone() {
        let mut image = Image::new(2, 1, vec![1, 2, 3, 255, 4, 5, 6, 3]);
        fade(&mut image, Opacity::new(0.5));
        assert_eq!(image.pixels(), [1, 2, 3, 128, 4, 5, 6, 2]);
    }
}
