//! The onset envelope: how much sound begins at every moment.
//!
//! Spectral flux of compressed log-spaced bands against the largest of the
//! neighbouring bands a little earlier (S. Böck and G. Widmer, *Maximum filter
//! vibrato suppression for onset detection*, `DAFx` 2013), taken separately in
//! the bass, middle and treble so that drums of each weigh the same. Beside it
//! stand the blows: how much louder the range of the bass drum or that of the
//! snare drum becomes, which tells these from a hat however clear its onset is
//! (M. Goto, *An Audio-based Real-time Beat Tracking System for Music With or
//! Without Drum-sounds*, Journal of New Music Research 30(2), 2001). A snare
//! drum is told from a loud hat by what is left of it a moment later.

use super::fft::{Framer, PowerSpectrum};
use super::periodicity::parabola;

/// Samples between two values of the envelope, 5 ms.
pub const HOP: usize = 240;
/// Seconds between two values of the envelope.
pub const STEP: f64 = HOP as f64 / super::RATE as f64;
const SIZE: usize = 2048;
/// Hops back to the frame compared with: just under half a frame, so that the
/// flux of a click peaks when it is in the middle of the newer frame.
const LAG: usize = 4;
/// Amplitude over which the compression is logarithmic: -60 dBFS.
const KNEE: f64 = 1e-3;
const GROUPS: usize = 3;
/// Bass drum and snare drum.
const BLOWS: usize = 2;
/// Above most of a bass drum and below the tone of a snare drum, in Hz.
const BASS_DRUM: f64 = 120.0;
/// Above most of the knock of a bass drum and below most of the noise of a
/// snare drum, in Hz.
const SNARE_DRUM: f64 = 500.0;
/// A third of an octave: the cube root of 2.
const THIRD: f64 = 1.259_921_049_894_873_2;
/// Band edges in Hz of each group: single bins in the bass, then thirds of
/// an octave.
const LOWEST: f64 = 20.0;
const SPLITS: [f64; GROUPS] = [200.0, 2000.0, 16_000.0];

/// Follows the flux as samples arrive; keeps five values per hop.
pub struct Flux {
    transform: PowerSpectrum,
    framer: Framer,
    /// First bin of every band and the end of the last.
    edges: Vec<usize>,
    /// Bands before the end of each group.
    ends: [usize; GROUPS],
    /// Bands of the bass drum, and those before the snare drum's.
    drums: [usize; BLOWS],
    /// Compressed bands of the last frames, the oldest first.
    past: Vec<Vec<f64>>,
    values: Vec<Heard>,
}

/// What is heard in a frame.
#[derive(Clone, Copy, Default)]
struct Heard {
    /// The flux of each group against a frame a little earlier.
    flux: [f32; GROUPS],
    /// The amplitude where bass and snare drum are, not compressed.
    loud: [f32; BLOWS],
}

impl Flux {
    pub fn new() -> Self {
        let width = super::RATE as f64 / SIZE as f64;
        let bin = |f: f64| (f / width).ceil() as usize;
        let mut edges = vec![bin(LOWEST)];
        let mut ends = [0; GROUPS];
        let mut top = LOWEST;
        for (end, split) in ends.iter_mut().zip(SPLITS) {
            while top < split * 0.95 {
                let last = edges[edges.len() - 1];
                let next = bin((top * THIRD).min(split)).max(last + 1);
                edges.push(next);
                top = (next as f64 * width).min(split);
            }
            *end = edges.len() - 1;
        }
        let bands = edges.len() - 1;
        let below = |f: f64| edges.iter().take_while(|edge| **edge as f64 * width < f).count();
        let drums = [below(BASS_DRUM), below(SNARE_DRUM)];
        Self {
            transform: PowerSpectrum::new(SIZE),
            framer: Framer::new(SIZE, HOP, 0),
            edges,
            ends,
            drums,
            past: vec![vec![0.0; bands]; LAG],
            values: Vec::new(),
        }
    }

