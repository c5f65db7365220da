//! Chance without randomness: numbers from a counter, and smooth noise from a lattice.

use super::plane::Point;

/// A generator of numbers from a seed: splitmix64 (Steele, Lea, Flood 2014).
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    /// The generator of one cell of a lattice.
    pub(super) fn of(seed: u64, x: i32, y: i32) -> Self {
        let mut dice =
            Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (u64::from(x as u32) << 32) ^ u64::from(y as u32));
        dice.next();
        dice
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 to 1, the same chance for each.
    pub(super) fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1_u32 << 24) as f32
    }

    /// `from` to `to`, the same chance for each.
    pub(super) fn between(&mut self, from: f32, to: f32) -> f32 {
        from + (to - from) * self.unit()
    }

    /// −1 to 1, the middle more often.
    pub(super) fn around(&mut self) -> f32 {
        self.unit() + self.unit() - 1.0
    }
}

fn lattice(seed: u32, x: i32, y: i32) -> f32 {
    let mut h = seed ^ (x as u32).wrapping_mul(0x85eb_ca6b) ^ (y as u32).wrapping_mul(0xc2b2_ae35);
    h = (h ^ (h >> 16)).wrapping_mul(0x7feb_352d);
    h = (h ^ (h >> 15)).wrapping_mul(0x846c_a68b);
    ((h ^ (h >> 16)) >> 8) as f32 / (1_u32 << 24) as f32
}

/// The largest whole number not above `value`.
fn below(value: f32) -> i32 {
    let whole = value as i32;
    whole - i32::from(whole as f32 > value)
}

/// Smooth noise, 0 to 1, that changes over a distance of about 1.
pub(super) fn noise(seed: u32, p: Point) -> f32 {
    let (x, y) = (below(p.x), below(p.y));
    let (fx, fy) = (x as f32, y as f32);
    let ease = |t: f32| t * t * (3.0 - 2.0 * t);
    let (u, v) = (ease(p.x - fx), ease(p.y - fy));
    let row = |y: i32| {
        let (a, b) = (lattice(seed, x, y), lattice(seed, x + 1, y));
        a + (b - a) * u
    };
    let (top, bottom) = (row(y), row(y + 1));
    top + (bottom - top) * v
}

/// Three octaves of [`noise`], 0 to 1.
pub(super) fn clouds(seed: u32, p: Point) -> f32 {
    let sum = noise(seed, p) + noise(seed + 1, p * 2.03) * 0.5 + noise(seed + 2, p * 4.1) * 0.25;
    sum / 1.75
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::cat::plane::at;

    #[test]
    fn noise_stays_in_range_and_has_no_steps() {
        let mut dice = Dice::of(1, 2, 3);
        for _ in 0..2000 {
            let p = at(dice.between(-30.0, 30.0), dice.between(-30.0, 30.0));
            let (here, beside) = (clouds(5, p), clouds(5, p + at(1e-3, 1e-3)));
            assert!((0.0..=1.0).contains(&here));
            assert!((here - beside).abs() < 0.02, "at {p:?}");
        }
    }
}
