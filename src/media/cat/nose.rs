//! Nose, mouth and whiskers.

use super::noise::{Dice, clouds};
use super::painter::{Area, Canvas, Stroke, Taper};
use super::palette::{Colour, PALETTE};
use super::plane::{Curve, Point, at, bump, curve, direction, lerp, polygon, segment, step};
use super::pose::HEAD;

/// The right half of the nose, from the middle of its upper edge to its lowest point.
const EDGE: [Point; 10] = [
    at(0.0, 0.335),
    at(0.05, 0.333),
    at(0.085, 0.340),
    at(0.108, 0.358),
    at(0.108, 0.380),
    at(0.090, 0.402),
    at(0.062, 0.425),
    at(0.040, 0.445),
    at(0.022, 0.466),
    at(0.0, 0.474),
];

/// Signed distance of the nose's edge in the head's frame.
pub(super) fn distance(u: Point) -> f32 {
    let v = at(u.x.abs(), u.y);
    if v.x > 0.3 || v.y < 0.1 || v.y > 0.7 {
        return 0.2;
    }
    let mut corners = [at(0.0, 0.0); 20];
    for (i, p) in EDGE.iter().enumerate() {
        corners[i] = *p;
        corners[19 - i] = at(-p.x, p.y);
    }
    polygon(v, &corners)
}

/// Nose and mouth.
pub(super) fn paint(canvas: &mut Canvas) {
    let area = Area::around(HEAD.outward(at(0.0, 0.40)), 0.17 * HEAD.scale);
    canvas.shade(area, |p, below| nose(HEAD.inward(p), below));
    canvas.strokes(&mouth());
}

fn nose(u: Point, below: Colour) -> Colour {
    let palette = &*PALETTE;
    let edge = distance(u) - 0.006;
    let v = at(u.x.abs(), u.y);
    let grain = clouds(101, u * 70.0);
    let round = step(0.0, -0.045, edge);
    let mut colour = palette.nose * lerp(0.80, 1.08, grain);
    colour = colour * lerp(0.45, 1.0, round) * lerp(1.12, 0.62, step(0.35, 0.47, u.y));
    let shine = at((u.x + 0.025) / 0.055, (u.y - 0.362) / 0.016).length();
    colour = colour.mix(palette.white, 0.45 * step(1.2, 0.2, shine) * (0.6 + 0.4 * grain));
    let (nostril, along) = segment(v, at(0.045, 0.418), at(0.088, 0.388));
    colour = colour.mix(palette.ink, 0.95 * step(0.004, -0.004, nostril - lerp(0.017, 0.006, along)));
    colour = colour.mix(palette.ink, 0.55 * bump(0.0, 0.008, u.x) * step(0.40, 0.45, u.y));
    let outline = 0.75 * step(0.016, 0.004, edge.abs());
    below.mix(colour, step(0.004, -0.004, edge)).mix(palette.ink, outline)
}

/// The line below the nose and the lips.
fn mouth() -> Vec<Stroke> {
    let ink = PALETTE.ink;
    let line = |path: Curve, width: f32, cover: f32| Stroke {
        path: HEAD.outward_curve(path),
        width,
        taper: Taper::Line,
        root: ink,
        tip: ink,
        cover,
    };
    let mut strokes = vec![line(curve(at(0.0, 0.455), at(0.003, 0.52), at(0.0, 0.595)), 6.0, 0.9)];
    for side in [-1.0, 1.0] {
        let lip = curve(at(-0.012 * side, 0.565), at(0.070 * side, 0.672), at(0.225 * side, 0.625));
        let corner = curve(at(0.17 * side, 0.640), at(0.235 * side, 0.63), at(0.270 * side, 0.600));
        strokes.push(line(lip, 7.5, 0.9));
        strokes.push(line(corner, 4.0, 0.7));
    }
    strokes
}

/// Whiskers from the pads and above the eyes, with the dots they grow from.
pub(super) fn whiskers() -> Vec<Stroke> {
    let palette = &*PALETTE;
    let (mut dots, mut hairs) = (Vec::new(), Vec::new());
    for side in [-1.0_f32, 1.0] {
        let mut dice = Dice::of(107, side as i32, 3);
        let flip = |p: Point| at(p.x * side, p.y);
        for row in 0..4_u8 {
            for column in 0..4_u8 {
                let (i, j) = (f32::from(row), f32::from(column));
                let root =
                    at(0.125 + 0.052 * j, 0.485 + 0.042 * i + 0.012 * j) + at(dice.around(), dice.around()) * 0.008;
                let dot = curve(flip(root + at(-0.008, 0.0)), flip(root), flip(root + at(0.009, 0.004)));
                dots.push(stroke(dot, 5.0, Taper::Line, palette.stripe, palette.stripe, 0.55));
                if (row + column) % 2 == 0 && column != 3 {
                    continue;
                }
                let long = dice.between(0.85, 1.25) - 0.10 * (1.5 - i).abs();
                let way = direction(lerp(-17.0, 27.0, i / 3.0) + 5.0 * dice.around());
                let droop = at(0.0, 0.10 + 0.10 * dice.unit());
                let tip = root + way * long + droop * (long * long);
                let path = curve(flip(root), flip(root + way * (0.55 * long) + at(0.0, -0.05)), flip(tip));
                let width = dice.between(2.2, 3.0);
                hairs.push(stroke(path, width, Taper::Hair, palette.cream, palette.white, 0.92));
            }
        }
        for i in 0..3_u8 {
            let root = at(0.34 + 0.035 * f32::from(i), -0.315 + 0.012 * f32::from(i));
            let way = direction(-78.0 + 13.0 * f32::from(i) + 6.0 * dice.around());
            let long = dice.between(0.30, 0.48);
            let path = curve(
                flip(root),
                flip(root + way * (0.5 * long)),
                flip(root + way * long + at(0.10 * long, 0.06 * long)),
            );
            hairs.push(stroke(path, 1.9, Taper::Hair, palette.cream, palette.white, 0.85));
        }
    }
    dots.append(&mut hairs);
    dots
}

fn stroke(path: Curve, width: f32, taper: Taper, root: Colour, tip: Colour, cover: f32) -> Stroke {
    Stroke { path: HEAD.outward_curve(path), width, taper, root, tip, cover }
}
