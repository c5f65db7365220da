//! Periodicity of an envelope: autocorrelation, the tatum and the prior of
//! tempo.

use super::onset::STEP;
use std::f64::consts::TAU;

/// Slowest and fastest tempo considered, in beats per minute.
pub const SLOWEST: f64 = 40.0;
pub const FASTEST: f64 = 240.0;
/// How far measured periods may lie beyond the range of tempo.
pub const SLACK: f64 = 1.02;

/// Seconds of the shortest tatum.
const SHORTEST: f64 = 0.07;
/// Tatums are tried in steps of this ratio.
const RATIO: f64 = 1.002;
/// The tatum is the slowest pulse that is this part as clear as the clearest.
const CLEAR: f64 = 0.9;
/// Peaks lower than this part of the highest are no periodicity.
const LOW: f64 = 0.1;

/// How likely a tempo is before anything was heard: a Gaussian over octaves
/// around 120 BPM with a deviation of one (Ellis 2007, section 3.2).
pub fn prior(bpm: f64) -> f64 {
    let octaves = libm::log2(bpm / 120.0);
    libm::exp(-0.5 * octaves * octaves)
}

/// Convolves with a Gaussian of the given deviation in values.
pub fn smooth(values: &[f64], deviation: f64) -> Vec<f64> {
    let reach = (3.0 * deviation).ceil() as usize;
    let weights: Vec<f64> = (0..=reach)
        .map(|i| {
            let x = i as f64 / deviation;
            libm::exp(-0.5 * x * x)
        })
        .collect();
    let total = 2.0 * weights.iter().sum::<f64>() - weights[0];
    let at = |i: Option<usize>| i.and_then(|i| values.get(i)).copied().unwrap_or(0.0);
    (0..values.len())
        .map(|n| {
            let mut sum = weights[0] * values[n];
            for (i, weight) in weights.iter().enumerate().skip(1) {
                sum += weight * (at(n.checked_sub(i)) + at(Some(n + i)));
            }
            sum / total
        })
        .collect()
}

/// Correlation of an envelope with itself, its mean removed, at lags 0 to
/// `longest`: 1 at lag 0, and not falling with the lag because fewer values
/// overlap. Empty where the envelope is constant or shorter than two lags.
pub fn autocorrelation(values: &[f64], longest: usize) -> Vec<f64> {
    let count = values.len();
    if count < 2 * longest || count == 0 {
        return Vec::new();
    }
    let mean = values.iter().sum::<f64>() / count as f64;
    let centred: Vec<f64> = values.iter().map(|v| v - mean).collect();
    let power = centred.iter().map(|v| v * v).sum::<f64>() / count as f64;
    if power <= 1e-12 {
        return Vec::new();
    }
    (0..=longest)
        .map(|lag| {
            let products = centred.iter().zip(&centred[lag..]).map(|(a, b)| a * b);
            products.sum::<f64>() / (count - lag) as f64 / power
        })
        .collect()
}

/// The offset in -0.5 to 0.5 and the height of the parabola through three
/// values of which the middle one is the largest.
pub fn parabola(before: f64, at: f64, after: f64) -> (f64, f64) {
    let bend = before - 2.0 * at + after;
    if bend >= 0.0 {
        return (0.0, at);
    }
    let offset = (0.5 * (before - after) / bend).clamp(-0.5, 0.5);
    (offset, at - 0.25 * (before - after) * offset)
}

/// A local maximum of an autocorrelation.
#[derive(Debug, Clone, Copy)]
pub struct Peak {
    pub lag: f64,
    pub height: f64,
}

/// The local maxima of an autocorrelation between two lags.
pub fn peaks(correlation: &[f64], shortest: f64, longest: f64) -> Vec<Peak> {
    correlation
        .windows(3)
        .enumerate()
        .filter(|(_, w)| w[1] > 0.0 && w[1] >= w[0] && w[1] > w[2])
        .map(|(i, w)| {
            let (offset, height) = parabola(w[0], w[1], w[2]);
            Peak { lag: (i + 1) as f64 + offset, height }
        })
        .filter(|peak| peak.lag >= shortest && peak.lag <= longest)
        .collect()
}

/// The tatum, in values of the envelope: the slowest pulse of which nearly all
/// peaks of the autocorrelation are multiples (F. Gouyon, P. Herrera and P.
/// Cano, *Pulse-Dependent Analyses of Percussive Music*, AES 22nd
/// International Conference, 2002).
pub fn tatum(correlation: &[f64]) -> Option<f64> {
    let shortest = SHORTEST / STEP;
    let mut heard = peaks(correlation, 0.9 * shortest, correlation.len() as f64);
    let highest = heard.iter().map(|peak| peak.height).fold(0.0, f64::max);
    heard.retain(|peak| peak.height >= LOW * highest);
    // How near the peaks are to multiples of a period, up to 1.
    let clarity = |period: f64| -> f64 {
        let near = |peak: &Peak| peak.height * libm::cos(TAU * peak.lag / period);
        heard.iter().map(near).sum::<f64>() / heard.iter().map(|peak| peak.height).sum::<f64>()
    };
    let mut tried = Vec::new();
    let mut period = 60.0 / SLOWEST / STEP * SLACK;
    while period >= shortest && !heard.is_empty() {
        tried.push((period, clarity(period)));
        period /= RATIO;
    }
    let clearest = tried.iter().map(|tried| tried.1).fold(0.0, f64::max);
    let mut at = tried.iter().position(|tried| tried.1 >= CLEAR * clearest)?;
    while at + 1 < tried.len() && tried[at + 1].1 > tried[at].1 {
        at += 1;
    }
    Some(tried[at].0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Onsets at some of the multiples of twenty values, 100 ms.
    #[test]
    fn finds_the_tatum() {
        for (pattern, expected) in [("x..x..x.", 20.0), ("x.x.x.x.", 40.0), ("x.......", 160.0), ("x..xx...", 20.0)] {
            let onset = |i: usize| i % 20 == 3 && pattern.as_bytes()[i / 20 % pattern.len()] == b'x';
            let values: Vec<f64> = (0..8000).map(|i| if onset(i) { 1.0 } else { 0.0 }).collect();
            let found = tatum(&autocorrelation(&smooth(&values, 3.0), 800)).unwrap();
            assert!((found / expected - 1.0).abs() < 0.01, "{found} in {pattern}");
        }
        assert!(tatum(&[]).is_none());
    }

    #[test]
    fn finds_the_period() {
        let values: Vec<f64> = (0..400).map(|i| if i % 25 == 3 { 1.0 } else { 0.0 }).collect();
        let correlation = autocorrelation(&smooth(&values, 1.5), 60);
        let found = peaks(&correlation, 10.0, 60.0);
        assert_eq!(found.len(), 2);
        assert!((found[0].lag - 25.0).abs() < 0.1);
        assert!((found[1].lag - 50.0).abs() < 0.1);
        assert!(found[0].height > 0.9);
    }

    #[test]
    fn nothing_in_a_constant() {
        assert!(autocorrelation(&[1.0; 100], 20).is_empty());
        assert!(autocorrelation(&[], 0).is_empty());
        assert!(autocorrelation(&[1.0, 0.0], 20).is_empty());
    }

    #[test]
    fn prior_is_symmetric_in_octaves() {
        assert!((prior(60.0) - prior(240.0)).abs() < 1e-12);
        assert!(prior(120.0) > prior(121.0));
    }
}
