//! The bodies that ask for runs: read, and turned into what the engine takes.

use serde_json::{Map, Value};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::base::limits::{CONFIG_NODES, LIST_ITEMS};
use crate::base::suggest::did_you_mean;
use crate::base::{ContentHash, NodeId};
use crate::engine::{Engine, EngineError, Inputs, RecipeRef, Request};
use crate::http::fields::{Fields, wanted};
use crate::media::encode::Format;
use crate::records::RunOptions;

/// How a config is to be run.
#[derive(Debug, ToSchema)]
#[schema(as = ConfigRun)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Blobs for the variable inputs.
    #[schema(value_type = Option<InputWords>)]
    inputs: InputWords,
    /// Parameters: of an effect by name, of a config by node id and name.
    #[schema(value_type = Option<Object>)]
    params: Map<String, Value>,
    /// The output's name, one path component; by default the recipe's name.
    #[schema(min_length = 1, max_length = 200)]
    output_name: Option<String>,
    /// The output's format, in the place of what the config asks for.
    #[schema(value_type = Option<FormatWord>)]
    format: Option<Format>,
    /// The output's quality, for a format that has one.
    #[schema(minimum = 1, maximum = 100)]
    quality: Option<u8>,
    /// How it is carried out; none of it changes the output.
    #[schema(value_type = Option<Options>)]
    options: RunOptions,
    /// Runs with a higher one go first.
    #[schema(value_type = Option<i32>)]
    priority: i32,
    /// Does it wait until it is released?
    #[schema(value_type = Option<bool>)]
    pub held: bool,
}

/// How a run is carried out.
#[derive(Debug, ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)] // What is read becomes `RunOptions`; this is its description for clients.
pub struct Options {
    /// Take known results (default: true).
    cache: Option<bool>,
    /// Join nodes into stages (default: true).
    fuse: Option<bool>,
    /// Ids of nodes whose values are kept.
    keep: Option<Vec<String>>,
    /// Ids of nodes that run although their results are known.
    force: Option<Vec<String>>,
    /// `auto`, `never`, or the id of a node whose value is kept for the next run.
    checkpoint: Option<String>,
}

/// What is given for the variable inputs: each a content hash or an asset's name, or several
/// for a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputWords {
    /// In the order of the variable inputs.
    Listed(Vec<Vec<String>>),
    /// By node id, or by the input's name.
    Named(Vec<(String, Vec<String>)>),
}

/// The name of a format.
pub struct FormatWord;

impl Asked {
    /// Reads the fields that every body has.
    pub fn read(fields: &mut Fields) -> Self {
        Self {
            inputs: InputWords::read(fields),
            params: fields.object("params").unwrap_or_default(),
            output_name: fields.text("output_name"),
            format: read_format(fields),
            quality: fields.integer("quality", 1, 100).map(|quality| quality as u8),
            options: fields.nested("options", read_options).unwrap_or_default(),
            priority: fields.integer("priority", i32::MIN.into(), i32::MAX.into()).unwrap_or(0) as i32,
            held: fields.flag("held").unwrap_or(false),
        }
    }

    /// What is wrong with fields that are each right.
    pub fn check(&self, fields: &mut Fields) {
        let message = match (self.quality, self.format) {
            (None, _) => return,
            (Some(_), Some(format)) if format.has_quality() => return,
            (Some(_), Some(format)) => format!("{} has no quality to choose", format.title()),
            (Some(_), None) => "a quality needs a \"format\" beside it".to_owned(),
        };
        fields.problem(&["quality".into()], "value_error", message);
    }

    /// The request, with assets' names looked up.
    pub fn request(self, engine: &Engine, recipe: RecipeRef, username: Option<String>) -> Result<Request, EngineError> {
        Ok(Request {
            recipe,
            inputs: self.inputs.found(engine)?,
            params: self.params,
            output_name: self.output_name,
            format: self.format.map(|format| (format, self.quality)),
            options: self.options,
            priority: self.priority,
            username,
            fixed: Vec::new(),
        })
    }
}

fn read_format(fields: &mut Fields) -> Option<Format> {
    let word = fields.text("format")?;
    let format = Format::parse(&word).filter(|_| FORMATS.contains(&word.as_str()));
    if format.is_none() {
        let suggestion = did_you_mean(&word, FORMATS.iter().copied());
        let message = format!("there is no format {word:?}{suggestion} (there are {})", FORMATS.join(", "));
        fields.problem(&["format".into()], "enum", message);
    }
    format
}

const FORMATS: &[&str] = &[
    "png", "jpeg", "jpg", "webp", "gif", "tiff", "tif", "bmp", "mp4", "mov", "mkv", "webm", "wav", "flac", "mp3", "m4a",
];

fn read_options(fields: &mut Fields) -> RunOptions {
    let ids = |words: Option<Vec<String>>| words.unwrap_or_default().into_iter().map(NodeId::new).collect();
    let default = RunOptions::default();
    RunOptions {
        cache: fields.flag("cache").unwrap_or(default.cache),
        fuse: fields.flag("fuse").unwrap_or(default.fuse),
        keep: ids(fields.texts("keep")),
        force: ids(fields.texts("force")),
        checkpoint: fields.text("checkpoint").unwrap_or(default.checkpoint),
    }
}

