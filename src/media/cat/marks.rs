//! Tabby markings: the ground colour of the coat, and the stripes that darken it.

use super::noise::{clouds, noise};
use super::palette::{Colour, PALETTE};
use super::plane::{Curve, Point, at, curve, lerp, step};

/// A stripe, in the units of its frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    path: Curve,
    /// Half of its width at the start, in the middle and at the end.
    reach: [f32; 3],
}

/// A stripe from, towards and to points, with half of its width there.
pub(super) const fn mark(from: (f32, f32), bend: (f32, f32), to: (f32, f32), reach: [f32; 3]) -> Mark {
    Mark { path: curve(at(from.0, from.1), at(bend.0, bend.1), at(to.0, to.1)), reach }
}

impl Mark {
    /// 1 within the stripe, 0 away from it.
    fn darkness(&self, p: Point) -> f32 {
        let (distance, along) = self.path.nearest(p, 6);
        let [a, b, c] = self.reach;
        let reach = if along < 0.5 { lerp(a, b, along * 2.0) } else { lerp(b, c, along * 2.0 - 1.0) };
        step(reach * 1.35, reach * 0.6, distance)
    }
}

/// How much the stripes darken a point: 0 to 1.
pub(super) fn darkness(marks: &[Mark], p: Point) -> f32 {
    marks.iter().fold(0.0, |most: f32, mark| most.max(mark.darkness(p)))
}

/// The ground colour of the body: buff and gold in clouds, with brown ones among them.
pub(super) fn ground(p: Point) -> Colour {
    let palette = &*PALETTE;
    let warm = palette.buff.mix(palette.gold, 0.9 * clouds(201, p * 0.012));
    warm.mix(palette.brown, 0.45 * step(0.35, 0.75, clouds(203, p * 0.02)))
}

/// Stripes, one for each whole number in `s`, of changing width and broken here and there by
/// the place on the canvas: 1 within, 0 between.
pub(super) fn bands(s: f32, p: Point) -> f32 {
    let across = (s - s.floor() - 0.5).abs() * 2.0;
    let thin = lerp(0.46, 0.70, clouds(211, at(p.x * 0.011, p.y * 0.007)));
    let broken = step(0.22, 0.34, noise(213, at(p.x * 0.012, p.y * 0.016)));
    step(thin, thin + 0.20, across) * broken
}
