//! The way back from the stored form of a kept picture.

use std::io::Cursor;

use png::{BitDepth, ColorType};

use crate::media::decode::DecodeError;
use crate::media::image::{Image, size_is_allowed};

/// Decodes the stored form of a picture, which [`encode_stored`] writes: an 8-bit RGBA PNG.
/// Its pixels are taken as they are.
///
/// [`encode_stored`]: crate::media::encode::encode_stored
pub fn decode_stored(bytes: &[u8]) -> Result<Image, DecodeError> {
    let wrong = |what: &dyn std::fmt::Display| DecodeError::NotStored { what: what.to_string() };
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    let (width, height) = {
        let info = decoder.read_header_info().map_err(|error| wrong(&error))?;
        if (info.color_type, info.bit_depth, info.interlaced) != (ColorType::Rgba, BitDepth::Eight, false) {
            return Err(wrong(&format!("{:?} in {} bits", info.color_type, info.bit_depth as u8)));
        }
        (info.width, info.height)
    };
    if !size_is_allowed(width.into(), height.into()) {
        return Err(DecodeError::TooLarge { width: width.into(), height: height.into() });
    }
    let mut reader = decoder.read_info().map_err(|error| wrong(&error))?;
    let size = reader.output_buffer_size().ok_or_else(|| wrong(&"its size overflows"))?;
    let mut pixels = vec![0; size];
    reader.next_frame(&mut pixels).map_err(|error| wrong(&error))?;
    Ok(Image::new(width, height, pixels))
}
