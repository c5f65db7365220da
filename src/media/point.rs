//! Point operations over whole pictures: in parallel, in runs that stay in the cache.

use std::sync::Arc;

use rayon::prelude::*;

use crate::media::image::{CHANNELS, Image};
use crate::media::op::PointOp;

/// Bytes that one task maps through all operations before it goes on: half of a common
/// second-level cache.
const RUN_BYTES: usize = (64 << 10) * CHANNELS;

/// Applies point operations one after another in one pass over the picture.
pub fn apply(image: Arc<Image>, ops: &[&dyn PointOp]) -> Image {
    let mut image = Arc::unwrap_or_clone(image);
    image.pixels_mut().par_chunks_mut(RUN_BYTES).for_each(|run| {
        for op in ops {
            op.map(run);
        }
    });
    image
}
