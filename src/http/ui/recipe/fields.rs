//! What a recipe's form asks for, and what was written into it.

use serde_json::{Map, Value};

use crate::base::ContentHash;
use crate::base::schema::{Kind, Param};
use crate::effects;
use crate::engine::{BlobFilter, Engine, EngineError};
use crate::http::ui::form::PageForm;
use crate::http::ui::thumb::is_drawn;
use crate::recipe::{Recipe, RecipeNode};

/// Media of each kind that a picker offers.
const OFFERED: usize = 24;
/// Names that a field completes.
const NAMES: usize = 500;

/// Media that inputs can be chosen from.
pub struct Offered {
    /// Names, and what they stand for.
    pub names: Vec<(String, ContentHash)>,
    /// The newest of a kind: its type's first word, hash, type, and a name.
    pub newest: Vec<(&'static str, ContentHash, String, Option<String>)>,
}

impl Offered {
    /// What the home has.
    pub fn of(engine: &Engine) -> Result<Self, EngineError> {
        let names = engine.assets()?.into_iter().take(NAMES).map(|(name, row)| (name, row.hash)).collect();
        let mut newest = Vec::new();
        for (kind, prefix) in [("image", "image/"), ("video", "video/"), ("audio", "audio/")] {
            let items = engine.blobs_page(&BlobFilter::of_type(prefix), None, OFFERED)?.items;
            // What cannot be drawn small cannot be read as a picture either.
            for (hash, row) in items.into_iter().filter(|(_, row)| kind != "image" || is_drawn(row)) {
                newest.push((kind, hash, row.media_type, engine.names_of(&hash)?.into_iter().next()));
            }
        }
        Ok(Self { names, newest })
    }
}

/// A parameter of a node that the form asks for.
pub struct Asked<'a> {
    /// Its description.
    pub param: &'static Param,
    /// What the recipe says.
    pub value: Option<&'a Value>,
}

/// The parameters of a node, with what the recipe says of each; of an `EFFECT` its effect's.
pub fn asked(node: &RecipeNode) -> Vec<Asked<'_>> {
    if node.source.is_some() {
        return Vec::new();
    }
    let entries = node.params.entries();
    let of_effect = node.node_type.params().iter().find(|param| matches!(param.kind, Kind::EffectParams));
    if let Some(own) = of_effect {
        let params =
            node.params.optional_text("effect").and_then(effects::find).map_or(&[][..], |effect| effect.params());
        let inner = entries.get(own.name).and_then(Value::as_object);
        return params
            .iter()
            .map(|param| Asked { param, value: inner.and_then(|inner| inner.get(param.name)) })
            .collect();
    }
    let of = |param: &'static Param| Asked { param, value: entries.get(param.name) };
    node.node_type.params().iter().map(of).collect()
}

/// The name of a parameter's field.
pub fn field_of(node: &RecipeNode, param: &Param) -> String {
    format!("param.{}.{}", node.id, param.name)
}

/// The parameters that differ from what the recipe says, as a request takes them.
pub fn changed(recipe: &Recipe, form: &PageForm) -> Map<String, Value> {
    let mut params = Map::new();
    for node in &recipe.nodes {
        let mut of_node = Map::new();
        for Asked { param, value } in asked(node) {
            let name = field_of(node, param);
            let Some(text) = form.all(&name).last() else { continue };
            let given = read(param, text);
            if given.as_ref() != value && !same_number(given.as_ref(), value) {
                of_node.insert(param.name.to_owned(), given.unwrap_or(Value::Null));
            }
        }
        if recipe.bare {
            params.append(&mut of_node);
        } else if !of_node.is_empty() {
            params.insert(node.id.to_string(), Value::Object(of_node));
        }
    }
    params
}

fn same_number(given: Option<&Value>, known: Option<&Value>) -> bool {
    let number = |value: Option<&Value>| value.and_then(Value::as_f64);
    number(given).is_some_and(|given| number(known) == Some(given))
}

/// A field's text as the value it stands for; what is none of its kind stays a text, which the
/// checks of the recipe refuse with a reason. Nothing written is the default.
fn read(param: &Param, text: &str) -> Option<Value> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    Some(match param.kind {
        Kind::Text { .. } | Kind::Choice(_) | Kind::Colour | Kind::Hash | Kind::EffectName => Value::from(text),
        Kind::Integer { .. } => text.parse::<i64>().map_or_else(|_| json(text), Value::from),
        _ => json(text),
    })
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

/// The inputs that were given: each a hash or a name, of a list several with commas between.
pub fn inputs(
    engine: &Engine,
    recipe: &Recipe,
    form: &PageForm,
) -> Result<Vec<(String, Vec<ContentHash>)>, EngineError> {
    let mut given = Vec::new();
    for (_, node) in recipe.variable_inputs() {
        let Some(text) = form.filled(&format!("input.{}", node.id)) else { continue };
        let words: Vec<&str> = if node.is_list() {
            text.split(',').map(str::trim).filter(|word| !word.is_empty()).collect()
        } else {
            vec![text]
        };
        let hashes = words.into_iter().map(|word| match word.parse::<ContentHash>() {
            Ok(hash) => engine.describe(&hash).map(|_| hash),
            Err(_) => engine.asset(word),
        });
        given.push((node.id.to_string(), hashes.collect::<Result<Vec<_>, _>>()?));
    }
    Ok(given)
}
