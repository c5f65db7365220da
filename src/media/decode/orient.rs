//! Turning a picture upright.

use image::metadata::Orientation;
use rayon::prelude::*;

use crate::media::image::{CHANNELS, Image};

/// Rows of the result that are filled together: sixteen pixels of four bytes are the cache
/// line that one access to a column brings.
const BAND: usize = 16;

/// Width and height after turning.
pub(super) fn upright_size(orientation: Orientation, (width, height): (u32, u32)) -> (u32, u32) {
    if is_transposed(orientation) { (height, width) } else { (width, height) }
}

fn is_transposed(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
}

/// Where the pixel of a column and row of the result stands in a source of this size.
fn origin(orientation: Orientation, (width, height): (usize, usize), (x, y): (usize, usize)) -> (usize, usize) {
    match orientation {
        Orientation::NoTransforms => (x, y),
        Orientation::FlipHorizontal => (width - 1 - x, y),
        Orientation::Rotate180 => (width - 1 - x, height - 1 - y),
        Orientation::FlipVertical => (x, height - 1 - y),
        Orientation::Rotate90FlipH => (y, x),
        Orientation::Rotate90 => (y, height - 1 - x),
        Orientation::Rotate270FlipH => (width - 1 - y, height - 1 - x),
        Orientation::Rotate270 => (width - 1 - y, x),
    }
}

/// The picture as it is to be seen.
pub(super) fn upright(orientation: Orientation, image: Image) -> Image {
    if orientation == Orientation::NoTransforms {
        return image;
    }
    let size = (image.width() as usize, image.height() as usize);
    let (width, height) = upright_size(orientation, (image.width(), image.height()));
    let source = image.pixels().as_chunks::<CHANNELS>().0;
    let mut pixels = vec![0; source.len() * CHANNELS];
    let columns = width as usize;
    pixels.par_chunks_mut(BAND * columns * CHANNELS).enumerate().for_each(|(band, rows)| {
        let rows = rows.as_chunks_mut::<CHANNELS>().0;
        let count = rows.len() / columns;
        for x in 0..columns {
            for row in 0..count {
                let (from_x, from_y) = origin(orientation, size, (x, band * BAND + row));
                rows[row * columns + x] = source[from_y * size.0 + from_x];
            }
        }
    });
    Image::new(width, height, pixels)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each pixel is its number in the source.
    fn numbered(width: u32, height: u32) -> Image {
        Image::new(width, height, (0..width * height).flat_map(u32::to_le_bytes).collect())
    }

    /// The eight orientations of EXIF, as the letter F is stored under each of them.
    #[test]
    fn all_eight_stand_upright() {
        let upright_f = ["XXX", "X  ", "XX ", "X  "];
        let stored: [&[&str]; 8] = [
            &["XXX", "X  ", "XX ", "X  "],
            &["XXX", "  X", " XX", "  X"],
            &["  X", " XX", "  X", "XXX"],
            &["X  ", "XX ", "X  ", "XXX"],
            &["XXXX", "X X ", "X   "],
            &["X   ", "X X ", "XXXX"],
            &["   X", " X X", "XXXX"],
            &["XXXX", " X X", "   X"],
        ];
        let picture = |rows: &[&str]| {
            let pixels = rows.iter().flat_map(|row| row.bytes()).flat_map(|c| [if c == b'X' { 255 } else { 0 }; 4]);
            Image::new(rows[0].len() as u32, rows.len() as u32, pixels.collect())
        };
        for (n, rows) in stored.iter().enumerate() {
            let orientation = Orientation::from_exif(n as u8 + 1).unwrap();
            assert!(upright(orientation, picture(rows)) == picture(&upright_f), "orientation {}", n + 1);
        }
    }

    #[test]
    fn no_pixel_is_lost_in_large_pictures() {
        for exif in 1..=8 {
            let orientation = Orientation::from_exif(exif).unwrap();
            let turned = upright(orientation, numbered(131, 67));
            assert_eq!((turned.width(), turned.height()), upright_size(orientation, (131, 67)));
            let mut numbers: Vec<u32> =
                turned.pixels().as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect();
            numbers.sort_unstable();
            assert!(numbers.into_iter().eq(0..131 * 67));
        }
    }
}
