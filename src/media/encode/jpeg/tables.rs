//! Quantisation (ITU-T T.81, annex K.1), and the order of coefficients in a file.

use super::block::Block;
use super::dct;

/// The places of a block, row by row, in the order of the file.
pub(super) const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
];

/// Steps of luma, row by row (table K.1).
pub(super) const LUMA: [u8; 64] = [
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51,
    87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103, 99,
];

/// Steps of chroma, row by row (table K.2).
pub(super) const CHROMA: [u8; 64] = [
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99,
];

/// Added to a float of up to 2²², this leaves its nearest integer in the low bits: 1.5 · 2²³.
const ROUNDING: f32 = 12_582_912.0;

/// The steps of one kind of plane.
pub(super) struct Quantiser {
    /// Row by row.
    steps: [u8; 64],
    /// What the transform's results are multiplied by, transposed like them.
    factors: Block,
}

impl Quantiser {
    /// The steps at a quality from 1 to 100, scaled as the Independent JPEG Group does it.
    pub(super) fn new(table: &[u8; 64], quality: u8) -> Self {
        let quality = u32::from(quality);
        let scale = if quality < 50 { 5000 / quality } else { 200 - 2 * quality };
        let steps = table.map(|step| ((u32::from(step) * scale + 50) / 100).clamp(1, 255) as u8);
        let factor = |row: usize, column: usize| {
            (1.0 / (f64::from(steps[row * 8 + column]) * dct::SCALES[row] * dct::SCALES[column] * 8.0)) as f32
        };
        Self { steps, factors: std::array::from_fn(|column| std::array::from_fn(|row| factor(row, column))) }
    }

    /// The steps as a file has them.
    pub(super) fn in_file_order(&self) -> [u8; 64] {
        ZIGZAG.map(|place| self.steps[usize::from(place)])
    }

    /// The quantised coefficients of a block in the order of the file.
    #[inline]
    pub(super) fn apply(&self, block: Block) -> [i16; 64] {
        let coefficients = dct::forward_transposed(&block);
        let mut rounded = [0_i16; 64];
        for column in 0..8 {
            for row in 0..8 {
                let value = coefficients[column][row] * self.factors[column][row] + ROUNDING;
                rounded[column * 8 + row] = value.to_bits() as i16;
            }
        }
        // Transposed: the place of a row and column is that of the column and row.
        ZIGZAG.map(|place| rounded[usize::from(place % 8 * 8 + place / 8)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quality_scales_the_steps() {
        assert_eq!(Quantiser::new(&LUMA, 50).steps, LUMA);
        assert!(Quantiser::new(&LUMA, 100).steps.iter().all(|step| *step == 1));
        assert_eq!(Quantiser::new(&LUMA, 90).steps[..4], [3, 2, 2, 3]);
        assert_eq!(Quantiser::new(&LUMA, 1).steps[0], 255);
    }

    #[test]
    fn coefficients_are_rounded_to_the_nearest() {
        let quantiser = Quantiser::new(&LUMA, 100);
        let flat = quantiser.apply([[-37.5; 8]; 8]);
        assert_eq!((flat[0], &flat[1..]), (-300, &[0; 63][..]));
        // A slope from left to right is in the first row only, first in the second place.
        let slope = quantiser.apply([std::array::from_fn(|x| x as f32 * 10.0); 8]);
        assert!(slope[1] < -100 && slope[2] == 0, "{slope:?}");
        let places: Vec<usize> = (0..64).filter(|n| slope[*n] != 0).map(|n| usize::from(ZIGZAG[n])).collect();
        assert!(places.iter().all(|place| *place < 8), "{places:?}");
    }
}
