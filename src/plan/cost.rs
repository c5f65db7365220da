//! Estimates of time and size. They order and admit work and place checkpoints; no result
//! depends on them.
//!
//! The constants were measured on one two-core x86-64 machine by `benches/`; they need be
//! right within a factor of two or three.

use crate::base::Params;
use crate::media::encode::Format;
use crate::media::{Facts, Form, MediaType};
use crate::nodes::{Lowered, NodeType};
use crate::plan::stage::PlanNode;

/// Nanoseconds a pixel to decode a file of this type.
fn decode(media_type: MediaType) -> f64 {
    match media_type {
        MediaType::Bmp | MediaType::Tiff => 3.0,
        MediaType::Jpeg => 9.0,
        MediaType::Png => 12.0,
        MediaType::Gif | MediaType::Webp => 20.0,
        _ => FILM_DECODE,
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
        _ => ENCODE_FILM,
    }
}

/// Nanoseconds a pixel to decode a film.
const FILM_DECODE: f64 = 2.0;
/// Nanoseconds a pixel to write a film as H.264.
const ENCODE_FILM: f64 = 16.0;
/// Nanoseconds a pixel to draw a picture.
const DRAW: f64 = 5.0;
/// Nanoseconds a sample of a sound.
const SAMPLE: f64 = 20.0;

/// Nanoseconds a pixel to write and later read back a kept picture.
pub const STORE: f64 = 30.0;

/// Estimated seconds of one core for a node, with the decoding of the blobs it reads.
pub fn seconds(node_type: &dyn NodeType, params: &Params, inputs: &[Facts], output: &Facts) -> f64 {
    let lowered = node_type.lower(params, inputs);
    let read: f64 = match lowered {
        Lowered::Source | Lowered::Identity => 0.0,
        _ => inputs.iter().map(|input| (input.pixels() * input.frames()) as f64 * decode_of(input)).sum(),
    };
    let taken = inputs.iter().map(Facts::pixels).sum::<u64>().max(output.pixels()) as f64;
    let work = match &lowered {
        Lowered::Source | Lowered::Identity => 0.0,
        Lowered::Pixels(op) => op.cost() * taken,
        Lowered::Encode { format, quality } => encode(*format, quality.is_some()) * taken,
        Lowered::Draw(_) => DRAW * taken,
        Lowered::Clip(op) => op.cost() * taken * output.frames() as f64 + output.samples as f64 * SAMPLE,
        Lowered::Analyse(_) => inputs.first().map_or(0.0, |input| input.samples as f64 * SAMPLE * 4.0),
        Lowered::Frame { index, .. } => FILM_DECODE * taken * (*index + 1) as f64,
        Lowered::EncodeClip(_) => ENCODE_FILM * taken * output.frames() as f64 + output.samples as f64 * SAMPLE,
    };
    let work = if matches!(lowered, Lowered::Pixels(_)) { work * output.frames() as f64 } else { work };
    (read + work) / 1e9
}

fn decode_of(facts: &Facts) -> f64 {
    match &facts.form {
        Form::Blob(source) => decode(source.media_type),
        Form::Value => 0.0,
    }
}

/// Estimated bytes of a kept picture: PNG saves about half of a photograph.
pub fn stored_bytes(facts: &Facts) -> u64 {
    if facts.has_time() {
        return facts.pixels() * facts.frames() / 2 + facts.samples * 8 + 4096;
    }
    facts.pixels() * 2 + 1024
}

/// Bytes of a decoded picture.
pub fn memory_bytes(facts: &Facts) -> u64 {
    facts.pixels() * 4
}

/// Estimated bytes of the processes of a stage of films: what they take at all, and frames on
/// their way through it.
pub fn film_memory(nodes: &[PlanNode], members: &[usize]) -> u64 {
    let largest = members.iter().map(|member| nodes[*member].facts.pixels()).max().unwrap_or_default();
    let inputs = members.iter().map(|member| nodes[*member].inputs.len() as u64).sum::<u64>();
    FILM_BASE + (FILM_FRAMES + inputs * FRAMES_OF_INPUT) * largest * 2
}

/// Bytes of ffmpeg with its libraries.
const FILM_BASE: u64 = 64 << 20;
/// Frames that an encoder holds back, with those of decoders and filters.
const FILM_FRAMES: u64 = 60;
/// Frames that a further input holds.
const FRAMES_OF_INPUT: u64 = 12;
