//! The table of effects. A new effect adds its line to [`EFFECTS`] and its `mod` line above.

use crate::effects::{Effect, blur, dog, grayscale, identity, invert, pixelate, sepia, sharpen};

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
