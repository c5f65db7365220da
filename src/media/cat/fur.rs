//! Fur: a part of the body is first painted as lit skin, then covered hair by hair, from the
//! tips' end of the coat to its roots' end, so that each hair lies on those it points to.

use rayon::prelude::*;

use super::noise::{Dice, clouds, noise};
use super::painter::{Canvas, Stroke, Taper};
use super::part::Part;
use super::plane::{Curve, Point, at, lerp, step};
use super::skin::Skin;

/// A part, ready to be painted.
pub(super) struct Pelt {
    part: Part,
    skin: Skin,
}

impl Pelt {
    pub(super) fn of(part: Part) -> Self {
        let skin = Skin::of(&part);
        Self { part, skin }
    }

    /// Pixels from the outline, negative inside.
    pub(super) fn distance(&self, p: Point) -> f32 {
        self.part.form.measure(p).0
    }

    /// Paints skin and hair.
    pub(super) fn paint(&self, canvas: &mut Canvas) {
        canvas.shade(self.part.form.area(2.0), |p, below| {
            let (distance, colour) = self.skin.sample(p);
            below.mix(colour * 0.62, step(0.0, -3.0, distance))
        });
        self.comb(canvas, |_| true);
    }

    /// Paints the hair that has its root in a region, over what is there by now.
    pub(super) fn comb(&self, canvas: &mut Canvas, region: impl Fn(Point) -> bool + Sync) {
        let mut hairs = self.grow(region);
        hairs.par_sort_by(|a, b| b.0.total_cmp(&a.0));
        let strokes: Vec<Stroke> = hairs.into_iter().map(|(_, stroke)| stroke).collect();
        canvas.strokes(&strokes);
    }

    /// Hairs and their order: one root a cell of a grid, somewhere in it.
    fn grow(&self, region: impl Fn(Point) -> bool + Sync) -> Vec<(f32, Stroke)> {
        let (area, spacing) = (self.skin.area, self.part.spacing);
        let count = |from: usize, to: usize| ((to - from) as f32 / spacing) as i32;
        let (columns, rows) = (count(area.from.0, area.to.0), count(area.from.1, area.to.1));
        let cell = |column: i32, row: i32| {
            let mut dice = Dice::of(self.part.seed, column, row);
            let place = at(column as f32 + dice.unit(), row as f32 + dice.unit());
            let root = at(area.from.0 as f32, area.from.1 as f32) + place * spacing;
            if region(root) { hair(&self.part, &self.skin, root, &mut dice) } else { None }
        };
        let row = |row: i32| (0..columns).filter_map(|column| cell(column, row)).collect::<Vec<_>>();
        (0..rows).into_par_iter().flat_map_iter(row).collect()
    }
}

fn hair(part: &Part, skin: &Skin, root: Point, dice: &mut Dice) -> Option<(f32, Stroke)> {
    let (distance, _) = skin.sample(root);
    if distance > -1.0 {
        return None;
    }
    let lay = (part.lay)(root);
    if lay.length <= 0.0 {
        return None;
    }
    let seed = part.seed as u32;
    let lock = noise(seed + 11, root * (2.2 / lay.length.max(12.0)));
    let strand = noise(seed + 17, root * (4.5 / lay.length.max(10.0)));
    let turn = part.ruffle * ((lock - 0.5) * 1.3 + dice.around() * 0.35);
    let flow = lay.flow.unit();
    let near_edge = step(-0.5 * lay.length, 0.0, distance) * 0.5;
    let outward = at(
        skin.sample(root + at(4.0, 0.0)).0 - skin.sample(root - at(4.0, 0.0)).0,
        skin.sample(root + at(0.0, 4.0)).0 - skin.sample(root - at(0.0, 4.0)).0,
    );
    let way = (flow + flow.across() * turn + outward.unit() * near_edge).unit();
    let long = lay.length * dice.between(0.65, 1.15);
    let swing = way.across() * (long * (dice.around() * 0.10 + (lock - 0.5) * 0.25 * part.ruffle));
    let path = Curve { from: root, bend: root + way * (long * 0.5) + swing, to: root + way * long };
    let (_, colour) = skin.sample(root + way * (long * 0.15));
    let tone = 1.0 + 0.34 * dice.around() + 0.55 * (strand - 0.5) + 0.30 * (lock - 0.5);
    // Ticked hairs among the plain ones.
    let tone = tone
        * match dice.unit() {
            t if t < 0.10 => 0.62,
            t if t > 0.90 => 1.25,
            _ => 1.0,
        };
    let tone = tone * lerp(0.92, 1.08, clouds(seed + 23, root * 0.012));
    let stroke = Stroke {
        path,
        width: lay.width * dice.between(0.7, 1.25),
        taper: Taper::Hair,
        root: colour * (0.60 * tone),
        tip: colour * (1.22 * tone),
        cover: 0.92,
    };
    Some((lay.order + dice.around() * lay.length * 0.35, stroke))
}
