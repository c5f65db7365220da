//! One pass over a source that blurs it by several kernels at once and makes something of the
//! results, pixel by pixel, while they are in the cache.

use std::ops::Range;

use rayon::prelude::*;

use crate::media::blur::coarse::Scratch;
use crate::media::blur::field::{BLOCK, Field, Taps};
use crate::media::blur::source::{Source, read_clamped};

/// Rows that one task computes. More would leave threads idle on common sizes; fewer repeat
/// much of the horizontal work, since a task also needs the rows around its own.
const BAND: usize = 128;
/// Floats of a run across a band: the window of rows of two kernels of usual size is then
/// about as large as a first-level cache.
const RUN: usize = 512;

/// Blurs `source` by every field of `fields` (made of that source) and calls
/// `store(x, y, blurred, out)` for each run of row `y` from column `x` on, once for every
/// pixel: `blurred` has the run of each field, `out` the run's part of `out`, which holds the
/// same number of elements for each pixel. A run of `blurred` may be longer than the pixels.
pub fn sweep<const C: usize, S: Source<C>, T: Send>(
    source: &S,
    fields: &[Field<C>],
    out: &mut [T],
    store: impl Fn(usize, usize, &[Vec<f32>], &mut [T]) + Sync,
) {
    let (width, height) = (source.width(), source.height());
    let elements = out.len() / (width * height);
    assert!(elements * width * height == out.len(), "BUG: {} elements for {width}x{height}", out.len());
    let row = elements * width;
    let reach = fields.iter().map(Field::reach).max().unwrap_or(0);
    let band = BAND.max(8 * reach);
    out.par_chunks_mut(band * row).enumerate().for_each(|(i, out)| {
        let rows = i * band..i * band + out.len() / row;
        for x in (0..width).step_by(RUN / C) {
            let pixels = (RUN / C).min(width - x);
            let mut strip = Strip::new(source, fields, reach, x, pixels);
            for y in rows.clone() {
                let needed = if y == rows.start { y..y + 2 * reach + 1 } else { y + 2 * reach..y + 2 * reach + 1 };
                let at = (y - rows.start) * row + x * elements;
                store(x, y, strip.blurred(y, needed), &mut out[at..][..pixels * elements]);
            }
        }
    });
}

/// Some columns of a band, and the window of rows around the one in work.
struct Strip<'a, const C: usize, S> {
    source: &'a S,
    fields: &'a [Field<C>],
    reach: usize,
    x: usize,
    pixels: usize,
    /// A row of the source with what lies around the strip.
    read: Vec<f32>,
    /// For each field the rows of the window, blurred along the row; row `y` of the source is
    /// at place `y + reach` modulo their number.
    windows: Vec<Vec<f32>>,
    blurred: Vec<Vec<f32>>,
    scratch: Scratch,
}

impl<'a, const C: usize, S: Source<C>> Strip<'a, C, S> {
    fn new(source: &'a S, fields: &'a [Field<C>], reach: usize, x: usize, pixels: usize) -> Self {
        let run = (pixels * C).next_multiple_of(BLOCK);
        let windows = fields.iter().map(|field| match field {
            Field::Direct(_) => vec![0.0; (2 * reach + 1) * run],
            Field::Coarse(_) => Vec::new(),
        });
        Self {
            source,
            fields,
            reach,
            x,
            pixels,
            read: vec![0.0; run + 2 * reach * C],
            windows: windows.collect(),
            blurred: vec![vec![0.0; run]; fields.len()],
            scratch: Scratch::default(),
        }
    }

    /// The runs of row `y`, given that the rows `needed` (each `reach` further up) have not
    /// been taken into the windows.
    fn blurred(&mut self, y: usize, needed: Range<usize>) -> &[Vec<f32>] {
        for place in needed {
            self.take_row(place);
        }
        let (reach, run) = (self.reach as isize, (self.pixels * C).next_multiple_of(BLOCK));
        for ((field, window), out) in self.fields.iter().zip(&self.windows).zip(&mut self.blurred) {
            match field {
                Field::Direct(weights) => {
                    let row_at = |d| (y as isize + reach + d) as usize % (2 * reach as usize + 1) * run;
                    Taps::new(weights, row_at).apply(window, out);
                }
                Field::Coarse(coarse) => coarse.read(self.x, y, &mut out[..self.pixels * C], &mut self.scratch),
            }
        }
        &self.blurred
    }

    /// Takes row `place - reach` of the source into the windows.
    fn take_row(&mut self, place: usize) {
        let reach = self.reach as isize;
        if self.windows.iter().all(Vec::is_empty) {
            return;
        }
        let (y, pixels) = (place as isize - reach, self.pixels + 2 * self.reach);
        read_clamped(self.source, self.x as isize - reach, y, &mut self.read[..pixels * C]);
        let run = (self.pixels * C).next_multiple_of(BLOCK);
        let slot = place % (2 * self.reach + 1) * run;
        for (field, window) in self.fields.iter().zip(&mut self.windows) {
            if let Field::Direct(weights) = field {
                let taps = Taps::new(weights, |d| (reach + d) as usize * C);
                taps.apply(&self.read, &mut window[slot..][..run]);
            }
        }
    }
}
