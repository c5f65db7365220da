//! Blurs: the Gaussian, the box, and what is made of them.
//!
//! Everything is computed row by row in bands, so that beside the result only a small window
//! of rows is in memory (and, for a wide Gaussian, a reduced picture). An output pixel is one
//! expression with a fixed order of its terms, whatever band, thread or vector lane computes
//! it; there is no fused multiply-add, and `exp` is the soft-float one of `libm`. So the bits
//! are the same everywhere.
//!
//! Colours are weighted by their alpha, and the picture goes on beyond its edges with the
//! pixels of the edge.

mod boxes;
mod coarse;
mod field;
mod gauss;
mod pixel;
mod source;
mod sweep;
mod unsharp;

pub use boxes::{RADIUS_MAX, box_blur};
pub use field::Field;
pub use gauss::{gaussian, gaussian_cost};
pub use pixel::ROUNDING;
pub use source::{LumaOverWhite, Source};
pub use sweep::sweep;
pub use unsharp::{unsharp, unsharp_5x5};
