//! Time as an index: frames at a constant rate, samples at 48 kHz, all by integer arithmetic.
//!
//! Frame n is at n/rate, sample n at n/48000, the first of each at 0. Seconds come in from people
//! alone, and are turned into an index at once.

use serde::{Deserialize, Serialize};

/// Samples a second of every sound between nodes.
pub const SAMPLE_RATE: u64 = 48_000;

/// Frames a second as a fraction in lowest terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rate {
    num: u32,
    den: u32,
}

/// Rates that a variable one is taken for where its average is near.
const USUAL: [(u32, u32); 8] =
    [(24_000, 1001), (24, 1), (25, 1), (30_000, 1001), (30, 1), (50, 1), (60_000, 1001), (60, 1)];

impl Rate {
    /// The rate of stills that nothing else gives one.
    pub const STILL: Self = Self { num: 25, den: 1 };

    /// The most frames a second of a GIF that browsers show as fast as it says.
    pub const GIF: Self = Self { num: 50, den: 1 };

    /// `num / den` frames a second, from 1/1000 to 1000; `None` outside of that.
    pub fn new(num: u64, den: u64) -> Option<Self> {
        if num == 0 || den == 0 {
            return None;
        }
        let by = gcd(num, den);
        let (num, den) = (num / by, den / by);
        let fits = num <= den.saturating_mul(1000) && den <= num.saturating_mul(1000);
        match (u32::try_from(num), u32::try_from(den)) {
            (Ok(num), Ok(den)) if fits => Some(Self { num, den }),
            _ => None,
        }
    }

    /// The rate of a film whose frames come unevenly: the usual one nearest to the average
    /// (within one per cent), else the average rounded to 1/1000. `frames` last `ticks` ticks of
    /// `tick.0 / tick.1` seconds.
    pub fn of_average(frames: u64, ticks: u64, tick: (u32, u32)) -> Option<Self> {
        let (num, den) = (u128::from(frames) * u128::from(tick.1), u128::from(ticks) * u128::from(tick.0));
        if den == 0 {
            return None;
        }
        let thousandths = u64::try_from((num * 2000 + den) / (2 * den)).ok()?;
        let distance = |&(num, den): &(u32, u32)| (u64::from(num) * 1000 / u64::from(den)).abs_diff(thousandths) * 100;
        let nearest = USUAL.iter().min_by_key(|rate| distance(rate))?;
        if distance(nearest) <= thousandths {
            return Self::new(u64::from(nearest.0), u64::from(nearest.1));
        }
        Self::new(thousandths, 1000)
    }

    /// Its numerator.
    pub const fn num(self) -> u32 {
        self.num
    }

    /// Its denominator.
    pub const fn den(self) -> u32 {
        self.den
    }

    /// The samples of the sound of so many frames: `floor(frames · 48000 · den / num)`.
    pub fn samples_of(self, frames: u64) -> u64 {
        let samples = u128::from(frames) * u128::from(SAMPLE_RATE) * u128::from(self.den) / u128::from(self.num);
        samples as u64
    }

    /// The frames that a sound of so many samples lasts, rounded up.
    pub fn frames_of(self, samples: u64) -> u64 {
        let den = u128::from(SAMPLE_RATE) * u128::from(self.den);
        (u128::from(samples) * u128::from(self.num)).div_ceil(den) as u64
    }

    /// The frame nearest to a time in seconds (not negative), halves up.
    pub fn frame_at(self, seconds: f64) -> u64 {
        (seconds * f64::from(self.num) / f64::from(self.den) + 0.5).floor() as u64
    }

    /// The frames at this rate that last as long as `frames` at `other`, rounded half up, at least 1.
    pub fn frames_from(self, frames: u64, other: Self) -> u64 {
        let num = u128::from(frames) * u128::from(self.num) * u128::from(other.den);
        let den = u128::from(self.den) * u128::from(other.num);
        (((2 * num + den) / (2 * den)) as u64).max(1)
    }

    /// Seconds of so many frames, for people and estimates.
    pub fn seconds(self, frames: u64) -> f64 {
        frames as f64 * f64::from(self.den) / f64::from(self.num)
    }
}

/// `num/den`, as ffmpeg reads it.
impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.num, self.den)
    }
}

/// The sample nearest to a time in seconds (not negative), halves up.
pub fn sample_at(seconds: f64) -> u64 {
    (seconds * SAMPLE_RATE as f64 + 0.5).floor() as u64
}

const fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_in_lowest_terms_and_in_range() {
        let ntsc = Rate::new(60_000, 2002).unwrap();
        assert_eq!((ntsc.num(), ntsc.den(), ntsc.to_string().as_str()), (30_000, 1001, "30000/1001"));
        assert_eq!(
            (Rate::new(0, 1), Rate::new(1, 0), Rate::new(1001, 1), Rate::new(1, 1001)),
            (None, None, None, None)
        );
    }

    #[test]
    fn sound_is_as_long_as_the_frames() {
        let ntsc = Rate::new(30_000, 1001).unwrap();
        assert_eq!(ntsc.samples_of(1), 1601);
        assert_eq!(ntsc.samples_of(30_000), 48_048_000);
        // Thirty minutes: not a sample is lost.
        assert_eq!(ntsc.samples_of(53_946), 86_399_913);
        assert_eq!((ntsc.frames_of(1601), ntsc.frames_of(1602)), (1, 2));
        assert_eq!(Rate::STILL.samples_of(25), 48_000);
    }

    #[test]
    fn times_become_indices() {
        let ntsc = Rate::new(30_000, 1001).unwrap();
        assert_eq!((ntsc.frame_at(0.0), ntsc.frame_at(1.0), ntsc.frame_at(100.1)), (0, 30, 3000));
        assert_eq!((sample_at(0.5), sample_at(1.0 / 3.0)), (24_000, 16_000));
        assert_eq!(Rate::STILL.frames_from(30_000, ntsc), 25_025);
        assert_eq!(Rate::STILL.frames_from(0, ntsc), 1);
    }

    #[test]
    fn an_uneven_rate_is_the_nearest_usual_one() {
        let of = |frames, ticks| Rate::of_average(frames, ticks, (1, 1000)).map(|rate| (rate.num(), rate.den()));
        assert_eq!(of(299, 10_000), Some((30_000, 1001)));
        assert_eq!(of(2995, 100_000), Some((30_000, 1001)));
        assert_eq!(of(300, 10_000), Some((30, 1)));
        assert_eq!(of(239, 10_000), Some((24_000, 1001)));
        assert_eq!(of(125, 10_000), Some((25, 2)));
        assert_eq!(of(137_777, 10_000_000), Some((6889, 500)));
        assert_eq!(of(0, 100), None);
        assert_eq!(of(10, 0), None);
    }
}
