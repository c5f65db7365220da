//! Pictures as ffmpeg's planes of green, blue and red, a byte each: what goes through pipes, as it
//! is a quarter less than RGBA, and as ffmpeg makes it of 4:2:0 five times as fast.

use crate::media::image::Image;

/// An opaque picture of its planes; `planes` has three bytes a pixel.
pub fn from_gbr(width: u32, height: u32, planes: &[u8]) -> Image {
    let size = width as usize * height as usize;
    let (green, rest) = planes.split_at(size);
    let (blue, red) = rest.split_at(size);
    let mut pixels = vec![255; size * 4];
    for (((pixel, g), b), r) in pixels.chunks_exact_mut(4).zip(green).zip(blue).zip(red) {
        pixel[..3].copy_from_slice(&[*r, *g, *b]);
    }
    Image::new(width, height, pixels)
}

/// The planes of a picture over black, bit for bit as ffmpeg's `premultiply` filter has them.
pub fn to_gbr_over_black(image: &Image) -> Vec<u8> {
    let size = image.pixels().len() / 4;
    let mut planes = vec![0; size * 3];
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
    planes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_opaque_comes_back() {
        let planes: Vec<u8> = (0..=255).cycle().take(7 * 5 * 3).collect();
        let image = from_gbr(7, 5, &planes);
        assert_eq!(image.pixel(1, 0), [planes[71], planes[1], planes[36], 255]);
        assert_eq!(to_gbr_over_black(&image), planes);
    }

    #[test]
    fn what_is_clear_is_black() {
        let image = Image::new(2, 1, vec![255, 200, 100, 0, 255, 200, 100, 128]);
        assert_eq!(to_gbr_over_black(&image), [0, 101, 0, 50, 0, 128]);
    }
}
