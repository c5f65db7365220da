//! Loudness and true peak.
//!
//! Integrated loudness and true peak follow ITU-R BS.1770-4 (annexes 1 and
//! 2), the loudness range EBU Tech 3342.

use serde::Serialize;

/// Loudness of a whole sound.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Loudness {
    /// Gated integrated loudness in LUFS (ITU-R BS.1770-4); none where no
    /// 400 ms block is above -70 LUFS.
    pub integrated_lufs: Option<f64>,
    /// Loudness range in LU (EBU Tech 3342); none where no 3 s window is
    /// above -70 LUFS.
    pub range_lu: Option<f64>,
    /// The largest peak of both channels, four times oversampled, in dB
    /// relative to full scale (ITU-R BS.1770-4 annex 2); none in silence.
    pub true_peak_dbtp: Option<f64>,
}

/// Samples of a 100 ms step, of which 4 make a gating block and 30 a
/// short-term window.
const STEP: usize = super::RATE / 10;

/// A second-order filter, transposed direct form II.
struct Biquad {
    b: [f64; 3],
    a: [f64; 2],
    state: [f64; 2],
}

impl Biquad {
    fn next(&mut self, x: f64) -> f64 {
        let y = self.b[0] * x + self.state[0];
        self.state[0] = settle(self.b[1] * x - self.a[0] * y + self.state[1]);
        self.state[1] = settle(self.b[2] * x - self.a[1] * y);
        y
    }
}

/// Ends the decay of a filter in silence before it reaches subnormal numbers.
fn settle(x: f64) -> f64 {
    if x.abs() < 1e-30 { 0.0 } else { x }
}

/// The K weighting of one channel, coefficients for 48 kHz (BS.1770-4, tables
/// 1 and 2).
struct Weighting {
    shelf: Biquad,
    high_pass: Biquad,
}

impl Weighting {
    fn new() -> Self {
        Self {
            shelf: Biquad {
                b: [1.535_124_859_586_97, -2.691_696_189_406_38, 1.198_392_810_852_85],
                a: [-1.690_659_293_182_41, 0.732_480_774_215_85],
                state: [0.0; 2],
            },
            high_pass: Biquad {
                b: [1.0, -2.0, 1.0],
                a: [-1.990_047_454_833_98, 0.990_072_250_366_21],
                state: [0.0; 2],
            },
        }
    }

    fn next(&mut self, x: f64) -> f64 {
        let shelved = self.shelf.next(x);
        self.high_pass.next(shelved)
    }
}

const TAPS: usize = 12;

/// The first two phases of the interpolating filter of BS.1770-4 annex 2; the
/// other two are these in reverse.
const PHASES: [[f64; TAPS]; 2] = [
    [
        0.001_708_984_375,
        0.010_986_328_125,
        -0.019_653_320_312_5,
        0.033_203_125,
        -0.059_448_242_187_5,
        0.137_329_101_562_5,
        0.972_167_968_75,
        -0.102_294_921_875,
        0.047_607_421_875,
        -0.026_611_328_125,
        0.014_892_578_125,
        -0.008_300_781_25,
    ],
    [
        -0.029_174_804_687_5,
        0.029_296_875,
        -0.051_757_812_5,
        0.089_111_328_125,
        -0.166_503_906_25,
        0.465_087_890_625,
        0.779_785_156_25,
        -0.200_317_382_812_5,
        0.101_562_5,
        -0.058_227_539_062_5,
        0.033_081_054_687_5,
        -0.018_920_898_437_5,
    ],
];

/// No phase can exceed the largest sample of its taps by more than this: the
/// magnitudes of the second phase sum to less than 2.03.
const GAIN_BOUND: f64 = 2.05;

/// Samples taken in one go by the peak search.
const BATCH: usize = 64;

/// The true peak of one channel.
struct Peak {
    /// The last `TAPS - 1` samples, then those of this batch.
    samples: Vec<f64>,
    peak: f64,
}

impl Peak {
    fn new() -> Self {
        let mut samples = Vec::with_capacity(TAPS - 1 + BATCH);
        samples.resize(TAPS - 1, 0.0);
        Self { samples, peak: 0.0 }
    }

    fn push(&mut self, x: f64) {
        self.samples.push(x);
        if self.samples.len() == TAPS - 1 + BATCH {
            self.search();
        }
    }

    fn search(&mut self) {
        let largest = self.samples.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
        self.peak = self.peak.max(largest);
        if largest * GAIN_BOUND > self.peak {
            for taps in self.samples.windows(TAPS) {
                for phase in &PHASES {
                    let (mut forward, mut backward) = (0.0, 0.0);
                    for i in 0..TAPS {
                        forward += phase[i] * taps[i];
                        backward += phase[TAPS - 1 - i] * taps[i];
                    }
                    self.peak = self.peak.max(forward.abs()).max(backward.abs());
                }
            }
        }
        let keep = self.samples.len() - (TAPS - 1);
        self.samples.drain(..keep);
    }

    fn finish(mut self) -> f64 {
        for _ in 1..TAPS {
            self.push(0.0);
        }
        self.search();
        self.peak
    }
}

/// Measures loudness as samples arrive; keeps one value per 100 ms.
pub struct Meter {
    weightings: [Weighting; 2],
    peaks: [Peak; 2],
    sum: f64,
    count: usize,
    /// Weighted mean square of both channels of every 100 ms.
    steps: Vec<f64>,
}

