//! Saturation, contrast, brightness, gamma and hue of pixels.
//!
//! The meanings are those of FFmpeg's `eq` and `hue` filters: luma goes through a curve, chroma
//! is scaled and rotated. Here they work on full-range `Y'CbCr` with the coefficients of ITU-R
//! BT.709, taken from the sRGB-encoded values, so that greys stay grey and no pixel is rounded
//! on the way there and back. Alpha is not touched.
//!
//! Per pixel there are sums and products in one fixed order and no fused multiply-add; the
//! tables are made with `libm`'s functions. So the bits are the same on every CPU.

use crate::media::image::CHANNELS;
use crate::media::op::PointOp;

/// What is to be done with the colours of a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adjustment {
    /// Chroma is multiplied by this; 1 changes nothing, 0 leaves greys.
    pub saturation: f64,
    /// Luma's distance from the middle is multiplied by this; 1 changes nothing.
    pub contrast: f64,
    /// Added to luma, which goes from 0 to 1; 0 changes nothing.
    pub brightness: f64,
    /// Luma is raised to one over this, after contrast and brightness; 1 changes nothing.
    pub gamma: f64,
    /// Degrees by which chroma is turned, from blue-yellow towards red-cyan.
    pub hue: f64,
}

impl Adjustment {
    /// Changes nothing.
    pub const NEUTRAL: Self = Self { saturation: 1.0, contrast: 1.0, brightness: 0.0, gamma: 1.0, hue: 0.0 };

    /// Does it change nothing?
    pub fn is_neutral(&self) -> bool {
        Self { hue: self.hue % 360.0, ..*self } == Self::NEUTRAL
    }
}

/// Luma weights of red, green and blue as BT.709 gives them.
const KR: f64 = 0.2126;
const KG: f64 = 0.7152;
const KB: f64 = 0.0722;
/// The same in 1/65536; they sum to 65536, so that a float holds every sum exactly.
const WEIGHTS: [f32; 3] = [13_933.0, 46_871.0, 4_732.0];
/// Steps of luma between two 8-bit values that the curve tells apart, as bits.
const CURVE_BITS: u32 = 4;
/// Entries of the curve: luma 0 to 255 in those steps.
const CURVE_LENGTH: usize = (255 << CURVE_BITS) + 1;
/// Pixels that go through one step after the other together: their values stay in registers
/// and the first-level cache, and each step but the look-up is one of vectors.
const BLOCK: usize = 64;

/// An adjustment, ready to be applied.
#[derive(Debug, Clone)]
pub struct ColourMap {
    /// New luma by old, on the scale of bytes.
    curve: Box<[f32]>,
    /// Rows: the new red, green, blue less the new luma; columns: from the old red and blue
    /// less the old luma.
    matrix: [[f32; 2]; 3],
}

impl ColourMap {
    /// The tables of an adjustment.
    pub fn new(adjustment: &Adjustment) -> Self {
        Self { curve: curve(adjustment), matrix: matrix(adjustment) }
    }

    fn block(&self, pixels: &mut [[u8; CHANNELS]]) {
        let mut steps = [0_i32; BLOCK];
        for (step, pixel) in steps.iter_mut().zip(&*pixels) {
            let luma = luma(colours(*pixel)) as i32;
            *step = (luma + (1 << (15 - CURVE_BITS))) >> (16 - CURVE_BITS);
        }
        let mut new_luma = [0.0_f32; BLOCK];
        for (new, step) in new_luma.iter_mut().zip(&steps[..pixels.len()]) {
            *new = self.curve[*step as usize];
        }
        let [red_row, green_row, blue_row] = self.matrix;
        for (pixel, new_luma) in pixels.iter_mut().zip(&new_luma) {
            let rgb = colours(*pixel);
            let luma = luma(rgb) * (1.0 / 65_536.0);
            let (red, blue) = (rgb[0] - luma, rgb[2] - luma);
            let byte = |row: [f32; 2]| to_byte(new_luma + (row[0] * red + row[1] * blue));
            let alpha = u32::from_le_bytes(*pixel) & 0xff00_0000;
            let packed = byte(red_row) | byte(green_row) << 8 | byte(blue_row) << 16 | alpha;
            *pixel = packed.to_le_bytes();
        }
    }
}

