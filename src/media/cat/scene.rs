//! What is behind and below the cat: a wall in the light of a window, a sill, and shadows.

use super::noise::{clouds, noise};
use super::painter::Canvas;
use super::palette::{Colour, PALETTE};
use super::plane::{Point, at, bump, step};

/// Rows at which the sill begins, and at which its front edge falls.
const SILL: (f32, f32) = (872.0, 1152.0);

/// Paints wall and sill.
pub(super) fn paint(canvas: &mut Canvas) {
    let area = canvas.area();
    canvas.shade(area, |p, _| {
        let wall = wall(p);
        wall.mix(sill(p), step(SILL.0 - 5.0, SILL.0 + 5.0, p.y))
    });
}

/// Soft daylight that falls from the upper left, and the shapes of window panes in it.
fn wall(p: Point) -> Colour {
    let palette = &*PALETTE;
    let far = at((p.x - 420.0) / 1500.0, (p.y - 260.0) / 1150.0).length();
    let mut colour = palette.wall.mix(palette.wall_shade, step(0.05, 1.0, far));
    let s = p.x - 0.42 * p.y;
    let pane = |left: f32, right: f32, top: f32, bottom: f32| {
        let tilt = p.y + 0.10 * p.x;
        step(left - 60.0, left + 60.0, s)
            * step(right + 60.0, right - 60.0, s)
            * step(top - 55.0, top + 55.0, tilt)
            * step(bottom + 70.0, bottom - 70.0, tilt)
    };
    let light = pane(820.0, 1010.0, 90.0, 420.0)
        + pane(1100.0, 1290.0, 90.0, 420.0)
        + 0.9 * pane(820.0, 1010.0, 520.0, 820.0)
        + 0.9 * pane(1100.0, 1290.0, 520.0, 820.0);
    colour = colour.mix(palette.sunlight, 0.52 * light);
    colour.mix(palette.sunlight, 0.45 * step(0.75, 0.0, far))
}

fn sill(p: Point) -> Colour {
    let palette = &*PALETTE;
    let grain = clouds(303, at(p.x * 0.004, p.y * 0.06)) - 0.5;
    let streak = noise(305, at(p.x * 0.012, p.y * 0.35)) - 0.5;
    let depth = step(SILL.0, SILL.1, p.y);
    let far = step(200.0, 1700.0, p.x);
    let mut colour = palette.sill.mix(palette.sill_shade, 0.55 * far + 0.15 * (1.0 - depth));
    colour = colour * (1.0 + 0.08 * grain + 0.02 * streak);
    colour = colour * shadow(p);
    let front = step(SILL.1 - 4.0, SILL.1 + 10.0, p.y);
    let edge = bump(SILL.1 - 4.0, 9.0, p.y);
    let lip = 1.0 - 0.55 * bump(SILL.1 + 6.0, 9.0, p.y);
    (colour.mix(palette.sill_shade * 0.95, front) * lip).mix(palette.sunlight, 0.35 * edge * (1.0 - far))
}

/// The cat's shadow on the sill: soft and long to the right, dark where it touches.
fn shadow(p: Point) -> f32 {
    let oval = |x: f32, y: f32, rx: f32, ry: f32| at((p.x - x) / rx, (p.y - y) / ry).length();
    let cast = step(1.15, 0.55, oval(1030.0, 1040.0, 600.0, 130.0));
    let body = step(1.1, 0.7, oval(900.0, 1040.0, 480.0, 80.0));
    let paws = step(1.25, 0.7, oval(497.0, 1075.0, 115.0, 42.0)).max(step(1.25, 0.7, oval(795.0, 1082.0, 115.0, 42.0)));
    let wool = step(1.2, 0.5, oval(215.0, 1088.0, 130.0, 30.0));
    let tail = step(1.2, 0.6, oval(1170.0, 1138.0, 300.0, 34.0));
    (1.0 - 0.45 * cast) * (1.0 - 0.45 * body) * (1.0 - 0.6 * paws) * (1.0 - 0.5 * tail) * (1.0 - 0.6 * wool)
}
