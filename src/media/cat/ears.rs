//! The ears: an outline, the hollow with its skin, and the long hair that grows across it.

use super::form::{Form, Solid};
use super::fur::Pelt;
use super::noise::{Dice, clouds};
use super::painter::{Area, Canvas, Stroke, Taper};
use super::palette::{Colour, PALETTE};
use super::part::{Lay, Part};
use super::plane::{Curve, Point, at, curve, lerp, polygon, step};
use super::pose::HEAD;

/// The outline of the right ear in the head's frame: the inner edge up, the outer edge down.
const OUTLINE: [Curve; 3] = [
    curve(at(0.18, -0.68), at(0.36, -1.12), at(0.715, -1.335)),
    curve(at(0.715, -1.335), at(0.785, -1.365), at(0.795, -1.28)),
    curve(at(0.795, -1.28), at(1.00, -0.80), at(0.88, -0.26)),
];

/// The outline of its hollow.
const HOLLOW: [Curve; 3] = [
    curve(at(0.31, -0.62), at(0.43, -1.01), at(0.705, -1.220)),
    curve(at(0.705, -1.220), at(0.745, -1.24), at(0.750, -1.17)),
    curve(at(0.750, -1.17), at(0.895, -0.78), at(0.79, -0.36)),
];

fn corners(outline: &[Curve; 3], side: f32) -> Vec<Point> {
    let points = outline.iter().flat_map(|c| (0..8_u8).map(|i| c.point(f32::from(i) / 7.0)));
    points.map(|p| HEAD.outward(at(p.x * side, p.y))).collect()
}

/// Both ears, behind the head.
pub(super) fn paint(canvas: &mut Canvas) {
    for side in [-1.0, 1.0] {
        let back = Part {
            form: Form {
                solids: vec![Solid::Sheet { corners: corners(&OUTLINE, side), slope: at(side * 0.25, -0.25) }],
                round: 1.0,
            },
            coat,
            lay,
            light: |p| lerp(1.0, 0.62, step(-0.95, -0.45, HEAD.inward(p).y)),
            spacing: 2.3,
            ruffle: 0.30,
            seed: 61,
        };
        let area = back.form.area(0.0);
        Pelt::of(back).paint(canvas);
        hollow(canvas, side, area);
        canvas.strokes(&tufts(side));
    }
}

fn coat(p: Point) -> Colour {
    let u = HEAD.inward(p);
    let palette = &*PALETTE;
    let high = step(-0.85, -1.32, u.y);
    palette.buff.mix(palette.brown, clouds(71, u * 7.0)).mix(palette.stripe, 0.75 * high)
}

fn lay(p: Point) -> Lay {
    let u = HEAD.inward(p);
    let flow = at(0.35 * u.x.signum(), -1.0);
    Lay { flow: HEAD.outward_direction(flow), length: 15.0, width: 1.6, order: -u.y * HEAD.scale }
}

/// The skin inside: rosy at the rim where light comes through, dark at the bottom.
fn hollow(canvas: &mut Canvas, side: f32, area: Area) {
    let inner = corners(&HOLLOW, side);
    let palette = &*PALETTE;
    canvas.shade(area, |p, below| {
        let distance = polygon(p, &inner) + (clouds(77, p * 0.06) - 0.5) * 8.0;
        if distance > 8.0 {
            return below;
        }
        let u = HEAD.inward(p);
        let along = at(u.x.abs(), u.y);
        let deep = step(0.68, 0.10, (along - at(0.60, -0.60)).length());
        let glow = step(-10.0, -40.0, distance);
        let skin = palette.ear.mix(palette.ear_depth, (0.34 + 0.66 * deep) * (0.50 + 0.50 * glow));
        let skin = skin * lerp(0.85, 1.08, clouds(79, p * 0.05));
        below.mix(skin, step(6.0, -6.0, distance))
    });
}

/// Hair from the inner edge over the hollow, and some from the outer edge; short hair hides
/// where they grow.
fn tufts(side: f32) -> Vec<Stroke> {
    let palette = &*PALETTE;
    let mut strokes = Vec::new();
    let mut dice = Dice::of(83, side as i32, 0);
    for i in 0..420_u16 {
        let t = f32::from(i) / 419.0;
        let from_outside = i % 5 == 4;
        let edge = if from_outside { HOLLOW[2] } else { HOLLOW[0] };
        let place = if from_outside { lerp(0.35, 1.0, dice.unit()) } else { 0.95 * (1.0 - t) };
        let root = edge.point(place) + at(dice.around(), dice.around()) * 0.025;
        let long = lerp(0.42, 0.12, if from_outside { 1.0 - place } else { place }) * dice.between(0.55, 1.1);
        let way = if from_outside { at(-0.55, -0.75) } else { at(0.62 + 0.3 * dice.around(), -0.75) };
        let tip = root + way.unit() * long + at(dice.around(), dice.around()) * 0.05;
        let bend = root.mid(tip) + at(0.0, -0.06 * long) + at(dice.around(), dice.around()) * 0.02;
        let flip = |p: Point| at(p.x * side, p.y);
        let tone = dice.between(0.55, 1.05);
        strokes.push(Stroke {
            path: HEAD.outward_curve(curve(flip(root), flip(bend), flip(tip))),
            width: dice.between(1.1, 2.1),
            taper: Taper::Hair,
            root: palette.gold * (0.55 * tone),
            tip: palette.cream * tone,
            cover: 0.85,
        });
    }
    strokes
}
