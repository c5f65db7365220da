//! The threshold of `dog`: how dark the paper gets.

use crate::media::blur::ROUNDING;

/// The kinds of threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// White from epsilon on, below it the hyperbolic tangent falls to black.
    Soft,
    /// White from epsilon on, black below.
    Hard,
    /// The mean of three soft thresholds: at epsilon, two thirds and one third of it.
    Tone,
}

/// Steps of the table: so many that neighbours of a soft threshold differ by one level of 255
/// at most.
const STEPS: usize = 2048;

/// A threshold in a table.
pub(super) struct Ink {
    /// The same grey in the three low bytes, from dark to light.
    table: Vec<u32>,
    /// Step of the table is `value * scale + offset`.
    scale: f32,
    offset: f32,
}

impl Ink {
    /// A threshold at `epsilon` (0 to 1 of luma) of steepness `phi` (> 0).
    pub(super) fn new(mode: Mode, epsilon: f64, phi: f64) -> Self {
        let levels = match mode {
            Mode::Tone => 3,
            Mode::Soft | Mode::Hard => 1,
        };
        // This far below the lowest threshold `tanh` leaves less than half a level of 255.
        let depth = if mode == Mode::Hard { 1.0 / 1024.0 } else { 3.5 / phi };
        let lowest = epsilon / f64::from(levels) - depth;
        let width = epsilon - lowest;
        let last = (STEPS - 1) as f64;
        let grey = |step: usize| {
            let value = lowest + width * step as f64 / last;
            let light = |level: i32| {
                let below = (value - epsilon * f64::from(level) / f64::from(levels)).min(0.0);
                if mode == Mode::Hard { f64::from(u8::from(step == STEPS - 1)) } else { 1.0 + libm::tanh(phi * below) }
            };
            let sum: f64 = (1..=levels).map(light).sum();
            (255.0 * sum / f64::from(levels) + 0.5) as u32 * 0x0001_0101
        };
        let scale = last / (255.0 * width);
        Self {
            table: (0..STEPS).map(grey).collect(),
            scale: scale as f32,
            offset: (last - 255.0 * epsilon * scale) as f32,
        }
    }

    /// The grey of a value on the scale of bytes, in the three low bytes.
    #[inline]
    pub(super) fn grey(&self, value: f32) -> u32 {
        let step = (value * self.scale + self.offset).clamp(0.0, (STEPS - 1) as f32) + ROUNDING;
        self.table[step.to_bits() as usize % STEPS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn greys(ink: &Ink, values: &[f32]) -> Vec<u32> {
        values.iter().map(|value| ink.grey(*value) & 255).collect()
    }

    #[test]
    fn soft_is_the_definition_within_a_level() {
        for (epsilon, phi) in [(0.4, 10.0), (1.0, 0.01), (0.0, 200.0), (0.7, 1.0)] {
            let ink = Ink::new(Mode::Soft, epsilon, phi);
            for step in -3000..6000 {
                let value = f64::from(step) / 1000.0;
                let below = (value - epsilon).min(0.0);
                let exact = 255.0 * (1.0 + libm::tanh(phi * below));
                let grey = ink.grey((255.0 * value) as f32);
                assert!((f64::from(grey & 255) - exact).abs() < 1.0, "{epsilon} {phi} {value}: {grey:x} for {exact}");
                assert_eq!(grey, (grey & 255) * 0x0001_0101);
            }
        }
    }

    #[test]
    fn hard_is_black_or_white_whatever_phi() {
        for phi in [0.01, 10.0, 200.0] {
            let ink = Ink::new(Mode::Hard, 0.4, phi);
            assert_eq!(greys(&ink, &[-1e6, 101.99, 102.01, 1e6]), [0, 0, 255, 255], "{phi}");
        }
    }

    #[test]
    fn tone_has_four_steps() {
        let ink = Ink::new(Mode::Tone, 0.6, 200.0);
        assert_eq!(greys(&ink, &[20.0, 76.0, 127.0, 160.0]), [0, 85, 170, 255]);
    }
}
