//! TIFF (Adobe's TIFF 6.0): uncompressed, little-endian, one directory before the pixels.

use crate::media::encode::colours;
use crate::media::image::{CHANNELS, Image};

/// Bytes of a strip, about: what old readers take in one piece. There is one strip then for
/// each so many rows.
const STRIP_BYTES: usize = 1 << 20;

/// The file of a picture: RGB, or RGBA with alpha that has not been multiplied.
pub(super) fn encode(image: &Image) -> Vec<u8> {
    let has_alpha = !colours::is_opaque(image);
    let samples = if has_alpha { 4 } else { 3 };
    let stride = image.width() as usize * samples;
    let rows = (STRIP_BYTES / stride).clamp(1, image.height() as usize);
    let strips = (image.height() as usize).div_ceil(rows);
    let strip_size = |n: usize| (image.height() as usize - n * rows).min(rows) * stride;

    let entries: u32 = if has_alpha { 11 } else { 10 };
    // Behind the header, the directory, and its end: lists that do not fit an entry.
    let bits_at = 8 + 2 + entries * 12 + 4;
    let offsets_at = bits_at + 2 * samples as u32;
    let sizes_at = offsets_at + 4 * strips as u32;
    let pixels_at = sizes_at + 4 * strips as u32;
    let listed = |at: u32, only: u32| if strips == 1 { only } else { at };

    let mut bytes = Vec::with_capacity(pixels_at as usize + stride * image.height() as usize);
    bytes.extend(b"II*\0\x08\0\0\0");
    bytes.extend((entries as u16).to_le_bytes());
    let mut entry = |tag: u16, kind: u16, count: u32, value: u32| {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend(count.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    };
    let (short, long) = (3, 4);
    entry(256, long, 1, image.width());
    entry(257, long, 1, image.height());
    entry(258, short, samples as u32, bits_at);
    entry(259, short, 1, 1); // no compression
    entry(262, short, 1, 2); // RGB
    entry(273, long, strips as u32, listed(offsets_at, pixels_at));
    entry(277, short, 1, samples as u32);
    entry(278, long, 1, rows as u32);
    entry(279, long, strips as u32, listed(sizes_at, strip_size(0) as u32));
    entry(284, short, 1, 1); // samples of a pixel side by side
    if has_alpha {
        entry(338, short, 1, 2); // the fourth sample is straight alpha
    }
    bytes.extend([0; 4]);
    bytes.extend([8, 0].repeat(samples));
    for n in 0..strips {
        bytes.extend((pixels_at + (n * rows * stride) as u32).to_le_bytes());
    }
    for n in 0..strips {
        bytes.extend((strip_size(n) as u32).to_le_bytes());
    }
    if has_alpha {
        bytes.extend_from_slice(image.pixels());
    } else {
        bytes.extend(colours::rgb(image));
    }
    debug_assert_eq!(image.stride(), image.width() as usize * CHANNELS, "rows have no padding");
    bytes
}
