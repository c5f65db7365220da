//! Parameters given for a run: an effect's own, or replacements of what a config wrote.

use std::collections::HashMap;

use serde_json::{Map as Object, Value};

use crate::base::schema::{self, Default, Kind, Param};
use crate::base::{NodeId, Params};
use crate::effects;
use crate::nodes::{self, MAP, NodeType, SOURCE_LIST};
use crate::recipe::model::{Output, OutputEncoding, Recipe, RecipeNode, SourceSpec};
use crate::recipe::place::Place;
use crate::recipe::problem::{LocPart, Mark, Problem};
use crate::recipe::problems::Problems;
use crate::recipe::words::{listed, quoted};
use crate::recipe::yaml::Node;
use crate::recipe::{check, leaf, path};

impl Recipe {
    /// An effect on its own: the variable input `input`, and one node with the effect's name.
    pub fn bare_effect(name: &str, params: &Object<String, Value>) -> Result<Self, Vec<Problem>> {
        let Some(effect) = effects::find(name) else {
            let mut problems = Problems::default();
            let message = leaf::unknown_effect(name, &mut problems);
            problems.error("unknown_effect", &Place::ROOT.key("recipe"), Mark::default(), message);
            return Err(problems.finish().err().unwrap_or_default());
        };
        let input = RecipeNode {
            id: NodeId::new("input"),
            node_type: built_in("SOURCE"),
            params: parameters(built_in("SOURCE"), "input", Value::Bool(true)),
            inputs: Vec::new(),
            source: Some(SourceSpec::Variable { name: None, description: None, media: None }),
            mark: Mark::default(),
        };
        let node = RecipeNode {
            id: NodeId::new(name),
            node_type: built_in("EFFECT"),
            params: parameters(built_in("EFFECT"), "effect", Value::from(effect.name())),
            inputs: vec![0],
            source: None,
            mark: Mark::default(),
        };
        let recipe = Self {
            name: effect.name().to_owned(),
            version: Some(effect.version().to_string()),
            description: Some(effect.description().to_owned()),
            owner: None,
            nodes: vec![input, node],
            output: Output { node: 1, encoding: OutputEncoding::default() },
            warnings: Vec::new(),
            bare: true,
        };
        recipe.with_params(params)
    }

    /// The recipe with parameters replaced: by node id and parameter, where `effects.hue` and
    /// `inputs[1].opacity` reach into maps and lists, and the parameters of an `EFFECT` are its
    /// effect's; of a bare effect, by parameter alone. `null` stands for the default.
    pub fn with_params(mut self, given: &Object<String, Value>) -> Result<Self, Vec<Problem>> {
        let mut problems = Problems::default();
        let place = Place::ROOT.key("params");
        if self.bare {
            let node = &mut self.nodes[1];
            node.params = replaced(node, false, given, &place, &mut problems);
        } else {
            let positions: HashMap<NodeId, usize> =
                self.nodes.iter().enumerate().map(|(index, node)| (node.id.clone(), index)).collect();
            for (id, entries) in given {
                let index = positions.get(&NodeId::new(id.as_str())).copied();
                self.replace(index, id, entries, &place, &mut problems);
            }
        }
        problems.finish()?;
        Ok(self)
    }

    /// Replaces parameters of the node with this id, which is at `index` if there is one.
    fn replace(&mut self, index: Option<usize>, id: &str, given: &Value, place: &Place<'_>, problems: &mut Problems) {
        let Some(index) = index else {
            let ids = self.nodes.iter().map(|node| node.id.as_str());
            let message = format!("there is no node {}{}", quoted(id), problems.did_you_mean(id, ids));
            return problems.error("unknown_node", &place.key(id), Mark::default(), message);
        };
        let mut error = |kind, message| problems.error(kind, &place.key(id), Mark::default(), message);
        let is_list = |index: usize| matches!(self.nodes[index].node_type.name(), MAP | SOURCE_LIST);
        let (takes, is_map) = (&self.nodes[index].inputs, self.nodes[index].node_type.name() == MAP);
        let takes_list = !is_map && takes.iter().any(|input| is_list(*input));
        let node = &mut self.nodes[index];
        if node.source.is_some() {
            let message = format!("{} is a SOURCE: what it holds is given as an input", quoted(id));
            return error("unknown_node", message);
        }
        let Value::Object(given) = given else {
            let message = format!("params of {} must be a map from parameters to values", quoted(id));
            return error("wrong_type", message);
        };
        let id = node.id.clone();
        node.params = replaced(node, takes_list, given, &place.node(&id), problems);
    }
}

fn built_in(name: &str) -> &'static dyn NodeType {
    nodes::find(name).unwrap_or_else(|| panic!("BUG: no node type {name}"))
}

/// A node type's defaults and one entry.
fn parameters(node_type: &dyn NodeType, name: &str, value: Value) -> Params {
    let mut entries = schema::defaults(node_type.params()).entries().clone();
    entries.insert(name.to_owned(), value);
    Params::new(entries)
}

