//! The skull, and the fur of the face with the tabby's M.
//!
//! Left and right are mirrored but for a little noise.

use super::eyes;
use super::form::{Form, Solid};
use super::marks::{Mark, darkness, mark};
use super::noise::{clouds, noise};
use super::nose;
use super::palette::{Colour, PALETTE};
use super::part::{Lay, Part};
use super::plane::{Point, at, bump, lerp, step};
use super::pose::HEAD;

/// Stripes of the right half; the left half mirrors them.
const MARKS: [Mark; 11] = [
    // The M: two lines beside the middle, one up from the inner brow, one above the eye.
    mark((0.05, -0.44), (0.04, -0.62), (0.07, -0.90), [0.006, 0.032, 0.030]),
    mark((0.13, -0.22), (0.12, -0.42), (0.19, -0.56), [0.010, 0.036, 0.030]),
    mark((0.19, -0.56), (0.22, -0.70), (0.21, -0.90), [0.030, 0.034, 0.026]),
    mark((0.19, -0.55), (0.25, -0.40), (0.38, -0.37), [0.026, 0.026, 0.012]),
    mark((0.38, -0.36), (0.42, -0.52), (0.40, -0.80), [0.020, 0.036, 0.026]),
    mark((0.57, -0.30), (0.62, -0.42), (0.60, -0.62), [0.012, 0.030, 0.020]),
    // From the eye's outer corner over the cheek, and two below.
    mark((0.63, -0.06), (0.80, 0.00), (0.97, 0.16), [0.022, 0.036, 0.020]),
    mark((0.56, 0.16), (0.72, 0.27), (0.94, 0.38), [0.010, 0.038, 0.018]),
    mark((0.54, 0.40), (0.66, 0.52), (0.84, 0.58), [0.006, 0.030, 0.010]),
    mark((0.72, -0.20), (0.84, -0.18), (0.94, -0.06), [0.010, 0.026, 0.010]),
    // Beside the nose from the inner corner.
    mark((0.185, 0.06), (0.155, 0.14), (0.150, 0.24), [0.022, 0.012, 0.003]),
];

/// The head without its ears.
pub(super) fn part() -> Part {
    let mut solids = vec![ball(0.0, -0.14, [0.86, 0.78, 0.75], 0.0)];
    solids.push(ball(0.0, -0.42, [0.52, 0.54, 0.55], 0.10));
    solids.push(mound(0.0, 0.18, [0.24, 0.48, 0.26], 0.56));
    solids.push(ball(0.0, 0.72, [0.22, 0.15, 0.18], 0.52));
    for side in [-1.0, 1.0] {
        solids.push(ball(side * 0.46, 0.20, [0.48, 0.44, 0.52], 0.10));
        solids.push(ball(side * 0.170, 0.54, [0.25, 0.20, 0.34], 0.66));
        solids.push(mound(side * 0.36, -0.32, [0.32, 0.17, 0.13], 0.60));
    }
    Part { form: Form { solids, round: 38.0 }, coat, lay, light, spacing: 2.15, ruffle: 0.45, seed: 41 }
}

/// An ellipsoid in the head's units.
fn ball(x: f32, y: f32, radii: [f32; 3], lift: f32) -> Solid {
    let (centre, scale) = (HEAD.outward(at(x, y)), HEAD.scale);
    Solid::Ball { centre, radii: radii.map(|r| r * scale), lift: lift * scale, axis: HEAD.axis }
}

/// A swelling in the head's units.
fn mound(x: f32, y: f32, radii: [f32; 3], lift: f32) -> Solid {
    let (centre, scale) = (HEAD.outward(at(x, y)), HEAD.scale);
    Solid::Mound { centre, radii: radii.map(|r| r * scale), lift: lift * scale, axis: HEAD.axis }
}

