//! `registry`: what assets' names stand for, and which effects the config was made for.

use std::collections::HashMap;

use crate::base::{AssetName, ContentHash, Fingerprint};
use crate::effects;
use crate::recipe::keys::Section;
use crate::recipe::leaf::{unknown_effect, wrong_type};
use crate::recipe::place::Place;
use crate::recipe::problems::Problems;
use crate::recipe::words::quoted;
use crate::recipe::yaml::{Entry, Node};

/// What each asset's name stands for.
pub(crate) type Assets = HashMap<String, ContentHash>;

/// Reads `registry`. Pins of effects are only compared with what is installed.
pub(crate) fn read(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Assets {
    let mut assets = Assets::new();
    let Some(section) = Section::new(node, &["assets", "effects"], place, problems) else {
        return assets;
    };
    if let Some(node) = section.get("assets") {
        let place = place.key("assets");
        for_each(node, &place, problems, |entry, place, problems| {
            if let Err(error) = entry.key.parse::<AssetName>() {
                problems.error("bad_name", place, entry.mark, format!("{}: {error}", place.label()));
            }
            if let Some(hash) = pin(&entry.node, place, problems, "") {
                assets.insert(entry.key.clone(), hash);
            }
        });
    }
    if let Some(node) = section.get("effects") {
        let place = place.key("effects");
        for_each(node, &place, problems, check_effect);
    }
    assets
}

fn for_each(
    node: &Node,
    place: &Place<'_>,
    problems: &mut Problems,
    mut each: impl FnMut(&Entry, &Place<'_>, &mut Problems),
) {
    match node.map() {
        Some(map) => map.entries().into_iter().for_each(|entry| each(entry, &place.key(&entry.key), problems)),
        None => drop(wrong_type::<()>(node, "a map of names", place, problems)),
    }
}

/// What can be done about a pin that names something else.
const TAKE_IT_OUT: &str = "; a pin made for the original's code can simply be taken out";

fn check_effect(entry: &Entry, place: &Place<'_>, problems: &mut Problems) {
    let Some(effect) = effects::find(&entry.key) else {
        let message = unknown_effect(&entry.key, problems);
        problems.error("unknown_effect", place, entry.mark, message);
        return;
    };
    let Some(pinned) = pin(&entry.node, place, problems, TAKE_IT_OUT) else {
        return;
    };
    let installed = effects::hash(effect);
    if Fingerprint::from_bytes(*pinned.as_bytes()) != installed {
        let message = format!(
            "the effect {} is pinned to {}…, and the one installed is {installed}{TAKE_IT_OUT}",
            quoted(&entry.key),
            pinned.short()
        );
        problems.error("effect_pin", place, entry.node.mark, message);
    }
}

/// The hash of an entry, `{hash: "…"}` or the hash itself.
fn pin(node: &Node, place: &Place<'_>, problems: &mut Problems, advice: &str) -> Option<ContentHash> {
    if node.map().is_some() {
        let section = Section::new(node, &["hash"], place, problems)?;
        let hash = section.require("hash", place, problems)?;
        return pin_text(hash, &place.key("hash"), problems, advice);
    }
    pin_text(node, place, problems, advice)
}

fn pin_text(node: &Node, place: &Place<'_>, problems: &mut Problems, advice: &str) -> Option<ContentHash> {
    let Some(scalar) = node.scalar().filter(|_| !node.is_null()) else {
        return wrong_type(node, "a hash", place, problems);
    };
    match scalar.text.parse() {
        Ok(hash) => Some(hash),
        Err(error) => {
            let message = format!("{} is {}; {error}{advice}", place.label(), quoted(&scalar.text));
            problems.error("bad_hash", place, node.mark, message);
            None
        }
    }
}
