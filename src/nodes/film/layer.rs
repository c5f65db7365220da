//! `LAYER` over a film: pictures and films laid over it, in RGB.

use crate::media::clip::{SCALE_FLAGS, rgb_to_yuv};
use crate::media::time::Rate;
use crate::media::{ClipOp, Facts, Loom, Pad, Pixels};
use crate::nodes::film::Film;
use crate::nodes::geometry::Size;

/// One input, laid.
#[derive(Debug, Clone, Copy)]
pub(in crate::nodes) struct LaidFilm {
    pub film: Film,
    pub at: (i64, i64),
    pub opacity: f64,
    pub size: Size,
}

/// `LAYER` of films.
pub(in crate::nodes) struct LayerFilm {
    /// The ground first.
    pub layers: Vec<LaidFilm>,
}

/// The length and the rate of a `LAYER` or `BLEND`: the first input's, if it is a film; a still
/// lasts as long as the longest film over it.
pub(in crate::nodes) fn length(inputs: &[Facts], rate: Rate) -> u64 {
    let frames = |facts: &Facts| facts.clip.map(|_| Film::new(facts, rate, 0).frames);
    let first = inputs.first().and_then(frames);
    first.or_else(|| inputs.iter().filter_map(frames).max()).unwrap_or(1)
}

impl ClipOp for LayerFilm {
    fn picture(&self, loom: &mut dyn Loom) -> Pad {
        let ground = &self.layers[0];
        let frames = ground.film.frames;
        let mut filters = vec!["format=gbrap".to_owned()];
        if ground.opacity < 1.0 {
            filters.push(format!("colorchannelmixer=aa={}", ground.opacity));
        }
        // A film has no alpha: what shows through is black.
        filters.push("premultiply=inplace=1,format=gbrp".to_owned());
        let pad = ground.film.take(loom, 0, (0, frames), Pixels::Rgba);
        let mut below = loom.link(&[pad], &filters.join(","));
        for (index, laid) in self.layers.iter().enumerate().skip(1) {
            let mut filters = vec!["format=gbrap".to_owned()];
            if laid.film.size != laid.size {
                filters.push(format!("scale=w={}:h={}:flags={SCALE_FLAGS},setsar=1", laid.size.0, laid.size.1));
            }
            if laid.opacity < 1.0 {
                filters.push(format!("colorchannelmixer=aa={}", laid.opacity));
            }
            let pad = laid.film.take(loom, index, (0, frames), Pixels::Rgba);
            let over = loom.link(&[pad], &filters.join(","));
            let (x, y) = laid.at;
            below = loom.link(&[below, over], &format!("overlay=x={x}:y={y}:format=gbrp"));
        }
        loom.link(&[below], &format!("format=gbrp,{}", rgb_to_yuv()))
    }

    fn sound(&self, loom: &mut dyn Loom) -> Pad {
        let ground = &self.layers[0].film;
        ground.take_sound(loom, 0, (0, ground.frames))
    }

    fn cost(&self) -> f64 {
        10.0 * self.layers.len() as f64
    }
}
