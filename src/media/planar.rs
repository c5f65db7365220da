//! Pictures as ffmpeg's planes of green, blue and red, a byte each: what goes through pipes, as it
//! is a quarter less than RGBA, and as ffmpeg makes it of 4:2:0 five times as fast.

use crate::media::image::Image;

/// The opaque RGBA pixels of planes: three bytes a pixel become four.
pub fn from_gbr(planes: &[u8], pixels: &mut [u8]) {
    let size = planes.len() / 3;
    let (green, rest) = planes.split_at(size);
    let (blue, red) = rest.split_at(size);
    for (((pixel, g), b), r) in pixels.chunks_exact_mut(4).zip(green).zip(blue).zip(red) {
        pixel.copy_from_slice(&[*r, *g, *b, 255]);
    }
}

/// The planes of a picture over black, bit for bit as ffmpeg's `premultiply` filter has them: four
/// bytes a pixel become three.
pub fn to_gbr_over_black(image: &Image, planes: &mut [u8]) {
    let size = planes.len() / 3;
    let (green, rest) = planes.split_at_mut(size);
    let (blue, red) = rest.split_at_mut(size);
    for (((pixel, g), b), r) in image.pixels().chunks_exact(4).zip(green).zip(blue).zip(red) {
        let alpha = u32::from(pixel[3]);
        // Its own way of having 256 for 255.
        let alpha = alpha + (alpha >> 7);
        let weight = alpha + (alpha >> 1 & 1);
        let over = |channel: u8| ((u32::from(channel) * weight + 128) >> 8) as u8;
        (*r, *g, *b) = (over(pixel[0]), over(pixel[1]), over(pixel[2]));
    }
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
