//! `BLEND` over a film, in RGB.

use crate::media::clip::{SCALE_FLAGS, rgb_to_yuv};
use crate::media::{ClipOp, Loom, Pad, Pixels};
use crate::nodes::film::Film;
use crate::nodes::geometry;

/// `BLEND` of films.
pub(in crate::nodes) struct BlendFilm {
    pub base: Film,
    pub over: Film,
    /// As ffmpeg's `blend` calls it with the base on top.
    pub mode: &'static str,
    pub opacity: f64,
}

/// ffmpeg's word for a mode with the base as its first input.
pub(in crate::nodes) fn mode_word(mode: &str) -> &'static str {
    match mode {
        "multiply" => "multiply",
        "screen" => "screen",
        "overlay" => "overlay",
        "add" => "addition",
        "subtract" => "subtract",
        "average" => "average",
        "difference" => "difference",
        "lighten" => "lighten",
        "darken" => "darken",
        other => panic!("BUG: validation let the mode {other:?} pass"),
    }
}

impl ClipOp for BlendFilm {
    fn picture(&self, loom: &mut dyn Loom) -> Pad {
        let frames = self.base.frames;
        let inner = geometry::inside(self.over.size, self.base.size);
        let (x, y) = geometry::centred(inner, self.base.size);
        let base = self.base.take(loom, 0, (0, frames), Pixels::Rgba);
        let base = loom.link(&[base], "format=gbrap,premultiply=inplace=1,format=gbrp");
        let over = self.over.take(loom, 1, (0, frames), Pixels::Rgba);
        let mut filters = vec!["format=gbrap".to_owned()];
        if self.over.size != inner {
            filters.push(format!("scale=w={}:h={}:flags={SCALE_FLAGS},setsar=1", inner.0, inner.1));
        }
        let over = loom.link(&[over], &filters.join(","));
        let [colour, alpha] = loom.split(over);
        let colour = loom.link(&[colour], "format=gbrap,format=gbrp");
        let alpha = loom.link(&[alpha], "format=gbrap,alphaextract");
        let [ground, under] = loom.split(base);
        let under = loom.link(&[under], &format!("crop=w={}:h={}:x={x}:y={y}:exact=1", inner.0, inner.1));
        let blend = format!("blend=all_mode={}:all_opacity={},format=gbrp", self.mode, self.opacity);
        let mixed = loom.link(&[under, colour], &blend);
        let mixed = loom.link(&[mixed, alpha], "alphamerge,format=gbrap");
        let out = loom.link(&[ground, mixed], &format!("overlay=x={x}:y={y}:format=gbrp"));
        loom.link(&[out], &format!("format=gbrp,{}", rgb_to_yuv()))
    }

    fn sound(&self, loom: &mut dyn Loom) -> Pad {
        self.base.take_sound(loom, 0, (0, self.base.frames))
    }

    fn cost(&self) -> f64 {
        25.0
    }
}
