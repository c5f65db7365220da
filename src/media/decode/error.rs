//! Why a picture could not be decoded.

use image::ImageError;

use crate::base::limits;
use crate::media::sniff::MediaType;

/// Why a picture could not be decoded, and what can be done about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes are something else.
    #[error("this is no picture but {}", .0.name())]
    NotAPicture(MediaType),
    /// A picture in a format without a decoder.
    #[error("{} pictures cannot be decoded; convert it to PNG first", .0.name())]
    UnknownFormat(MediaType),
    /// A kind of picture that the format has and the decoder has not.
    #[error("this kind of {} picture cannot be decoded ({what}); convert it to PNG first", .media_type.name())]
    UnknownKind {
        /// The format.
        media_type: MediaType,
        /// What the decoder does not know.
        what: String,
    },
    /// More pixels, or a longer side, than a picture may have.
    #[error(
        "the picture is {width}x{height}, and a picture has at most {} pixels and no side over {}; scale it down first",
        limits::IMAGE_PIXELS,
        limits::IMAGE_SIDE
    )]
    TooLarge {
        /// Width that the header gives.
        width: u64,
        /// Height that the header gives.
        height: u64,
    },
    /// Decoding takes more memory than it may.
    #[error(
        "decoding this {} picture would take more than {} MiB of memory beside the picture; convert it to 8-bit PNG first",
        .media_type.name(),
        limits::DECODER_BYTES >> 20
    )]
    TooMuchMemory {
        /// The format.
        media_type: MediaType,
    },
    /// The bytes break the rules of their format.
    #[error("this {} picture is damaged: {what}; save or upload it again", .media_type.name())]
    Damaged {
        /// The format.
        media_type: MediaType,
        /// What is wrong.
        what: String,
    },
    /// A stored picture is not what the store writes.
    #[error("a stored picture is not in the stored form, which is an 8-bit RGBA PNG: {what}")]
    NotStored {
        /// What it is instead.
        what: String,
    },
}

impl DecodeError {
    /// What is wrong with a file of this format.
    pub(super) fn damaged(media_type: MediaType, what: impl std::fmt::Display) -> Self {
        Self::Damaged { media_type, what: sentence(&what.to_string()) }
    }

    /// The error of a decoder.
    pub(super) fn of_decoder(media_type: MediaType, error: ImageError) -> Self {
        match error {
            ImageError::Unsupported(error) => {
                Self::UnknownKind { media_type, what: sentence(&inner(&error, &error.to_string())) }
            }
            ImageError::Limits(_) => Self::TooMuchMemory { media_type },
            ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                Self::damaged(media_type, "it ends early")
            }
            ImageError::IoError(error) => Self::damaged(media_type, error),
            ImageError::Decoding(error) => Self::damaged(media_type, inner(&error, "its data make no sense")),
            error => Self::damaged(media_type, error),
        }
    }
}

/// The innermost reason, which is the one that says something.
fn inner(error: &dyn std::error::Error, without: &str) -> String {
    let mut reason = None;
    let mut next = error.source();
    while let Some(found) = next {
        reason = Some(found.to_string());
        next = found.source();
    }
    reason.unwrap_or_else(|| without.to_owned())
}

/// Made fit to stand inside of a sentence, and short.
fn sentence(text: &str) -> String {
    const LONGEST: usize = 160;
    let line = text.lines().next().unwrap_or_default().trim().trim_end_matches('.');
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_say_what_to_do() {
        assert_eq!(
            DecodeError::UnknownFormat(MediaType::Avif).to_string(),
            "AVIF pictures cannot be decoded; convert it to PNG first"
        );
        assert_eq!(
            DecodeError::TooLarge { width: 50_000, height: 50_000 }.to_string(),
            "the picture is 50000x50000, and a picture has at most 268435456 pixels and no side over 65535; scale it down first"
        );
        assert_eq!(
            DecodeError::damaged(MediaType::Png, "It ends.\nbadly").to_string(),
            "this PNG picture is damaged: It ends; save or upload it again"
        );
        assert_eq!(sentence(&"ä".repeat(400)).chars().count(), 161);
    }
}
