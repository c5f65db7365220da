//! What ffmpeg's one look at a film or a sound told: kept as data, so that planning and lowering
//! never look again.

use serde::{Deserialize, Serialize};

use crate::media::facts::{Clip, Facts, Pixels};
use crate::media::time::Rate;

/// A source with time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceClip {
    /// Its film, if it has one.
    pub picture: Option<SourcePicture>,
    /// Its sound, if it has one.
    pub sound: Option<SourceSound>,
}

/// The first film of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a property of its own that a file has or has not")]
pub struct SourcePicture {
    /// The stream's place in the file.
    pub stream: u32,
    /// The codec, as ffmpeg calls it.
    pub codec: String,
    /// The form of its pixels, as ffmpeg calls it.
    pub pixel_format: String,
    /// Width of the upright picture of square pixels.
    pub width: u32,
    /// Its height.
    pub height: u32,
    /// Frames a second.
    pub rate: Rate,
    /// Frames of the value.
    pub frames: u64,
    /// A tick of its timestamps in seconds, as a fraction.
    pub tick: (u32, u32),
    /// The timestamp of time 0.
    pub zero: i64,
    /// Quarter turns clockwise that make it upright.
    pub turns: u8,
    /// Must it be scaled to square pixels?
    pub stretched: bool,
    /// Whose matrix its colours use.
    pub matrix: Matrix,
    /// Do its values use all of the range?
    pub full_range: bool,
    /// How light becomes a number.
    pub transfer: Transfer,
    /// Are its frames made of fields?
    pub interlaced: bool,
    /// Has it alpha?
    pub alpha: bool,
    /// Timestamps of the frames at which decoding can begin, ascending.
    pub keyframes: Vec<i64>,
    /// Can reading begin in the middle of the file?
    pub seekable: bool,
}

/// The first sound of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceSound {
    /// The stream's place in the file.
    pub stream: u32,
    /// The codec, as ffmpeg calls it.
    pub codec: String,
    /// Channels in the file.
    pub channels: u32,
    /// A tick of its timestamps in seconds, as a fraction.
    pub tick: (u32, u32),
    /// The timestamp of time 0.
    pub zero: i64,
    /// Samples of the value, if the source is a sound.
    pub samples: u64,
}

/// The matrix between RGB and YCbCr (ITU-T H.273).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Matrix {
    /// ITU-R BT.601.
    Bt601,
    /// ITU-R BT.709.
    Bt709,
    /// ITU-R BT.2020, not constant luminance.
    Bt2020,
    /// SMPTE 240M.
    Smpte240,
    /// FCC.
    Fcc,
    /// None: it is RGB.
    Rgb,
}

impl Matrix {
    /// As ffmpeg's `scale` calls it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Bt601 => "bt601",
            Self::Bt709 | Self::Rgb => "bt709",
            Self::Bt2020 => "bt2020",
            Self::Smpte240 => "smpte240m",
            Self::Fcc => "fcc",
        }
    }
}

/// How light becomes a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Transfer {
    /// For a display of usual brightness.
    Sdr,
    /// Perceptual quantizer (SMPTE ST 2084).
    Pq,
    /// Hybrid log-gamma (ARIB STD-B67).
    Hlg,
}

impl SourceClip {
    /// What planning knows of it: a film with or without sound, or a sound; `None` if it has neither.
    pub fn facts(&self) -> Option<Facts> {
        match (&self.picture, &self.sound) {
            (Some(picture), sound) => {
                let pixels = if picture.alpha { Pixels::Rgba } else { Pixels::Yuv420 };
                let clip = Clip { rate: picture.rate, frames: picture.frames, pixels, sound: sound.is_some() };
                Some(Facts::video(picture.width, picture.height, clip))
            }
            (None, Some(sound)) => Some(Facts::audio(sound.samples)),
            (None, None) => None,
        }
    }
}

impl SourcePicture {
    /// The frame of the value that is shown at a timestamp: the nearest.
    pub fn frame_of(&self, pts: i64) -> u64 {
        let ticks = i128::from(pts - self.zero) * i128::from(self.tick.0) * i128::from(self.rate.num());
        let den = i128::from(self.tick.1) * i128::from(self.rate.den());
        let frame = (2 * ticks + den).div_euclid(2 * den);
        u64::try_from(frame).unwrap_or(0).min(self.frames.saturating_sub(1))
    }
}
