//! `EXTRACT_AUDIO`: the sound of a film.

use crate::base::Params;
use crate::base::schema::Param;
use crate::media::{ClipOp, Facts, Kind, Loom, Pad};
use crate::nodes::{Lowered, NodeError, NodeType, Ports};

/// The node type.
pub(super) struct ExtractAudio;

struct Extracted(u64);

impl NodeType for ExtractAudio {
    fn name(&self) -> &'static str {
        "EXTRACT_AUDIO"
    }

    fn version(&self) -> u32 {
        1
    }

    fn description(&self) -> &'static str {
        "The sound of a film."
    }

    fn params(&self) -> &'static [Param] {
        &[]
    }

    fn ports(&self) -> Ports {
        Ports { min: 1, max: 1, names: &["input"], kinds: &[Kind::Video, Kind::Audio] }
    }

    fn output(&self) -> Option<Kind> {
        Some(Kind::Audio)
    }

    fn facts(&self, _params: &Params, inputs: &[Facts]) -> Result<Facts, NodeError> {
        if inputs[0].has_sound() {
            Ok(Facts::audio(inputs[0].samples))
        } else {
            Err(NodeError::Inputs("its input has no sound".to_owned()))
        }
    }

    fn lower(&self, _params: &Params, inputs: &[Facts]) -> Lowered {
        Lowered::Clip(Box::new(Extracted(inputs[0].samples)))
    }
}

impl ClipOp for Extracted {
    fn picture(&self, _loom: &mut dyn Loom) -> Pad {
        panic!("BUG: the picture of a sound")
    }

    fn sound(&self, loom: &mut dyn Loom) -> Pad {
        loom.sound(0, 0, self.0)
    }
}
