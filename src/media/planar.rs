//! Pictures as ffmpeg's planes of green, blue and red, a byte each: what goes through pipes, as it
//! is a quarter less than RGBA, and as ffmpeg makes it of 4:2:0 five times as fast.

use crate::media::image::Image;

/// Pixels that are looked at together.
const RUN: usize = 256;

/// The opaque RGBA pixels of planes: three bytes a pixel become four.
pub fn from_gbr(planes: &[u8], pixels: &mut [u8]) {
    let size = planes.len() / 3;
    let (green, rest) = planes.split_at(size);
    let (blue, red) = rest.split_at(size);
    let (pixels, _) = pixels.as_chunks_mut::<4>();
    for (((pixel, g), b), r) in pixels.iter_mut().zip(green).zip(blue).zip(red) {
        *pixel = (0xff00_0000 | u32::from(*b) << 16 | u32::from(*g) << 8 | u32::from(*r)).to_le_bytes();
    }
}

/// The planes of a picture over black, bit for bit as ffmpeg's `premultiply` filter has them: four
/// bytes a pixel become three.
pub fn to_gbr_over_black(image: &Image, planes: &mut [u8]) {
    let size = planes.len() / 3;
    let (green, rest) = planes.split_at_mut(size);
    let (blue, red) = rest.split_at_mut(size);
    let planes = green.chunks_mut(RUN).zip(blue.chunks_mut(RUN)).zip(red.chunks_mut(RUN));
    let (pixels, _) = image.pixels().as_chunks::<4>();
    for (pixels, ((g, b), r)) in pixels.chunks(RUN).zip(planes) {
        // Most films are opaque, and then the colours are what they are.
        let all = pixels.iter().fold(u32::MAX, |all, pixel| all & u32::from_le_bytes(*pixel));
        if all >= 0xff00_0000 {
            // Whole words, of which the compiler makes vectors; single bytes it takes one by one.
            for (plane, shift) in [(r, 0), (g, 8), (b, 16)] {
                for (value, pixel) in plane.iter_mut().zip(pixels) {
                    *value = (u32::from_le_bytes(*pixel) >> shift) as u8;
                }
            }
        } else {
            for (plane, channel) in [(r, 0), (g, 1), (b, 2)] {
                for (value, pixel) in plane.iter_mut().zip(pixels) {
                    *value = over_black(pixel[channel], pixel[3]);
                }
            }
        }
    }
}

/// ffmpeg's own way of having 256 for an alpha of 255.
fn over_black(channel: u8, alpha: u8) -> u8 {
    let alpha = u32::from(alpha) + u32::from(alpha >> 7);
    let weight = alpha + (alpha >> 1 & 1);
    ((u32::from(channel) * weight + 128) >> 8) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_opaque_comes_back() {
        let planes: Vec<u8> = (0..=255).cycle().take(7 * 5 * 3).collect();
        let mut pixels = vec![0; 7 * 5 * 4];
        from_gbr(&planes, &mut pixels);
        let image = Image::new(7, 5, pixels);
        assert_eq!(image.pixel(1, 0), [planes[71], planes[1], planes[36], 255]);
        let mut back = vec![0; planes.len()];
        to_gbr_over_black(&image, &mut back);
        assert_eq!(back, planes);
    }

    #[test]
    fn what_is_clear_is_black() {
        let image = Image::new(2, 1, vec![255, 200, 100, 0, 255, 200, 100, 128]);
        let mut planes = [9; 6];
        to_gbr_over_black(&image, &mut planes);
        assert_eq!(planes, [0, 101, 0, 50, 0, 128]);
    }
}
