//! A profile made ready for samples of one depth.

use crate::media::icc::profile::{Kind, Profile};
use crate::media::icc::srgb::{self, LIGHT_STEPS};
use crate::media::icc::table::Table;

/// Fraction bits of light in the sums of a matrix, beyond a step of the encoding table.
const FRACTION_BITS: u32 = 8;

/// Converts pixels to 8-bit sRGB.
#[derive(Debug)]
pub struct Converter(Tables);

#[derive(Debug)]
enum Tables {
    /// The encoded value by grey value.
    Grey(Box<[u8]>),
    /// What each value of red, green and blue adds to linear red, green and blue.
    Matrix(Box<[Vec<[i32; 4]>; 3]>),
    /// Computed for each pixel, from samples of which this is the largest.
    Table(Box<Table>, f64),
}

impl Converter {
    /// A converter for samples of 0..=`top`, which is 255 or 65535.
    pub fn new(profile: &Profile, top: u32) -> Self {
        let value = |sample: u32| f64::from(sample) / f64::from(top);
        Self(match &profile.0 {
            Kind::Grey(curve) => Tables::Grey((0..=top).map(|sample| srgb::encode8(curve.at(value(sample)))).collect()),
            Kind::Matrix(curves, matrix) => {
                let scale = f64::from(LIGHT_STEPS << FRACTION_BITS);
                let table = |n: usize| {
                    let column = [matrix[0][n], matrix[1][n], matrix[2][n]];
                    let sums = |sample: u32| {
                        let light = curves[n].at(value(sample)) * scale;
                        // Colorants far outside of any real gamut stay within the sums' range.
                        let [r, g, b] = column.map(|share| (light * share.clamp(-40.0, 40.0) + 0.5).floor() as i32);
                        [r, g, b, 0]
                    };
                    (0..=top).map(sums).collect()
                };
                Tables::Matrix(Box::new([table(0), table(1), table(2)]))
            }
            Kind::Table(table) => Tables::Table(table.clone(), f64::from(top)),
        })
    }

    /// The sRGB pixel of a grey value.
    pub fn grey(&self, sample: u32) -> u8 {
        match &self.0 {
            Tables::Grey(table) => table[sample as usize],
            _ => self.rgb([sample; 3])[0],
        }
    }

    /// The sRGB pixel of red, green, blue.
    pub fn rgb(&self, samples: [u32; 3]) -> [u8; 3] {
        match &self.0 {
            Tables::Grey(table) => samples.map(|sample| table[sample as usize]),
            Tables::Matrix(tables) => {
                let [r, g, b] = [0, 1, 2].map(|n| tables[n][samples[n] as usize]);
                let encoding = srgb::encoding();
                [0, 1, 2].map(|n| {
                    let light = (r[n] + g[n] + b[n] + (1 << (FRACTION_BITS - 1))) >> FRACTION_BITS;
                    encoding[light.clamp(0, LIGHT_STEPS as i32) as usize]
                })
            }
            Tables::Table(table, top) => table.pixel(samples.map(|sample| f64::from(sample) / top)),
        }
    }
}

#[cfg(test)]
mod tests {
    use moxcms::ColorProfile;

    use super::*;
    use crate::media::icc::Model;

    type Matrix = [[f64; 3]; 3];

    fn times(m: Matrix, v: [f64; 3]) -> [f64; 3] {
        m.map(|row| row.iter().zip(v).map(|(a, b)| a * b).sum())
    }

