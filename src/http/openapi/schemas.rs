//! How the names that everything uses look in `openapi.json`: hashes, ids, times, parameters.
//!
//! Their forms as JSON are written elsewhere, by hand, so their schemas are too; a test reads
//! one of each back through its schema's pattern.

use std::borrow::Cow;

use serde_json::json;
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::base::schema::Param;
use crate::base::{AssetName, ContentHash, Fingerprint, NodeId, NodeKey, RunId, Timestamp, limits};

/// 64 lower-case hex digits.
pub const HASH: &str = "^[0-9a-f]{64}$";
/// A hash for examples: the picture that every new home has could be another in another version,
/// so this one is nothing's.
pub const SOME_HASH: &str = "33268b6e167deaf018cc538de12dbacc5a1d9f0ff9d2f7ac33b2bdc4bd7e0d31";
/// A run's id for examples.
pub const SOME_RUN: &str = "0199c4f2-7c1e-7a40-8d5b-2f1c9a6e4b10";

/// An asset's name: 255 bytes are 255 ASCII characters, or at least 63 of any.
const NAME: &str = r"^(?![0-9A-Fa-f]{64}$)(?:[ -+0-\[\]-~][ -+\-.0-\[\]-~]{0,254}|[^\x00-\x1f\x7f-\x9f/\\,.\-\u202a-\u202e\u2066-\u2069][^\x00-\x1f\x7f-\x9f/\\,\u202a-\u202e\u2066-\u2069]{0,62})$";

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn hash(about: &str) -> RefOr<Schema> {
    text().pattern(Some(HASH)).description(Some(about)).examples([json!(SOME_HASH)]).into()
}

macro_rules! schema {
    ($type:ty, $name:literal, $schema:expr) => {
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                $schema
            }
        }

        impl ToSchema for $type {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed($name)
            }
        }
    };
}

schema!(ContentHash, "ContentHash", hash("The BLAKE3 hash of bytes, which is their name."));
schema!(NodeKey, "NodeKey", hash("The name of a node's result, known before it is computed."));
schema!(Fingerprint, "Fingerprint", hash("The identity of an effect, a codec or a tool."));
schema!(
    RunId,
    "RunId",
    text()
        .format(Some(SchemaFormat::Custom("uuid".to_owned())))
        .description(Some("A run: a UUID of version 7."))
        .examples([json!(SOME_RUN)])
        .into()
);
schema!(
    NodeId,
    "NodeId",
    text().description(Some("A node's id, as its config writes it.")).examples([json!("apply_dog")]).into()
);
schema!(
    Timestamp,
    "Timestamp",
    text()
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .description(Some("RFC 3339, in UTC."))
        .examples([json!("2026-01-07T12:00:00.000000Z")])
        .into()
);
schema!(
    AssetName,
    "AssetName",
    text()
        .min_length(Some(1))
        .max_length(Some(limits::ASSET_NAME_BYTES))
        .pattern(Some(NAME))
        .description(Some("The name of an asset: no slashes, commas or control characters, no dot or dash first, and nothing that looks like a content hash."))
        .examples([json!("cat")])
        .into()
);
/// Bytes as they are, for descriptions.
pub struct RawBytes;

schema!(
    RawBytes,
    "RawBytes",
    text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary))).description(Some("Bytes as they are.")).into()
);
schema!(Param, "Parameter", parameter());

/// A parameter of an effect or a node type, as `base::schema` writes it.
fn parameter() -> RefOr<Schema> {
    let number = || ObjectBuilder::new().schema_type(Type::Number);
    let anything = || ObjectBuilder::new().schema_type(SchemaType::AnyValue);
    let entries = ArrayBuilder::new().items(Ref::from_schema_name("Parameter"));
    ObjectBuilder::new()
        .property("name", text())
        .property(
            "type",
            text().description(Some("number, integer, boolean, text, choice, colour, hash, list, map, …")),
        )
        .property("minimum", number())
        .property("maximum", number())
        .property("choices", ArrayBuilder::new().items(text()))
        .property("entries", entries.description(Some("What a map, or each map of a list, holds.")))
        .property("required", ObjectBuilder::new().schema_type(Type::Boolean))
        .property("default", anything().description(Some("What holds when it is not given.")))
        .property("unit", text())
        .property("description", text())
        .required("name")
        .required("type")
        .required("required")
        .required("default")
        .required("unit")
        .required("description")
        .description(Some("A parameter: its type, range, default and unit."))
        .into()
}
