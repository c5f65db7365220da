//! The skin below the fur: the light on it, and what a hair that grows there looks like.

use rayon::prelude::*;

use super::painter::Area;
use super::palette::Colour;
use super::part::Part;
use super::plane::{Point, at, lerp};

/// Light on a surface with this normal: a warm window at the upper left, a cool room, and a
/// glow from behind at the right.
fn lit(normal: [f32; 3]) -> Colour {
    let [x, y, z] = normal;
    let key = ((-0.50 * x - 0.60 * y + 0.62 * z + 0.30) / 1.30).max(0.0);
    let sky = 0.5 - 0.5 * y;
    let edge = (1.0 - z).max(0.0);
    let rim = edge * edge * (0.55 * x - 0.35 * y + 0.25).max(0.0);
    let bounce = (0.75 * y + 0.35 * z).max(0.0);
    Colour([1.44, 1.27, 1.04]) * (key * key * 0.70 + key * 0.30)
        + Colour([0.15, 0.17, 0.20]) * sky
        + Colour([0.22, 0.16, 0.10]) * bounce
        + Colour([0.85, 0.78, 0.66]) * rim
}

/// What a share of light leaves of each colour: fur passes on warm light to what it shades.
fn shade(share: f32) -> Colour {
    Colour([0.13, 0.07, 0.03]).mix(Colour([1.0; 3]), share)
}

/// Pixels between the points where the skin is known.
const GRAIN: usize = 2;

/// Distance to the outline and lit colour, on a grid over an area.
pub(super) struct Skin {
    pub(super) area: Area,
    columns: usize,
    cells: Vec<(f32, Colour)>,
}

impl Skin {
    /// The skin of a part.
    pub(super) fn of(part: &Part) -> Self {
        let area = part.form.area(12.0);
        let columns = (area.to.0 - area.from.0) / GRAIN + 2;
        let rows = (area.to.1 - area.from.1) / GRAIN + 2;
        let place = |i: usize| {
            let (column, row) = (i % columns, i / columns);
            at((area.from.0 + column * GRAIN) as f32, (area.from.1 + row * GRAIN) as f32)
        };
        let count = columns * rows;
        let shape: Vec<(f32, f32)> = (0..count).into_par_iter().map(|i| part.form.measure(place(i))).collect();
        let cells = (0..count)
            .into_par_iter()
            .map(|i| {
                let (distance, _) = shape[i];
                if distance > 8.0 {
                    return (distance, Colour([0.0; 3]));
                }
                let height = |j: usize| shape[j.min(count - 1)].1;
                let dx = height(i + 1) - height(i.saturating_sub(1));
                let dy = height(i + columns) - height(i.saturating_sub(columns));
                let reach = 2.0 * GRAIN as f32;
                let scale = 1.0 / (dx * dx + dy * dy + reach * reach).sqrt();
                let light = lit([-dx * scale, -dy * scale, reach * scale]);
                let p = place(i);
                (distance, (part.coat)(p) * light * shade((part.light)(p)))
            })
            .collect();
        Self { area, columns, cells }
    }

    /// Distance and colour between the points of the grid.
    pub(super) fn sample(&self, p: Point) -> (f32, Colour) {
        let x = ((p.x - self.area.from.0 as f32) / GRAIN as f32).max(0.0);
        let y = ((p.y - self.area.from.1 as f32) / GRAIN as f32).max(0.0);
        let column = (x as usize).min(self.columns - 2);
        let row = (y as usize).min(self.cells.len() / self.columns - 2);
        let (u, v) = ((x - column as f32).min(1.0), (y - row as f32).min(1.0));
        let cell = |dx: usize, dy: usize| self.cells[(row + dy) * self.columns + column + dx];
        let blend = |a: (f32, Colour), b: (f32, Colour), t: f32| (lerp(a.0, b.0, t), a.1.mix(b.1, t));
        blend(blend(cell(0, 0), cell(1, 0), u), blend(cell(0, 1), cell(1, 1), u), v)
    }
}
