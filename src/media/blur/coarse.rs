//! A wide Gaussian in time that does not grow with its width: reduce, blur, interpolate.
//!
//! The source is halved some times with the kernel 1 3 3 1 (that of the quadratic B-spline),
//! blurred by a small Gaussian, and interpolated with the cubic B-spline. Each step is a
//! convolution whose variance is known, (4ⁿ - 1)/4 pixels² for n halvings and 1/3 of a cell²
//! for the spline (Unser, "Splines: a perfect fit for signal and image processing", IEEE
//! Signal Processing Magazine 16(6), 1999), and variances add: the small Gaussian has what
//! is missing of σ². The error stays under a third of a level of 255.

use rayon::prelude::*;

use crate::media::blur::field::{COARSE_SIGMA, Field, weights};
use crate::media::blur::source::{Source, read_clamped};
use crate::media::blur::sweep::sweep;

/// Cells beyond each edge: from there on outwards all cells are those of the edge's pixels,
/// and so far the spline reads.
const MARGIN: usize = 2;

/// A source under a wide Gaussian, reduced.
pub struct Coarse<const C: usize> {
    cells: Plane<C>,
    /// Pixels of a cell along a side: a power of two.
    factor: usize,
    /// The spline's weights for each place of a pixel in its cell.
    spline: Vec<[f32; 4]>,
}

/// Memory that reading keeps from run to run.
#[derive(Default)]
pub struct Scratch(Vec<f32>);

/// Pixels in memory, `MARGIN` of them beyond each edge.
struct Plane<const C: usize> {
    width: usize,
    height: usize,
    data: Vec<f32>,
}

impl<const C: usize> Coarse<C> {
    /// The source under a Gaussian of standard deviation `sigma` ≥ [`COARSE_SIGMA`].
    pub fn new(source: &impl Source<C>, sigma: f64) -> Self {
        let mut cells = halve(source, 0);
        let mut factor = 2;
        while sigma / f64::from(factor) >= f64::from(COARSE_SIGMA) {
            cells = halve(&cells, MARGIN);
            factor *= 2;
        }
        let area = f64::from(factor * factor);
        let left = (sigma * sigma - (area - 1.0) / 4.0) / area - 1.0 / 3.0;
        let field = Field::Direct(weights(left.sqrt()));
        let mut blurred = vec![0.0; cells.data.len()];
        sweep(&cells, &[field], &mut blurred, |_, _, runs, out| {
            out.copy_from_slice(&runs[0][..out.len()]);
        });
        cells.data = blurred;
        let spline = (0..factor).map(|place| cubic((f64::from(place) + 0.5) / f64::from(factor))).collect();
        Self { cells, factor: factor as usize, spline }
    }

    /// Writes the pixels of row `y` from column `x` on.
    pub fn read(&self, x: usize, y: usize, out: &mut [f32], scratch: &mut Scratch) {
        let pixels = out.len() / C;
        let (left, mut place) = self.cell(x);
        let right = self.cell(x + pixels - 1).0 + 4;
        let line = &mut scratch.0;
        line.resize((right - left) * C, 0.0);
        self.mix_rows(left, y, line);
        let mut at = 0;
        for out in out.as_chunks_mut::<C>().0 {
            let cells = line[at..][..4 * C].as_chunks::<C>().0;
            let [a, b, c, d] = self.spline[place];
            for channel in 0..C {
                out[channel] =
                    (a * cells[0][channel] + b * cells[1][channel]) + (c * cells[2][channel] + d * cells[3][channel]);
            }
            place += 1;
            if place == self.factor {
                (place, at) = (0, at + C);
            }
        }
    }

    /// The spline's sum down the columns, from column `left` of the cells on.
    fn mix_rows(&self, left: usize, y: usize, line: &mut [f32]) {
        let (top, place) = self.cell(y);
        let [a, b, c, d] = self.spline[place];
        let row = |i: usize| &self.cells.data[((top + i) * self.cells.width + left) * C..][..line.len()];
        let rows = (row(0), row(1), row(2), row(3));
        for (i, sum) in line.iter_mut().enumerate() {
            *sum = (a * rows.0[i] + b * rows.1[i]) + (c * rows.2[i] + d * rows.3[i]);
        }
    }

    /// The first of the four cells along an axis that a pixel is made of, and its place among
    /// the phases. A cell's centre is that of its pixels.
    fn cell(&self, pixel: usize) -> (usize, usize) {
        let halves = 2 * pixel + self.factor + 1;
        (halves / (2 * self.factor), halves % (2 * self.factor) / 2)
    }
}

impl<const C: usize> Source<C> for Plane<C> {
    fn width(&self) -> usize {
        self.width
    }

    fn height(&self) -> usize {
        self.height
    }

    fn read(&self, x: usize, y: usize, out: &mut [f32]) {
        let at = (y * self.width + x) * C;
        out.copy_from_slice(&self.data[at..][..out.len()]);
    }
}

/// The source at half its size, a cell for each two pixels, with margins; its own margins
/// are `margin` pixels wide.
fn halve<const C: usize>(source: &impl Source<C>, margin: usize) -> Plane<C> {
    let side = |pixels: usize| (pixels - 2 * margin).div_ceil(2) + 2 * MARGIN;
    let (width, height) = (side(source.width()), side(source.height()));
    let first = |cell: usize| (2 * cell + margin) as isize - (2 * MARGIN + 1) as isize;
    let mut data = vec![0.0; width * height * C];
    data.par_chunks_mut(width * C).enumerate().for_each_init(
        || vec![vec![0.0; (2 * width + 2) * C]; 4],
        |rows, (y, out)| {
            for (i, row) in rows.iter_mut().enumerate() {
                read_clamped(source, first(0), first(y) + i as isize, row);
            }
            let [top, upper, lower, bottom] = &mut rows[..] else { unreachable!("BUG: four rows") };
            for (((sum, upper), lower), bottom) in top.iter_mut().zip(upper).zip(lower).zip(bottom) {
                *sum = (*sum + *bottom) + 3.0 * (*upper + *lower);
            }
            for (x, out) in out.as_chunks_mut::<C>().0.iter_mut().enumerate() {
                let four = top[2 * x * C..][..4 * C].as_chunks::<C>().0;
                for channel in 0..C {
                    let (outer, inner) = (four[0][channel] + four[3][channel], four[1][channel] + four[2][channel]);
                    out[channel] = (outer + 3.0 * inner) * (1.0 / 64.0);
                }
            }
        },
    );
    Plane { width, height, data }
}

/// The weights of the cubic B-spline at distance `t` (0 to 1) beyond the second of four knots.
fn cubic(t: f64) -> [f32; 4] {
    let s = 1.0 - t;
    let inner = |t: f64| (4.0 - 6.0 * t * t + 3.0 * t * t * t) / 6.0;
    [s * s * s / 6.0, inner(t), inner(s), t * t * t / 6.0].map(|weight| weight as f32)
}
