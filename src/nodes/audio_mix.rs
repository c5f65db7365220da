//! `AUDIO_MIX`: sounds at once, each with its gain; as long as the longest.

use serde_json::Value;

use crate::base::Params;
use crate::base::limits::CONFIG_NODES;
use crate::base::schema::{Default, Kind as Type, Param};
use crate::media::{ClipOp, Facts, Kind, Loom, Pad};
use crate::nodes::{Lowered, NodeError, NodeType, Ports};

/// The node type.
pub(super) struct AudioMix;

const PARAMS: &[Param] = &[
    Param {
        name: "gains",
        kind: Type::List { of: &Type::Number { min: 0.0, max: 2.0 }, min: 0, max: CONFIG_NODES },
        default: Default::EmptyList,
        doc: "What each sound is multiplied by, in the order of the inputs; missing ones are 1.",
        unit: "",
    },
    Param {
        name: "normalize",
        kind: Type::Bool,
        default: Default::Bool(true),
        doc: "Divide the sum by the number of inputs, so that it cannot clip.",
        unit: "",
    },
];

struct Mixed {
    gains: Vec<f64>,
    normalize: bool,
    samples: u64,
}

impl NodeType for AudioMix {
    fn name(&self) -> &'static str {
        "AUDIO_MIX"
    }

    fn version(&self) -> u32 {
        1
    }

    fn description(&self) -> &'static str {
        "Mixes sounds, each with its gain."
    }

    fn params(&self) -> &'static [Param] {
        PARAMS
    }

    fn ports(&self) -> Ports {
        Ports { min: 1, max: CONFIG_NODES, names: &["sounds"], kinds: &[Kind::Audio, Kind::Video] }
    }

    fn output(&self) -> Option<Kind> {
        Some(Kind::Audio)
    }

    fn check(&self, params: &Params, inputs: usize) -> Vec<(String, String)> {
        let gains = params.list("gains").len();
        if gains > inputs {
            vec![(format!("gains[{inputs}]"), format!("{gains} gains are written for {inputs} inputs"))]
        } else {
            Vec::new()
        }
    }

    fn facts(&self, _params: &Params, inputs: &[Facts]) -> Result<Facts, NodeError> {
        if let Some(silent) = inputs.iter().position(|input| !input.has_sound()) {
            return Err(NodeError::Inputs(format!("inputs[{silent}] has no sound")));
        }
        Ok(Facts::audio(inputs.iter().map(|input| input.samples).max().unwrap_or_default()))
    }

    fn lower(&self, params: &Params, inputs: &[Facts]) -> Lowered {
        let mut gains: Vec<f64> = params.list("gains").iter().filter_map(Value::as_f64).collect();
        gains.resize(inputs.len(), 1.0);
        let samples = inputs.iter().map(|input| input.samples).max().unwrap_or_default();
        Lowered::Clip(Box::new(Mixed { gains, normalize: params.flag("normalize"), samples }))
    }
}

impl ClipOp for Mixed {
    fn picture(&self, _loom: &mut dyn Loom) -> Pad {
        panic!("BUG: the picture of a sound")
    }

    fn sound(&self, loom: &mut dyn Loom) -> Pad {
        let count = self.gains.len();
        let mut pads = Vec::new();
        for (index, gain) in self.gains.iter().enumerate() {
            let pad = loom.sound(index, 0, self.samples);
            let scale = if self.normalize { gain / count as f64 } else { *gain };
            pads.push(if scale.total_cmp(&1.0).is_eq() {
                pad
            } else {
                loom.link(&[pad], &format!("volume=volume={scale}:precision=float"))
            });
        }
        if count == 1 {
            return pads.remove(0);
        }
        loom.link(&pads, &format!("amix=inputs={count}:normalize=0:duration=longest"))
    }
}
