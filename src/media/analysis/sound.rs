//! The analyser of sound and what it reports.

use super::onset::Flux;
use super::spectrum::Bands;
use super::{Beats, Loudness, RATE, Spectrum, loudness};
use serde::Serialize;

/// What is known of a whole sound.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sound {
    /// Seconds.
    pub duration: f64,
    /// Tempo and beats.
    pub beats: Beats,
    /// Seconds at which sounds begin.
    pub onsets: Vec<f64>,
    /// Energy over time.
    pub energy: Energy,
    /// Bass, middle and treble over time.
    pub spectrum: Spectrum,
    /// Loudness and true peak.
    pub loudness: Loudness,
    /// Start and end in seconds of every stretch of at least 0.5 s without a
    /// sample over -60 dBFS in either channel.
    pub silence: Vec<(f64, f64)>,
}

/// Energy over time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Energy {
    /// Seconds of the middle of each window.
    pub times: Vec<f64>,
    /// Root mean square of both channels in each window, over the largest.
    pub values: Vec<f64>,
    /// Length of a window in milliseconds; the last may be shorter.
    pub window_ms: u32,
}

const WINDOW_MS: u32 = 50;
const WINDOW: usize = RATE * WINDOW_MS as usize / 1000;
/// Amplitude of -60 dBFS.
const SILENT: f32 = 0.001;
/// Samples of the shortest silence reported.
const PAUSE: usize = RATE / 2;

/// Analyses sound as it arrives, in chunks of any size. Keeps a few numbers
/// for every 5 ms, not the sound.
pub struct SoundAnalyser {
    /// A left sample whose right one has not arrived.
    left: Option<f32>,
    samples: usize,
    square_sum: f64,
    windows: Vec<f64>,
    quiet_since: usize,
    silence: Vec<(usize, usize)>,
    bands: Bands,
    flux: Flux,
    meter: loudness::Meter,
}

impl Default for SoundAnalyser {
    fn default() -> Self {
        Self::new()
    }
}

impl SoundAnalyser {
    /// An analyser that has heard nothing.
    #[must_use]
    pub fn new() -> Self {
        Self {
            left: None,
            samples: 0,
            square_sum: 0.0,
            windows: Vec::new(),
            quiet_since: 0,
            silence: Vec::new(),
            bands: Bands::new(WINDOW),
            flux: Flux::new(),
            meter: loudness::Meter::new(),
        }
    }

    /// Hears samples, left and right in turn, at 48 kHz. A chunk may end
    /// between the two; NaN and infinities count as 0.
    pub fn push(&mut self, interleaved_stereo_48k: &[f32]) {
        for &sample in interleaved_stereo_48k {
            let sample = if sample.is_finite() { sample } else { 0.0 };
            match self.left.take() {
                None => self.left = Some(sample),
                Some(left) => self.frame(left, sample),
            }
        }
    }

    fn frame(&mut self, left: f32, right: f32) {
        if left.abs() > SILENT || right.abs() > SILENT {
            self.end_silence();
            self.quiet_since = self.samples + 1;
        }
        let (left, right) = (f64::from(left), f64::from(right));
        let mono = 0.5 * (left + right);
        self.bands.push(mono);
        self.flux.push(mono);
        self.meter.push(left, right);
        self.square_sum += 0.5 * (left * left + right * right);
        self.samples += 1;
        if self.samples.is_multiple_of(WINDOW) {
            self.end_window(WINDOW);
        }
    }

    fn end_window(&mut self, length: usize) {
        self.windows.push((self.square_sum / length as f64).sqrt());
        self.square_sum = 0.0;
    }

    fn end_silence(&mut self) {
        if self.samples - self.quiet_since >= PAUSE {
            self.silence.push((self.quiet_since, self.samples));
        }
    }

    /// What was heard.
    #[must_use]
    pub fn finish(mut self) -> Sound {
        self.end_silence();
        let rest = self.samples % WINDOW;
        if rest > 0 {
            self.end_window(rest);
        }
        let at = |sample: usize| super::seconds(sample as f64 / RATE as f64);
        let times: Vec<f64> = (0..self.windows.len())
            .map(|i| {
                let end = ((i + 1) * WINDOW).min(self.samples);
                super::seconds((i * WINDOW + end) as f64 / (2 * RATE) as f64)
            })
            .collect();
        let envelope = self.flux.finish(self.samples);
        Sound {
            duration: at(self.samples),
            beats: Beats::track(&envelope),
            onsets: envelope
                .onsets
                .iter()
                .map(|onset| super::seconds(onset.time))
                .collect(),
            spectrum: self.bands.finish(&times),
            energy: Energy {
                times,
                values: super::over_maximum(&self.windows, 0.0),
                window_ms: WINDOW_MS,
            },
            loudness: self.meter.finish(),
            silence: self.silence.iter().map(|&(a, b)| (at(a), at(b))).collect(),
        }
    }
}
