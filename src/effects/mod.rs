//! Effects: one a file, and the table that lists them.
//!
//! To add an effect, write its file after the model of `invert.rs`, and add its `mod` line and its
//! line of [`EFFECTS`] here; help, validation, `artdag effects` and the node `EFFECT` follow from
//! the table. An effect knows pictures and its parameters, nothing of graphs or storage, and
//! gives the same bits on every CPU: no float operation whose rounding depends on the machine
//! (no C library functions, no fused multiply-add, no order that depends on threads).

pub mod golden;

mod blur;
mod dog;
mod grayscale;
mod identity;
mod invert;
mod pixelate;
mod sepia;
mod sharpen;

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::base::schema::Param;
use crate::base::{Fingerprint, Params, canonical};
use crate::media::PixelOp;

/// Every effect, by name.
pub static EFFECTS: &[&dyn Effect] = &[
    &blur::Blur,
    &dog::Dog,
    &grayscale::Grayscale,
    &identity::Identity,
    &invert::Invert,
    &pixelate::Pixelate,
    &sepia::Sepia,
    &sharpen::Sharpen,
];

/// The effect of this name.
pub fn find(name: &str) -> Option<&'static dyn Effect> {
    EFFECTS.iter().copied().find(|effect| effect.name() == name)
}

/// All names, for suggestions.
pub fn names() -> impl Iterator<Item = &'static str> {
    EFFECTS.iter().map(|effect| effect.name())
}

/// An effect: what it is, and how it lowers to a pixel operation.
pub trait Effect: Sync {
    /// Its name in configs: lower case.
    fn name(&self) -> &'static str;
    /// Raised whenever its output changes for any input.
    fn version(&self) -> u32;
    /// One sentence for people.
    fn description(&self) -> &'static str;
    /// Its parameters.
    fn params(&self) -> &'static [Param];
    /// The hash of its golden outputs (see [`golden`]), 64 hex digits; a test recomputes it.
    fn golden(&self) -> &'static str;
    /// What it does.
    fn body(&self, params: &Params) -> Body;
    /// Does it take bytes of any kind, and not only pictures?
    fn takes_bytes(&self) -> bool {
        false
    }
    /// What is wrong with parameters that are each in range: (parameter, reason).
    fn check(&self, _params: &Params) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// What an effect does.
pub enum Body {
    /// Hands on its input's very bytes, of any kind.
    Identity,
    /// A picture of the same size from a picture.
    Pixels(Box<dyn PixelOp>),
}

/// An effect's own hash, part of the key of every node that uses it: BLAKE3 over name,
/// version, canonical parameter schema and the hash of its golden outputs, each with its length.
pub fn hash(effect: &dyn Effect) -> Fingerprint {
    static OF_TABLE: LazyLock<HashMap<&str, Fingerprint>> =
        LazyLock::new(|| EFFECTS.iter().map(|effect| (effect.name(), compute_hash(*effect))).collect());
    OF_TABLE.get(effect.name()).copied().unwrap_or_else(|| compute_hash(effect))
}

fn compute_hash(effect: &dyn Effect) -> Fingerprint {
    Fingerprint::of_parts(
        "artdag.effect.v1",
        &[
            effect.name().as_bytes(),
            &effect.version().to_le_bytes(),
            canonical::to_string(&effect.params()).as_bytes(),
            effect.golden().as_bytes(),
        ],
    )
}