    pub fn push(&mut self, sample: f64) {
        let Some(frame) = self.framer.push(sample) else {
            return;
        };
        let power = self.transform.power(frame);
        let powers: Vec<f64> = self.edges.windows(2).map(|edge| power[edge[0]..edge[1]].iter().sum()).collect();
        let bands: Vec<f64> = powers.iter().map(|sum| libm::log1p(sum.sqrt() / KNEE)).collect();
        self.framer.advance();
        let earlier = self.past.remove(0);
        let mut heard = Heard::default();
        let mut start = 0;
        for (group, &end) in self.ends.iter().enumerate() {
            let mut sum = 0.0;
            for band in start..end {
                let near = &earlier[band.saturating_sub(1)..(band + 2).min(earlier.len())];
                let largest = near.iter().copied().fold(0.0, f64::max);
                sum += (bands[band] - largest).max(0.0);
            }
            heard.flux[group] = (sum / (end - start) as f64) as f32;
            start = end;
        }
        let [bass, snare] = self.drums;
        heard.loud = [&powers[..bass], &powers[snare..]].map(|powers| powers.iter().sum::<f64>().sqrt() as f32);
        self.past.push(bands);
        self.values.push(heard);
    }

    /// The envelope of a sound of this many samples.
    pub fn finish(mut self, samples: usize) -> Envelope {
        // The frames over the end would hear it as an onset.
        self.values.resize(samples.div_ceil(HOP), Heard::default());
        Envelope::new(&self.values)
    }
}

/// The onset envelope, about 1 at the strongest onsets.
pub struct Envelope {
    pub values: Vec<f64>,
    /// The blows of the bass drum, 0 to 1.
    pub bass: Vec<f64>,
    /// The blows of the snare drum, 0 to 1.
    pub snare: Vec<f64>,
    /// Seconds of the onsets.
    pub onsets: Vec<f64>,
}

/// A flux of less than this at the strongest onsets is no onset.
const FAINTEST: f64 = 0.1;
/// The least that the strongest blows of each count for, over the strongest of
/// all: hats alone are no snare drum.
const LEAST_BLOW: [f64; BLOWS] = [0.1, 0.4];
/// Values for which a blow stays loud, 25 ms: a closed hat is gone by then, and
/// a snare drum is not.
const STAYS: [usize; BLOWS] = [0, 5];
/// A blow of this share of the strongest is the drum's, however much stronger
/// the strongest are, and one of that is a hat's.
const DRUM: [f64; BLOWS] = [0.5, 0.7];
const HAT: [f64; BLOWS] = [0.2, 0.3];
/// Amplitude below which there are no blows, -80 dBFS.
const FAINTEST_BLOW: f64 = 1e-4;
/// What the strongest onsets rise over the local mean by, at least, were each
/// group 1 at its own.
const LEAST_RISE: f64 = 0.2;
/// Half the stretch whose mean is removed, in values.
const LOCAL: usize = 100;
/// Values around an onset of which it is the largest.
const APART: usize = 8;
/// The least height of an onset.
const WEAKEST: f64 = 0.12;
/// The least flux of an onset over the local median.
const CONTRAST: f64 = 3.0;
/// Seconds by which the flux of a click rises to its peak early.
const EARLY: f64 = 0.0025;

impl Envelope {
    fn new(frames: &[Heard]) -> Self {
        let mut raw = vec![0.0; frames.len()];
        let group = |g: usize| frames.iter().map(move |frame| f64::from(frame.flux[g]));
        let tops: Vec<f64> = (0..GROUPS).map(|g| top(group(g).collect())).collect();
        let floor = (0.25 * tops.iter().copied().fold(0.0, f64::max)).max(FAINTEST);
        for (g, &top) in tops.iter().enumerate() {
            for (sum, value) in raw.iter_mut().zip(group(g)) {
                *sum += value / top.max(floor) / GROUPS as f64;
            }
        }
        let means = local_means(&raw);
        let mut values: Vec<f64> = raw.iter().zip(&means).map(|(r, m)| (r - m).max(0.0)).collect();
        let scale = top(values.clone()).max(LEAST_RISE);
        for value in &mut values {
            *value = (*value / scale).min(1.5);
        }
        let onsets = (0..values.len())
            .filter(|&n| {
                let from = n.saturating_sub(APART);
                let to = (n + APART + 1).min(values.len());
                values[n] >= WEAKEST
                    && values[from..n].iter().all(|v| *v < values[n])
                    && values[n..to].iter().all(|v| *v <= values[n])
                    && raw[n] >= CONTRAST * local_median(&raw, n)
            })
            .map(|n| time(&values, n))
            .collect();
        let [bass, snare] = accents(frames);
        Self { values, bass, snare, onsets }
    }
}

