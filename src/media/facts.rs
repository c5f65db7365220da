//! What is known of a value without looking at its pixels, so that planning is pure.

use serde::{Deserialize, Serialize};

use crate::media::sniff::MediaType;

/// The kinds of value that nodes exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A picture.
    Image,
    /// Frames at a constant rate.
    Video,
    /// Samples.
    Audio,
    /// Canonical JSON.
    Data,
    /// Bytes that are no media: only `identity` takes them.
    Bytes,
}

impl Kind {
    /// The kind in one word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Data => "data",
            Self::Bytes => "bytes",
        }
    }
}

/// What one look at a source file told: kept as data beside its blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFacts {
    /// What the bytes are, by our own sniffing.
    pub media_type: MediaType,
    /// Upright width and height in pixels, if the file is a picture that can be decoded.
    pub size: Option<(u32, u32)>,
    /// Has it more than one frame?
    pub animated: bool,
}

/// How a value is held where a node takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The bytes of a source (or `identity` of one): the consumer decodes them.
    Blob(SourceFacts),
    /// A decoded value (kept, if at all, in the stored form of its kind).
    Value,
}

/// What planning knows of a node's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// The kind of value.
    pub kind: Kind,
    /// Width in pixels; 0 where the kind has none.
    pub width: u32,
    /// Height in pixels; 0 where the kind has none.
    pub height: u32,
    /// Bytes or a decoded value?
    pub form: Form,
}

impl Facts {
    /// A decoded picture of this size.
    pub const fn image(width: u32, height: u32) -> Self {
        Self { kind: Kind::Image, width, height, form: Form::Value }
    }

    /// A source.
    pub const fn source(facts: SourceFacts) -> Self {
        match facts.size {
            Some((width, height)) => Self { kind: Kind::Image, width, height, form: Form::Blob(facts) },
            None => Self { kind: Kind::Bytes, width: 0, height: 0, form: Form::Blob(facts) },
        }
    }

    /// Pixels of the value.
    pub const fn pixels(&self) -> u64 {
        self.width as u64 * self.height as u64
    }
}
