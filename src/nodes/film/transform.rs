//! `TRANSFORM` of films and sounds: eq, hue, boxblur, unsharp, speed, in this order.

use crate::base::Params;
use crate::media::time::{Rate, SAMPLE_RATE};
use crate::media::{ClipOp, Facts, Loom, Pad, Pixels};
use crate::nodes::film::Film;

/// `TRANSFORM` of a film or a sound.
pub(in crate::nodes) struct TransformFilm {
    /// The film; `None` for a sound.
    pub film: Option<Film>,
    /// Samples of the input's sound.
    pub samples: u64,
    /// The entries of `effects`.
    pub effects: Params,
}

/// Frames of a film after a change of speed.
pub(in crate::nodes) fn frames_at_speed(frames: u64, speed: f64) -> u64 {
    ((frames as f64 / speed + 0.5).floor() as u64).max(1)
}

/// Samples of a sound after a change of speed.
pub(in crate::nodes) fn samples_at_speed(samples: u64, speed: f64) -> u64 {
    frames_at_speed(samples, speed)
}

impl TransformFilm {
    pub fn new(effects: Params, input: &Facts) -> Self {
        let film = input.clip.map(|_| Film::alone(input));
        Self { film, samples: input.samples, effects }
    }

    fn speed(&self) -> f64 {
        self.effects.number("speed")
    }

    fn filters(&self, film: &Film) -> Vec<String> {
        let number = |name: &str| self.effects.number(name);
        let differs = |name: &str, from: f64| number(name).total_cmp(&from).is_ne();
        let mut filters = Vec::new();
        if differs("saturation", 1.0) || differs("contrast", 1.0) || differs("brightness", 0.0) || differs("gamma", 1.0)
        {
            filters.push(format!(
                "eq=contrast={}:brightness={}:saturation={}:gamma={}",
                number("contrast"),
                number("brightness"),
                number("saturation"),
                number("gamma")
            ));
        }
        if differs("hue", 0.0) {
            filters.push(format!("hue=h={}", number("hue")));
        }
        let blur = number("blur") as u32;
        if blur > 0 {
            // A window is no longer than a side: with half of one to both sides and a middle, boxblur reads beyond it.
            let (width, height) = film.size;
            let luma = blur.min((width.min(height) - 1) / 2);
            let chroma = blur.min((width.div_ceil(2).min(height.div_ceil(2)) - 1) / 2);
            filters.push(format!("boxblur=luma_radius={luma}:luma_power=2:chroma_radius={chroma}:chroma_power=2"));
        }
        if differs("sharpen", 0.0) {
            filters.push(format!("unsharp=5:5:{}:5:5:0", number("sharpen")));
        }
        if differs("speed", 1.0) {
            let speed = self.speed();
            // Less than half a frame is none to `fps`, and a film has one.
            let short = (film.frames as f64) < 0.5 * speed;
            filters.push(if short { "trim=end_frame=1".to_owned() } else { at_speed(film.rate, speed) });
        }
        filters
    }
}

/// Frames nearest in time, on a grid a thousand times as fine.
fn at_speed(rate: Rate, speed: f64) -> String {
    format!(
        "settb=expr={}/{},setpts=N*1000/{speed},fps=fps={rate}:round=near",
        rate.den(),
        u64::from(rate.num()) * 1000
    )
}

impl ClipOp for TransformFilm {
    fn picture(&self, loom: &mut dyn Loom) -> Pad {
        let film = self.film.unwrap_or_else(|| panic!("BUG: the picture of a sound"));
        let pad = film.take(loom, 0, (0, film.frames), Pixels::Yuv420);
        let filters = self.filters(&film);
        if filters.is_empty() { pad } else { loom.link(&[pad], &filters.join(",")) }
    }

    fn sound(&self, loom: &mut dyn Loom) -> Pad {
        let pad = loom.sound(0, 0, self.samples);
        let speed = self.speed();
        if speed.total_cmp(&1.0).is_eq() {
            return pad;
        }
        // One `atempo` keeps every sample between a half and twice the speed only.
        let (mut rest, mut filters) = (speed, Vec::new());
        while rest > 2.0 {
            filters.push("atempo=2".to_owned());
            rest /= 2.0;
        }
        while rest < 0.5 {
            filters.push("atempo=0.5".to_owned());
            rest /= 0.5;
        }
        filters.push(format!("atempo={rest}"));
        filters.push(format!("aresample={SAMPLE_RATE}"));
        loom.link(&[pad], &filters.join(","))
    }

    fn is_in_step(&self) -> bool {
        self.speed().total_cmp(&1.0).is_eq()
    }

    fn cost(&self) -> f64 {
        4.0 + if self.effects.number("blur") >= 1.0 { 12.0 } else { 0.0 }
    }
}
