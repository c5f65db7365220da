//! Where the content of a `SOURCE` comes from.

use crate::base::{AssetName, Params};
use crate::media::Kind;
use crate::recipe::model::SourceSpec;
use crate::recipe::path;
use crate::recipe::place::Place;
use crate::recipe::problems::Problems;
use crate::recipe::registry::Assets;
use crate::recipe::yaml::Node;

/// The node type's name.
pub(crate) const SOURCE: &str = "SOURCE";

/// The source that validated parameters say; exactly one of `input`, `asset` and `hash` is
/// written, as the node type has checked.
pub(crate) fn read(
    params: &Params,
    assets: &Assets,
    written: &Node,
    place: &Place<'_>,
    problems: &mut Problems,
) -> Option<SourceSpec> {
    if params.flag("input") && params.get("items").is_none() {
        let text = |name| params.optional_text(name).map(str::to_owned);
        return Some(SourceSpec::Variable {
            name: text("name"),
            description: text("description"),
            media: media(params),
        });
    }
    let items = params.list("items");
    if !items.is_empty() {
        let hashes = items.iter().filter_map(|item| item.as_str()?.parse().ok()).collect();
        return Some(SourceSpec::Hashes(hashes));
    }
    if let Some(hash) = params.optional_text("hash") {
        return hash.parse().ok().map(SourceSpec::Hash);
    }
    let name = params.optional_text("asset")?;
    match name.parse::<AssetName>() {
        Ok(asset) => Some(SourceSpec::Asset { pinned: assets.get(name).copied(), name: asset }),
        Err(error) => {
            let mark = path::mark(written, &path::steps("asset"));
            problems.error("bad_name", &place.key("asset"), mark, format!("config.asset: {error}"));
            None
        }
    }
}

/// The kind that a source's content must have; any if `None`.
pub(crate) fn media(params: &Params) -> Option<Kind> {
    let kinds = [Kind::Image, Kind::Video, Kind::Audio, Kind::Data];
    let word = params.optional_text("media")?;
    kinds.into_iter().find(|kind| kind.word() == word)
}