    /// Solves m · x = v by Cramer's rule.
    fn solve(m: Matrix, v: [f64; 3]) -> [f64; 3] {
        let det = |m: Matrix| {
            m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0])
                + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0])
        };
        [0, 1, 2].map(|column| {
            let mut replaced = m;
            for row in 0..3 {
                replaced[row][column] = v[row];
            }
            det(replaced) / det(m)
        })
    }

    /// RGB to XYZ from chromaticities (x, y) of red, green, blue, and of white.
    fn from_chromaticities(primaries: [(f64, f64); 3], white: (f64, f64)) -> Matrix {
        let xyz = |(x, y): (f64, f64)| [x / y, 1.0, (1.0 - x - y) / y];
        let columns = primaries.map(xyz);
        let m = [0, 1, 2].map(|row| [columns[0][row], columns[1][row], columns[2][row]]);
        let scale = solve(m, xyz(white));
        m.map(|row| [row[0] * scale[0], row[1] * scale[1], row[2] * scale[2]])
    }

    const D65: (f64, f64) = (0.3127, 0.3290);
    const BT709: [(f64, f64); 3] = [(0.64, 0.33), (0.30, 0.60), (0.15, 0.06)];

    /// Both spaces have the white D65: no adaptation is needed, nor any connection space.
    fn reference(primaries: [(f64, f64); 3], decode: fn(f64) -> f64, rgb: [u8; 3]) -> [f64; 3] {
        let linear = rgb.map(|value| decode(f64::from(value) / 255.0));
        let linear = solve(from_chromaticities(BT709, D65), times(from_chromaticities(primaries, D65), linear));
        linear.map(|light| {
            let light = light.clamp(0.0, 1.0);
            255.0 * if light <= 0.003_130_8 { 12.92 * light } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 }
        })
    }

    fn srgb_decode(x: f64) -> f64 {
        if x <= 0.040_45 { x / 12.92 } else { ((x + 0.055) / 1.055).powf(2.4) }
    }

    fn converter(profile: &ColorProfile, model: Model, top: u32) -> Converter {
        Converter::new(&Profile::read(&profile.encode().unwrap(), model).unwrap(), top)
    }

    fn lattice() -> impl Iterator<Item = [u8; 3]> {
        let axis = || (0..=17_u8).map(|n| n * 15);
        axis().flat_map(move |r| axis().flat_map(move |g| axis().map(move |b| [r, g, b])))
    }

    fn check(profile: &ColorProfile, primaries: [(f64, f64); 3], decode: fn(f64) -> f64) {
        let (bytes, words) = (converter(profile, Model::Rgb, 255), converter(profile, Model::Rgb, 65_535));
        for colour in lattice() {
            let found = bytes.rgb(colour.map(u32::from));
            assert_eq!(words.rgb(colour.map(|value| u32::from(value) * 257)), found, "{colour:?} in 16 bits");
            for (found, wanted) in found.iter().zip(reference(primaries, decode, colour)) {
                let off = (f64::from(*found) - wanted).abs();
                // Near black the profile's rounded colorants show: 1/65536 is a twentieth of a step there, times the matrix.
                assert!(off < if wanted < 24.0 { 1.6 } else { 0.65 }, "{colour:?}: {found} and not {wanted}");
            }
        }
    }

    #[test]
    fn display_p3_is_converted() {
        check(&ColorProfile::new_display_p3(), [(0.680, 0.320), (0.265, 0.690), (0.150, 0.060)], srgb_decode);
    }

    #[test]
    fn adobe_rgb_is_converted() {
        let decode = |x: f64| x.powf(563.0 / 256.0);
        check(&ColorProfile::new_adobe_rgb(), [(0.64, 0.33), (0.21, 0.71), (0.15, 0.06)], decode);
    }

    #[test]
    fn grey_of_gamma_1_8_is_converted() {
        let converter = converter(&ColorProfile::new_gray_with_gamma(1.8), Model::Grey, 255);
        for value in 0..=255_u8 {
            // The profile holds the exponent in 256ths.
            let light = (f64::from(value) / 255.0).powf((1.8_f64 * 256.0).round() / 256.0);
            let wanted =
                if light <= 0.003_130_8 { 12.92 * light } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 } * 255.0;
            assert!((f64::from(converter.grey(value.into())) - wanted).abs() < 0.55, "{value}");
            assert_eq!(converter.rgb([value.into(); 3]), [converter.grey(value.into()); 3]);
        }
    }

    #[test]
    fn greys_stay_grey() {
        for profile in [ColorProfile::new_display_p3(), ColorProfile::new_pro_photo_rgb(), ColorProfile::new_bt2020()] {
            let converter = converter(&profile, Model::Rgb, 255);
            for value in 0..=255 {
                let [r, g, b] = converter.rgb([value; 3]);
                assert!(r.abs_diff(g) <= 1 && g.abs_diff(b) <= 1, "{value}: {r} {g} {b}");
            }
            assert_eq!((converter.rgb([0; 3]), converter.rgb([255; 3])), ([0; 3], [255; 3]));
        }
    }

    /// If this fails, conversion makes other bits: raise the versions of the decoders in
    /// `media::codec`, then replace the hash.
    #[test]
    fn golden_colours() {
        let mut hasher = blake3::Hasher::new();
        for profile in
            [ColorProfile::new_display_p3(), ColorProfile::new_adobe_rgb(), ColorProfile::new_pro_photo_rgb()]
        {
            let converter = converter(&profile, Model::Rgb, 255);
            lattice().for_each(|colour| {
                hasher.update(&converter.rgb(colour.map(u32::from)));
            });
        }
        let grey = converter(&ColorProfile::new_gray_with_gamma(1.8), Model::Grey, 65_535);
        (0..=65_535).for_each(|value| {
            hasher.update(&[grey.grey(value)]);
        });
        assert_eq!(
            hasher.finalize().to_hex().as_str(),
            "943f7944cea80daa6cbd443c38b3c66d8c917342f28429291b69a960634002f9"
        );
    }
}
