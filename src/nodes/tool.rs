//! Codecs and effects as tools of a node.

use crate::effects::{self, Effect};
use crate::media::codec::Codec;
use crate::nodes::Tool;

impl From<Codec> for Tool {
    fn from(codec: Codec) -> Self {
        Self { name: codec.name.to_owned(), version: codec.version.to_string(), hash: codec.hash() }
    }
}

impl From<&dyn Effect> for Tool {
    fn from(effect: &dyn Effect) -> Self {
        let name = format!("effect:{}", effect.name());
        Self { name, version: effect.version().to_string(), hash: effects::hash(effect) }
    }
}
