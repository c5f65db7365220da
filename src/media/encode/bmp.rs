//! BMP: 24 bits, from the bottom row up, with the header of Windows 3.

use rayon::prelude::*;

use crate::media::encode::colours;
use crate::media::image::{CHANNELS, Image};

/// Bytes of both headers.
const HEADER: usize = 54;

/// The file of a picture over black.
pub(super) fn encode(image: &Image) -> Vec<u8> {
    let image = colours::over_black(image);
    let (width, height) = (image.width() as usize, image.height() as usize);
    let stride = (width * 3).next_multiple_of(4);
    let size = stride * height;
    let mut bytes = Vec::with_capacity(HEADER + size);
    bytes.extend(b"BM");
    for value in [(HEADER + size) as u32, 0, HEADER as u32, 40, image.width(), image.height()] {
        bytes.extend(value.to_le_bytes());
    }
    // One plane, 24 bits.
    bytes.extend([1, 0, 24, 0]);
    // No compression, the bytes of the rows, then resolution and palette, which it has not.
    for value in [0, size as u32, 0, 0, 0, 0] {
        bytes.extend(value.to_le_bytes());
    }
    bytes.resize(HEADER + size, 0);
    let rows = image.pixels().par_chunks(image.stride()).rev();
    bytes[HEADER..].par_chunks_mut(stride).zip(rows).with_min_len(64).for_each(|(to, from)| {
        for (to, [r, g, b, _]) in to.as_chunks_mut::<3>().0.iter_mut().zip(from.as_chunks::<CHANNELS>().0) {
            *to = [*b, *g, *r];
        }
    });
    bytes
}
