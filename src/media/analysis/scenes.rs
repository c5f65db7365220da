//! Scene changes and the tempo of motion, from luma planes.

use super::periodicity::{FASTEST, SLOWEST, autocorrelation, peaks, prior, smooth};
use serde::Serialize;

/// What is known of the frames of a film.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scenes {
    /// Seconds of each frame that begins a scene.
    pub scene_changes: Vec<f64>,
    /// Period of the motion in beats per minute, 40 to 240; 0 if none.
    pub motion_tempo: f64,
}

/// The score over which a frame begins a scene.
const CHANGE: f64 = 0.3;
/// The least correlation of a periodic motion.
const LEAST: f64 = 0.4;

/// Compares frames as they arrive; keeps one number per frame.
pub struct SceneAnalyser {
    last: Option<Vec<u8>>,
    size: usize,
    /// Mean absolute difference of each frame from the one before, 0 to 255.
    differences: Vec<f64>,
}

impl SceneAnalyser {
    /// An analyser of frames of this size in pixels.
    #[must_use]
    pub fn new(width: usize, height: usize) -> Self {
        Self { last: None, size: width.saturating_mul(height), differences: Vec::new() }
    }

    /// Sees the luma plane of a frame, without padding. Missing pixels count
    /// as black, surplus ones are not looked at.
    pub fn push(&mut self, luma: &[u8]) {
        let luma = &luma[..luma.len().min(self.size)];
        let Some(last) = &mut self.last else {
            self.last = Some(luma.to_vec());
            self.differences.push(0.0);
            return;
        };
        let length = last.len().max(luma.len());
        last.resize(length, 0);
        let common: u64 = last.iter().zip(luma).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
        let missing: u64 = last[luma.len()..].iter().map(|a| u64::from(*a)).sum();
        last.clear();
        last.extend_from_slice(luma);
        self.differences.push((common + missing) as f64 / self.size.max(1) as f64);
    }

    /// What was seen, at a rate of `rate_num / rate_den` frames per second.
    /// Nothing has a time where either is 0.
    #[must_use]
    pub fn finish(self, rate_num: u32, rate_den: u32) -> Scenes {
        if rate_num == 0 || rate_den == 0 {
            return Scenes { scene_changes: Vec::new(), motion_tempo: 0.0 };
        }
        let frame = f64::from(rate_den) / f64::from(rate_num);
        let scene_changes = self
            .differences
            .windows(2)
            .enumerate()
            .filter(|(_, w)| w[1].min((w[1] - w[0]).abs()) / 100.0 > CHANGE)
            .map(|(i, _)| super::seconds((i + 1) as f64 * frame))
            .collect();
        Scenes { scene_changes, motion_tempo: tempo(&self.differences, frame).map_or(0.0, super::hundredths) }
    }
}

/// The tempo of a series of differences, `frame` seconds apart.
fn tempo(differences: &[f64], frame: f64) -> Option<f64> {
    let (shortest, longest) = (60.0 / FASTEST / frame, 60.0 / SLOWEST / frame);
    // The first frame has no difference. Periods are measured over up to 16
    // of their multiples.
    let moving = smooth(differences.get(1..)?, 1.0);
    let most = (16.0 * longest) as usize;
    let correlation = autocorrelation(&moving, most.min(moving.len() / 2));
    let found = peaks(&correlation, shortest.max(2.0), longest);
    let highest = found.iter().map(|p| p.height).fold(0.0, f64::max);
    if highest < LEAST {
        return None;
    }
    let weight = |lag: f64| prior(60.0 / (lag * frame));
    let best = found.iter().filter(|p| p.height >= LEAST.max(0.8 * highest)).max_by(|a, b| {
        // Of a period and its multiples, the shortest.
        (weight(a.lag) / a.lag).total_cmp(&(weight(b.lag) / b.lag))
    })?;
    let mut period = best.lag;
    let mut multiple = 2.0;
    while multiple * period + 2.0 < correlation.len() as f64 {
        let about = multiple * period;
        let near = peaks(&correlation, about - 2.0, about + 2.0);
        if let Some(peak) = near.iter().max_by(|a, b| a.height.total_cmp(&b.height)) {
            period = peak.lag / multiple;
        }
        multiple *= 2.0;
    }
    Some(60.0 / (period * frame))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn film(frames: usize, luma: impl Fn(usize) -> u8) -> SceneAnalyser {
        let mut analyser = SceneAnalyser::new(8, 4);
        for n in 0..frames {
            analyser.push(&[luma(n); 32]);
        }
        analyser
    }

    #[test]
    fn cuts_are_found() {
        let scenes = film(100, |n| if (25..60).contains(&n) { 200 } else { 20 });
        assert_eq!(scenes.finish(25, 1).scene_changes, [1.0, 2.4]);
    }

    #[test]
    fn slow_changes_are_no_cuts() {
        let scenes = film(100, |n| (n * 2) as u8).finish(30_000, 1001);
        assert!(scenes.scene_changes.is_empty());
        assert!(scenes.motion_tempo.abs() < 1e-9);
    }

    #[test]
    fn flashes_have_a_tempo() {
        for (bpm, rate) in [(120.0, 25u32), (90.0, 30), (100.0, 24), (150.0, 60)] {
            let scenes = film(rate as usize * 20, |n| {
                let beats = n as f64 / f64::from(rate) * bpm / 60.0;
                (60.0 * libm::exp(-4.0 * beats.fract())) as u8
            });
            let found = scenes.finish(rate, 1).motion_tempo;
            assert!((found / bpm - 1.0).abs() < 0.02, "{found} for {bpm}");
        }
    }

    #[test]
    fn odd_input_is_harmless() {
        let mut analyser = SceneAnalyser::new(2, 2);
        analyser.push(&[]);
        analyser.push(&[255; 9]);
        analyser.push(&[255; 2]);
        assert_eq!(analyser.differences, [0.0, 255.0, 127.5]);
        let _ = analyser.finish(0, 0);
        let mut empty = SceneAnalyser::new(0, 0);
        empty.push(&[1]);
        empty.push(&[2]);
        assert!(empty.finish(25, 1).scene_changes.is_empty());
    }
}
