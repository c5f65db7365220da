//! The end of every conversion: CIE XYZ under D50 to 8-bit sRGB (IEC 61966-2-1).

use std::sync::OnceLock;

use crate::media::icc::curve::Curve;

/// XYZ of a colour, or linear red, green, blue.
pub(super) type Triple = [f64; 3];
/// Rows of a matrix.
pub(super) type Matrix = [Triple; 3];

/// Red, green and blue of sRGB under D50 (columns), adapted from D65 with the Bradford
/// matrix; from the chromaticities of ITU-R BT.709.
const COLORANTS: Matrix = [
    [0.436_074_7, 0.385_064_9, 0.143_080_4],
    [0.222_504_5, 0.716_878_6, 0.060_616_9],
    [0.013_932_2, 0.097_104_5, 0.714_173_3],
];
/// The white of the connection space.
pub(super) const D50: Triple = [0.964_2, 1.0, 0.824_9];
/// Steps of linear light that the encoding table tells apart: fine enough for the steep
/// beginning of the curve, where one of them is a twentieth of an 8-bit step.
pub(super) const LIGHT_STEPS: u32 = 65_535;

/// The encoded value of linear light in 0..=1.
pub(super) fn encode(light: f64) -> f64 {
    if light <= 0.003_130_8 { 12.92 * light } else { 1.055 * libm::pow(light, 1.0 / 2.4) - 0.055 }
}

/// 8-bit encoded values of linear light in steps of 1/[`LIGHT_STEPS`].
pub(super) fn encoding() -> &'static [u8] {
    static TABLE: OnceLock<Box<[u8]>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let value = |step: u32| (encode(f64::from(step) / f64::from(LIGHT_STEPS)) * 255.0 + 0.5) as u8;
        (0..=LIGHT_STEPS).map(value).collect()
    })
}

/// The 8-bit encoded value of linear light, which is cut to 0..=1.
pub(super) fn encode8(light: f64) -> u8 {
    encoding()[(light.clamp(0.0, 1.0) * f64::from(LIGHT_STEPS) + 0.5) as usize]
}

/// Linear sRGB from XYZ under D50.
pub(super) fn from_xyz() -> Matrix {
    inverse(&COLORANTS)
}

/// Is this curve sRGB's own, to half an 8-bit step?
pub(super) fn is_own_curve(curve: &Curve) -> bool {
    (0..=255).all(|value| {
        let encoded = encode(curve.at(f64::from(value) / 255.0)) * 255.0;
        (encoded - f64::from(value)).abs() <= 0.5
    })
}

/// A column by a matrix.
pub(super) fn apply(matrix: &Matrix, column: Triple) -> Triple {
    matrix.map(|row| row[0] * column[0] + row[1] * column[1] + row[2] * column[2])
}

/// Two matrices, one after the other: the right one first.
pub(super) fn product(left: &Matrix, right: &Matrix) -> Matrix {
    let column = |n: usize| apply(left, [right[0][n], right[1][n], right[2][n]]);
    let columns = [column(0), column(1), column(2)];
    [0, 1, 2].map(|row| [columns[0][row], columns[1][row], columns[2][row]])
}

/// By cofactors; the matrix must have an inverse.
fn inverse(m: &Matrix) -> Matrix {
    let cofactor = |r: usize, c: usize| {
        let (r1, r2, c1, c2) = ((r + 1) % 3, (r + 2) % 3, (c + 1) % 3, (c + 2) % 3);
        m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1]
    };
    let determinant = m[0][0] * cofactor(0, 0) + m[0][1] * cofactor(0, 1) + m[0][2] * cofactor(0, 2);
    [0, 1, 2].map(|row| [0, 1, 2].map(|column| cofactor(column, row) / determinant))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inverse_undoes() {
        let one = product(&from_xyz(), &COLORANTS);
        for (r, row) in one.iter().enumerate() {
            for (c, value) in row.iter().enumerate() {
                assert!((value - f64::from(u8::from(r == c))).abs() < 1e-12, "{one:?}");
            }
        }
        let white = apply(&from_xyz(), D50);
        assert!(white.iter().all(|light| (light - 1.0).abs() < 5e-4), "{white:?}");
    }

    #[test]
    fn encoded_values_are_the_nearest() {
        for (light, value) in [(0.0, 0), (1.0, 255), (0.5, 188), (0.214_041_1, 127), (0.001, 3), (-3.0, 0), (7.0, 255)]
        {
            assert_eq!(encode8(light), value, "{light}");
        }
        assert!(encoding().windows(2).all(|pair| pair[0] <= pair[1]));
    }
}
