//! Tone curves: what a device value means as an amount of light.

use moxcms::ToneReprCurve;

/// A curve from 0..=1 to 0..=1 (ICC.1:2022, 10.6 and 10.18).
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Curve {
    /// Nothing changes.
    Identity,
    /// (a·x + b)^g + e from d on, c·x + f below it.
    Parametric { g: f64, a: f64, b: f64, c: f64, d: f64, e: f64, f: f64 },
    /// Evenly spaced values with straight lines between them; at least two.
    Sampled(Vec<f64>),
}

impl Curve {
    /// A curve of a profile; `None` if it is none that ICC knows.
    pub(super) fn new(curve: &ToneReprCurve) -> Option<Self> {
        match curve {
            ToneReprCurve::Lut(values) => match values.as_slice() {
                [] => Some(Self::Identity),
                [gamma] => Some(Self::power(f64::from(*gamma) / 256.0)),
                values => Some(Self::sampled16(values)),
            },
            ToneReprCurve::Parametric(params) => {
                let params: Vec<f64> = params.iter().copied().map(f64::from).collect();
                Self::parametric(&params)
            }
        }
    }

    fn power(g: f64) -> Self {
        Self::Parametric { g, a: 1.0, b: 0.0, c: 0.0, d: 0.0, e: 0.0, f: 0.0 }
    }

    /// The five function types have 1, 3, 4, 5 and 7 parameters.
    fn parametric(params: &[f64]) -> Option<Self> {
        let curve = match *params {
            [g] => Self::power(g),
            [g, a, b] if a != 0.0 => Self::Parametric { g, a, b, c: 0.0, d: -b / a, e: 0.0, f: 0.0 },
            [g, a, b, c] if a != 0.0 => Self::Parametric { g, a, b, c: 0.0, d: -b / a, e: c, f: c },
            [g, a, b, c, d] => Self::Parametric { g, a, b, c, d, e: 0.0, f: 0.0 },
            [g, a, b, c, d, e, f] => Self::Parametric { g, a, b, c, d, e, f },
            _ => return None,
        };
        params.iter().all(|param| param.is_finite()).then_some(curve)
    }

    /// Through 16-bit values.
    pub(super) fn sampled16(values: &[u16]) -> Self {
        Self::Sampled(values.iter().map(|value| f64::from(*value) / 65_535.0).collect())
    }

    /// Through 8-bit values.
    pub(super) fn sampled8(values: &[u8]) -> Self {
        Self::Sampled(values.iter().map(|value| f64::from(*value) / 255.0).collect())
    }

    /// The value at `x`, both in 0..=1.
    pub(super) fn at(&self, x: f64) -> f64 {
        let y = match self {
            Self::Identity => x,
            Self::Parametric { g, a, b, c, d, e, f } => {
                if x < *d {
                    c * x + f
                } else {
                    libm::pow((a * x + b).max(0.0), *g) + e
                }
            }
            Self::Sampled(values) => {
                let position = x * (values.len() - 1) as f64;
                let below = (position as usize).min(values.len() - 2);
                let share = position - below as f64;
                values[below] + (values[below + 1] - values[below]) * share
            }
        };
        // Also what is no number becomes 0: a comparison with it is false.
        if y > 0.0 { y.min(1.0) } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(curve: &ToneReprCurve, points: &[(f64, f64)]) {
        let curve = Curve::new(curve).unwrap();
        for (x, y) in points {
            assert!((curve.at(*x) - y).abs() < 1e-6, "{curve:?} at {x}: {} and not {y}", curve.at(*x));
        }
    }

    #[test]
    fn every_form_is_read() {
        check(&ToneReprCurve::Lut(vec![]), &[(0.0, 0.0), (0.3, 0.3), (1.0, 1.0)]);
        check(&ToneReprCurve::Lut(vec![512]), &[(0.0, 0.0), (0.5, 0.25), (1.0, 1.0)]);
        check(&ToneReprCurve::Lut(vec![0, 13_107, 65_535]), &[(0.25, 0.1), (0.5, 0.2), (0.75, 0.6), (1.0, 1.0)]);
        check(&ToneReprCurve::Parametric(vec![3.0]), &[(0.5, 0.125)]);
        check(&ToneReprCurve::Parametric(vec![2.0, 0.5, 0.5]), &[(0.0, 0.25), (1.0, 1.0)]);
        check(&ToneReprCurve::Parametric(vec![2.0, 2.0, -1.0]), &[(0.25, 0.0), (0.75, 0.25)]);
        check(&ToneReprCurve::Parametric(vec![2.0, 2.0, -1.0, 0.5]), &[(0.25, 0.5), (0.75, 0.75)]);
        check(&ToneReprCurve::Parametric(vec![2.0, 1.0, 0.0, 0.5, 0.5]), &[(0.25, 0.125), (0.75, 0.5625)]);
        check(&ToneReprCurve::Parametric(vec![2.0, 1.0, 0.0, 0.5, 0.5, 0.25, 0.125]), &[(0.25, 0.25), (0.75, 0.8125)]);
    }

    #[test]
    fn senseless_curves_are_refused_or_stay_in_range() {
        for params in [vec![], vec![2.0, 0.0, 1.0], vec![1.0, 2.0], vec![f32::NAN], vec![1.0; 9]] {
            assert_eq!(Curve::new(&ToneReprCurve::Parametric(params.clone())), None, "{params:?}");
        }
        for params in [vec![-1.0], vec![0.5, -3.0, 1.0], vec![2.0, 100.0, 0.0, -9.0, 0.5, 9.0, -9.0], vec![-30_000.0]] {
            let curve = Curve::new(&ToneReprCurve::Parametric(params.clone())).unwrap();
            for step in 0..=100 {
                let y = curve.at(f64::from(step) / 100.0);
                assert!((0.0..=1.0).contains(&y), "{params:?}: {y}");
            }
        }
    }
}