impl Meter {
    pub fn new() -> Self {
        Self {
            weightings: [Weighting::new(), Weighting::new()],
            peaks: [Peak::new(), Peak::new()],
            sum: 0.0,
            count: 0,
            steps: Vec::new(),
        }
    }

    pub fn push(&mut self, left: f64, right: f64) {
        let weighted = [self.weightings[0].next(left), self.weightings[1].next(right)];
        self.peaks[0].push(left);
        self.peaks[1].push(right);
        self.sum += weighted[0] * weighted[0] + weighted[1] * weighted[1];
        self.count += 1;
        if self.count == STEP {
            self.steps.push(self.sum / STEP as f64);
            self.sum = 0.0;
            self.count = 0;
        }
    }

    pub fn finish(self) -> Loudness {
        let [left, right] = self.peaks;
        let peak = left.finish().max(right.finish());
        Loudness {
            integrated_lufs: integrated(&self.steps).map(super::hundredths),
            range_lu: range(&self.steps).map(super::hundredths),
            true_peak_dbtp: (peak > 0.0).then(|| super::hundredths(20.0 * libm::log10(peak))),
        }
    }
}

fn lufs(power: f64) -> f64 {
    -0.691 + 10.0 * libm::log10(power)
}

/// The powers above the absolute gate, then above `relative` LU from the
/// loudness of those.
fn gated(steps: &[f64], window: usize, relative: f64) -> Vec<f64> {
    let above: Vec<f64> = steps
        .windows(window)
        .map(|w| w.iter().sum::<f64>() / window as f64)
        .filter(|power| *power > 0.0 && lufs(*power) > -70.0)
        .collect();
    if above.is_empty() {
        return above;
    }
    let gate = lufs(mean(&above)) + relative;
    above.into_iter().filter(|p| lufs(*p) > gate).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn integrated(steps: &[f64]) -> Option<f64> {
    let blocks = gated(steps, 4, -10.0);
    (!blocks.is_empty()).then(|| lufs(mean(&blocks)))
}

fn range(steps: &[f64]) -> Option<f64> {
    let mut windows = gated(steps, 30, -20.0);
    windows.sort_by(f64::total_cmp);
    let last = windows.len().checked_sub(1)?;
    let at = |share: f64| lufs(windows[(last as f64 * share).round() as usize]);
    Some(at(0.95) - at(0.10))
}

#[cfg(test)]
mod tests {
    use super::super::signals;
    use super::*;

    fn measure(parts: &[Vec<f64>]) -> Loudness {
        let mut meter = Meter::new();
        for &x in parts.iter().flatten() {
            meter.push(x, x);
        }
        meter.finish()
    }

    fn tone(decibels: f64, seconds: f64) -> Vec<f64> {
        signals::sine(1000.0, libm::pow(10.0, decibels / 20.0), seconds)
    }

    fn near(found: Option<f64>, expected: f64, within: f64) {
        let found = found.unwrap();
        assert!((found - expected).abs() <= within, "{found} for {expected}");
    }

    #[test]
    fn reference_tone() {
        let loudness = measure(&[tone(-23.0, 5.0)]);
        near(loudness.integrated_lufs, -23.0, 0.1);
        near(loudness.range_lu, 0.0, 0.1);
        near(loudness.true_peak_dbtp, -23.0, 0.1);
    }

    /// EBU Tech 3341, test case 3: the quiet ends fall to the relative gate.
    #[test]
    fn quiet_parts_are_gated() {
        let parts = [tone(-36.0, 5.0), tone(-23.0, 30.0), tone(-36.0, 5.0)];
        near(measure(&parts).integrated_lufs, -23.0, 0.1);
    }

    /// EBU Tech 3341, test case 4: with parts below the absolute gate.
    #[test]
    fn near_silence_is_gated() {
        let parts = [tone(-72.0, 5.0), tone(-36.0, 5.0), tone(-23.0, 30.0), tone(-36.0, 5.0), tone(-72.0, 5.0)];
        near(measure(&parts).integrated_lufs, -23.0, 0.1);
    }

    /// EBU Tech 3342, test case 1.
    #[test]
    fn range_of_two_levels() {
        let parts = [tone(-20.0, 20.0), tone(-30.0, 20.0)];
        near(measure(&parts).range_lu, 10.0, 1.0);
    }

    /// A sine of a quarter of the rate, sampled 45° from its peaks.
    #[test]
    fn peak_between_samples() {
        let mono: Vec<f64> = (0..4800).map(|i| if i % 4 < 2 { 0.5 } else { -0.5 }).collect();
        let fade: Vec<f64> = (0..960)
            .map(|i| mono[i] * i as f64 / 960.0)
            .chain(mono[960..3840].iter().copied())
            .chain((0..960).map(|i| mono[i] * (959 - i) as f64 / 960.0))
            .collect();
        near(measure(&[fade]).true_peak_dbtp, -3.01, 0.3);
    }

    #[test]
    fn silence_has_no_loudness() {
        let none = Loudness { integrated_lufs: None, range_lu: None, true_peak_dbtp: None };
        assert_eq!(measure(&[vec![0.0; 200_000]]), none);
        assert_eq!(measure(&[]), none);
    }
}