/// The blows of the bass drum and of the snare drum, each 0 to 1.
fn accents(frames: &[Heard]) -> [Vec<f64>; BLOWS] {
    let blows: [Vec<f64>; BLOWS] = std::array::from_fn(|drum| {
        let loud = |n: usize| frames.get(n).map_or(0.0, |frame| f64::from(frame.loud[drum]));
        let stays = |n: usize| (n..=n + STAYS[drum]).map(loud).fold(f64::INFINITY, f64::min);
        (0..frames.len()).map(|n| (stays(n) - n.checked_sub(LAG).map_or(0.0, loud)).max(0.0)).collect()
    });
    let tops: [f64; BLOWS] = std::array::from_fn(|drum| top(blows[drum].clone()));
    let loudest = tops.iter().copied().fold(0.0, f64::max);
    std::array::from_fn(|drum| {
        let top = tops[drum].max(LEAST_BLOW[drum] * loudest).max(FAINTEST_BLOW);
        let scale = |blow: &f64| ((blow / top - HAT[drum]) / (DRUM[drum] - HAT[drum])).clamp(0.0, 1.0);
        blows[drum].iter().map(scale).collect()
    })
}

/// Seconds of the peak of the envelope at value `n`.
pub fn time(values: &[f64], n: usize) -> f64 {
    let before = n.checked_sub(1).map_or(0.0, |i| values[i]);
    let after = values.get(n + 1).copied().unwrap_or(0.0);
    if n == 0 {
        // The first value has nothing before it to rise from.
        return 0.0;
    }
    (n as f64 + parabola(before, values[n], after).0) * STEP + EARLY
}

/// The largest of the values from some before `n` to some after it, at most 1.
pub fn strongest(values: &[f64], n: usize, before: usize, after: usize) -> f64 {
    let from = n.saturating_sub(before).min(values.len());
    let to = (n + after + 1).min(values.len());
    values[from..to].iter().copied().fold(0.0, f64::max).min(1.0)
}

/// The mean of the largest hundredth of the values, at least 8.
fn top(mut values: Vec<f64>) -> f64 {
    let count = (values.len() / 100).max(8).min(values.len());
    if count == 0 {
        return 0.0;
    }
    values.sort_by(|a, b| b.total_cmp(a));
    values[..count].iter().sum::<f64>() / count as f64
}

fn local_means(values: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0];
    let mut sum = 0.0;
    for value in values {
        sum += value;
        sums.push(sum);
    }
    (0..values.len())
        .map(|n| {
            let from = n.saturating_sub(LOCAL);
            let to = (n + LOCAL + 1).min(values.len());
            (sums[to] - sums[from]) / (to - from) as f64
        })
        .collect()
}

fn local_median(values: &[f64], n: usize) -> f64 {
    let to = (n + LOCAL + 1).min(values.len());
    let mut near = values[n.saturating_sub(LOCAL)..to].to_vec();
    near.sort_by(f64::total_cmp);
    near[near.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::super::signals::{clicks, noise, sine};
    use super::*;

    fn envelope(mono: &[f64]) -> Envelope {
        let mut flux = Flux::new();
        for &x in mono {
            flux.push(x);
        }
        flux.finish(mono.len())
    }

    #[test]
    fn clicks_are_timed() {
        let times = [0.0, 0.5, 0.7013, 1.2502, 2.0, 2.11];
        let found = envelope(&clicks(&times, 3.0)).onsets;
        assert_eq!(found.len(), times.len());
        for (onset, time) in found.iter().zip(times) {
            assert!((onset - time).abs() < 0.005, "{onset} for {time}");
        }
    }

    #[test]
    fn a_tone_begins_once() {
        assert_eq!(envelope(&sine(440.0, 0.5, 2.0)).onsets.len(), 1);
        assert_eq!(envelope(&sine(50.0, 0.5, 2.0)).onsets.len(), 1);
    }

    #[test]
    fn faint_noise_has_no_onsets() {
        assert!(envelope(&noise(2.0, 2e-5, 3)).onsets.is_empty());
        assert!(envelope(&[]).onsets.is_empty());
        assert!(envelope(&[0.5; 3]).values.len() == 1);
    }
}