impl PointOp for ColourMap {
    fn map(&self, pixels: &mut [u8]) {
        for block in pixels.as_chunks_mut::<CHANNELS>().0.chunks_mut(BLOCK) {
            self.block(block);
        }
    }
}

/// The nearest byte of a value on the scale of bytes. In a float of 2²³ and more the low bits
/// are the integer, so adding that rounds; unlike a cast this is one vector instruction.
#[inline]
fn to_byte(value: f32) -> u32 {
    const INTEGERS: f32 = 8_388_608.0;
    (value.clamp(0.0, 255.0) + INTEGERS).to_bits() & 255
}

/// A pixel's red, green and blue on the scale of bytes.
#[inline]
fn colours(pixel: [u8; CHANNELS]) -> [f32; 3] {
    // Shifted out of one number, so that the compiler does it for several pixels at once.
    let packed = u32::from_le_bytes(pixel);
    [packed, packed >> 8, packed >> 16].map(|value| (value & 255) as i32 as f32)
}

/// Luma in 1/65536 on the scale of bytes, exact.
#[inline]
fn luma([r, g, b]: [f32; 3]) -> f32 {
    WEIGHTS[0] * r + WEIGHTS[1] * g + WEIGHTS[2] * b
}

fn curve(adjustment: &Adjustment) -> Box<[f32]> {
    let value = |index: usize| {
        let luma = index as f64 / (CURVE_LENGTH - 1) as f64;
        let luma = ((luma - 0.5) * adjustment.contrast + 0.5 + adjustment.brightness).clamp(0.0, 1.0);
        (libm::pow(luma, 1.0 / adjustment.gamma) * 255.0) as f32
    };
    (0..CURVE_LENGTH).map(value).collect()
}

