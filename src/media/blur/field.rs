//! A picture under one Gaussian (or another small symmetric kernel), ready to be read.

use crate::media::blur::coarse::Coarse;
use crate::media::blur::source::Source;

/// From this standard deviation on a Gaussian is computed on a reduced picture, which costs
/// the same for any width; below, directly.
pub(super) const COARSE_SIGMA: f32 = 4.0;

/// A source under a kernel.
pub enum Field<const C: usize> {
    /// To be convolved: the weights from the centre outwards.
    Direct(Vec<f32>),
    /// Convolved on a reduced picture, to be interpolated.
    Coarse(Coarse<C>),
}

impl<const C: usize> Field<C> {
    /// The source under a Gaussian of standard deviation `sigma` ≥ 0, in pixels.
    pub fn gaussian(source: &impl Source<C>, sigma: f32) -> Self {
        if sigma < COARSE_SIGMA {
            Self::Direct(weights(f64::from(sigma)))
        } else {
            Self::Coarse(Coarse::new(source, f64::from(sigma)))
        }
    }

    /// Rows and columns that are needed around a pixel of the source.
    pub fn reach(&self) -> usize {
        match self {
            Self::Direct(weights) => weights.len() - 1,
            Self::Coarse(_) => 0,
        }
    }
}

/// The weights of a Gaussian from its centre outwards, as far as three standard deviations;
/// with their mirror image they sum to one.
pub(super) fn weights(sigma: f64) -> Vec<f32> {
    let radius = (3.0 * sigma).ceil() as i32;
    let bell: Vec<f64> =
        (0..=radius).map(|x| if x == 0 { 1.0 } else { libm::exp(-f64::from(x * x) / (2.0 * sigma * sigma)) }).collect();
    let sum = 2.0 * bell.iter().sum::<f64>() - 1.0;
    bell.iter().map(|value| (value / sum) as f32).collect()
}

/// A symmetric kernel over runs of one buffer: what is read, and where.
pub(super) struct Taps {
    centre: (f32, usize),
    pairs: Vec<(f32, usize, usize)>,
}

/// Floats computed side by side: eight vectors of four, which leaves registers for operands.
pub(super) const BLOCK: usize = 32;

impl Taps {
    /// Taps for these weights (from the centre outwards), the run for the distance `d` from
    /// the centre beginning at `at(d)` of the buffer.
    pub(super) fn new(weights: &[f32], at: impl Fn(isize) -> usize) -> Self {
        let pairs = weights.iter().enumerate().skip(1).map(|(d, w)| (*w, at(-(d as isize)), at(d as isize)));
        Self { centre: (weights[0], at(0)), pairs: pairs.collect() }
    }

    /// Writes the weighted sums. `out` is a whole number of blocks, and so much can be read at
    /// each place of the buffer.
    ///
    /// Plain loops throughout: closures of `map` and `from_fn` over arrays are not always
    /// inlined, and then nothing here is vectorised.
    pub(super) fn apply(&self, buffer: &[f32], out: &mut [f32]) {
        let block_at = |at: usize| buffer[at..].first_chunk::<BLOCK>().expect("BUG: a run ends beyond its buffer");
        for (i, out) in out.as_chunks_mut::<BLOCK>().0.iter_mut().enumerate() {
            let mut sums = *block_at(self.centre.1 + i * BLOCK);
            for sum in &mut sums {
                *sum *= self.centre.0;
            }
            for (weight, before, after) in &self.pairs {
                let (before, after) = (block_at(before + i * BLOCK), block_at(after + i * BLOCK));
                for lane in 0..BLOCK {
                    sums[lane] += weight * (before[lane] + after[lane]);
                }
            }
            *out = sums;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_fall_and_sum_to_one() {
        for sigma in [0.0, 0.1, 0.5, 1.4, 4.9] {
            let weights = weights(sigma);
            let sum: f32 = weights[0] + 2.0 * weights[1..].iter().sum::<f32>();
            assert!((sum - 1.0).abs() < 1e-6, "{sigma}: {sum}");
            assert!(weights.windows(2).all(|pair| pair[0] >= pair[1]), "{weights:?}");
        }
    }
}
