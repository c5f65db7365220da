//! Paths to parameters as texts: `effects.saturation`, `inputs[2].opacity`.

use crate::recipe::problem::{LocPart, Mark};
use crate::recipe::yaml::{Node, View};

/// The steps of a path. An index may stand in brackets or, like a name, after a dot.
pub(crate) fn steps(path: &str) -> Vec<LocPart> {
    let pieces = path.split(['.', '[']).map(|piece| piece.strip_suffix(']').unwrap_or(piece));
    pieces.map(|piece| piece.parse().map_or_else(|_| LocPart::Key(piece.to_owned()), LocPart::Index)).collect()
}

/// Where the value at the end of these steps is written, or the last on the way that is.
pub(crate) fn mark(from: &Node, steps: &[LocPart]) -> Mark {
    let mut node = from;
    for step in steps {
        let next = match (step, node.view()) {
            (LocPart::Key(key), View::Map(map)) => map.get(key).map(|entry| &entry.node),
            (LocPart::Index(index), View::Seq(items)) => items.get(*index),
            _ => None,
        };
        let Some(next) = next else { break };
        node = next;
    }
    node.mark
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_indices() {
        let key = |name: &str| LocPart::Key(name.to_owned());
        assert_eq!(steps("width"), [key("width")]);
        assert_eq!(steps("effects.hue"), [key("effects"), key("hue")]);
        assert_eq!(
            steps("inputs[2].position[0]"),
            [key("inputs"), LocPart::Index(2), key("position"), LocPart::Index(0)]
        );
        assert_eq!(steps("inputs.2.scale"), [key("inputs"), LocPart::Index(2), key("scale")]);
    }
}
