//! Tempo and beats.
//!
//! The tatum, the finest regular pulse, is found in the autocorrelation of the
//! onset envelope (see `periodicity`) and followed by dynamic programming (D.
//! P. W. Ellis, *Beat Tracking by Dynamic Programming*, Journal of New Music
//! Research 36(1), 2007). Which of the tatums are beats is told by the drums
//! (see `meter`). That levels of metre are whole multiples of one another, and
//! are found together, is of A. P. Klapuri, A. J. Eronen and J. T. Astola,
//! *Analysis of the Meter of Acoustic Musical Signals*, IEEE Transactions on
//! Audio, Speech and Language Processing 14(1), 2006.

use super::meter;
use super::onset::{Envelope, STEP, strongest, time};
use super::periodicity::{autocorrelation, smooth, tatum};
use serde::Serialize;

/// Beats of a whole sound; empty and of tempo 0 where there is no clear beat.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Beats {
    /// Seconds of each beat, rising.
    pub beat_times: Vec<f64>,
    /// Beats per minute.
    pub tempo: f64,
    /// How regular the onsets are, 0 to 1.
    pub confidence: f64,
    /// Seconds of the first beat of each bar: every fourth beat.
    pub downbeat_times: Vec<f64>,
    /// Beats in a bar: always 4.
    pub time_signature: u32,
}

/// Beats per bar.
const BAR: u32 = 4;
/// Weight of an even period against strong onsets (Ellis 2007).
const TIGHTNESS: f64 = 100.0;
/// Values around a beat in which its onset is looked for, 40 ms.
const REACH: usize = 8;
/// The fewest beats reported.
const FEWEST: usize = 4;
/// The least confidence at which beats are reported, and what it is over the
/// root of the number of values where those are few: noise correlates with
/// itself by chance.
const LEAST: f64 = 0.15;
const CHANCE: f64 = 10.0;
/// Seconds of the longest lag of the correlation: two beats of the slowest
/// tempo and most bars.
const LONGEST: f64 = 4.0;

impl Beats {
    fn none() -> Self {
        Self { beat_times: Vec::new(), tempo: 0.0, confidence: 0.0, downbeat_times: Vec::new(), time_signature: BAR }
    }

    pub(super) fn track(envelope: &Envelope) -> Self {
        let values = &envelope.values;
        let longest = ((LONGEST / STEP) as usize).min(values.len() / 2);
        let correlation = autocorrelation(&smooth(values, 3.0), longest);
        let Some(tatum) = tatum(&correlation) else {
            return Self::none();
        };
        let tatums = follow(&smooth(values, tatum / 16.0), tatum);
        let beats = trim(values, meter::beats(envelope, &tatums, tatum));
        let times: Vec<f64> = beats.iter().map(|&n| refine(values, n)).collect();
        let Some(period) = spacing(&times) else {
            return Self::none();
        };
        let confidence = confidence(&correlation, period / STEP);
        let least = LEAST.max(CHANCE / (values.len() as f64).sqrt());
        if times.len() < FEWEST || confidence < least {
            return Self::none();
        }
        let beat_times: Vec<f64> = times.into_iter().map(super::seconds).collect();
        Self {
            downbeat_times: beat_times.iter().copied().step_by(BAR as usize).collect(),
            tempo: super::hundredths(60.0 / period),
            confidence: super::unit(confidence),
            time_signature: BAR,
            beat_times,
        }
    }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0u32), |(s, c), v| (s + v, c + 1));
    if count == 0 { 0.0 } else { sum / f64::from(count) }
}

