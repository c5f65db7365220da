//! From a picture to the bytes of a file.
//!
//! A file holds the picture and nothing else: no time, no name of a program, no profile (it is
//! sRGB). The same picture, format and quality give the same bytes, on any number of threads;
//! for all but lossy WebP, whose encoder is a C library, on any CPU. JPEG, TIFF and BMP are
//! written by our own code, PNG by the `png` crate, lossless WebP and GIF through the `image`
//! crate, lossy WebP by libwebp. The module knows nothing of files or of keys; the versions of
//! its encoders stand in [`codec`](crate::media::codec).
//!
//! Alpha is kept where the format has it (in GIF as one bit: half and more is opaque), and
//! composited over black in JPEG and BMP.

mod bmp;
mod colours;
mod format;
mod gif;
mod jpeg;
mod png;
mod tiff;
mod webp;

pub use format::Format;
pub use png::encode_stored;

use crate::media::image::Image;

/// Why a picture could not be encoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The format cannot hold so large a picture.
    #[error(
        "a {} has no side over {limit} pixels, and this picture is {width}x{height}; \
         scale it down or choose another format",
        .format.title()
    )]
    TooLarge {
        /// The format.
        format: Format,
        /// Its longest side.
        limit: u32,
        /// Width of the picture.
        width: u32,
        /// Height of the picture.
        height: u32,
    },
    /// A quality for a format that loses nothing anyway.
    #[error("a {} has no quality to choose", .0.title())]
    NoQuality(Format),
    /// A format for films or sounds.
    #[error("a {} holds no picture", .0.title())]
    NoPicture(Format),
    /// A quality that there is not.
    #[error("a quality goes from 1 to 100, and this one is {0}")]
    Quality(u8),
    /// The encoder gave up.
    #[error("the {} encoder failed: {what}", .format.title())]
    Failed {
        /// The format.
        format: Format,
        /// What it says.
        what: String,
    },
}

/// The file of a picture. `quality` goes from 1 to 100, for JPEG ([`Format::default_quality`]
/// if there is none) and WebP (lossless if there is none).
pub fn encode(image: &Image, format: Format, quality: Option<u8>) -> Result<Vec<u8>, EncodeError> {
    let (width, height, limit) = (image.width(), image.height(), format.side_limit());
    if width.max(height) > limit {
        return Err(EncodeError::TooLarge { format, limit, width, height });
    }
    if quality.is_some() && !format.has_quality() {
        return Err(EncodeError::NoQuality(format));
    }
    let quality = quality.or(format.default_quality());
    if let Some(outside) = quality.filter(|quality| !(1..=100).contains(quality)) {
        return Err(EncodeError::Quality(outside));
    }
    let failed = |what: String| EncodeError::Failed { format, what };
    match (format, quality) {
        (Format::Png, _) => png::encode(image).map_err(failed),
        (Format::Jpeg, quality) => Ok(jpeg::encode(image, quality.unwrap_or(jpeg::DEFAULT_QUALITY))),
        (Format::Webp, None) => webp::lossless(image).map_err(failed),
        (Format::Webp, Some(quality)) => webp::lossy(image, quality).map_err(failed),
        (Format::Gif, _) => gif::encode(image).map_err(failed),
        (Format::Tiff, _) => Ok(tiff::encode(image)),
        (Format::Bmp, _) => Ok(bmp::encode(image)),
        _ => Err(EncodeError::NoPicture(format)),
    }
}

#[cfg(test)]
mod tests;
