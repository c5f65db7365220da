//! Test signals, the same on every machine.

use std::f64::consts::TAU;

/// Marsaglia's xorshift generator, 64 bits.
pub struct Noise(u64);

impl Noise {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// Uniform in -1 to 1.
    pub fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}

/// The same sound in both channels.
pub fn stereo(mono: &[f64]) -> Vec<f32> {
    mono.iter().flat_map(|&x| [x as f32, x as f32]).collect()
}

pub fn noise(seconds: f64, level: f64, seed: u64) -> Vec<f64> {
    let mut noise = Noise::new(seed);
    (0..(seconds * 48_000.0) as usize).map(|_| noise.next() * level).collect()
}

pub fn sine(frequency: f64, amplitude: f64, seconds: f64) -> Vec<f64> {
    (0..(seconds * 48_000.0) as usize).map(|i| amplitude * libm::sin(TAU * frequency * i as f64 / 48_000.0)).collect()
}

/// Adds `shape(seconds since start)` from `start` for `length` seconds.
fn add(mono: &mut [f64], start: f64, length: f64, mut shape: impl FnMut(f64) -> f64) {
    let from = (start * 48_000.0).round() as usize;
    for i in 0..(length * 48_000.0) as usize {
        if let Some(sample) = mono.get_mut(from + i) {
            *sample += shape(i as f64 / 48_000.0);
        }
    }
}

pub fn beat_times(bpm: f64, first: f64, seconds: f64) -> Vec<f64> {
    (0..10_000).map(|i| first + f64::from(i) * 60.0 / bpm).filter(|t| *t < seconds - 0.01).collect()
}

/// Short decaying 1 kHz clicks.
pub fn clicks(times: &[f64], seconds: f64) -> Vec<f64> {
    let mut mono = vec![0.0; (seconds * 48_000.0) as usize];
    for &t in times {
        add(&mut mono, t, 0.03, |s| 0.6 * libm::exp(-s * 150.0) * libm::sin(TAU * 1000.0 * s));
    }
    mono
}

/// Kick on 1 and 3, snare on 2 and 4, hats on eighths, light noise.
pub fn drums(bpm: f64, first: f64, seconds: f64) -> Vec<f64> {
    kit(bpm, first, seconds, 0.7)
}

/// The same with a kick of another amplitude.
pub fn kit(bpm: f64, first: f64, seconds: f64, kick: f64) -> Vec<f64> {
    let mut mono = noise(seconds, 0.003, 99);
    let mut source = Noise::new(5);
    let beat = 60.0 / bpm;
    for (i, t) in beat_times(bpm, first, seconds).into_iter().enumerate() {
        if i % 2 == 0 {
            add(&mut mono, t, 0.25, |s| {
                let phase = 50.0 * s + 100.0 / 30.0 * (1.0 - libm::exp(-30.0 * s));
                kick * libm::exp(-s * 14.0) * libm::sin(TAU * phase)
            });
        } else {
            add(&mut mono, t, 0.18, |s| {
                libm::exp(-s * 22.0) * (0.3 * source.next() + 0.25 * libm::sin(TAU * 190.0 * s))
            });
        }
        for half in [0.0, 0.5] {
            let mut last = 0.0;
            add(&mut mono, t + half * beat, 0.05, |s| {
                let x = source.next();
                let high = x - last;
                last = x;
                0.08 * libm::exp(-s * 80.0) * high
            });
        }
    }
    mono
}

/// What a drummer plays in four beats, an x for each blow on a grid of sixteenths, in the order
/// of bass drum, snare drum and hat. Hats on the beats are louder than those between.
pub const PATTERNS: [(&str, [&str; 3]); 6] = [
    ("eighths", ["x.......x.......", "....x.......x...", "x.x.x.x.x.x.x.x."]),
    ("sixteenths", ["x.......x.......", "....x.......x...", "xxxxxxxxxxxxxxxx"]),
    ("rock", ["x.......x.x.....", "....x.......x...", "x.x.x.x.x.x.x.x."]),
    ("syncopated", ["x.....x.x.......", "....x.......x..x", "x.x.x.x.x.x.x.x."]),
    ("four on the floor", ["x...x...x...x...", "....x.......x...", "..x...x...x...x."]),
    ("half-time", ["x...............", "........x.......", "x.x.x.x.x.x.x.x."]),
];

