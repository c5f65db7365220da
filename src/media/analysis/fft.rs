//! A radix-2 Fourier transform of real, windowed frames.
//!
//! The frame is packed into a complex signal of half its length, transformed
//! by decimation in time (Cooley and Tukey 1965) and unpacked, the usual
//! arrangement (Press et al., *Numerical Recipes*, section 12.3).

use std::f64::consts::TAU;

/// Power spectra of Hann-windowed frames of one fixed size.
pub struct PowerSpectrum {
    window: Vec<f64>,
    order: Vec<usize>,
    /// Powers of exp(-2πi / size), half a turn of them.
    turns: Vec<(f64, f64)>,
    work: Vec<(f64, f64)>,
    power: Vec<f64>,
}

impl PowerSpectrum {
    /// A transform of `size` samples, a power of two of at least 4.
    pub fn new(size: usize) -> Self {
        assert!(size.is_power_of_two() && size >= 4, "BUG: transform size {size}");
        let half = size / 2;
        let angle = |i: usize| TAU * i as f64 / size as f64;
        let bits = half.trailing_zeros();
        Self {
            window: (0..size).map(|i| 0.5 - 0.5 * libm::cos(angle(i))).collect(),
            order: (0..half).map(|i| i.reverse_bits() >> (usize::BITS - bits)).collect(),
            turns: (0..half).map(|i| (libm::cos(angle(i)), -libm::sin(angle(i)))).collect(),
            work: vec![(0.0, 0.0); half],
            power: vec![0.0; half],
        }
    }

    /// The squared magnitudes of bins 0 to `size / 2 - 1`, scaled so that the
    /// bins of a sine of amplitude 1 sum to 1.
    pub fn power(&mut self, frame: &[f64]) -> &[f64] {
        let size = self.window.len();
        assert!(frame.len() == size, "BUG: frame of {} samples", frame.len());
        for (slot, &from) in self.work.iter_mut().zip(&self.order) {
            let i = 2 * from;
            *slot = (frame[i] * self.window[i], frame[i + 1] * self.window[i + 1]);
        }
        self.transform();
        let half = size / 2;
        // A Hann-windowed sine of amplitude 1 puts 1.5 (size / 4)² into its
        // three bins.
        let quarter = size as f64 / 4.0;
        let scale = 1.0 / (1.5 * quarter * quarter);
        for k in 0..half {
            let (ar, ai) = self.work[k];
            let (br, bi) = self.work[(half - k) % half];
            let (even_re, even_im) = (0.5 * (ar + br), 0.5 * (ai - bi));
            let (odd_re, odd_im) = (0.5 * (ai + bi), 0.5 * (br - ar));
            let (c, s) = self.turns[k];
            let re = even_re + (odd_re * c - odd_im * s);
            let im = even_im + (odd_re * s + odd_im * c);
            self.power[k] = (re * re + im * im) * scale;
        }
        &self.power
    }

    fn transform(&mut self) {
        let half = self.work.len();
        let mut span = 1;
        while span < half {
            // The turns are those of the doubled size.
            let stride = half / span;
            for block in self.work.chunks_exact_mut(2 * span) {
                let (low, high) = block.split_at_mut(span);
                for ((a, b), &(c, s)) in low.iter_mut().zip(high.iter_mut()).zip(self.turns.iter().step_by(stride)) {
                    let re = b.0 * c - b.1 * s;
                    let im = b.0 * s + b.1 * c;
                    *b = (a.0 - re, a.1 - im);
                    *a = (a.0 + re, a.1 + im);
                }
            }
            span *= 2;
        }
    }
}

/// Cuts a stream into overlapping frames whose centres lie a hop apart; the
/// first may be centred anywhere in the stream's first half frame.
pub struct Framer {
    buffer: Vec<f64>,
    size: usize,
    hop: usize,
}

impl Framer {
    /// Frames of `size` samples, `hop` apart, the first one's middle at
    /// sample `first` of the stream (at most half of `size`).
    pub fn new(size: usize, hop: usize, first: usize) -> Self {
        let mut buffer = Vec::with_capacity(size);
        buffer.resize((size / 2).saturating_sub(first), 0.0);
        Self { buffer, size, hop }
    }

    /// Adds a sample; gives the frame it completes, to be let go of by
    /// [`Framer::advance`].
    pub fn push(&mut self, sample: f64) -> Option<&[f64]> {
        self.buffer.push(sample);
        (self.buffer.len() == self.size).then_some(self.buffer.as_slice())
    }

    /// Moves on by a hop after a frame was used.
    pub fn advance(&mut self) {
        self.buffer.drain(..self.hop);
    }
}

#[cfg(test)]
mod tests {
    use super::super::signals::Noise;
    use super::*;

    #[test]
    fn agrees_with_the_definition() {
        let size = 64;
        let mut noise = Noise::new(7);
        let frame: Vec<f64> = (0..size).map(|_| noise.next()).collect();
        let mut spectrum = PowerSpectrum::new(size);
        let power = spectrum.power(&frame).to_vec();
        for (k, &found) in power.iter().enumerate() {
            let (mut re, mut im) = (0.0, 0.0);
            for (i, x) in frame.iter().enumerate() {
                let w = 0.5 - 0.5 * libm::cos(TAU * i as f64 / size as f64);
                let a = TAU * ((i * k) % size) as f64 / size as f64;
                re += x * w * libm::cos(a);
                im -= x * w * libm::sin(a);
            }
            let expected = (re * re + im * im) / (1.5 * 16.0 * 16.0);
            assert!((found - expected).abs() < 1e-12, "bin {k}");
        }
    }

    #[test]
    fn a_full_sine_sums_to_one() {
        let size = 1024;
        let frame: Vec<f64> = (0..size).map(|i| libm::sin(TAU * 50.3 * f64::from(i) / f64::from(size))).collect();
        let mut spectrum = PowerSpectrum::new(1024);
        let sum: f64 = spectrum.power(&frame).iter().sum();
        assert!((sum - 1.0).abs() < 1e-3, "{sum}");
    }

    #[test]
    fn frames_are_centred() {
        let mut framer = Framer::new(8, 2, 1);
        let mut middles = Vec::new();
        for i in 0..12 {
            let middle = framer.push(f64::from(i)).map(|frame| frame[4]);
            if let Some(middle) = middle {
                middles.push(middle);
                framer.advance();
            }
        }
        assert_eq!(middles, [1.0, 3.0, 5.0, 7.0]);
    }
}