/// The colour of the head's fur.
fn coat(p: Point) -> Colour {
    let u = HEAD.inward(p);
    let palette = &*PALETTE;
    let wave = at(clouds(3, u * 5.0) - 0.5, clouds(5, u * 5.0) - 0.5) * 0.07;
    let v = at(u.x.abs(), u.y) + wave;
    let mut colour = palette.buff.mix(palette.gold, clouds(9, u * 3.0));
    colour = colour.mix(palette.brown, 0.55 * step(-0.15, -0.75, v.y));
    let bridge = bump(0.0, 0.16, v.x) * step(-0.42, -0.05, v.y) * step(0.42, 0.25, v.y);
    colour = colour.mix(palette.rust, 0.75 * bridge);
    colour = colour.mix(palette.cream, pale(at(u.x.abs(), u.y)));
    let ticking = 0.25 * step(0.55, 0.8, noise(31, u * 40.0)) * step(0.1, -0.3, v.y);
    let dark = darkness(&MARKS, v).max(ticking) * step(0.95, 1.35, pad(at(u.x.abs(), u.y)));
    colour.mix(palette.stripe, 0.93 * dark)
}

/// How pale the fur is: around the eyes, the muzzle, the chin and the lower cheeks.
fn pale(v: Point) -> f32 {
    let eye = eyes::distance(v);
    let around = step(0.17, 0.05, eye) * lerp(0.55, 0.95, step(-0.12, 0.1, v.y)) * step(0.75, 0.55, v.x);
    let muzzle = step(1.35, 0.95, pad(v));
    let chin = step(1.5, 0.8, at(v.x / 0.26, (v.y - 0.74) / 0.17).length());
    let cheek = 0.60 * step(0.12, 0.55, v.y) * step(1.0, 0.5, v.x);
    around.max(muzzle).max(chin).max(cheek)
}

/// Below 1 on the whisker pads.
fn pad(v: Point) -> f32 {
    at((v.x - 0.16) / 0.25, (v.y - 0.54) / 0.20).length()
}

/// How the head's fur lies: away from the nose, over the brow and down the cheeks.
fn lay(p: Point) -> Lay {
    let u = HEAD.inward(p);
    let v = at(u.x.abs(), u.y);
    let bare = eyes::distance(v) < 0.02 || nose::distance(u) < 0.005;
    let from_nose = u - at(0.0, 0.34);
    let far = at(from_nose.x, from_nose.y * lerp(1.0, 1.15, step(0.0, 0.4, u.y))).length();
    let side = step(0.35, 0.85, v.x) * step(-0.5, 0.1, u.y);
    let flow = from_nose.unit() + at(0.0, 0.75 * side);
    let cheek = step(0.55, 0.95, v.x) * step(-0.25, 0.25, u.y);
    let length = lerp(8.0, 27.0, step(0.16, 0.85, far)) + 20.0 * cheek;
    let eye = step(0.0, 0.16, eyes::distance(v));
    Lay {
        flow: HEAD.outward_direction(flow),
        length: if bare { 0.0 } else { length * lerp(0.55, 1.0, eye) },
        width: lerp(1.1, 1.75, step(0.15, 0.9, far)),
        order: far * HEAD.scale,
    }
}

/// Shade in the eye sockets, beside the nose, under the muzzle and at the ears' foot.
fn light(p: Point) -> f32 {
    let u = HEAD.inward(p);
    let v = at(u.x.abs(), u.y);
    let socket = step(0.12, 0.0, eyes::distance(v)) * step(0.35, 0.12, v.x);
    let under = bump(0.73, 0.10, u.y) * bump(0.0, 0.34, v.x) * step(0.55, 0.70, u.y);
    let lip = step(0.10, 0.0, (pad(v) - 1.0).abs()) * step(0.5, 0.66, u.y);
    let part = bump(0.0, 0.05, v.x) * step(0.46, 0.54, u.y) * step(0.70, 0.62, u.y);
    (1.0 - 0.30 * socket) * (1.0 - 0.18 * under) * (1.0 - 0.30 * lip) * (1.0 - 0.35 * part)
}
