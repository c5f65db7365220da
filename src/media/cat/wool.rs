//! A ball of wool on the sill, and its loose end.

use super::noise::noise;
use super::painter::{Area, Canvas, Stroke, Taper};
use super::palette::{Colour, PALETTE};
use super::plane::{Curve, Point, at, curve, lerp, step};

const CENTRE: Point = at(176.0, 1010.0);
const RADIUS: f32 = 92.0;

/// Skeins, the lowest first: the axis each is wound about, and how far it reaches from its
/// middle, as a share of the radius.
const SKEINS: [([f32; 3], f32); 9] = [
    ([0.20, 0.96, 0.20], 1.00),
    ([0.80, 0.30, 0.52], 0.62),
    ([-0.62, 0.66, 0.42], 0.50),
    ([0.10, 0.64, 0.76], 0.55),
    ([-0.86, -0.10, 0.50], 0.40),
    ([0.62, -0.60, 0.50], 0.38),
    ([-0.30, 0.88, -0.37], 0.30),
    ([0.78, 0.56, -0.28], 0.32),
    ([-0.66, 0.72, -0.22], 0.24),
];

/// The loose end, over the sill to the paw.
const END: [Curve; 3] = [
    curve(at(205.0, 1096.0), at(262.0, 1118.0), at(300.0, 1092.0)),
    curve(at(300.0, 1092.0), at(338.0, 1066.0), at(372.0, 1092.0)),
    curve(at(372.0, 1092.0), at(406.0, 1118.0), at(496.0, 1088.0)),
];

/// Paints ball and thread.
pub(super) fn paint(canvas: &mut Canvas) {
    canvas.strokes(&thread(at(4.0, 6.0), 10.0, PALETTE.sill_shade * 0.5, 0.5));
    canvas.strokes(&thread(at(0.0, 0.0), 8.0, PALETTE.wool * 0.30, 1.0));
    canvas.strokes(&thread(at(-0.5, -1.0), 5.0, PALETTE.wool, 1.0));
    let area = Area::around(CENTRE, RADIUS + 2.0);
    canvas.shade(area, |p, below| {
        let n = (p - CENTRE) * (1.0 / RADIUS);
        let rim = n.length();
        below.mix(wound([n.x, n.y, (1.0 - rim * rim).max(0.0).sqrt()]), step(1.0, 0.985, rim))
    });
}

fn thread(shift: Point, width: f32, colour: Colour, cover: f32) -> Vec<Stroke> {
    let path = |c: &Curve| curve(c.from + shift, c.bend + shift, c.to + shift);
    let one = |c| Stroke { path: path(c), width, taper: Taper::Thread, root: colour, tip: colour, cover };
    END.iter().map(one).collect()
}

/// The colour of the ball where its surface faces `n`.
fn wound(n: [f32; 3]) -> Colour {
    let mut colour = PALETTE.wool * 0.2;
    for (i, (axis, reach)) in SKEINS.iter().enumerate() {
        let latitude = axis[0] * n[0] + axis[1] * n[1] + axis[2] * n[2];
        if latitude.abs() > *reach {
            continue;
        }
        let turn = latitude * 13.0 + 40.0;
        let across = (turn - turn.floor()) * 2.0 - 1.0;
        // Ply: fine slanted lines along each thread.
        let around = at(n[0] * axis[1] - n[1] * axis[0], n[1] * axis[2] - n[2] * axis[1]);
        let ply = noise(401 + i as u32, at(around.x * 30.0 + across * 1.5, around.y * 30.0 + turn.floor()));
        let edge = step(*reach, *reach - 0.035, latitude.abs());
        let tone = (1.0 - 0.80 * across * across) * lerp(0.78, 1.22, ply) * lerp(0.55, 1.0, edge);
        colour = PALETTE.wool * tone;
    }
    let key = (-0.50 * n[0] - 0.60 * n[1] + 0.62 * n[2] + 0.30).max(0.0) / 1.30;
    let bounce = (0.8 * n[1]).max(0.0);
    colour * (0.20 + 1.20 * key * key) + colour * Colour([0.30, 0.20, 0.12]) * bounce
}
