//! Operations on films and sounds, as fragments of one ffmpeg filter graph.
//!
//! An operation says how its picture and its sound come from its inputs' pictures and sounds. It
//! is asked for each apart, so that a graph which needs only the one holds nothing of the other.
//! Whoever weaves the graph cuts every node's value to the length that its facts say and
//! renumbers its frames and samples: an operation never reads a timestamp of another.

use crate::media::facts::Pixels;
use crate::media::image::Image;
use crate::media::time::Rate;

/// The place where a stream comes out of a filter or an input: a label of the graph.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pad(pub String);

/// Where a graph is woven.
pub trait Loom {
    /// Frames `from..to` of the picture of an input that is a film, numbered from 0, in a form.
    fn picture(&mut self, input: usize, from: u64, to: u64, pixels: Pixels) -> Pad;
    /// An input that is a still as so many frames at a rate, in a form.
    fn still(&mut self, input: usize, rate: Rate, frames: u64, pixels: Pixels) -> Pad;
    /// Samples `from..to` of an input's sound, numbered from 0; silence where it has none.
    fn sound(&mut self, input: usize, from: u64, to: u64) -> Pad;
    /// Filters, joined by commas, from pads to a new one. The text holds numbers and words of
    /// ours alone: a person's words never become syntax.
    fn link(&mut self, pads: &[Pad], filters: &str) -> Pad;
    /// A picture twice, for branches that advance together.
    fn split(&mut self, pad: Pad) -> [Pad; 2];
    /// A picture of ours as so many frames at a rate, in a form.
    fn drawn(&mut self, image: &Image, rate: Rate, frames: u64, pixels: Pixels) -> Pad;
}

/// An operation on films or sounds.
pub trait ClipOp: Send + Sync {
    /// The node's picture; asked for only if its value has one.
    fn picture(&self, loom: &mut dyn Loom) -> Pad;
    /// The node's sound; asked for only if its value has one.
    fn sound(&self, loom: &mut dyn Loom) -> Pad;
    /// Are frame n and what is near it all that frame n is made of, with no input far ahead of
    /// another? Only then may one stream be shared by several.
    fn is_in_step(&self) -> bool {
        true
    }
    /// Estimated nanoseconds of one core a pixel of the output.
    fn cost(&self) -> f64 {
        5.0
    }
}

/// May a film between nodes be this large? FFV1 as ffmpeg writes it does not keep what is one pixel wide or high;
/// above, the limit is that of ffmpeg's pictures (`av_image_check_size2`).
pub fn film_size_is_allowed(width: u32, height: u32) -> bool {
    let with_edge = |side: u32| u64::from(side) + 128;
    width.min(height) >= 2 && with_edge(width) * with_edge(height) < 1 << 28
}

/// What [`film_size_is_allowed`] allows, in words.
pub const FILM_SIZES: &str =
    "a film has at least 2 pixels a side, and (width + 128) x (height + 128) stays below 268435456";

/// Scaler's flags: the same bits under every set of CPU features. Without `full_chroma_inp` the last
/// column of an odd width takes its chroma from memory that nobody has written.
pub const SCALE_FLAGS: &str = "bicubic+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact";

/// From RGB without alpha to the form of films.
pub fn rgb_to_yuv() -> String {
    format!("scale=in_range=pc:out_color_matrix=bt709:out_range=tv:flags={SCALE_FLAGS},format=yuv420p")
}

/// From the form of films to planar RGB.
pub fn yuv_to_rgb() -> String {
    format!("scale=in_color_matrix=bt709:in_range=tv:out_range=pc:flags={SCALE_FLAGS},format=gbrp")
}

/// From the form of films to RGBA: by way of planes, which gives the same bits five times as fast.
pub fn yuv_to_rgba() -> String {
    yuv_to_rgb() + ",format=rgba"
}

/// From RGBA to the form of films: over black.
pub fn rgba_to_yuv() -> String {
    format!("format=gbrap,premultiply=inplace=1,format=gbrp,{}", rgb_to_yuv())
}

/// The filters that bring pixels of one form to another; `None` if they are the same.
pub fn convert(from: Pixels, to: Pixels) -> Option<String> {
    match (from, to) {
        (Pixels::Yuv420, Pixels::Rgba) => Some(yuv_to_rgba()),
        (Pixels::Rgba, Pixels::Yuv420) => Some(rgba_to_yuv()),
        _ => None,
    }
}

/// Numbers frames from 0 in ticks of one frame.
pub fn numbered(rate: Rate) -> String {
    format!("settb=expr={}/{},setpts=N", rate.den(), rate.num())
}
