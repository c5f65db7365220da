//! Films and sounds at the ports of node types: what an input is there, and how it is taken.

pub(super) mod blend;
pub(super) mod layer;
pub(super) mod resize;
pub(super) mod transform;

use crate::media::clip::convert;
pub(super) use crate::media::clip::numbered;
use crate::media::time::Rate;
use crate::media::{Clip, Facts, Kind, Loom, Pad, Pixels};
use crate::nodes::geometry::Size;

/// How long a still lasts at a port for films where nothing else says.
pub(super) const STILL_SECONDS: f64 = 5.0;

/// An input at a port for films: a film brought to a rate, or a still that lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Film {
    /// Width and height.
    pub size: Size,
    /// Frames a second, after bringing it there.
    pub rate: Rate,
    /// Frames at that rate.
    pub frames: u64,
    /// Has it a sound?
    pub sound: bool,
    /// The form of its pixels.
    pub pixels: Pixels,
    /// Its own frames, if it is no still.
    own: Option<Clip>,
}

/// The rate of the first input that is a film, else that of stills.
pub(super) fn rate_of(inputs: &[Facts]) -> Rate {
    inputs.iter().find_map(|facts| facts.clip).map_or(Rate::STILL, |clip| clip.rate)
}

/// Is one of the inputs a film?
pub(super) fn any(inputs: &[Facts]) -> bool {
    inputs.iter().any(|facts| facts.kind == Kind::Video)
}

impl Film {
    /// An input at this rate; a still lasts `still` frames.
    pub fn new(facts: &Facts, rate: Rate, still: u64) -> Self {
        let size = (facts.width, facts.height);
        match facts.clip {
            Some(clip) => Self {
                size,
                rate,
                frames: rate.frames_from(clip.frames, clip.rate),
                sound: clip.sound,
                pixels: clip.pixels,
                own: Some(clip),
            },
            None => Self { size, rate, frames: still, sound: false, pixels: Pixels::Rgba, own: None },
        }
    }

    /// The input at its own rate; a still lasts as long as stills do.
    pub fn alone(facts: &Facts) -> Self {
        let rate = rate_of(std::slice::from_ref(facts));
        Self::new(facts, rate, rate.frame_at(STILL_SECONDS))
    }

    /// Frames `from..to` in a form. Behind its end its last frame is held.
    pub fn take(&self, loom: &mut dyn Loom, input: usize, (from, to): (u64, u64), pixels: Pixels) -> Pad {
        let Some(own) = self.own else {
            return loom.still(input, self.rate, to - from, pixels);
        };
        if own.rate == self.rate && to <= self.frames {
            return loom.picture(input, from, to, pixels);
        }
        let whole = loom.picture(input, 0, own.frames, own.pixels);
        let mut filters = Vec::new();
        if own.rate != self.rate {
            filters.push(format!("fps=fps={}:round=near", self.rate));
        }
        filters.push(format!(
            "tpad=stop=-1:stop_mode=clone,trim=start_frame={from}:end_frame={to},{}",
            numbered(self.rate)
        ));
        filters.extend(convert(own.pixels, pixels));
        loom.link(&[whole], &filters.join(","))
    }

    /// The samples of its sound under frames `from..to`: as many as so many frames have.
    pub fn take_sound(&self, loom: &mut dyn Loom, input: usize, (from, to): (u64, u64)) -> Pad {
        let start = self.rate.samples_of(from);
        loom.sound(input, start, start + self.rate.samples_of(to - from))
    }
}
