//! The strength of three bands over time.

use super::fft::{Framer, PowerSpectrum};
use serde::Serialize;

/// Strength of three frequency bands, each over its own maximum (0 to 1), from
/// Hann-windowed 4096-sample transforms of the mean of both channels.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spectrum {
    /// Amplitude of 20 to 200 Hz.
    pub bass: Vec<f64>,
    /// Amplitude of 200 to 2000 Hz.
    pub mid: Vec<f64>,
    /// Amplitude of 2000 to 20000 Hz.
    pub high: Vec<f64>,
    /// Seconds at which each value is centred; those of the energy.
    pub times: Vec<f64>,
}

const SIZE: usize = 4096;
const EDGES: [f64; 4] = [20.0, 200.0, 2000.0, 20_000.0];
/// A band that never reaches -100 dBFS counts as silent throughout.
const FLOOR: f64 = 1e-5;

/// Follows the bands as samples arrive; keeps three values per window.
pub struct Bands {
    transform: PowerSpectrum,
    framer: Framer,
    edges: [usize; 4],
    values: [Vec<f64>; 3],
}

impl Bands {
    /// Values in the middle of every `window` samples.
    pub fn new(window: usize) -> Self {
        let bin = |f: f64| (f * SIZE as f64 / super::RATE as f64).ceil() as usize;
        Self {
            transform: PowerSpectrum::new(SIZE),
            framer: Framer::new(SIZE, window, window / 2),
            edges: EDGES.map(bin),
            values: [Vec::new(), Vec::new(), Vec::new()],
        }
    }

    pub fn push(&mut self, sample: f64) {
        let Some(frame) = self.framer.push(sample) else {
            return;
        };
        let power = self.transform.power(frame);
        for (values, edge) in self.values.iter_mut().zip(self.edges.windows(2)) {
            let sum: f64 = power[edge[0]..edge[1]].iter().sum();
            values.push(sum.sqrt());
        }
        self.framer.advance();
    }

    /// One value of each band for each of `times`.
    pub fn finish(mut self, times: &[f64]) -> Spectrum {
        while self.values[0].len() < times.len() {
            self.push(0.0);
        }
        let [bass, mid, high] = self.values.map(|mut values| {
            values.truncate(times.len());
            super::over_maximum(&values, FLOOR)
        });
        Spectrum { bass, mid, high, times: times.to_vec() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::signals::sine;
    use super::*;

    #[test]
    fn bands_tell_tones_apart() {
        let mut bands = Bands::new(2400);
        for frequency in [100.0, 600.0, 5000.0] {
            for x in sine(frequency, 0.5, 1.0) {
                bands.push(x);
            }
        }
        let times: Vec<f64> = (0..60).map(|i| 0.025 + 0.05 * f64::from(i)).collect();
        let found = bands.finish(&times);
        for i in 0..60 {
            // The transform of 85 ms straddles the changes of tone.
            if matches!(i % 20, 1..=18) {
                let values = [found.bass[i], found.mid[i], found.high[i]];
                for (band, value) in values.into_iter().enumerate() {
                    let expected = if band == i / 20 { 1.0 } else { 0.0 };
                    assert!((value - expected).abs() < 0.02, "{i} {values:?}");
                }
            }
        }
        assert_eq!(found.times, times);
    }

    #[test]
    fn silence_is_zero() {
        let mut bands = Bands::new(2400);
        (0..9600).for_each(|_| bands.push(0.0));
        assert_eq!(bands.finish(&[0.0; 4]).mid, [0.0; 4]);
        assert!(Bands::new(2400).finish(&[]).bass.is_empty());
    }
}
