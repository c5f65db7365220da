//! Deterministic analysis of decoded sound and film frames.
//!
//! The results are named by their content hash, so the same input must give
//! the same bits on every machine. All arithmetic is plain IEEE 754 double
//! precision in a fixed order; transcendental functions come from [`libm`],
//! never from the platform; square roots are correctly rounded by IEEE 754.
//! Every reported number is rounded: seconds to 3 decimals, values of 0 to 1
//! to 4, loudness and tempo to 2.
//!
//! * [`SoundAnalyser`] takes interleaved stereo at 48 kHz, in chunks of any
//!   size, and gives a [`Sound`]: beats, onsets, energy, spectrum, loudness
//!   and silence.
//! * [`SceneAnalyser`] takes luma planes and gives [`Scenes`]: scene changes
//!   and the tempo of the motion.
#![allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss)]

mod beats;
mod fft;
mod grooves;
mod loudness;
mod meter;
mod onset;
mod periodicity;
mod scenes;
#[cfg(test)]
mod signals;
mod sound;
mod spectrum;

pub use beats::Beats;
pub use loudness::Loudness;
pub use scenes::{SceneAnalyser, Scenes};
pub use sound::{Energy, Sound, SoundAnalyser};
pub use spectrum::Spectrum;

/// Frames (pairs of samples) per second of the analysed sound.
const RATE: usize = 48_000;

/// Rounds to a number of decimals given as a power of ten; never gives -0.
fn round_to(value: f64, power: f64) -> f64 {
    (value * power).round() / power + 0.0
}

/// Seconds, to 3 decimals.
fn seconds(value: f64) -> f64 {
    round_to(value, 1000.0)
}

/// A value of 0 to 1, to 4 decimals.
fn unit(value: f64) -> f64 {
    round_to(value.clamp(0.0, 1.0), 10_000.0)
}

/// Loudness or tempo, to 2 decimals.
fn hundredths(value: f64) -> f64 {
    round_to(value, 100.0)
}

/// Every value over the largest, rounded; all 0 where none exceeds `floor`.
fn over_maximum(values: &[f64], floor: f64) -> Vec<f64> {
    let maximum = values.iter().copied().fold(0.0, f64::max);
    if maximum <= floor {
        return vec![0.0; values.len()];
    }
    values.iter().map(|v| unit(v / maximum)).collect()
}
