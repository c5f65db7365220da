//! Estimates of time and size. They order and admit work and place checkpoints; no result
//! depends on them.
//!
//! The constants were measured on one two-core x86-64 machine by `benches/`; they need be
//! right within a factor of two or three.

use crate::base::Params;
use crate::media::encode::Format;
use crate::media::{Facts, Form, MediaType};
use crate::nodes::{Lowered, NodeType};

/// Nanoseconds a pixel to decode a file of this type.
fn decode(media_type: MediaType) -> f64 {
    match media_type {
        MediaType::Bmp | MediaType::Tiff => 3.0,
        MediaType::Jpeg => 9.0,
        MediaType::Png => 12.0,
        _ => 20.0,
    }
}

/// Nanoseconds a pixel to encode as this format.
fn encode(format: Format, lossy: bool) -> f64 {
    match (format, lossy) {
        (Format::Bmp | Format::Tiff, _) => 3.0,
        (Format::Png, _) => 15.0,
        (Format::Jpeg, _) => 18.0,
        (Format::Webp, true) => 150.0,
        (Format::Webp, false) => 60.0,
        (Format::Gif, _) => 120.0,
    }
}

/// Nanoseconds a pixel to write and later read back a kept picture.
pub const STORE: f64 = 30.0;

/// Estimated seconds of one core for a node, with the decoding of the blobs it reads.
pub fn seconds(node_type: &dyn NodeType, params: &Params, inputs: &[Facts], output: Facts) -> f64 {
    let lowered = node_type.lower(params, inputs);
    let read: f64 = match lowered {
        Lowered::Source | Lowered::Identity => 0.0,
        _ => inputs.iter().map(|input| input.pixels() as f64 * decode_of(input)).sum(),
    };
    let taken = inputs.iter().map(Facts::pixels).sum::<u64>().max(output.pixels()) as f64;
    let work = match &lowered {
        Lowered::Source | Lowered::Identity => 0.0,
        Lowered::Pixels(op) => op.cost() * taken,
        Lowered::Encode { format, quality } => encode(*format, quality.is_some()) * taken,
    };
    (read + work) / 1e9
}

fn decode_of(facts: &Facts) -> f64 {
    match facts.form {
        Form::Blob(source) => decode(source.media_type),
        Form::Value => 0.0,
    }
}

/// Estimated bytes of a kept picture: PNG saves about half of a photograph.
pub fn stored_bytes(facts: Facts) -> u64 {
    facts.pixels() * 2 + 1024
}

/// Bytes of a decoded picture.
pub fn memory_bytes(facts: Facts) -> u64 {
    facts.pixels() * 4
}
