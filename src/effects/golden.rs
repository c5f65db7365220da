//! Golden outputs: what an effect makes of a fixed picture, hashed.
//!
//! The hash stands in the effect's file and in its identity; a test computes it anew, so that
//! an effect (or a library below it) that changes a single bit fails until the effect's
//! version is raised and its golden hash replaced.

use std::sync::Arc;

use crate::base::schema;
use crate::effects::{Body, Effect};
use crate::media::Image;

/// The picture: 61×47, gradients, edges, noise and every kind of alpha, from integers alone.
pub fn picture() -> Image {
    let (width, height) = (61_u32, 47_u32);
    let mut pixels = Vec::new();
    let mut noise = 0x2545_f491_u32;
    for y in 0..height {
        for x in 0..width {
            noise ^= noise << 13;
            noise ^= noise >> 17;
            noise ^= noise << 5;
            let edge = if (x / 7 + y / 5) % 2 == 0 { 90 } else { 0 };
            let alpha = match (x + y) % 16 {
                0 => 0,
                1..=3 => (noise >> 24) as u8,
                _ => 255,
            };
            pixels.extend([(x * 4) as u8, (y * 5) as u8 / 2 + edge, (noise >> 16) as u8 / 4 + edge, alpha]);
        }
    }
    Image::new(width, height, pixels)
}

/// The hash of an effect's golden outputs: for the defaults, then for each bound of each
/// number and each choice on its own.
pub fn compute(effect: &dyn Effect) -> String {
    let mut hasher = blake3::Hasher::new();
    let picture = Arc::new(picture());
    for params in cases(effect) {
        match effect.body(&params) {
            Body::Identity => hasher.update(picture.pixels()),
            Body::Pixels(op) => {
                let out = op.start(picture.clone()).expect("BUG: an effect keeps the picture's size");
                hasher.update(out.pixels())
            }
        };
    }
    hasher.finalize().to_hex().to_string()
}

fn cases(effect: &dyn Effect) -> Vec<crate::base::Params> {
    let defaults = schema::defaults(effect.params());
    let mut cases = vec![defaults.clone()];
    for param in effect.params() {
        let values: Vec<serde_json::Value> = match param.kind {
            schema::Kind::Number { min, max } => vec![min.into(), max.into()],
            schema::Kind::Integer { min, max } => vec![min.into(), max.into()],
            schema::Kind::Choice(words) => words.iter().map(|word| (*word).into()).collect(),
            _ => Vec::new(),
        };
        for value in values {
            let mut entries = defaults.entries().clone();
            entries.insert(param.name.to_owned(), value);
            let params = crate::base::Params::new(entries);
            if effect.check(&params).is_empty() {
                cases.push(params);
            }
        }
    }
    cases
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effects::EFFECTS;

    #[test]
    fn every_effect_makes_its_golden_outputs() {
        let wrong: Vec<String> = EFFECTS
            .iter()
            .filter_map(|effect| {
                let now = compute(*effect);
                (now != effect.golden()).then(|| format!("{}: golden() is {now} now; raise version()", effect.name()))
            })
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn names_are_unique_and_sorted() {
        assert!(EFFECTS.windows(2).all(|pair| pair[0].name() < pair[1].name()));
    }
}
