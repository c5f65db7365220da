//! Node types: one a file, and the table that lists them.
//!
//! To add a node type, write its file after the model of `resize.rs` and add its line to
//! [`NODE_TYPES`]; validation, keys, help, docs and API follow from the table. A node type says
//! what it is and how it lowers, never how or when it is run; nothing here does I/O.

mod film;
mod geometry;
mod table;
#[cfg(test)]
mod testing;
mod tool;

mod analyze;
mod audio_mix;
mod blend;
mod effect;
mod encode;
mod extract_audio;
mod frame;
mod generate;
mod layer;
mod map;
mod mux;
mod resize;
mod segment;
mod segment_at;
mod sequence;
mod source;
mod source_list;
mod switch;
mod transform;

pub use analyze::Analysis;
pub use effect::effect_params;
pub use encode::{ENCODE, Encoding, PRESETS};
pub use film::Film;
pub use map::{MAP, SEED_FROM, node_params, of_item};
pub use source_list::SOURCE_LIST;
pub use table::{NODE_TYPES, find, names};

use crate::base::schema::Param;
use crate::base::{Fingerprint, Params};
use crate::media::clip::{FILM_SIZES, film_size_is_allowed};
use crate::media::drawing::Drawing;
use crate::media::encode::Format;
use crate::media::{ClipOp, Facts, Form, Kind, PixelOp};

/// A node type.
pub trait NodeType: Sync {
    /// Its name in configs: upper case.
    fn name(&self) -> &'static str;
    /// Raised whenever its value changes for any inputs and parameters.
    fn version(&self) -> u32;
    /// One sentence for people.
    fn description(&self) -> &'static str;
    /// Its parameters: the entries of the node's `config`.
    fn params(&self) -> &'static [Param];
    /// Its inputs.
    fn ports(&self) -> Ports;
    /// The kind of its value, where it does not depend on the inputs.
    fn output(&self) -> Option<Kind>;
    /// Where the same bits come out.
    fn determinism(&self) -> Determinism {
        Determinism::Everywhere
    }
    /// What is wrong with parameters that are each in range, or with them and the number of
    /// inputs: (path of the parameter such as `inputs[2]`, reason).
    fn check(&self, _params: &Params, _inputs: usize) -> Vec<(String, String)> {
        Vec::new()
    }
    /// What is known of its value, from what is known of its inputs. The ports' kinds have
    /// been checked.
    fn facts(&self, params: &Params, inputs: &[Facts]) -> Result<Facts, NodeError>;
    /// How it is done.
    fn lower(&self, params: &Params, inputs: &[Facts]) -> Lowered;
    /// What enters its key beside name, version and parameters: effects, resamplers, encoders
    /// (the decoders of its sources and the writer of its stored form are added by planning).
    fn tools(&self, _params: &Params) -> Vec<Tool> {
        Vec::new()
    }
}

/// The inputs that a node type takes.
#[derive(Debug, Clone, Copy)]
pub struct Ports {
    /// Fewest inputs.
    pub min: usize,
    /// Most inputs.
    pub max: usize,
    /// Names of the ports in order, for `inputs` written as a map; further inputs have no name.
    pub names: &'static [&'static str],
    /// The kinds taken; empty means any.
    pub kinds: &'static [Kind],
}

/// Where a node's value has the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Determinism {
    /// On every machine.
    Everywhere,
    /// With this build on this class of CPU.
    ThisBuildAndCpu,
}

/// A codec, resampler, effect or program that took part in a value, by name, version and hash.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tool {
    /// E.g. `effect:dog` or `png-decoder`.
    pub name: String,
    /// Its version, for people.
    pub version: String,
    /// Its identity: enters the key.
    pub hash: Fingerprint,
}

/// How a node is done.
pub enum Lowered {
    /// Not at all: a source.
    Source,
    /// The value is the first input's, as it is: its very bytes where it is a blob.
    Identity,
    /// A pixel operation over the inputs in order; over every frame, if the input is a film.
    Pixels(Box<dyn PixelOp>),
    /// A picture of no inputs.
    Draw(Box<dyn Drawing>),
    /// An operation on films or sounds.
    Clip(Box<dyn ClipOp>),
    /// A frame of a film as a picture, which a pixel operation may then take.
    Frame {
        /// Which, counted from 0.
        index: u64,
        /// What is done to it.
        then: Option<Box<dyn PixelOp>>,
    },
    /// The film or sound as a file.
    EncodeClip(Encoding),
    /// What is in a film, sound or picture, as JSON.
    Analyse(Analysis),
    /// The picture as a file.
    Encode {
        /// The format.
        format: Format,
        /// 1 to 100, for formats that have it.
        quality: Option<u8>,
    },
}

/// Why a node cannot be planned with these inputs.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NodeError {
    /// The value would be larger than a picture may be.
    #[error(
        "its picture would be {width}x{height}; a picture has at most {} pixels and {} a side",
        crate::base::limits::IMAGE_PIXELS,
        crate::base::limits::IMAGE_SIDE
    )]
    TooLarge {
        /// Width it would have.
        width: u64,
        /// Height it would have.
        height: u64,
    },
    /// The value would be a film that ffmpeg does not take, or does not keep as it is.
    #[error("its film would be {width}x{height}; {FILM_SIZES}")]
    FilmSize {
        /// Width it would have.
        width: u32,
        /// Height it would have.
        height: u32,
    },
    /// Something else about its inputs.
    #[error("{0}")]
    Inputs(String),
}

/// What is known of a node's value: its type's word, unless no film can be like that. A film's very bytes can.
pub fn facts(node_type: &dyn NodeType, params: &Params, inputs: &[Facts]) -> Result<Facts, NodeError> {
    let facts = node_type.facts(params, inputs)?;
    let (width, height) = (facts.width, facts.height);
    if facts.kind == Kind::Video && facts.form == Form::Value && !film_size_is_allowed(width, height) {
        return Err(NodeError::FilmSize { width, height });
    }
    Ok(facts)
}
