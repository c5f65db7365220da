//! `sepia`: the brown of old prints.

use std::sync::Arc;

use crate::base::Params;
use crate::base::schema::{Default, Kind, Param};
use crate::effects::{Body, Effect};
use crate::media::image::CHANNELS;
use crate::media::op::PointOp;
use crate::media::{Image, OpError, PixelOp, point};

/// A matrix over the colours, mixed with the picture; alpha stays.
pub(super) struct Sepia;

/// Red, green and blue of the tone out of red, green and blue: the matrix of the W3C's Filter
/// Effects Module, level 1, for `sepia(1)`.
const TONE: [[f64; 3]; 3] = [[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]];

/// Bits after the point of the matrix in integers.
const SHIFT: u32 = 14;

impl Effect for Sepia {
    fn name(&self) -> &'static str {
        "sepia"
    }

    fn version(&self) -> u32 {
        1
    }

    fn description(&self) -> &'static str {
        "The warm brown of old photographs; transparency stays."
    }

    fn params(&self) -> &'static [Param] {
        &[Param {
            name: "amount",
            kind: Kind::Number { min: 0.0, max: 1.0 },
            default: Default::Number(1.0),
            doc: "how much of the tone: 0 leaves the picture as it is, 1 is all brown",
            unit: "",
        }]
    }

    fn golden(&self) -> &'static str {
        "35849d5cf676f71d9900ba66aa729c65177da1a44002b2bc836f28ea34fe716f"
    }

    fn body(&self, params: &Params) -> Body {
        Body::Pixels(Box::new(Op::new(params.number("amount"))))
    }
}

struct Op {
    /// Rows as in [`TONE`], mixed with the identity, in units of 2⁻¹⁴.
    matrix: [[u32; 3]; 3],
}

impl Op {
    fn new(amount: f64) -> Self {
        let weight = |row: usize, column: usize| {
            let kept = if row == column { 1.0 - amount } else { 0.0 };
            ((kept + amount * TONE[row][column]) * f64::from(1 << SHIFT) + 0.5) as u32
        };
        Self { matrix: std::array::from_fn(|row| std::array::from_fn(|column| weight(row, column))) }
    }
}

impl PixelOp for Op {
    fn start(&self, first: Arc<Image>) -> Result<Image, OpError> {
        Ok(point::apply(first, &[self]))
    }

    fn point(&self) -> Option<&dyn PointOp> {
        Some(self)
    }

    fn cost(&self) -> f64 {
        2.0
    }
}

impl PointOp for Op {
    fn map(&self, pixels: &mut [u8]) {
        for pixel in pixels.as_chunks_mut::<CHANNELS>().0 {
            let word = u32::from_le_bytes(*pixel);
            let (r, g, b) = (word & 255, word >> 8 & 255, word >> 16 & 255);
            let tone = |[x, y, z]: [u32; 3]| ((x * r + y * g + z * b + (1 << (SHIFT - 1))) >> SHIFT).min(255);
            let (red, green, blue) = (tone(self.matrix[0]), tone(self.matrix[1]), tone(self.matrix[2]));
            *pixel = (word & 0xff00_0000 | blue << 16 | green << 8 | red).to_le_bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn black_stays_and_grey_turns_brown() {
        let out = Op::new(1.0).start(Arc::new(Image::new(2, 1, vec![0, 0, 0, 5, 100, 100, 100, 255]))).unwrap();
        assert_eq!(out.pixels(), [0, 0, 0, 5, 135, 120, 94, 255]);
    }

    #[test]
    fn amount_zero_changes_nothing() {
        let image = Arc::new(Image::new(1, 2, vec![1, 128, 255, 0, 254, 7, 99, 200]));
        assert_eq!(Op::new(0.0).start(image.clone()).unwrap(), *image);
    }
}
