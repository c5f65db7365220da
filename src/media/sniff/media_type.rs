//! The media types that are told apart.

use std::fmt;

use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! media_types {
    ($($(#[$doc:meta])* $variant:ident => $name:literal, $mime:literal, $extension:literal;)+) => {
        /// What a file is.
        ///
        /// The order of the variants is a storage format: new ones are only ever appended, and
        /// none is removed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum MediaType {
            $($(#[$doc])* $variant,)+
        }

        impl MediaType {
            /// Every media type, in the order of the storage format.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// (name in sentences, MIME type, usual extension)
            const fn words(self) -> (&'static str, &'static str, &'static str) {
                match self {
                    $(Self::$variant => ($name, $mime, $extension),)+
                }
            }
        }
    };
}

media_types! {
    /// Bytes that no rule knows.
    Octet => "unknown data", "application/octet-stream", "bin";
    /// Text without a form of its own.
    Text => "text", "text/plain", "txt";
    /// PNG, animated or not.
    Png => "PNG", "image/png", "png";
    /// JPEG.
    Jpeg => "JPEG", "image/jpeg", "jpg";
    /// GIF, animated or not.
    Gif => "GIF", "image/gif", "gif";
    /// WebP, animated or not.
    Webp => "WebP", "image/webp", "webp";
    /// TIFF and `BigTIFF`.
    Tiff => "TIFF", "image/tiff", "tiff";
    /// Windows bitmap.
    Bmp => "BMP", "image/bmp", "bmp";
    /// AVIF.
    Avif => "AVIF", "image/avif", "avif";
    /// HEIF pictures in HEVC.
    Heic => "HEIC", "image/heic", "heic";
    /// JPEG XL.
    Jxl => "JPEG XL", "image/jxl", "jxl";
    /// SVG, which a browser may run.
    Svg => "SVG", "image/svg+xml", "svg";
    /// JPEG 2000.
    Jp2 => "JPEG 2000", "image/jp2", "jp2";
    /// Photoshop document.
    Psd => "Photoshop", "image/vnd.adobe.photoshop", "psd";
    /// `OpenEXR`.
    Exr => "OpenEXR", "image/x-exr", "exr";
    /// Radiance picture.
    Hdr => "Radiance HDR", "image/vnd.radiance", "hdr";
    /// Windows icon.
    Ico => "icon", "image/vnd.microsoft.icon", "ico";
    /// MPEG-4 and its kin.
    Mp4 => "MP4", "video/mp4", "mp4";
    /// `QuickTime`.
    Mov => "QuickTime", "video/quicktime", "mov";
    /// Matroska.
    Matroska => "Matroska", "video/x-matroska", "mkv";
    /// `WebM`.
    Webm => "WebM", "video/webm", "webm";
    /// AVI.
    Avi => "AVI", "video/x-msvideo", "avi";
    /// MPEG transport stream.
    MpegTs => "MPEG transport stream", "video/mp2t", "ts";
    /// MPEG programme stream.
    MpegPs => "MPEG programme stream", "video/mpeg", "mpg";
    /// Flash video.
    Flv => "Flash video", "video/x-flv", "flv";
    /// Windows Media.
    Asf => "Windows Media", "video/x-ms-asf", "asf";
    /// WAV, also the 64-bit kind.
    Wav => "WAV", "audio/wav", "wav";
    /// FLAC.
    Flac => "FLAC", "audio/flac", "flac";
    /// MPEG audio.
    Mp3 => "MP3", "audio/mpeg", "mp3";
    /// Ogg with any stream in it.
    Ogg => "Ogg", "application/ogg", "ogg";
    /// AAC without a container.
    Aac => "AAC", "audio/aac", "aac";
    /// Sound in MPEG-4.
    M4a => "MPEG-4 audio", "audio/mp4", "m4a";
    /// AIFF.
    Aiff => "AIFF", "audio/aiff", "aiff";
    /// MIDI.
    Midi => "MIDI", "audio/midi", "mid";
    /// PDF.
    Pdf => "PDF", "application/pdf", "pdf";
    /// A page, or what a browser might take for one.
    Html => "HTML", "text/html", "html";
    /// XML of another kind.
    Xml => "XML", "application/xml", "xml";
    /// JSON.
    Json => "JSON", "application/json", "json";
    /// Text that names other files to be played (HLS, DASH, ffconcat, SDP, PLS and their like).
    /// Its MIME type is one that nothing runs.
    Playlist => "playlist", "application/vnd.artdag.playlist", "txt";
    /// ZIP, also the documents that are kept as one.
    Zip => "ZIP", "application/zip", "zip";
    /// gzip.
    Gzip => "gzip", "application/gzip", "gz";
    /// A WebAssembly module.
    Wasm => "WebAssembly", "application/wasm", "wasm";
    /// A font.
    Font => "font", "font/sfnt", "otf";
    /// A glTF scene in one file.
    Glb => "glTF", "model/gltf-binary", "glb";
}

impl MediaType {
    /// Its name in sentences: `PNG`, `MP4`, `text`.
    pub const fn name(self) -> &'static str {
        self.words().0
    }

    /// Its MIME type; no two media types share one.
    pub const fn mime(self) -> &'static str {
        self.words().1
    }

    /// Its usual extension, without the dot.
    pub const fn extension(self) -> &'static str {
        self.words().2
    }

    /// The media type of a MIME type as [`mime`](Self::mime) gives it.
    pub fn from_mime(mime: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|media_type| media_type.mime() == mime)
    }

    /// Is it a still picture, or one in motion that is commonly taken for one, whether or not
    /// it can be decoded?
    pub fn is_picture(self) -> bool {
        self.mime().starts_with("image/")
    }
}

