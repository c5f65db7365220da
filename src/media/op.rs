//! The pixel operation: what image nodes and effects lower to, and all that the engine's
//! pixel backend knows of them.

use std::sync::Arc;

use crate::media::image::Image;

/// Why a pixel operation could not be done. Nothing here is a fault of the machine.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum OpError {
    /// The result would have more pixels than a picture may have.
    #[error(
        "the result would be {width}x{height}, and a picture has at most {} pixels",
        crate::base::limits::IMAGE_PIXELS
    )]
    TooLarge {
        /// Width it would have.
        width: u64,
        /// Height it would have.
        height: u64,
    },
}

/// A deterministic operation on pictures: the same bits on every CPU and any number of threads.
///
/// A node with several inputs is a fold over them in order: [`start`](PixelOp::start) with the
/// first, [`fold`](PixelOp::fold) with each further one, so that only one input and the
/// accumulator need be in memory. Whatever it computes with inside, the returned picture is
/// rounded to 8 bits: fused or stored, the next node sees the same.
pub trait PixelOp: Send + Sync {
    /// Takes the first input. An operation in place does `Arc::unwrap_or_clone(first)`.
    fn start(&self, first: Arc<Image>) -> Result<Image, OpError>;

    /// Takes input `index` (1, 2, …) into the accumulator.
    fn fold(&self, _accumulator: Image, index: usize, _input: &Image) -> Result<Image, OpError> {
        unreachable!("BUG: input {index} given to an operation of one input")
    }

    /// If each output pixel depends on the same input pixel alone: the mapping of a run of
    /// RGBA pixels in place. The engine then joins neighbours into one pass; `start` must
    /// give the same bits.
    fn point(&self) -> Option<&dyn PointOp> {
        None
    }

    /// Estimated nanoseconds of one core for one output pixel (and input), for planning only.
    fn cost(&self) -> f64;
}

/// A mapping of pixels one by one.
pub trait PointOp: Sync {
    /// Maps RGBA pixels (a whole number of them) in place.
    fn map(&self, pixels: &mut [u8]);
}
