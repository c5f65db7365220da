//! From the bytes of a file to a picture.
//!
//! PNG, JPEG, GIF, WebP, TIFF and BMP are read by the `image` crate, under the limits of
//! [`limits`]; of an animation the first frame is taken, of a TIFF the first page. What the
//! samples mean is settled here: palettes, greys and depths come to 8 bits a channel (16-bit
//! values are rounded to the nearest, floats are cut to 0..=1 and taken as encoded), embedded
//! profiles come to sRGB by [`icc`], associated alpha becomes straight, and
//! only then the orientation of EXIF is applied. Samples of 16 bits pass a profile before they
//! are rounded.
//!
//! CMYK, in JPEG and TIFF, comes to RGB as the decoders do it, without its profile: each of
//! cyan, magenta and yellow is taken from white and what is left is scaled by the lack of
//! black. JPEG is taken to hold inverted values, as Adobe's programs write them.
//!
//! Beside the file, decoding takes about twice the memory of the picture; a TIFF of 16 bits takes
//! four times, for its decoder holds it twice.
//!
//! The bytes are hostile until decoded: no header is believed before the limits, and a file
//! that ends early is damaged, even where a decoder would fill the rest with grey. The module
//! knows nothing of files; [`probe`] shares its view of a header, so that both agree.
//!
//! [`limits`]: crate::base::limits
//! [`icc`]: crate::media::icc
//! [`probe`]: crate::media::probe

mod error;
mod jpeg;
mod moving;
mod orient;
mod patched;
mod raw;
mod source;
mod stored;
mod tiff;

pub use error::DecodeError;
pub use moving::write_moving_webp;
pub(in crate::media) use source::Source;
pub use stored::decode_stored;

use crate::media::image::Image;
use crate::media::sniff;

/// Decodes a picture, whatever its format; see the module for what is done with colours.
pub fn decode(bytes: &[u8]) -> Result<Image, DecodeError> {
    Source::open(sniff::sniff(bytes), bytes)?.read()
}

#[cfg(test)]
mod tests;
