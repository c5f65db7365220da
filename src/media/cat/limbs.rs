//! Forelegs, paws and tail.

use super::form::{Form, Solid, ball};
use super::fur::Pelt;
use super::marks::{bands, ground};
use super::noise::clouds;
use super::painter::{Canvas, Stroke, Taper};
use super::palette::{Colour, PALETTE};
use super::part::{Lay, Part};
use super::plane::{Point, at, curve, lerp, segment, step};
use super::pose::PAWS;

/// The tail's way around the body over the sill, with its radius.
const TAIL: [(Point, f32); 9] = [
    (at(1290.0, 940.0), 38.0),
    (at(1372.0, 985.0), 37.0),
    (at(1404.0, 1042.0), 36.0),
    (at(1370.0, 1090.0), 35.0),
    (at(1290.0, 1112.0), 34.0),
    (at(1190.0, 1120.0), 33.0),
    (at(1085.0, 1122.0), 31.0),
    (at(985.0, 1116.0), 28.0),
    (at(905.0, 1090.0), 20.0),
];

/// Middle lines of the forelegs from shoulder to paw, with their radius.
const FORELEGS: [[(Point, f32); 4]; 2] = [
    [(at(522.0, 830.0), 92.0), (at(500.0, 920.0), 78.0), (at(491.0, 990.0), 68.0), (at(488.0, 1024.0), 56.0)],
    [(at(766.0, 835.0), 95.0), (at(779.0, 925.0), 80.0), (at(781.0, 995.0), 69.0), (at(783.0, 1030.0), 57.0)],
];

/// A foreleg: 0 is the one at the left.
pub(super) fn foreleg(index: usize) -> Solid {
    Solid::Limb { joints: FORELEGS[index].to_vec(), lift: 75.0 }
}

/// Signed distance from the nearer foreleg's edge, and how far to the right of its middle.
pub(super) fn beside(p: Point) -> (f32, f32) {
    let joints = &FORELEGS[usize::from(p.x > 640.0)];
    let mut best = (f32::MAX, 0.0);
    for pair in joints.windows(2) {
        let (distance, along) = segment(p, pair[0].0, pair[1].0);
        let edge = distance - lerp(pair[0].1, pair[1].1, along);
        if edge < best.0 {
            best = (edge, p.x - lerp(pair[0].0.x, pair[1].0.x, along));
        }
    }
    best
}

/// Bars across a foreleg, `along` to the right of its middle: bent, and broken in places.
pub(super) fn bars(p: Point, along: f32) -> f32 {
    let other = if p.x > 640.0 { 31.0 } else { 0.0 };
    let wave = 46.0 * (clouds(261, p * 0.014) - 0.5);
    bands((p.y + 0.0060 * along * along + 0.14 * along + wave + other) / 56.0, p + at(other * 9.0, 0.0))
}

/// A paw with its four toes.
pub(super) fn paw(index: usize) -> Part {
    let c = PAWS[index];
    let mut solids = vec![ball(c.x, c.y, [92.0, 56.0, 70.0])];
    for (dx, dy, size) in [(-62.0, 17.0, 0.92), (-22.0, 26.0, 1.0), (22.0, 26.0, 1.0), (62.0, 17.0, 0.92)] {
        let (centre, radii) = (c + at(dx, dy), [27.0 * size, 32.0 * size, 30.0]);
        solids.push(Solid::Ball { centre, radii, lift: 52.0, axis: at(1.0, 0.0) });
    }
    Part {
        form: Form { solids, round: 12.0 },
        coat: paw_coat,
        lay: paw_lay,
        light: paw_light,
        spacing: 2.3,
        ruffle: 0.3,
        seed: 35 + index as u64,
    }
}

fn nearest_paw(p: Point) -> Point {
    let near = |c: &Point| (p - *c).length();
    PAWS.iter().copied().min_by(|a, b| near(a).total_cmp(&near(b))).unwrap_or(PAWS[0])
}

fn paw_coat(p: Point) -> Colour {
    let palette = &*PALETTE;
    let c = nearest_paw(p);
    let top = step(c.y - 5.0, c.y - 50.0, p.y + 16.0 * (clouds(243, p * 0.02) - 0.5));
    palette.cream.mix(palette.buff, 0.35 * clouds(245, p * 0.02)).mix(palette.gold, 0.5 * top)
}

