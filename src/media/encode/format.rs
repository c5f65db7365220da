//! The formats that outputs are written in.

use crate::base::limits;
use crate::media::codec::{self, Codec};
use crate::media::encode::jpeg;
use crate::media::facts::Kind;
use crate::media::sniff::MediaType;

/// A format for outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// PNG: lossless.
    Png,
    /// JPEG: lossy, without alpha.
    Jpeg,
    /// WebP: lossless, or lossy with a quality.
    Webp,
    /// GIF: 256 colours and one bit of alpha.
    Gif,
    /// TIFF: lossless and uncompressed.
    Tiff,
    /// BMP: uncompressed, without alpha.
    Bmp,
    /// MP4: H.264 and AAC.
    Mp4,
    /// `QuickTime`: H.264 and AAC.
    Mov,
    /// Matroska: H.264 and AAC.
    Mkv,
    /// `WebM`: VP9 and Opus.
    Webm,
    /// WAV: 24 bits.
    Wav,
    /// FLAC: 24 bits, lossless.
    Flac,
    /// MP3.
    Mp3,
    /// AAC in MPEG-4.
    M4a,
}

impl Format {
    /// Every format, the default first.
    pub const ALL: &'static [Self] = &[
        Self::Png,
        Self::Jpeg,
        Self::Webp,
        Self::Gif,
        Self::Tiff,
        Self::Bmp,
        Self::Mp4,
        Self::Mov,
        Self::Mkv,
        Self::Webm,
        Self::Wav,
        Self::Flac,
        Self::Mp3,
        Self::M4a,
    ];

    /// The format of a value of this kind if none is asked for; `None` where the value's stored
    /// form is a file already, or it is no media.
    pub const fn default_of(kind: Kind) -> Option<Self> {
        match kind {
            Kind::Image => Some(Self::Png),
            Kind::Video => Some(Self::Mp4),
            Kind::Audio => Some(Self::Flac),
            Kind::Data | Kind::Bytes => None,
        }
    }

    /// Can it hold a value of this kind?
    pub const fn holds(self, kind: Kind) -> bool {
        match kind {
            Kind::Image => matches!(self, Self::Png | Self::Jpeg | Self::Webp | Self::Gif | Self::Tiff | Self::Bmp),
            Kind::Video => matches!(self, Self::Mp4 | Self::Mov | Self::Mkv | Self::Webm | Self::Gif),
            Kind::Audio => matches!(self, Self::Wav | Self::Flac | Self::Mp3 | Self::M4a),
            Kind::Data | Kind::Bytes => false,
        }
    }

    /// Is its picture written by x264?
    pub const fn has_x264(self) -> bool {
        matches!(self, Self::Mp4 | Self::Mov | Self::Mkv)
    }

    /// Can a constant rate factor be chosen?
    pub const fn has_crf(self) -> bool {
        self.has_x264() || matches!(self, Self::Webm)
    }

    /// Is its sound compressed to a bit rate?
    pub const fn has_audio_bitrate(self) -> bool {
        self.has_crf() || matches!(self, Self::Mp3 | Self::M4a)
    }

    /// Its name in configs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpeg",
            Self::Webp => "webp",
            Self::Gif => "gif",
            Self::Tiff => "tiff",
            Self::Bmp => "bmp",
            Self::Mp4 => "mp4",
            Self::Mov => "mov",
            Self::Mkv => "mkv",
            Self::Webm => "webm",
            Self::Wav => "wav",
            Self::Flac => "flac",
            Self::Mp3 => "mp3",
            Self::M4a => "m4a",
        }
    }

    /// Its name in sentences.
    pub const fn title(self) -> &'static str {
        self.media_type().name()
    }

    /// The format of a name or an extension without its dot, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|format| format.extensions().iter().any(|known| known.eq_ignore_ascii_case(text)))
    }

    /// Extensions that fit it, its usual one first; its name is one of them.
    const fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Png => &["png"],
            Self::Jpeg => &["jpg", "jpeg", "jpe", "jfif"],
            Self::Webp => &["webp"],
            Self::Gif => &["gif"],
            Self::Tiff => &["tiff", "tif"],
            Self::Bmp => &["bmp", "dib"],
            Self::Mp4 => &["mp4", "m4v"],
            Self::Mov => &["mov", "qt"],
            Self::Mkv => &["mkv"],
            Self::Webm => &["webm"],
            Self::Wav => &["wav"],
            Self::Flac => &["flac"],
            Self::Mp3 => &["mp3"],
            Self::M4a => &["m4a"],
        }
    }

    /// Its usual extension, without the dot.
    pub const fn extension(self) -> &'static str {
        self.extensions()[0]
    }

    /// Does an extension (without the dot, in any case) fit it?
    pub fn accepts_extension(self, extension: &str) -> bool {
        Self::parse(extension) == Some(self)
    }

    /// What its files are.
    pub const fn media_type(self) -> MediaType {
        match self {
            Self::Png => MediaType::Png,
            Self::Jpeg => MediaType::Jpeg,
            Self::Webp => MediaType::Webp,
            Self::Gif => MediaType::Gif,
            Self::Tiff => MediaType::Tiff,
            Self::Bmp => MediaType::Bmp,
            Self::Mp4 => MediaType::Mp4,
            Self::Mov => MediaType::Mov,
            Self::Mkv => MediaType::Matroska,
            Self::Webm => MediaType::Webm,
            Self::Wav => MediaType::Wav,
            Self::Flac => MediaType::Flac,
            Self::Mp3 => MediaType::Mp3,
            Self::M4a => MediaType::M4a,
        }
    }

    /// Can a quality be chosen?
    pub const fn has_quality(self) -> bool {
        matches!(self, Self::Jpeg | Self::Webp)
    }

    /// The quality if none is chosen; `None` where that means lossless.
    pub const fn default_quality(self) -> Option<u8> {
        match self {
            Self::Jpeg => Some(jpeg::DEFAULT_QUALITY),
            _ => None,
        }
    }

    /// The encoder of pictures that is used with this quality; `None` if it holds none.
    pub const fn codec(self, quality: Option<u8>) -> Option<Codec> {
        Some(match self {
            Self::Png => codec::PNG_ENCODER,
            Self::Jpeg => codec::JPEG_ENCODER,
            Self::Webp if quality.is_some() => codec::WEBP_LOSSY_ENCODER,
            Self::Webp => codec::WEBP_ENCODER,
            Self::Gif => codec::GIF_ENCODER,
            Self::Tiff => codec::TIFF_ENCODER,
            Self::Bmp => codec::BMP_ENCODER,
            _ => return None,
        })
    }

    /// The longest side in pixels that it can hold.
    pub const fn side_limit(self) -> u32 {
        match self {
            Self::Webp => 16_383,
            Self::Mp4 | Self::Mov | Self::Mkv | Self::Webm => 16_384,
            Self::Jpeg | Self::Gif => 65_535,
            _ => limits::IMAGE_SIDE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_extensions_are_understood() {
        for format in Format::ALL {
            assert_eq!(Format::parse(format.name()), Some(*format));
            assert_eq!(Format::parse(&format.extension().to_uppercase()), Some(*format));
            assert!(format.accepts_extension(format.extension()));
        }
        assert_eq!(Format::parse("JPG"), Some(Format::Jpeg));
        assert_eq!(Format::parse("tif"), Some(Format::Tiff));
        assert_eq!(Format::parse("avif"), None);
        assert!(!Format::Png.accepts_extension("jpg"));
        assert_eq!((Format::Jpeg.extension(), Format::Tiff.extension()), ("jpg", "tiff"));
    }

    #[test]
    fn encoders_of_webp_are_told_apart() {
        assert_ne!(Format::Webp.codec(None), Format::Webp.codec(Some(80)));
        assert_eq!(Format::Jpeg.codec(None), Format::Jpeg.codec(Some(80)));
    }
}
