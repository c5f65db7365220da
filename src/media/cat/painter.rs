//! The painter: a canvas in linear light, areas shaded pixel by pixel, and tapered strokes.
//!
//! What is painted later covers what was painted earlier. Bands of rows are painted at the
//! same time, each in the order given, so the number of threads changes nothing.

use rayon::prelude::*;

use super::noise::Dice;
use super::palette::{Colour, to_byte};
use super::plane::{Curve, Point, at, lerp};
use crate::media::Image;

/// Rows that one task paints: enough that few hairs belong to two.
const BAND: usize = 48;

/// A rectangle of pixels, `to` not included.
#[derive(Debug, Clone, Copy)]
pub(super) struct Area {
    pub(super) from: (usize, usize),
    pub(super) to: (usize, usize),
}

impl Area {
    /// The pixels that are nearer than `reach` to a point in both directions.
    pub(super) fn around(centre: Point, reach: f32) -> Self {
        let corner = |by: f32| ((centre.x + by).max(0.0) as usize, (centre.y + by).max(0.0) as usize);
        Self { from: corner(-reach), to: corner(reach) }
    }
}

/// How a stroke's width goes from its root to its tip.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Taper {
    /// Full soon after the root, pointed at the tip.
    Hair,
    /// Full in the middle, pointed at both ends.
    Line,
    /// The same everywhere.
    Thread,
}

/// A stroke of a brush along a curve.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stroke {
    pub(super) path: Curve,
    /// Pixels, where it is widest.
    pub(super) width: f32,
    pub(super) taper: Taper,
    pub(super) root: Colour,
    pub(super) tip: Colour,
    /// 0 to 1.
    pub(super) cover: f32,
}

/// The picture while it is painted.
pub(super) struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<Colour>,
}

impl Canvas {
    pub(super) fn new(width: usize, height: usize) -> Self {
        Self { width, height, pixels: vec![Colour([0.0; 3]); width * height] }
    }

    /// All of it.
    pub(super) const fn area(&self) -> Area {
        Area { from: (0, 0), to: (self.width, self.height) }
    }

    /// Replaces each pixel of an area by what `shader` makes of its centre and its colour.
    pub(super) fn shade(&mut self, area: Area, shader: impl Fn(Point, Colour) -> Colour + Sync) {
        let (left, right) = (area.from.0, area.to.0.min(self.width));
        let rows = self.pixels.par_chunks_mut(self.width).enumerate();
        rows.skip(area.from.1).take(area.to.1.saturating_sub(area.from.1)).for_each(|(y, row)| {
            for (x, pixel) in row.iter_mut().enumerate().take(right).skip(left) {
                *pixel = shader(at(x as f32 + 0.5, y as f32 + 0.5), *pixel);
            }
        });
    }

    /// Paints strokes, the first one lowest.
    pub(super) fn strokes(&mut self, strokes: &[Stroke]) {
        let mut bands = vec![Vec::new(); self.height.div_ceil(BAND)];
        for (i, stroke) in strokes.iter().enumerate() {
            let (top, bottom) = stroke.rows(self.height);
            if top < bottom {
                bands[top / BAND..=(bottom - 1) / BAND].iter_mut().for_each(|band| band.push(i));
            }
        }
        let width = self.width;
        self.pixels.par_chunks_mut(width * BAND).zip(&bands).enumerate().for_each(|(index, (pixels, band))| {
            let first = index * BAND;
            let mut window = Window { width, first, last: first + pixels.len() / width, pixels };
            for &i in band {
                window.stroke(&strokes[i]);
            }
        });
    }

    /// The finished picture. Half a level of noise hides the steps of smooth gradients.
    pub(super) fn into_image(self) -> Image {
        let (width, height) = (self.width, self.height);
        let mut bytes = vec![255; width * height * 4];
        bytes.par_chunks_mut(width * 4).zip(self.pixels.par_chunks(width)).enumerate().for_each(
            |(y, (row, pixels))| {
                let mut dice = Dice::of(7, 0, y as i32);
                for (out, Colour(channels)) in row.chunks_exact_mut(4).zip(pixels) {
                    let dither = 0.25 + 0.5 * dice.unit();
                    for (byte, channel) in out.iter_mut().zip(channels) {
                        *byte = to_byte(*channel, dither);
                    }
                }
            },
        );
        Image::new(width as u32, height as u32, bytes)
    }
}

impl Stroke {
    /// Half of the width, in pixels, at `t` of the path.
    fn radius(&self, t: f32) -> f32 {
        let shape = match self.taper {
            Taper::Hair => (0.45 + 4.0 * t).min(1.0) * (1.0 - t * t),
            Taper::Line => (4.0 * t * (1.0 - t)).sqrt(),
            Taper::Thread => 1.0,
        };
        self.width * 0.5 * shape
    }

    /// The rows that it may touch.
    fn rows(&self, height: usize) -> (usize, usize) {
        let [a, b, c] = [self.path.from.y, self.path.bend.y, self.path.to.y];
        let low = (a.min(b).min(c) - self.width).clamp(0.0, height as f32);
        let high = (a.max(b).max(c) + self.width + 1.0).clamp(0.0, height as f32);
        (low as usize, high as usize)
    }

