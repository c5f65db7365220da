//! Pictures cut and framed: pixels are copied, never computed.

use crate::media::image::{CHANNELS, Image};

/// A picture of `width` × `height` pixels of one colour, with `picture` in it, its top left
/// corner at `x`, `y`; all of it lies inside.
pub fn frame(picture: &Image, width: u32, height: u32, (x, y): (u32, u32), rgba: [u8; 4]) -> Image {
    let fits = |at: u32, inner: u32, outer: u32| at.checked_add(inner).is_some_and(|end| end <= outer);
    assert!(
        fits(x, picture.width(), width) && fits(y, picture.height(), height),
        "BUG: {picture:?} at {x},{y} does not lie in {width}x{height}"
    );
    let mut framed = Image::filled(width, height, rgba);
    let (stride, line) = (framed.stride(), picture.stride());
    let start = x as usize * CHANNELS;
    let rows = framed.pixels_mut()[y as usize * stride..].chunks_exact_mut(stride);
    for (to, from) in rows.zip(picture.pixels().chunks_exact(line)) {
        to[start..start + line].copy_from_slice(from);
    }
    framed
}

/// The part of `width` × `height` pixels whose top left corner is at `x`, `y`; all of it lies in
/// the picture.
pub fn crop(picture: &Image, (x, y): (u32, u32), width: u32, height: u32) -> Image {
    let line = width as usize * CHANNELS;
    let start = x as usize * CHANNELS;
    let rows = picture.pixels().chunks_exact(picture.stride()).skip(y as usize).take(height as usize);
    let mut pixels = Vec::with_capacity(line * height as usize);
    for row in rows {
        pixels.extend_from_slice(&row[start..start + line]);
    }
    Image::new(width, height, pixels)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(width: u32, height: u32) -> Image {
        Image::new(width, height, (0..width * height * 4).map(|i| i as u8).collect())
    }

    #[test]
    fn a_frame_cut_off_again_leaves_the_picture() {
        let picture = counted(3, 5);
        for (x, y) in [(0, 0), (4, 1), (2, 3)] {
            let framed = frame(&picture, 7, 8, (x, y), [9, 8, 7, 6]);
            assert_eq!((framed.width(), framed.height()), (7, 8));
            assert_eq!(crop(&framed, (x, y), 3, 5), picture);
            let inside = |px: u32, py: u32| (x..x + 3).contains(&px) && (y..y + 5).contains(&py);
            for (px, py) in (0..8).flat_map(|py| (0..7).map(move |px| (px, py))).filter(|(px, py)| !inside(*px, *py)) {
                assert_eq!(framed.pixel(px, py), [9, 8, 7, 6]);
            }
        }
    }

    #[test]
    fn one_pixel() {
        assert_eq!(crop(&counted(3, 2), (2, 1), 1, 1).pixel(0, 0), counted(3, 2).pixel(2, 1));
        assert_eq!(frame(&counted(1, 1), 1, 1, (0, 0), [0; 4]), counted(1, 1));
    }
}
