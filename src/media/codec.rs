//! Version constants of every codec and resampler that is linked: they enter the keys of what
//! uses them.
//!
//! Golden pixels in the tests of `decode`, `encode`, `icc` and `resample` fail when a
//! dependency's update changes a bit; then the constant here is raised, and what the old code
//! made is no longer taken for what the new one makes.

use crate::base::Fingerprint;
use crate::media::sniff::MediaType;

/// A codec or resampler that is part of this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Codec {
    /// Its name in keys and provenance.
    pub name: &'static str,
    /// Raised when it makes other bits.
    pub version: u32,
}

impl Codec {
    /// Its identity.
    pub fn hash(&self) -> Fingerprint {
        Fingerprint::of_parts("artdag.codec.v1", &[self.name.as_bytes(), &self.version.to_le_bytes()])
    }
}

/// Scales pictures.
pub const RESAMPLER: Codec = Codec { name: "resampler", version: 1 };
/// Writes the stored form of a kept picture.
pub const STORED_PNG: Codec = Codec { name: "stored-png", version: 1 };

/// Writes PNG outputs.
pub const PNG_ENCODER: Codec = Codec { name: "png-encoder", version: 1 };
/// Writes JPEG.
pub const JPEG_ENCODER: Codec = Codec { name: "jpeg-encoder", version: 1 };
/// Writes WebP without loss.
pub const WEBP_ENCODER: Codec = Codec { name: "webp-encoder", version: 1 };
/// Writes WebP with loss.
pub const WEBP_LOSSY_ENCODER: Codec = Codec { name: "webp-lossy-encoder", version: 1 };
/// Writes GIF.
pub const GIF_ENCODER: Codec = Codec { name: "gif-encoder", version: 1 };
/// Writes TIFF.
pub const TIFF_ENCODER: Codec = Codec { name: "tiff-encoder", version: 1 };
/// Writes BMP.
pub const BMP_ENCODER: Codec = Codec { name: "bmp-encoder", version: 1 };
/// How x264 is asked to write films: its threads are part of what it makes.
pub const H264_ENCODER: Codec = Codec { name: "h264-encoder", version: 1 };

/// The decoder of a media type, if it is a picture that can be decoded. It includes the
/// conversion to upright 8-bit sRGB.
pub fn decoder(media_type: MediaType) -> Option<Codec> {
    let name = match media_type {
        MediaType::Png => "png-decoder",
        MediaType::Jpeg => "jpeg-decoder",
        MediaType::Gif => "gif-decoder",
        MediaType::Webp => "webp-decoder",
        MediaType::Tiff => "tiff-decoder",
        MediaType::Bmp => "bmp-decoder",
        _ => return None,
    };
    Some(Codec { name, version: 1 })
}

/// Every codec and resampler.
pub fn all() -> impl Iterator<Item = Codec> {
    let writers = [
        RESAMPLER,
        STORED_PNG,
        PNG_ENCODER,
        JPEG_ENCODER,
        WEBP_ENCODER,
        WEBP_LOSSY_ENCODER,
        GIF_ENCODER,
        TIFF_ENCODER,
        BMP_ENCODER,
        H264_ENCODER,
    ];
    writers.into_iter().chain(MediaType::ALL.iter().copied().filter_map(decoder))
}
