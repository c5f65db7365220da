//! Back, haunch and chest: a cat that lies along the sill, its chest towards the viewer.

use super::form::{Form, Solid, ball};
use super::fur::Pelt;
use super::limbs;
use super::marks::{bands, ground};
use super::noise::clouds;
use super::palette::{Colour, PALETTE};
use super::part::{Lay, Part};
use super::plane::{Point, at, bump, direction, lerp, step};

/// The long side of the body, and the shoulder behind the head.
pub(super) fn back() -> Part {
    let solids = vec![
        Solid::Ball { centre: at(965.0, 800.0), radii: [385.0, 262.0, 220.0], lift: 0.0, axis: direction(5.0) },
        ball(740.0, 800.0, [250.0, 245.0, 235.0]),
    ];
    Part {
        form: Form { solids, round: 80.0 },
        coat: back_coat,
        lay: back_lay,
        light: back_light,
        spacing: 2.9,
        ruffle: 0.5,
        seed: 21,
    }
}

/// The thigh, with the knee to the left.
pub(super) fn haunch() -> Part {
    let solids = vec![
        Solid::Ball { centre: at(1190.0, 870.0), radii: [190.0, 185.0, 150.0], lift: 0.0, axis: direction(-14.0) },
        ball(1090.0, 975.0, [120.0, 85.0, 108.0]),
    ];
    Part {
        form: Form { solids, round: 90.0 },
        coat: haunch_coat,
        lay: haunch_lay,
        light: haunch_light,
        spacing: 2.9,
        ruffle: 0.45,
        seed: 23,
    }
}

/// Is this a point of the back from which hair falls over the thigh?
pub(super) fn above_haunch(p: Point, haunch: &Pelt) -> bool {
    let reach = 15.0 * step(800.0, 715.0, p.y) * step(1300.0, 1240.0, p.x);
    reach > 0.0 && (-2.0..reach).contains(&haunch.distance(p))
}

/// The chest with its pale ruff, and both shoulders.
pub(super) fn chest() -> Part {
    let solids = vec![
        ball(638.0, 815.0, [180.0, 215.0, 150.0]),
        ball(505.0, 835.0, [128.0, 165.0, 120.0]),
        ball(782.0, 840.0, [132.0, 170.0, 120.0]),
        limbs::foreleg(0),
        limbs::foreleg(1),
    ];
    Part {
        form: Form { solids, round: 46.0 },
        coat: chest_coat,
        lay: chest_lay,
        light: chest_light,
        spacing: 2.9,
        ruffle: 0.6,
        seed: 27,
    }
}

fn back_coat(p: Point) -> Colour {
    let palette = &*PALETTE;
    let wave = 70.0 * (clouds(207, p * 0.008) - 0.5);
    let s = (p.x + 0.0011 * (p.y - 560.0) * (p.y - 560.0) + wave) / 74.0;
    let spine = p.y - 0.00045 * (p.x - 930.0) * (p.x - 930.0);
    let dark = bands(s, p).max(0.85 * bump(535.0, 34.0, spine));
    let belly = step(930.0, 1040.0, p.y);
    ground(p).mix(palette.buff, 0.6 * belly).mix(palette.stripe, 0.90 * dark * (1.0 - 0.5 * belly))
}

fn back_lay(p: Point) -> Lay {
    let down = step(520.0, 980.0, p.y);
    let flow = direction(lerp(6.0, 62.0, down) + 26.0 * step(1150.0, 1350.0, p.x));
    Lay { flow, length: lerp(34.0, 46.0, down), width: 2.2, order: p.x * 0.72 + p.y * 0.70 }
}

/// Shade under the head, at the thigh's edge, and towards the sill.
fn back_light(p: Point) -> f32 {
    let thigh = at((p.x - 1185.0) / 205.0, (p.y - 885.0) / 200.0).length();
    let crease = 1.0 - 0.60 * step(1.22, 0.95, thigh) * step(1250.0, 1080.0, p.x);
    let arm = 1.0 - 0.5 * step(1.35, 0.95, at((p.x - 800.0) / 140.0, (p.y - 880.0) / 190.0).length());
    under_head(p) * crease * arm * lerp(1.0, 0.45, step(900.0, 1050.0, p.y))
}