fn paw_lay(p: Point) -> Lay {
    let c = nearest_paw(p);
    let low = step(c.y + 5.0, c.y + 45.0, p.y);
    let flow = at((p.x - c.x) * lerp(0.006, 0.016, low), lerp(1.0, 0.7, low));
    Lay { flow, length: lerp(13.0, 6.0, low), width: lerp(1.6, 1.3, low), order: p.y }
}

fn paw_light(p: Point) -> f32 {
    let c = nearest_paw(p);
    lerp(1.0, 0.55, step(c.y + 30.0, c.y + 62.0, p.y))
}

/// Is this a point of the leg from which hair falls over the paw?
pub(super) fn above_paw(p: Point, paw: &Pelt) -> bool {
    let from = p - nearest_paw(p);
    from.y < -22.0 && from.x.abs() < 66.0 && (-4.0..13.0).contains(&paw.distance(p))
}

/// The lines between the toes.
pub(super) fn toes(canvas: &mut Canvas, index: usize) {
    let c = PAWS[index];
    let ink = PALETTE.ink;
    let lines: Vec<Stroke> = [-42.0_f32, 0.0, 42.0]
        .into_iter()
        .map(|dx| {
            let top = if dx == 0.0 { 2.0 } else { 6.0 };
            let path =
                curve(c + at(dx * 0.80, top), c + at(dx * 1.04, 30.0), c + at(dx, if dx == 0.0 { 54.0 } else { 48.0 }));
            Stroke { path, width: 6.5, taper: Taper::Line, root: ink, tip: ink, cover: 0.75 }
        })
        .collect();
    canvas.strokes(&lines);
}

/// The tail.
pub(super) fn tail() -> Part {
    Part {
        form: Form { solids: vec![Solid::Limb { joints: smooth(), lift: 0.0 }], round: 10.0 },
        coat: tail_coat,
        lay: tail_lay,
        light: |p| lerp(0.78, 1.0, step(1290.0, 1220.0, p.x)) * lerp(1.0, 0.62, step(1105.0, 1150.0, p.y)),
        spacing: 2.4,
        ruffle: 0.4,
        seed: 51,
    }
}

/// Is this a point of the tail that lies before the body?
pub(super) fn tail_is_before(p: Point) -> bool {
    tail_place(p).0 > 0.36
}

/// The points of the tail's middle line, rounded.
fn smooth() -> Vec<(Point, f32)> {
    (0..=40_u8).map(|i| tail_point(f32::from(i) / 40.0)).collect()
}

/// A point of the tail's middle line, as a chain of parabolas through the joints' midpoints.
fn tail_point(t: f32) -> (Point, f32) {
    let place = t.clamp(0.0, 1.0) * (TAIL.len() - 2) as f32;
    let i = (place as usize).min(TAIL.len() - 3);
    let s = place - i as f32;
    let (a, b, c) = (TAIL[i], TAIL[i + 1], TAIL[i + 2]);
    let start = if i == 0 { a.0 } else { a.0.mid(b.0) };
    let end = if i + 3 == TAIL.len() { c.0 } else { b.0.mid(c.0) };
    (curve(start, b.0, end).point(s.min(1.0)), lerp(a.1, c.1, s * 0.5 + 0.25))
}

/// Where along the tail (0 to 1) a point is nearest, and the tail's direction there.
fn tail_place(p: Point) -> (f32, Point) {
    let mut best = (f32::MAX, 0.0);
    for i in 0..=70_u8 {
        let t = f32::from(i) / 70.0;
        let distance = (tail_point(t).0 - p).length();
        if distance < best.0 {
            best = (distance, t);
        }
    }
    let way = tail_point(best.1 + 0.02).0 - tail_point(best.1 - 0.02).0;
    (best.1, way.unit())
}

fn tail_coat(p: Point) -> Colour {
    let palette = &*PALETTE;
    let (t, way) = tail_place(p);
    let middle = tail_point(t).0;
    let fine = t + (p - middle).dot(way) / 700.0 + 0.018 * (clouds(251, p * 0.025) - 0.5);
    let across = (p - middle).dot(way.across()).abs();
    let s = fine * 12.5 - across * 0.006;
    let ring = step(0.48, 0.68, (s - s.floor() - 0.5).abs() * 2.0);
    ground(p).mix(palette.stripe, 0.90 * (ring * step(60.0, 10.0, across)).max(step(0.90, 0.94, fine)))
}

fn tail_lay(p: Point) -> Lay {
    let (t, way) = tail_place(p);
    let side = (p - tail_point(t).0) * 0.012;
    Lay { flow: way + side, length: 26.0, width: 1.9, order: t * 900.0 }
}