    /// Straight pieces that look like the curve.
    fn pieces(&self) -> u8 {
        let long = (self.path.bend - self.path.from).length() + (self.path.to - self.path.bend).length();
        ((long / 6.0) as u8).clamp(2, 60)
    }
}

/// A band of rows while strokes are painted into it.
struct Window<'a> {
    width: usize,
    first: usize,
    last: usize,
    pixels: &'a mut [Colour],
}

/// A straight piece of a stroke: along its longer axis, across it, half of the width, place.
#[derive(Clone, Copy)]
struct Station {
    along: f32,
    across: f32,
    radius: f32,
    t: f32,
}

impl Window<'_> {
    /// Paints a stroke line by line across its longer axis: each line belongs to one piece, so
    /// that nothing is covered twice where pieces meet.
    fn stroke(&mut self, stroke: &Stroke) {
        let way = stroke.path.to - stroke.path.from;
        let upright = way.y.abs() > way.x.abs();
        let station = |t: f32| {
            let p = stroke.path.point(t);
            let (along, across) = if upright { (p.y, p.x) } else { (p.x, p.y) };
            Station { along, across, radius: stroke.radius(t), t }
        };
        let pieces = stroke.pieces();
        let mut a = station(0.0);
        for i in 1..=pieces {
            let b = station(f32::from(i) / f32::from(pieces));
            if a.along <= b.along {
                self.piece(stroke, upright, a, b);
            } else {
                self.piece(stroke, upright, b, a);
            }
            a = b;
        }
    }

    /// The part of a stroke between two stations, the first one at the smaller `along`.
    fn piece(&mut self, stroke: &Stroke, upright: bool, a: Station, b: Station) {
        let long = (b.along - a.along).max(1e-4);
        let slope = (b.across - a.across) / long;
        // What is `radius` across the stroke is more along a line that cuts it aslant.
        let aslant = (1.0 + slope * slope).sqrt();
        let (low, high) = if upright { (self.first, self.last) } else { (0, self.width) };
        let from = (a.along - 0.5).ceil().clamp(low as f32, high as f32) as usize;
        let to = (b.along - 0.5).ceil().clamp(low as f32, high as f32) as usize;
        for line in from..to {
            let s = (line as f32 + 0.5 - a.along) / long;
            let middle = lerp(a.across, b.across, s);
            let radius = lerp(a.radius, b.radius, s) * aslant;
            let colour = stroke.root.mix(stroke.tip, lerp(a.t, b.t, s));
            self.line(upright, line, (middle - radius, middle + radius), colour, stroke.cover);
        }
    }

    /// Covers an interval of one line: of row `line`, or, if not `upright`, of column `line`.
    fn line(&mut self, upright: bool, line: usize, (start, end): (f32, f32), colour: Colour, cover: f32) {
        let (low, high) = if upright { (0, self.width) } else { (self.first, self.last) };
        let from = start.clamp(low as f32, high as f32) as usize;
        let to = end.ceil().clamp(low as f32, high as f32) as usize;
        for cell in from..to {
            let covered = (end.min(cell as f32 + 1.0) - start.max(cell as f32)).max(0.0);
            let place =
                if upright { (line - self.first) * self.width + cell } else { (cell - self.first) * self.width + line };
            self.pixels[place] = self.pixels[place].mix(colour, covered * cover);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::cat::plane::curve;

    const WHITE: Colour = Colour([1.0; 3]);

    fn stroke(from: Point, to: Point, width: f32) -> Stroke {
        Stroke { path: curve(from, from.mid(to), to), width, taper: Taper::Thread, root: WHITE, tip: WHITE, cover: 1.0 }
    }

    fn painted(strokes: &[Stroke]) -> Vec<f32> {
        let mut canvas = Canvas::new(160, 160);
        canvas.strokes(strokes);
        canvas.pixels.iter().map(|colour| colour.0[0]).collect()
    }

    #[test]
    fn a_stroke_covers_its_area_in_every_direction_and_across_bands() {
        for (x, y) in [(100.0, 0.0), (0.0, 100.0), (60.0, 80.0), (-60.0, 80.0), (80.0, -60.0), (-80.0, -60.0)] {
            let middle = at(80.0, 80.0);
            let half = at(x, y) * 0.5;
            let area: f32 = painted(&[stroke(middle - half, middle + half, 2.5)]).iter().sum();
            assert!((area - 250.0).abs() < 5.0, "{area} along ({x}, {y})");
        }
    }

    #[test]
    fn what_is_painted_later_covers_what_was_earlier() {
        let mut dark = stroke(at(20.0, 80.0), at(140.0, 80.0), 6.0);
        (dark.root, dark.tip) = (WHITE * 0.25, WHITE * 0.25);
        let light = stroke(at(80.0, 20.0), at(80.0, 140.0), 6.0);
        let crossing = 80 * 160 + 80;
        assert!((painted(&[dark, light])[crossing] - 1.0).abs() < 1e-5);
        assert!((painted(&[light, dark])[crossing] - 0.25).abs() < 1e-5);
    }

    #[test]
    fn strokes_may_leave_the_canvas() {
        let out =
            painted(&[stroke(at(-50.0, -70.0), at(220.0, 250.0), 9.0), stroke(at(300.0, 9.0), at(400.0, 9.0), 3.0)]);
        assert!(out.iter().all(|value| (0.0..=1.0001).contains(value)));
    }
}
