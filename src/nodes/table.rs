//! The table of node types. A new one adds its line to [`NODE_TYPES`] and its `mod` line above.

use crate::nodes::{
    NodeType, analyze, audio_mix, blend, effect, extract_audio, frame, generate, layer, map, mux, resize, segment,
    segment_at, sequence, source, source_list, switch, transform,
};

/// Every node type that a config can name, by name. (`ENCODE` is appended by planning alone.)
pub static NODE_TYPES: &[&dyn NodeType] = &[
    &analyze::Analyze,
    &audio_mix::AudioMix,
    &blend::Blend,
    &effect::EffectNode,
    &extract_audio::ExtractAudio,
    &frame::Frame,
    &generate::Generate,
    &layer::Layer,
    &map::Map,
    &mux::Mux,
    &resize::Resize,
    &segment::Segment,
    &segment_at::SegmentAt,
    &sequence::Sequence,
    &source::Source,
    &source_list::SourceList,
    &switch::Switch,
    &frame::Thumbnail,
    &transform::Transform,
];

/// The node type of this name.
pub fn find(name: &str) -> Option<&'static dyn NodeType> {
    NODE_TYPES.iter().copied().find(|node_type| node_type.name() == name)
}

/// All names, for suggestions.
pub fn names() -> impl Iterator<Item = &'static str> {
    NODE_TYPES.iter().map(|node_type| node_type.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_sorted() {
        assert!(NODE_TYPES.windows(2).all(|pair| pair[0].name() < pair[1].name()));
    }
}
