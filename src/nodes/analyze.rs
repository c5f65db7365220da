//! `ANALYZE`: what is in a film, a sound or a picture, as JSON.

use crate::base::Params;
use crate::base::schema::{Default, Kind as Type, Param};
use crate::media::{Facts, Kind};
use crate::nodes::{Lowered, NodeError, NodeType, Ports};

/// The node type.
pub(super) struct Analyze;

const FEATURES: &[&str] = &[
    "metadata",
    "duration",
    "loudness",
    "silence",
    "scene_changes",
    "beats",
    "tempo",
    "onsets",
    "energy",
    "spectrum",
    "motion_tempo",
    "all",
];

const PARAMS: &[Param] = &[Param {
    name: "feature",
    kind: Type::Choice(FEATURES),
    default: Default::Text("all"),
    doc: "What is asked: metadata and duration without decoding; loudness (EBU R128), silence, beats, tempo, onsets, \
          energy and spectrum of the sound; scene_changes and motion_tempo of the picture.",
    unit: "",
}];

/// What an analysis must decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Analysis {
    /// The feature asked for.
    pub feature: &'static str,
    /// Does it hear the sound?
    pub hears: bool,
    /// Does it see the picture?
    pub sees: bool,
}

fn analysis(params: &Params, input: &Facts) -> Analysis {
    let word = params.text("feature");
    let feature = FEATURES.iter().find(|feature| **feature == word).unwrap_or(&"all");
    let of_sound = matches!(*feature, "loudness" | "silence" | "beats" | "tempo" | "onsets" | "energy" | "spectrum");
    let of_picture = matches!(*feature, "scene_changes" | "motion_tempo");
    let all = *feature == "all";
    Analysis {
        feature,
        hears: of_sound || (all && input.has_sound()),
        sees: of_picture || (all && input.kind == Kind::Video),
    }
}

impl NodeType for Analyze {
    fn name(&self) -> &'static str {
        "ANALYZE"
    }

    fn version(&self) -> u32 {
        4
    }

    fn description(&self) -> &'static str {
        "Analyses a film, sound or picture; the result is JSON."
    }

    fn params(&self) -> &'static [Param] {
        PARAMS
    }

    fn ports(&self) -> Ports {
        Ports { min: 1, max: 1, names: &["input"], kinds: &[Kind::Video, Kind::Audio, Kind::Image] }
    }

    fn output(&self) -> Option<Kind> {
        Some(Kind::Data)
    }

    fn facts(&self, params: &Params, inputs: &[Facts]) -> Result<Facts, NodeError> {
        let input = &inputs[0];
        let Analysis { feature, hears, sees } = analysis(params, input);
        let lacks = |what: &str| Err(NodeError::Inputs(format!("{feature} is of a {what}, and its input has none")));
        if hears && !input.has_sound() {
            return lacks("sound");
        }
        if sees && input.kind != Kind::Video {
            return lacks("film");
        }
        Ok(Facts::data())
    }

    fn lower(&self, params: &Params, inputs: &[Facts]) -> Lowered {
        Lowered::Analyse(analysis(params, &inputs[0]))
    }
}
