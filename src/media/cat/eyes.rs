//! The eyes: lids, iris, slit pupil, and the window mirrored in them.

use super::noise::noise;
use super::painter::{Area, Canvas};
use super::palette::{Colour, PALETTE};
use super::plane::{Point, at, bump, lerp, segment, step};
use super::pose::HEAD;

/// Centre of the right eye in the head's frame.
const CENTRE: Point = at(0.400, -0.02);
/// Its x axis points to the outer corner, a little up.
const AXIS: Point = at(0.981_63, -0.190_81);
/// Half of its width.
const HALF: f32 = 0.232;
/// How far the upper and the lower lid rise from the line between the corners.
const LIDS: (f32, f32) = (0.168, 0.166);
const IRIS: f32 = 0.207;

/// A point of the right half of the head in the eye's own frame.
fn inward(v: Point) -> Point {
    (v - CENTRE).turned(at(AXIS.x, -AXIS.y))
}

/// Signed distance of the lid's edge, negative within the eye, of a point of the right half
/// of the head.
pub(super) fn distance(v: Point) -> f32 {
    let e = inward(v);
    let arc = |rise: f32, sign: f32| {
        let radius = (HALF * HALF + rise * rise) / (2.0 * rise);
        (e - at(0.0, sign * (radius - rise))).length() - radius
    };
    let almond = arc(LIDS.0, 1.0).max(arc(LIDS.1, -1.0));
    let (tear, along) = segment(e, at(-0.19, 0.02), at(-0.268, 0.060));
    almond.min(tear - lerp(0.042, 0.006, along))
}

/// Both eyes with their dark lids.
pub(super) fn paint(canvas: &mut Canvas) {
    for side in [-1.0, 1.0] {
        let centre = HEAD.outward(at(CENTRE.x * side, CENTRE.y));
        let area = Area::around(centre, 0.36 * HEAD.scale);
        canvas.shade(area, |p, below| {
            let u = HEAD.inward(p);
            if u.x * side < 0.0 {
                return below;
            }
            eye(u, side, below)
        });
    }
}

fn eye(u: Point, side: f32, below: Colour) -> Colour {
    let v = at(u.x * side, u.y);
    let (edge, e) = (distance(v), inward(v));
    let pixel = 1.0 / HEAD.scale;
    let lid = lerp(0.026, 0.050, step(0.05, -0.1, e.y)) + 0.008 * (noise(91, u * 45.0) - 0.5);
    let colour = below.mix(PALETTE.ink, 0.96 * step(lid, lid * 0.45, edge));
    // Seen from the viewer, not mirrored: both eyes look at the same point.
    let upright = v - CENTRE;
    let seen = at(upright.x * side, upright.y);
    colour.mix(ball(seen, e, upright), step(pixel, -pixel, edge))
}

/// The eyeball at `seen`, from its centre in the viewer's sense, and at `e`, in the eye's own.
fn ball(seen: Point, e: Point, upright: Point) -> Colour {
    let palette = &*PALETTE;
    let from_centre = (e - at(0.005, -0.006)).length();
    let radius = from_centre / IRIS;
    let pixel = 1.5 / HEAD.scale;
    let spoke = at(e.x, e.y + 0.006) * (1.0 / from_centre.max(1e-4));
    let ray = |count: f32| noise(93, at(spoke.x * count + radius * 2.0, spoke.y * count - radius)) - 0.5;
    let fibres = 0.6 * ray(14.0) + 0.6 * ray(33.0);
    let mut colour = palette.iris_heart.mix(palette.iris, step(0.22, 0.70, radius + 0.40 * fibres));
    colour = colour.mix(palette.iris_rim, step(0.50, 0.98, radius + 0.22 * fibres));
    let strand = step(0.02, 0.20, fibres) * bump(0.62, 0.42, radius);
    let gap = step(-0.04, -0.22, fibres) * bump(0.70, 0.45, radius);
    colour = colour.mix(palette.iris_heart * 1.1, 0.55 * strand).mix(palette.iris_rim, 0.75 * gap);
    // Light that entered at the upper left brightens the lower right.
    let across = seen.dot(at(0.55, 0.83)) / IRIS;
    colour = colour * lerp(0.42, 1.75, step(-0.9, 0.9, across));
    colour = colour.mix(palette.ink, 0.9 * step(0.94, 1.06, radius));
    let sill = at((seen.x - 0.045) / 0.11, (seen.y - 0.105) / 0.045).length();
    colour = colour.mix(palette.sunlight, 0.20 * step(1.1, 0.2, sill));
    let pupil = at(upright.x / 0.078, (upright.y + 0.004) / 0.166);
    let slit = (pupil.length() - 1.0) * 0.05;
    colour = colour.mix(palette.iris_heart * 1.1, 0.22 * bump(0.010, 0.018, slit));
    colour = colour.mix(palette.ink * 0.6, step(pixel, -pixel, slit));
    // The upper lid's shade.
    colour = colour * lerp(0.22, 1.0, step(-0.175, -0.040, e.y + 0.10 * e.x * e.x / HALF));
    glints(colour, seen)
}

/// The window, mirrored, and a spark.
fn glints(colour: Colour, seen: Point) -> Colour {
    let palette = &*PALETTE;
    let pane = at((seen.x + 0.068) / 0.050, (seen.y + 0.070) / 0.058);
    let pane = at(pane.x + 0.20 * pane.y, pane.y + 0.12 * pane.x);
    let square = (pane.x * pane.x * pane.x * pane.x + pane.y * pane.y * pane.y * pane.y).sqrt();
    let bars = step(0.13, 0.05, pane.x.abs()).max(step(0.11, 0.04, (pane.y - 0.1).abs()));
    let bright = step(1.12, 0.84, square) * (1.0 - 0.38 * bars);
    let spark = step(0.016, 0.009, (seen - at(0.072, 0.052)).length());
    colour.mix(palette.white, 0.97 * bright).mix(palette.white, 0.75 * spark)
}