impl InputWords {
    fn read(fields: &mut Fields) -> Self {
        match fields.value("inputs") {
            None => Self::Named(Vec::new()),
            Some(Value::Array(items)) if items.len() > CONFIG_NODES => too_many(fields, CONFIG_NODES),
            Some(Value::Object(entries)) if entries.len() > CONFIG_NODES => too_many(fields, CONFIG_NODES),
            Some(Value::Array(items)) => {
                let words = items.into_iter().enumerate().map(|(index, item)| words(fields, index.into(), item));
                Self::Listed(words.collect())
            }
            Some(Value::Object(entries)) => {
                let named = entries.into_iter().map(|(name, item)| {
                    let words = words(fields, name.as_str().into(), item);
                    (name, words)
                });
                Self::Named(named.collect())
            }
            Some(other) => {
                let message = wanted("a list of inputs, or an object with one for each node", &other);
                fields.problem(&["inputs".into()], "list_type", message);
                Self::Named(Vec::new())
            }
        }
    }

    fn found(self, engine: &Engine) -> Result<Inputs, EngineError> {
        match self {
            Self::Named(named) => {
                let found = named.into_iter().map(|(node, words)| Ok((node, blobs(engine, &words)?)));
                Ok(Inputs::Named(found.collect::<Result<_, EngineError>>()?))
            }
            Self::Listed(listed) => {
                let one = |(index, words): (usize, Vec<String>)| match words.as_slice() {
                    [word] => blob(engine, word),
                    words => Err(EngineError::Input(format!("input {index} takes one blob, not {}", words.len()))),
                };
                Ok(Inputs::Listed(listed.into_iter().enumerate().map(one).collect::<Result<_, _>>()?))
            }
        }
    }
}

/// Told before each is looked up.
fn too_many(fields: &mut Fields, most: usize) -> InputWords {
    fields.problem(&["inputs".into()], "too_long", format!("there may be at most {most} inputs"));
    InputWords::Named(Vec::new())
}

/// One word, or a list of words.
fn words(fields: &mut Fields, at: Value, item: Value) -> Vec<String> {
    let items = match item {
        Value::String(word) => return vec![word],
        Value::Array(items) if items.len() > LIST_ITEMS => {
            let message = format!("a list may have at most {LIST_ITEMS} items");
            fields.problem(&["inputs".into(), at], "too_long", message);
            return Vec::new();
        }
        Value::Array(items) => items,
        other => {
            let message = wanted("a content hash, an asset's name, or a list of these", &other);
            fields.problem(&["inputs".into(), at], "string_type", message);
            return Vec::new();
        }
    };
    let mut words = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        match item {
            Value::String(word) => words.push(word),
            other => {
                let path = ["inputs".into(), at.clone(), index.into()];
                fields.problem(&path, "string_type", wanted("a content hash or an asset's name", &other));
            }
        }
    }
    words
}

fn blobs(engine: &Engine, words: &[String]) -> Result<Vec<ContentHash>, EngineError> {
    words.iter().map(|word| blob(engine, word)).collect()
}

/// The blob that a word names: its hash, or an asset.
pub fn blob(engine: &Engine, word: &str) -> Result<ContentHash, EngineError> {
    engine.content_named(word)
}

impl PartialSchema for InputWords {
    fn schema() -> RefOr<Schema> {
        let word = || ObjectBuilder::new().schema_type(Type::String).examples(["cat"]);
        let one = || OneOfBuilder::new().item(word()).item(ArrayBuilder::new().items(word()));
        let named = ObjectBuilder::new().additional_properties(Some(RefOr::T(Schema::from(one()))));
        let listed = ArrayBuilder::new().items(one());
        let about = "A list in the order of the variable inputs, or an object from node ids or the inputs' names. \
                     Each is a content hash or an asset's name, or a list of these.";
        OneOfBuilder::new().item(listed).item(named).description(Some(about)).into()
    }
}

impl ToSchema for InputWords {}

impl PartialSchema for FormatWord {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(FORMATS.iter().copied())).into()
    }
}

impl ToSchema for FormatWord {}

/// What `POST /runs` takes: a recipe, and how it is to be run.
pub struct RunBody;

impl PartialSchema for RunBody {
    fn schema() -> RefOr<Schema> {
        let RefOr::T(Schema::Object(mut object)) = Asked::schema() else {
            return Ref::from_schema_name("ConfigRun").into();
        };
        let recipe = ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("An effect's name, a config's id, or a config's name (its newest version)."))
            .examples(["dog"]);
        object.properties.insert("recipe".to_owned(), recipe.into());
        object.required.push("recipe".to_owned());
        object.description = Some("What is to be run, and how.".to_owned());
        Schema::Object(object).into()
    }
}

impl ToSchema for RunBody {
    fn name() -> std::borrow::Cow<'static, str> {
        "Run".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Asked::schemas(schemas);
    }
}
