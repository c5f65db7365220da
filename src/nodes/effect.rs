//! `EFFECT`: an effect of the effect table on one input.

use crate::base::Params;
use crate::base::schema::{Default, Kind as Type, Param};
use crate::effects::{self, Body, Effect};
use crate::media::{Clip, Facts, Kind, Pixels};
use crate::nodes::{Lowered, NodeError, NodeType, Ports, Tool};

/// The node type.
pub(super) struct EffectNode;

const PARAMS: &[Param] = &[
    Param { name: "effect", kind: Type::EffectName, default: Default::Required, doc: "The effect's name.", unit: "" },
    Param {
        name: "params",
        kind: Type::EffectParams,
        default: Default::Entries,
        doc: "The effect's own parameters.",
        unit: "",
    },
];

/// The parameters that `params` of an `EFFECT` node has for the effect of this name; `None` if
/// there is no such effect.
pub fn effect_params(effect: &str) -> Option<&'static [Param]> {
    effects::find(effect).map(Effect::params)
}

/// The effect that validated parameters name, and its own parameters.
fn effect_of(params: &Params) -> (&'static dyn Effect, Params) {
    let name = params.text("effect");
    let effect = effects::find(name).unwrap_or_else(|| panic!("BUG: validation let the effect {name:?} pass"));
    (effect, params.nested("params"))
}

impl NodeType for EffectNode {
    fn name(&self) -> &'static str {
        "EFFECT"
    }

    fn version(&self) -> u32 {
        1
    }

    fn description(&self) -> &'static str {
        "An effect on a picture or on every frame of a film; the effect `identity` hands on any input's very bytes."
    }

    fn params(&self) -> &'static [Param] {
        PARAMS
    }

    fn ports(&self) -> Ports {
        // What is taken depends on the effect, so facts() judges the kind.
        Ports { min: 1, max: 1, names: &["input"], kinds: &[] }
    }

    fn output(&self) -> Option<Kind> {
        None
    }

    fn check(&self, params: &Params, _inputs: usize) -> Vec<(String, String)> {
        let (effect, own) = effect_of(params);
        effect.check(&own).into_iter().map(|(name, reason)| (format!("params.{name}"), reason)).collect()
    }

    fn facts(&self, params: &Params, inputs: &[Facts]) -> Result<Facts, NodeError> {
        let (effect, own) = effect_of(params);
        let input = &inputs[0];
        match effect.body(&own) {
            Body::Identity => Ok(input.clone()),
            Body::Pixels(_) if input.kind == Kind::Image => Ok(Facts::image(input.width, input.height)),
            Body::Pixels(_) if let Some(clip) = input.clip => {
                Ok(Facts::video(input.width, input.height, Clip { pixels: Pixels::Rgba, ..clip }))
            }
            Body::Pixels(_) => {
                let (name, kind) = (effect.name(), input.kind.word());
                Err(NodeError::Inputs(format!("the effect {name} takes an image or a video, and its input is {kind}")))
            }
        }
    }

    fn lower(&self, params: &Params, _inputs: &[Facts]) -> Lowered {
        let (effect, own) = effect_of(params);
        match effect.body(&own) {
            Body::Identity => Lowered::Identity,
            Body::Pixels(op) => Lowered::Pixels(op),
        }
    }

    fn tools(&self, params: &Params) -> Vec<Tool> {
        vec![effect_of(params).0.into()]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::media::{Form, MediaType, SourceFacts};
    use crate::nodes::testing::params;

    fn unknown_bytes() -> Facts {
        Facts::source(SourceFacts::of_bytes(MediaType::Octet, None, false))
    }

    #[test]
    fn identity_takes_anything_and_hands_it_on() {
        let identity = params(&EffectNode, json!({"effect": "identity"}));
        let file = SourceFacts::of_bytes(MediaType::Png, Some((7, 5)), false);
        for facts in [unknown_bytes(), Facts::source(file), Facts::image(3, 2)] {
            assert_eq!(EffectNode.facts(&identity, std::slice::from_ref(&facts)), Ok(facts.clone()));
            assert!(matches!(EffectNode.lower(&identity, &[facts]), Lowered::Identity));
        }
    }

    #[test]
    fn other_effects_take_pictures_alone() {
        for effect in effects::names().filter(|name| *name != "identity") {
            let own = serde_json::Value::from(
                crate::base::schema::defaults(effect_params(effect).unwrap()).entries().clone(),
            );
            let node = params(&EffectNode, json!({"effect": effect, "params": own}));
            let file = SourceFacts::of_bytes(MediaType::Png, Some((7, 5)), true);
            let facts = EffectNode.facts(&node, &[Facts::source(file)]).unwrap();
            assert_eq!((facts.kind, facts.width, facts.height, &facts.form), (Kind::Image, 7, 5, &Form::Value));
            let refusal = EffectNode.facts(&node, &[unknown_bytes()]).unwrap_err().to_string();
            assert_eq!(refusal, format!("the effect {effect} takes an image or a video, and its input is bytes"));
            assert!(matches!(EffectNode.lower(&node, &[facts]), Lowered::Pixels(_)));
        }
    }

    #[test]
    fn the_effects_own_hash_is_a_tool() {
        let tools = EffectNode.tools(&params(&EffectNode, json!({"effect": "dog"})));
        let hash = effects::hash(effects::find("dog").unwrap());
        assert_eq!(tools, [Tool { name: "effect:dog".to_owned(), version: "1".to_owned(), hash }]);
    }
}