/// With Cb = (B − Y) / 2(1 − Kb) and Cr = (R − Y) / 2(1 − Kr), scaled and turned as
/// Cb' = s(Cb cos h − Cr sin h), Cr' = s(Cb sin h + Cr cos h).
fn matrix(adjustment: &Adjustment) -> [[f32; 2]; 3] {
    let angle = (adjustment.hue % 360.0) * (std::f64::consts::PI / 180.0);
    let (sin, cos) = (libm::sin(angle) * adjustment.saturation, libm::cos(angle) * adjustment.saturation);
    let ratio = (1.0 - KR) / (1.0 - KB);
    let (red_from_red, red_from_blue) = (cos, sin * ratio);
    let (blue_from_red, blue_from_blue) = (-sin / ratio, cos);
    // Luma must not change: Kr·red + Kg·green + Kb·blue = 0.
    let green = |red: f64, blue: f64| -(KR * red + KB * blue) / KG;
    [
        [red_from_red as f32, red_from_blue as f32],
        [green(red_from_red, blue_from_red) as f32, green(red_from_blue, blue_from_blue) as f32],
        [blue_from_red as f32, blue_from_blue as f32],
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition in floating point, by way of Cb and Cr.
    fn reference(a: &Adjustment, rgb: [u8; 3]) -> [f64; 3] {
        let [r, g, b] = rgb.map(|v| f64::from(v) / 255.0);
        let y = KR * r + KG * g + KB * b;
        let (cb, cr) = ((b - y) / 1.8556, (r - y) / 1.5748);
        let y = ((y - 0.5) * a.contrast + 0.5 + a.brightness).clamp(0.0, 1.0).powf(1.0 / a.gamma);
        let (sin, cos) = a.hue.to_radians().sin_cos();
        let (cb, cr) = (a.saturation * (cb * cos - cr * sin), a.saturation * (cb * sin + cr * cos));
        let (r, b) = (y + 1.5748 * cr, y + 1.8556 * cb);
        let g = (y - KR * r - KB * b) / KG;
        [r, g, b].map(|v| (v * 255.0).clamp(0.0, 255.0))
    }

    fn cases() -> Vec<Adjustment> {
        let neutral = Adjustment::NEUTRAL;
        vec![
            Adjustment { saturation: 0.0, ..neutral },
            Adjustment { saturation: 2.0, ..neutral },
            Adjustment { contrast: 0.0, ..neutral },
            Adjustment { contrast: 2.0, ..neutral },
            Adjustment { brightness: -0.3, ..neutral },
            Adjustment { brightness: 1.0, ..neutral },
            Adjustment { gamma: 0.1, ..neutral },
            Adjustment { gamma: 2.2, ..neutral },
            Adjustment { hue: 90.0, ..neutral },
            Adjustment { hue: -123.0, saturation: 2.0, ..neutral },
            Adjustment { saturation: 1.4, contrast: 1.2, brightness: 0.05, gamma: 0.9, hue: 15.0 },
        ]
    }

    fn mapped(map: &ColourMap, [r, g, b]: [u8; 3]) -> [u8; 3] {
        let mut pixel = [r, g, b, 77];
        map.map(&mut pixel);
        assert_eq!(pixel[3], 77);
        [pixel[0], pixel[1], pixel[2]]
    }

    fn colours() -> impl Iterator<Item = [u8; 3]> {
        const STEPS: [u8; 10] = [0, 1, 17, 64, 100, 127, 128, 200, 254, 255];
        STEPS.iter().flat_map(|r| STEPS.iter().flat_map(move |g| STEPS.iter().map(move |b| [*r, *g, *b])))
    }

    #[test]
    fn every_adjustment_is_within_one_step_of_its_definition() {
        for adjustment in cases() {
            let map = ColourMap::new(&adjustment);
            for rgb in colours() {
                let (got, want) = (mapped(&map, rgb), reference(&adjustment, rgb));
                for channel in 0..3 {
                    let off = (f64::from(got[channel]) - want[channel]).abs();
                    assert!(off < 1.0, "{adjustment:?} of {rgb:?}: {got:?}, not {want:?}");
                }
            }
        }
    }

    #[test]
    fn a_steep_gamma_is_right_at_what_the_curve_tells_apart() {
        let map = ColourMap::new(&Adjustment { gamma: 10.0, ..Adjustment::NEUTRAL });
        for grey in 0..=255_u8 {
            let want = 255.0 * (f64::from(grey) / 255.0).powf(0.1);
            let got = mapped(&map, [grey; 3]);
            assert!((f64::from(got[0]) - want).abs() <= 0.51, "{grey}: {got:?}, not {want}");
            assert_eq!(got, [got[0]; 3]);
        }
    }

    #[test]
    fn the_neutral_tables_give_every_colour_back() {
        let map = ColourMap::new(&Adjustment::NEUTRAL);
        let full_turn = ColourMap::new(&Adjustment { hue: 720.0, ..Adjustment::NEUTRAL });
        for rgb in colours() {
            assert_eq!(mapped(&map, rgb), rgb);
            assert_eq!(mapped(&full_turn, rgb), rgb);
        }
        assert!(Adjustment { hue: -360.0, ..Adjustment::NEUTRAL }.is_neutral());
        assert!(!Adjustment { gamma: 1.001, ..Adjustment::NEUTRAL }.is_neutral());
    }

    #[test]
    fn greys_stay_grey_and_alpha_stays() {
        let map = ColourMap::new(&Adjustment { saturation: 2.0, hue: 77.0, ..Adjustment::NEUTRAL });
        let mut pixels = vec![0, 0, 0, 0, 99, 99, 99, 7, 255, 255, 255, 255];
        let before = pixels.clone();
        map.map(&mut pixels);
        assert_eq!(pixels, before);
    }

    #[test]
    fn hue_turns_red_to_green_to_blue() {
        // FFmpeg's `hue=h=90` makes (0, 150, 15) of red, and `hue=h=-90` (136, 1, 255).
        let turned = |hue| mapped(&ColourMap::new(&Adjustment { hue, ..Adjustment::NEUTRAL }), [255, 0, 0]);
        let (plus, minus) = (turned(90.0), turned(-90.0));
        assert!(plus[0] < 20 && plus[1] > 80 && plus[2] < 20, "{plus:?}");
        assert!(minus[0] > 60 && minus[1] < 20 && minus[2] > 200, "{minus:?}");
    }
}