/// The MIME type.
impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.mime())
    }
}

/// In text the MIME type; in a storage format one byte, the place of the variant.
impl Serialize for MediaType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(self.mime())
        } else {
            serializer.serialize_u8(*self as u8)
        }
    }
}

impl<'de> Deserialize<'de> for MediaType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let mime = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
            Self::from_mime(&mime)
                .ok_or_else(|| D::Error::invalid_value(Unexpected::Str(&mime), &"a MIME type of this program"))
        } else {
            let place = u8::deserialize(deserializer)?;
            Self::ALL
                .get(usize::from(place))
                .copied()
                .ok_or_else(|| D::Error::invalid_value(Unexpected::Unsigned(u64::from(place)), &"a media type"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_storage_never_change() {
        let known = [
            (MediaType::Octet, 0),
            (MediaType::Png, 2),
            (MediaType::Bmp, 7),
            (MediaType::Svg, 11),
            (MediaType::Mp4, 17),
            (MediaType::Wav, 26),
            (MediaType::Playlist, 38),
            (MediaType::Glb, 43),
        ];
        for (media_type, place) in known {
            assert_eq!(media_type as u8, place, "{media_type:?}");
        }
        assert!(MediaType::ALL.iter().enumerate().all(|(place, media_type)| *media_type as usize == place));
    }

    #[test]
    fn both_forms_come_back() {
        let config = bincode::config::standard();
        for media_type in MediaType::ALL {
            let bytes = bincode::serde::encode_to_vec(media_type, config).unwrap();
            assert_eq!(bytes, [*media_type as u8]);
            let (back, _): (MediaType, usize) = bincode::serde::decode_from_slice(&bytes, config).unwrap();
            assert_eq!(back, *media_type);
            let text = serde_json::to_string(media_type).unwrap();
            assert_eq!(text, format!("\"{media_type}\""));
            assert_eq!(serde_json::from_str::<MediaType>(&text).unwrap(), *media_type);
        }
        assert!(bincode::serde::decode_from_slice::<MediaType, _>(&[200], config).is_err());
        assert!(serde_json::from_str::<MediaType>("\"image/x-unheard-of\"").is_err());
    }

    #[test]
    fn no_mime_type_is_shared() {
        for (place, media_type) in MediaType::ALL.iter().enumerate() {
            assert_eq!(MediaType::from_mime(media_type.mime()), Some(*media_type), "{place}");
        }
    }
}