fn haunch_coat(p: Point) -> Colour {
    let palette = &*PALETTE;
    let wave = 40.0 * (clouds(221, p * 0.01) - 0.5);
    let from = p - at(1010.0, 1060.0);
    let dark = bands((from.length() + wave) / 66.0, p);
    let low = step(940.0, 1010.0, p.y);
    ground(p).mix(palette.buff, 0.5 * low).mix(palette.stripe, 0.90 * dark * (1.0 - 0.75 * low))
}

fn haunch_lay(p: Point) -> Lay {
    let from = p - at(1010.0, 680.0);
    let flow = at(0.35, 0.75) + from.unit() * 0.6;
    Lay { flow, length: 36.0, width: 2.15, order: from.length() }
}

fn haunch_light(p: Point) -> f32 {
    lerp(1.0, 0.55, step(960.0, 1060.0, p.y))
}

fn chest_coat(p: Point) -> Colour {
    let palette = &*PALETTE;
    let x = (p.x - 640.0).abs();
    let rough = clouds(231, p * 0.02) - 0.5;
    let bib = step(128.0, 62.0, x + 60.0 * rough + 0.10 * (p.y - 800.0));
    let sag = p.y + 0.0038 * x * x;
    let wave = 24.0 * (clouds(233, p * 0.015) - 0.5);
    let collar = bump(822.0, 20.0, sag + wave).max(bump(888.0, 20.0, sag + wave)).max(bump(962.0, 19.0, sag + wave))
        * step(30.0, 90.0, x);
    let (leg, along) = limbs::beside(p);
    let bars = limbs::bars(p, along) * step(845.0, 885.0, p.y);
    let dark = (collar * step(930.0, 860.0, p.y)).max(bars * step(8.0, -12.0, leg)) * lerp(1.0, 0.45, bib);
    let sock = step(985.0, 1035.0, p.y + 20.0 * rough) * step(10.0, -10.0, leg);
    let colour = ground(p).mix(palette.cream, 0.92 * bib * step(-20.0, 6.0, leg));
    colour.mix(palette.cream, 0.8 * sock).mix(palette.stripe, 0.88 * dark * (1.0 - 0.7 * sock))
}

fn chest_lay(p: Point) -> Lay {
    let x = p.x - 640.0;
    let (leg, along) = limbs::beside(p);
    let middle = step(190.0, 60.0, x.abs()) * step(-10.0, 20.0, leg);
    let splay = lerp(x * 0.0022, along * 0.004, step(20.0, -20.0, leg));
    let flow = at(splay + 0.10 * (clouds(237, p * 0.01) - 0.5), 1.0);
    let short = step(870.0, 1000.0, p.y) * step(20.0, -10.0, leg);
    let length = lerp(lerp(34.0, 60.0, middle), 19.0, short);
    Lay { flow, length, width: lerp(lerp(2.0, 2.2, middle), 1.7, short), order: p.y }
}

/// Shade under the head, and on the chest beside the forelegs.
fn chest_light(p: Point) -> f32 {
    let (leg, _) = limbs::beside(p);
    let between = step(58.0, 0.0, leg.abs() + if leg < 0.0 { 45.0 + 3.0 * leg.abs() } else { 0.0 });
    let inner = step(175.0, 120.0, (p.x - 640.0).abs());
    let low = step(860.0, 960.0, p.y);
    let floor = step(1000.0, 1070.0, p.y) * step(-10.0, 20.0, leg);
    let neck = lerp(under_head(p), 1.0, 0.25);
    neck * (1.0 - 0.55 * between * inner * low) * (1.0 - 0.6 * floor)
}

/// The head's shadow, down and to the right of it.
fn under_head(p: Point) -> f32 {
    let q = at((p.x - 690.0) / 335.0, (p.y - 548.0) / 262.0).length();
    lerp(1.0, 0.30, step(1.20, 0.74, q))
}
