//! Periodicity of an envelope: autocorrelation and the prior of tempo.

/// Slowest and fastest tempo considered, in beats per minute.
pub const SLOWEST: f64 = 40.0;
pub const FASTEST: f64 = 240.0;

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

#[cfg(test)]
mod tests {
    use super::*;

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