/// A node's parameters with these replaced, checked each and together; as they were where
/// there was a problem. Of a node that takes a list they are checked together when that is given.
fn replaced(
    node: &RecipeNode,
    takes_list: bool,
    given: &Object<String, Value>,
    place: &Place<'_>,
    problems: &mut Problems,
) -> Params {
    let mut entries = node.params.entries().clone();
    let own = node.node_type.params().iter().find(|param| matches!(param.kind, Kind::EffectParams));
    let fine = match own {
        // The effect's own parameters, one level down.
        Some(own) => {
            let params = nodes::effect_params(node.params.text("effect")).unwrap_or_default();
            let inner = entries.entry(own.name).or_insert_with(|| Value::Object(Object::new()));
            let Value::Object(inner) = inner else { panic!("BUG: parameters of an effect are a map") };
            replace_all(inner, params, given, place, problems)
        }
        None => replace_all(&mut entries, node.node_type.params(), given, place, problems),
    };
    let params = Params::new(entries);
    if fine && !takes_list {
        for (path, reason) in node.node_type.check(&params, node.inputs.len()) {
            let path = own.and_then(|own| path.strip_prefix(own.name)?.strip_prefix('.')).unwrap_or(&path);
            problems.error_below("bad_parameters", place, path::steps(path), Mark::default(), &reason);
        }
    }
    params
}

fn replace_all(
    entries: &mut Object<String, Value>,
    params: &'static [Param],
    given: &Object<String, Value>,
    place: &Place<'_>,
    problems: &mut Problems,
) -> bool {
    let mut fine = true;
    for (name, value) in given {
        let replacing = Replacing { given: value, problems };
        fine &= replacing.entry(entries, params, &path::steps(name), place).is_some();
    }
    // A parameter of an effect that was never written still has its default.
    for param in params {
        if let (None, Some(default)) = (entries.get(param.name), param.default_value()) {
            entries.insert(param.name.to_owned(), default);
        }
    }
    fine
}

/// A value on its way to its place.
struct Replacing<'a> {
    given: &'a Value,
    problems: &'a mut Problems,
}

impl Replacing<'_> {
    /// Replaces what these steps lead to below a map's entries.
    fn entry(
        self,
        entries: &mut Object<String, Value>,
        params: &'static [Param],
        steps: &[LocPart],
        place: &Place<'_>,
    ) -> Option<()> {
        let (name, rest) = match steps {
            [LocPart::Key(name), rest @ ..] => (name.clone(), rest),
            [LocPart::Index(index), rest @ ..] => (index.to_string(), rest),
            [] => return None,
        };
        let place = place.key(&name);
        let Some(param) = params.iter().find(|param| param.name == name) else {
            let names = || params.iter().map(|param| param.name);
            let rest = match (self.problems.did_you_mean(&name, names()), listed(names())) {
                (suggestion, _) if !suggestion.is_empty() => suggestion,
                (_, known) if known.is_empty() => "; it has no parameters".to_owned(),
                (_, known) => format!("; there is {known}"),
            };
            return self.refuse("unknown_key", &place, format!("{} is unknown{rest}", place.label()));
        };
        if param.kind.is_reference() {
            let message = format!("{} names nodes of the config, and cannot be replaced for a run", place.label());
            return self.refuse("not_replaceable", &place, message);
        }
        if rest.is_empty() && self.given.is_null() {
            if param.default == Default::Required {
                return self.refuse("missing", &place, format!("{} must have a value", place.label()));
            }
            match param.default_value() {
                Some(value) => drop(entries.insert(name, value)),
                None => drop(entries.remove(&name)),
            }
            return Some(());
        }
        let mut value = entries.get(&name).cloned().or_else(|| param.default_value()).unwrap_or_default();
        self.value(&mut value, param, rest, &place)?;
        entries.insert(name, value);
        Some(())
    }

    /// Replaces what these steps lead to below a value.
    fn value(self, value: &mut Value, param: &Param, steps: &[LocPart], place: &Place<'_>) -> Option<()> {
        match (param.kind, steps) {
            (_, []) => match Node::from_json(self.given) {
                Ok(node) => *value = check::value(&node, param, place, self.problems)?,
                Err(problem) => return self.refuse(problem.kind, place, problem.message),
            },
            (Kind::Map(params), steps) => {
                if !value.is_object() {
                    *value = Value::Object(Object::new());
                }
                if let Value::Object(entries) = value {
                    return self.entry(entries, params, steps, place);
                }
            }
            (Kind::List { of, .. }, [LocPart::Index(index), rest @ ..]) => {
                let item = Param { kind: *of, default: Default::Absent, ..*param };
                let items = value.as_array_mut().map_or(&mut [][..], Vec::as_mut_slice);
                let count = items.len();
                let Some(value) = items.get_mut(*index) else {
                    let message = format!("{} has {count} items, counted from 0", place.label());
                    return self.refuse("unknown_key", &place.index(*index), message);
                };
                return self.value(value, &item, rest, &place.index(*index));
            }
            _ => {
                let message = format!("{} has nothing below it", place.label());
                return self.refuse("unknown_key", place, message);
            }
        }
        Some(())
    }

    fn refuse(self, kind: &'static str, place: &Place<'_>, message: String) -> Option<()> {
        self.problems.error(kind, place, Mark::default(), message);
        None
    }
}
