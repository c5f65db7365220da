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
            onsets: envelope.onsets.iter().copied().map(super::seconds).collect(),
            spectrum: self.bands.finish(&times),
            energy: Energy { times, values: super::over_maximum(&self.windows, 0.0), window_ms: WINDOW_MS },
            loudness: self.meter.finish(),
            silence: self.silence.iter().map(|&(a, b)| (at(a), at(b))).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::signals::{drums, noise, sine, stereo};
    use super::*;

    fn analyse(samples: &[f32], chunk: usize) -> Sound {
        let mut analyser = SoundAnalyser::new();
        samples.chunks(chunk).for_each(|c| analyser.push(c));
        analyser.finish()
    }

    /// FNV-1a of the printed form, which tells all different values apart.
    fn hash(sound: &Sound) -> u64 {
        format!("{sound:?}")
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
    }

    fn mixture() -> Vec<f32> {
        let mut mono = drums(110.0, 0.1, 6.0);
        mono.extend(vec![0.0; 48_000]);
        mono.extend(sine(330.0, 0.3, 1.01));
        let mut samples = stereo(&mono);
        for (i, x) in noise(8.01, 0.1, 11).into_iter().enumerate() {
            if i > 340_000 {
                samples[2 * i + 1] += x as f32;
            }
        }
        samples
    }

    #[test]
    fn the_same_bits_everywhere() {
        assert_eq!(hash(&analyse(&mixture(), 4096)), 7_020_516_127_854_444_042);
    }

    #[test]
    fn chunks_make_no_difference() {
        let samples = mixture();
        let whole = analyse(&samples, samples.len());
        for chunk in [1, 7, 960, 4801] {
            assert_eq!(analyse(&samples, chunk), whole, "chunks of {chunk}");
        }
    }

    #[test]
    fn silence_is_found() {
        let mut mono = vec![0.0005; 24_000];
        mono.extend(sine(100.0, 0.1, 1.0));
        mono.extend(vec![0.0; 23_000]);
        mono.extend(sine(100.0, 0.1, 1.0));
        mono.extend(vec![0.0; 48_000]);
        let silence = analyse(&stereo(&mono), 1000).silence;
        // The sine's first and last samples are silent too.
        assert_eq!(silence.len(), 2, "{silence:?}");
        assert!(silence[0].0.abs() < 1e-9 && (silence[0].1 - 0.5).abs() < 0.002);
        assert!((silence[1].0 - 2.979).abs() < 0.002 && (silence[1].1 - 3.979).abs() < 0.002);
    }

    #[test]
    fn energy_over_its_maximum() {
        let mut mono = sine(1000.0, 0.5, 0.5);
        mono.extend(sine(1000.0, 0.25, 0.51));
        let sound = analyse(&stereo(&mono), 512);
        let energy = sound.energy;
        assert_eq!(energy.values.len(), 21);
        assert!((energy.values[3] - 1.0).abs() < 1e-9);
        assert!((energy.values[15] - 0.5).abs() < 1e-3);
        assert!((energy.times[1] - 0.075).abs() < 1e-9);
        assert!((energy.times[20] - 1.005).abs() < 1e-9);
        assert!((sound.duration - 1.01).abs() < 1e-9);
        assert_eq!(sound.spectrum.times, energy.times);
    }

    #[test]
    fn odd_samples_are_harmless() {
        let odd = [f32::NAN, f32::INFINITY, f32::MAX, f32::MIN, f32::MIN_POSITIVE];
        let samples: Vec<f32> = odd.iter().copied().cycle().take(100_001).collect();
        let sound = analyse(&samples, 333);
        assert!(sound.energy.values.iter().all(|v| v.is_finite()));
        assert!(sound.loudness.true_peak_dbtp.is_some_and(f64::is_finite));
        let nan = analyse(&vec![f32::NAN; 96_000], 960);
        assert_eq!(nan, analyse(&vec![0.0; 96_000], 960));
        assert_eq!(nan.silence, [(0.0, 1.0)]);
        for length in [0, 1, 2, 3] {
            let _ = analyse(&vec![1.0; length], 1);
        }
    }
}
