//! A pixel as floats and back.

use crate::media::image::CHANNELS;

/// Adding it to a float from 0 to 2²² rounds that to the nearest integer (even on ties) and
/// leaves the integer in the low bits: 2²³, where a float's step is one.
pub const ROUNDING: f32 = 8_388_608.0;

/// The values of a pixel, 0 to 255. Shifts of the whole word, unlike single bytes, are
/// vectorised.
#[inline]
pub(super) fn floats(pixel: [u8; CHANNELS]) -> [f32; 4] {
    let word = u32::from_le_bytes(pixel) as i32;
    [(word & 255) as f32, ((word >> 8) & 255) as f32, ((word >> 16) & 255) as f32, ((word >> 24) & 255) as f32]
}

/// The pixel nearest to four values on the scale of bytes.
#[inline]
pub(super) fn to_pixel([r, g, b, a]: [f32; 4]) -> [u8; CHANNELS] {
    let byte = |value: f32| (value.clamp(0.0, 255.0) + ROUNDING).to_bits() & 255;
    (byte(r) | byte(g) << 8 | byte(b) << 16 | byte(a) << 24).to_le_bytes()
}

/// Luma of the non-linear values with the weights of Rec. 709, on the scale of bytes.
#[inline]
pub(super) fn luma([r, g, b, _]: [f32; 4]) -> f32 {
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_comes_back_and_others_are_rounded() {
        for byte in 0..=255_u8 {
            let pixel = [byte, 255 - byte, byte / 2, byte ^ 0x55];
            assert_eq!(to_pixel(floats(pixel)), pixel);
        }
        assert_eq!(to_pixel([-3.0, 0.49, 254.51, 1e9]), [0, 0, 255, 255]);
    }
}