/// The sequence of pulses about a period apart that meets the most onsets.
fn follow(values: &[f64], period: f64) -> Vec<usize> {
    let power = mean(values.iter().map(|v| v * v)).sqrt();
    if power <= 0.0 {
        return Vec::new();
    }
    let shortest = ((period / 2.0).round() as usize).max(1);
    let longest = (period * 2.0).round() as usize;
    let costs: Vec<f64> = (shortest..=longest)
        .map(|lag| {
            let ratio = libm::log(lag as f64 / period);
            TIGHTNESS * ratio * ratio
        })
        .collect();
    let mut scores = vec![0.0; values.len()];
    let mut links: Vec<Option<usize>> = vec![None; values.len()];
    for n in 0..values.len() {
        let mut best = 0.0;
        for (lag, cost) in (shortest..=longest.min(n)).zip(&costs) {
            let score = scores[n - lag] - cost;
            if score > best {
                best = score;
                links[n] = Some(n - lag);
            }
        }
        scores[n] = values[n] / power + best;
    }
    let tail = values.len().saturating_sub(period.round() as usize);
    let mut beats = Vec::new();
    let mut at = (tail..values.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    while let Some(n) = at {
        beats.push(n);
        at = links[n];
    }
    beats.reverse();
    beats
}

/// Leaves out beats before the first and after the last onset.
fn trim(values: &[f64], mut beats: Vec<usize>) -> Vec<usize> {
    let heard = |n: &usize| strongest(values, *n, 6, 6) >= 0.1;
    let end = beats.iter().rposition(heard).map_or(0, |i| i + 1);
    beats.truncate(end);
    let start = beats.iter().position(heard).unwrap_or(0);
    beats.split_off(start)
}

/// Seconds of the onset near a beat, or of the beat where there is none.
fn refine(values: &[f64], n: usize) -> f64 {
    let from = n.saturating_sub(REACH);
    let to = (n + REACH + 1).min(values.len());
    let mut best = (0.1, None);
    for i in from..to {
        let before = i.checked_sub(1).map_or(0.0, |j| values[j]);
        let after = values.get(i + 1).copied().unwrap_or(0.0);
        let far = i.abs_diff(n) as f64 / REACH as f64;
        let merit = values[i] * (1.0 - 0.5 * far * far);
        if values[i] >= before && values[i] > after && merit > best.0 {
            best = (merit, Some(i));
        }
    }
    best.1.map_or(n as f64 * STEP, |i| time(values, i))
}

/// The usual distance between beats in seconds: the mean of those within a
/// tenth of the median.
fn spacing(times: &[f64]) -> Option<f64> {
    let mut gaps: Vec<f64> = times.windows(2).map(|w| w[1] - w[0]).collect();
    gaps.sort_by(f64::total_cmp);
    let median = *gaps.get(gaps.len() / 2)?;
    let usual = gaps.iter().copied().filter(|g| (g - median).abs() <= 0.1 * median);
    let period = mean(usual);
    (period > 0.0).then_some(period)
}

/// The largest correlation at one, two, three or four beats.
fn confidence(correlation: &[f64], period: f64) -> f64 {
    let around = |lag: f64| {
        let from = ((lag - 3.0).max(0.0) as usize).min(correlation.len());
        let to = (lag as usize + 4).clamp(from, correlation.len());
        correlation[from..to].iter().copied().fold(0.0, f64::max)
    };
    (1..=BAR).map(|beats| around(f64::from(beats) * period)).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::super::onset::Flux;
    use super::super::signals::{
        GROOVES, Kit, PATTERNS, beat_times, clicks, drums, f_measure, groove, kit, noise, pattern, sine,
    };
    use super::*;

    fn beats(mono: &[f64]) -> Beats {
        let mut flux = Flux::new();
        for &x in mono {
            flux.push(x);
        }
        Beats::track(&flux.finish(mono.len()))
    }

    fn check(mono: &[f64], bpm: f64, times: &[f64]) {
        let found = beats(mono);
        let f = f_measure(times, &found.beat_times);
        assert!(f >= 0.95, "F {f} at {bpm}");
        assert!((found.tempo / bpm - 1.0).abs() < 0.02, "{} at {bpm}", found.tempo);
        assert!(found.confidence > 0.5, "{} at {bpm}", found.confidence);
        assert!(found.beat_times.windows(2).all(|w| w[0] < w[1]));
        assert_eq!(found.downbeat_times[1].to_bits(), found.beat_times[4].to_bits());
        for beat in &found.beat_times {
            let near = times.iter().any(|t| (t - beat).abs() <= 0.015);
            assert!(near, "beat {beat} at {bpm}");
        }
    }

    fn check_clicks(tempos: &[f64]) {
        for &bpm in tempos {
            let times = beat_times(bpm, 0.113, 30.0);
            check(&clicks(&times, 30.0), bpm, &times);
        }
    }

    fn check_drums(tempos: &[f64]) {
        for &bpm in tempos {
            check(&drums(bpm, 0.2, 30.0), bpm, &beat_times(bpm, 0.2, 30.0));
        }
    }

    #[test]
    fn slow_clicks() {
        check_clicks(&[60.0, 70.0, 73.5, 80.0, 90.0]);
    }

    #[test]
    fn medium_clicks() {
        check_clicks(&[100.0, 110.0, 120.0, 127.3, 130.0]);
    }

    #[test]
    fn fast_clicks() {
        check_clicks(&[140.0, 150.0, 160.0, 170.0, 180.0]);
    }

    #[test]
    fn extreme_clicks() {
        check_clicks(&[40.0, 240.0]);
    }

    #[test]
    fn slow_drums() {
        check_drums(&[60.0, 65.0, 70.0, 75.0, 80.0, 90.0]);
    }

    #[test]
    fn medium_drums() {
        check_drums(&[100.0, 110.0, 121.4, 130.0]);
    }

    #[test]
    fn fast_drums() {
        check_drums(&[140.0, 150.0, 160.0, 170.0, 180.0]);
    }

    fn check_pattern(name: &str) {
        let parts = PATTERNS.iter().find(|(known, _)| *known == name).unwrap().1;
        for bpm in [60.0, 75.0, 90.0, 120.0, 150.0, 180.0] {
            for kit in [Kit::Soft, Kit::Hard] {
                check(&pattern(parts, kit, bpm, 0.2, 20.0), bpm, &beat_times(bpm, 0.2, 20.0));
            }
        }
    }

    #[test]
    fn eighths_at_any_tempo() {
        check_pattern("eighths");
    }

    #[test]
    fn sixteenths_at_any_tempo() {
        check_pattern("sixteenths");
    }

    #[test]
    fn rock_at_any_tempo() {
        check_pattern("rock");
    }

    #[test]
    fn syncopated_bass_drums_at_any_tempo() {
        check_pattern("syncopated");
    }

    #[test]
    fn four_on_the_floor_at_any_tempo() {
        check_pattern("four on the floor");
    }

    fn check_groove(name: &str) {
        let (_, division, parts) = *GROOVES.iter().find(|(known, ..)| *known == name).unwrap();
        for bpm in [60.0, 75.0, 90.0, 120.0, 150.0, 180.0] {
            for kit in [Kit::Soft, Kit::Hard] {
                let sound = groove(parts, kit, bpm * division as f64, 0.2, 20.0);
                check(&sound, bpm, &beat_times(bpm, 0.2, 20.0));
            }
        }
    }

    #[test]
    fn the_amen_break_at_any_tempo() {
        check_groove("amen");
    }

    #[test]
    fn funk_at_any_tempo() {
        check_groove("funk");
    }

    #[test]
    fn boom_bap_at_any_tempo() {
        check_groove("boom bap");
    }

    #[test]
    fn reggaeton_at_any_tempo() {
        check_groove("reggaeton");
    }

    #[test]
    fn train_beats_at_any_tempo() {
        check_groove("train");
    }

    #[test]
    fn snares_on_every_beat_at_any_tempo() {
        check_groove("motown");
    }

    #[test]
    fn drum_and_bass_at_any_tempo() {
        check_groove("drum and bass");
    }

    #[test]
    fn drums_without_hats_at_any_tempo() {
        check_groove("no hats");
    }

    #[test]
    fn punk_at_any_tempo() {
        check_groove("punk");
    }

    #[test]
    fn waltzes_at_any_tempo() {
        check_groove("waltz");
    }

    #[test]
    fn shuffles_at_any_tempo() {
        check_groove("shuffle");
    }

    #[test]
    fn six_eights_at_any_tempo() {
        check_groove("six-eight");
    }

    /// However loud the hats between the bass drums are, they are no backbeat.
    #[test]
    fn bass_drums_with_hats_and_no_snare_at_any_tempo() {
        check_groove("no snare, eighths");
        check_groove("no snare, offbeats");
        check_groove("no snare, sixteenths");
    }

    /// With the snare on the third beat of four the pulse is where bass and snare drum are, half
    /// as fast as one would write it.
    #[test]
    fn half_time_has_the_pulse_of_its_drums() {
        let parts = PATTERNS.iter().find(|(known, _)| *known == "half-time").unwrap().1;
        for (bpm, kit) in [(120.0, Kit::Soft), (150.0, Kit::Soft), (180.0, Kit::Soft), (150.0, Kit::Hard)] {
            check(&pattern(parts, kit, bpm, 0.2, 20.0), bpm / 2.0, &beat_times(bpm / 2.0, 0.2, 20.0));
        }
    }

    /// A soft bass drum makes a beat though the snare is far stronger.
    #[test]
    fn bass_drums_are_beats() {
        let times = beat_times(165.0, 0.2, 20.0);
        check(&kit(165.0, 0.2, 20.0, 0.15), 165.0, &times);
    }

    #[test]
    fn no_beat_no_tempo() {
        assert_eq!(beats(&[]), Beats::none());
        assert_eq!(beats(&vec![0.0; 480_000]), Beats::none());
        assert_eq!(beats(&sine(220.0, 0.5, 10.0)), Beats::none());
        assert_eq!(beats(&clicks(&[2.0], 10.0)), Beats::none());
        for seed in 1..5 {
            assert_eq!(beats(&noise(4.0, 0.3, seed)), Beats::none());
        }
        assert_eq!(beats(&noise(30.0, 0.01, 5)), Beats::none());
    }

    #[test]
    fn beats_end_with_the_sound() {
        let times = beat_times(100.0, 2.0, 20.0);
        let found = beats(&clicks(&times, 30.0)).beat_times;
        assert_eq!(found.len(), times.len());
    }

    #[test]
    fn a_short_loop_has_beats() {
        let times = beat_times(120.0, 0.0, 4.0);
        assert_eq!(beats(&clicks(&times, 4.0)).beat_times.len(), 8);
    }
}
