//! What is known of a value without looking at its pixels or samples, so that planning is pure.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::media::sniff::MediaType;
use crate::media::source_clip::SourceClip;
use crate::media::time::{Rate, SAMPLE_RATE};

/// The kinds of value that nodes exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A picture.
    Image,
    /// Frames at a constant rate, with or without a sound.
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFacts {
    /// What the bytes are, by our own sniffing.
    pub media_type: MediaType,
    /// Upright width and height in pixels, if the file is a picture that can be decoded.
    pub size: Option<(u32, u32)>,
    /// Has it more than one frame?
    pub animated: bool,
    /// What ffmpeg's look at it told, if it is a film or a sound.
    pub clip: Option<Arc<SourceClip>>,
}

impl SourceFacts {
    /// What a look at the bytes alone told.
    pub const fn of_bytes(media_type: MediaType, size: Option<(u32, u32)>, animated: bool) -> Self {
        Self { media_type, size, animated, clip: None }
    }
}

/// How a value is held where a node takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// The bytes of a source (or `identity` of one): the consumer decodes them.
    Blob(SourceFacts),
    /// A decoded value (kept, if at all, in the stored form of its kind).
    Value,
}

/// How the pixels of a film are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Pixels {
    /// 8-bit 4:2:0, BT.709, limited range, left siting: from sources, generators and filters.
    Yuv420,
    /// 8-bit RGBA, straight alpha: after a native effect, and from sources with alpha.
    Rgba,
}

/// What has time: the frames of a film.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clip {
    /// Frames a second.
    pub rate: Rate,
    /// Frames, at least 1.
    pub frames: u64,
    /// How its pixels are held.
    pub pixels: Pixels,
    /// Has it a sound (of [`Rate::samples_of`] its frames)?
    pub sound: bool,
}

/// What planning knows of a node's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The kind of value.
    pub kind: Kind,
    /// Width in pixels; 0 where the kind has none.
    pub width: u32,
    /// Height in pixels; 0 where the kind has none.
    pub height: u32,
    /// The frames of a film; `None` for every other kind.
    pub clip: Option<Clip>,
    /// Samples of each channel of a sound, or of a film's sound; 0 where there is none.
    pub samples: u64,
    /// Bytes or a decoded value?
    pub form: Form,
    /// The value itself, of data that what is after it is planned by.
    pub data: Option<Arc<Value>>,
}

impl Facts {
    /// A decoded picture of this size.
    pub const fn image(width: u32, height: u32) -> Self {
        Self { kind: Kind::Image, width, height, clip: None, samples: 0, form: Form::Value, data: None }
    }

    /// A film of this size.
    pub fn video(width: u32, height: u32, clip: Clip) -> Self {
        let samples = if clip.sound { clip.rate.samples_of(clip.frames) } else { 0 };
        Self { kind: Kind::Video, width, height, clip: Some(clip), samples, form: Form::Value, data: None }
    }

    /// A sound of so many samples of each channel.
    pub const fn audio(samples: u64) -> Self {
        Self { kind: Kind::Audio, width: 0, height: 0, clip: None, samples, form: Form::Value, data: None }
    }

    /// Canonical JSON.
    pub const fn data() -> Self {
        Self { kind: Kind::Data, width: 0, height: 0, clip: None, samples: 0, form: Form::Value, data: None }
    }

    /// A file that holds what these facts are of.
    #[must_use]
    pub fn as_file(&self, media_type: MediaType) -> Self {
        let size = (self.width > 0).then_some((self.width, self.height));
        let form = Form::Blob(SourceFacts::of_bytes(media_type, size, false));
        Self { kind: Kind::Bytes, form, ..self.clone() }
    }

    /// A source.
    pub fn source(facts: SourceFacts) -> Self {
        let known = facts.clip.as_deref().and_then(SourceClip::facts);
        let known = known.unwrap_or_else(|| match facts.size {
            Some((width, height)) => Self::image(width, height),
            None => Self { kind: Kind::Bytes, ..Self::data() },
        });
        Self { form: Form::Blob(facts), ..known }
    }

    /// A film as its first frame alone, for what takes pictures.
    #[must_use]
    pub fn as_still(&self) -> Option<Self> {
        match &self.form {
            Form::Blob(source) if self.kind == Kind::Video => {
                let (width, height) = source.size?;
                Some(Self { form: self.form.clone(), ..Self::image(width, height) })
            }
            _ => None,
        }
    }

    /// Pixels of the value: of one frame, where there are several.
    pub const fn pixels(&self) -> u64 {
        self.width as u64 * self.height as u64
    }

    /// Frames: 1 of what has none.
    pub fn frames(&self) -> u64 {
        self.clip.map_or(1, |clip| clip.frames)
    }

    /// Has it a sound?
    pub const fn has_sound(&self) -> bool {
        self.samples > 0
    }

    /// Does it go on in time?
    pub const fn has_time(&self) -> bool {
        matches!(self.kind, Kind::Video | Kind::Audio)
    }

    /// Seconds that it lasts, for people and estimates.
    pub fn seconds(&self) -> f64 {
        match self.clip {
            Some(clip) => clip.rate.seconds(clip.frames),
            None => self.samples as f64 / SAMPLE_RATE as f64,
        }
    }
}