/// Grooves of other kinds: tatums in a beat, and the parts as in [`PATTERNS`].
pub const GROOVES: [(&str, usize, [&str; 3]); 15] = [
    ("amen", 4, ["x.x.......xx....", "....x..x.x..x..x", "x.x.x.x.x.x.x.x."]),
    ("funk", 4, ["x.x...x...x..x..", "....x..x.x..x..x", "xxxxxxxxxxxxxxxx"]),
    ("boom bap", 4, ["x..x......x.....", "....x.......x...", "x.x.x.x.x.x.x.x."]),
    ("reggaeton", 4, ["x...x...x...x...", "...x..x....x..x.", "x.x.x.x.x.x.x.x."]),
    ("train", 4, ["x...x...x...x...", "x.xxx.xxx.xxx.xx", "................"]),
    ("motown", 4, ["x.......x.......", "x...x...x...x...", "x.x.x.x.x.x.x.x."]),
    ("drum and bass", 4, ["x.........x.....", "....x.......x...", "x.x.x.x.x.x.x.x."]),
    ("no hats", 4, ["x.....x.x.x.....", "....x.......x...", "................"]),
    ("punk", 2, ["x..xx..x", "..x...x.", "x.x.x.x."]),
    ("waltz", 4, ["x...........", "....x...x...", "x.x.x.x.x.x."]),
    ("shuffle", 3, ["x.....x.....", "...x.....x..", "x.xx.xx.xx.x"]),
    ("six-eight", 3, ["x.....", "...x..", "xxxxxx"]),
    ("no snare, eighths", 4, ["x...x...x...x...", "................", "x.x.x.x.x.x.x.x."]),
    ("no snare, offbeats", 4, ["x...x...x...x...", "................", "..x...x...x...x."]),
    ("no snare, sixteenths", 4, ["x...x...x...x...", "................", "xxxxxxxxxxxxxxxx"]),
];

/// A bass drum, a snare drum and a hat.
#[derive(Clone, Copy, Debug)]
pub enum Kit {
    /// A deep bass drum, a snare drum with a tone in it, and hats without depth.
    Soft,
    /// All of them begin with a knock, the hats with all frequencies.
    Hard,
}

impl Kit {
    fn bass(self, s: f64) -> f64 {
        match self {
            Self::Soft => {
                let phase = 50.0 * s + 100.0 / 30.0 * (1.0 - libm::exp(-30.0 * s));
                0.7 * libm::exp(-s * 14.0) * libm::sin(TAU * phase)
            }
            Self::Hard => {
                let phase = 50.0 * s + 8.0 * (1.0 - libm::exp(-40.0 * s));
                0.9 * libm::exp(-s * 25.0) * libm::sin(TAU * phase)
            }
        }
    }

    fn snare(self, s: f64, noise: f64) -> f64 {
        match self {
            Self::Soft => libm::exp(-s * 22.0) * (0.3 * noise + 0.25 * libm::sin(TAU * 190.0 * s)),
            Self::Hard => libm::exp(-s * 30.0) * 0.8 * noise,
        }
    }

    fn hat(self, s: f64, noise: f64, high: f64) -> f64 {
        match self {
            Self::Soft => libm::exp(-s * 80.0) * 0.1 * high,
            Self::Hard => libm::exp(-s * 120.0) * 0.25 * noise,
        }
    }
}

/// A pattern of sixteenths over and over, with light noise.
pub fn pattern(parts: [&str; 3], kit: Kit, bpm: f64, first: f64, seconds: f64) -> Vec<f64> {
    groove(parts, kit, bpm * 4.0, first, seconds)
}

/// A pattern over and over, with so many of its steps a minute, and light noise.
pub fn groove([bass, snare, hat]: [&str; 3], kit: Kit, steps: f64, first: f64, seconds: f64) -> Vec<f64> {
    let mut mono = noise(seconds, 0.003, 99);
    let mut source = Noise::new(5);
    let plays = |part: &str, count: usize| part.as_bytes()[count % part.len()] == b'x';
    for (count, t) in beat_times(steps, first, seconds).into_iter().enumerate() {
        if plays(bass, count) {
            add(&mut mono, t, 0.25, |s| kit.bass(s));
        }
        if plays(snare, count) {
            add(&mut mono, t, 0.18, |s| kit.snare(s, source.next()));
        }
        if plays(hat, count) {
            let mut last = 0.0;
            add(&mut mono, t, 0.05, |s| {
                let x = source.next();
                let high = x - last;
                last = x;
                kit.hat(s, x, high)
            });
        }
    }
    mono
}

/// The F-measure of `mir_eval.beat`: first 5 s left out, ±70 ms.
pub fn f_measure(reference: &[f64], found: &[f64]) -> f64 {
    let trim = |v: &[f64]| -> Vec<f64> { v.iter().copied().filter(|t| *t >= 5.0).collect() };
    let (reference, found) = (trim(reference), trim(found));
    if reference.is_empty() || found.is_empty() {
        return 0.0;
    }
    // Both rise, so matching greedily in order is a largest matching.
    let (mut i, mut j, mut hits) = (0, 0, 0);
    while i < reference.len() && j < found.len() {
        let gap = found[j] - reference[i];
        if gap.abs() <= 0.07 {
            hits += 1;
            i += 1;
            j += 1;
        } else if gap < 0.0 {
            j += 1;
        } else {
            i += 1;
        }
    }
    2.0 * f64::from(hits) / (reference.len() + found.len()) as f64
}
