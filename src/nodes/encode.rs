//! `ENCODE`: the picture as a file, the last node of a run.
//!
//! No config names it: planning appends it where the output is a decoded value or a format is
//! asked for.

use crate::base::Params;
use crate::base::schema::{Default, Kind as Type, Param};
use crate::media::encode::{EncodeError, Format};
use crate::media::{Facts, Form, Kind, SourceFacts};
use crate::nodes::{Determinism, Lowered, NodeError, NodeType, Ports, Tool};

/// The node type that planning appends.
pub static ENCODE: Encode = Encode;

/// The node type.
pub struct Encode;

const PARAMS: &[Param] = &[
    Param {
        name: "format",
        kind: Type::Choice(&["png", "jpeg", "webp", "gif", "tiff", "bmp"]),
        default: Default::Text("png"),
        doc: "The format of the file.",
        unit: "",
    },
    Param {
        name: "quality",
        kind: Type::Integer { min: 1, max: 100 },
        default: Default::Absent,
        doc: "For jpeg (90 if not written) and webp (lossless if not written): how much detail is kept.",
        unit: "",
    },
];

fn format(params: &Params) -> Format {
    let name = params.text("format");
    Format::parse(name).unwrap_or_else(|| panic!("BUG: validation let the format {name:?} pass"))
}

fn quality(params: &Params) -> Option<u8> {
    params.optional_integer("quality").map(|quality| quality as u8)
}

impl NodeType for Encode {
    fn name(&self) -> &'static str {
        "ENCODE"
    }

    fn version(&self) -> u32 {
        1
    }

    fn description(&self) -> &'static str {
        "Writes a picture as a file."
    }

    fn params(&self) -> &'static [Param] {
        PARAMS
    }

    fn ports(&self) -> Ports {
        Ports { min: 1, max: 1, names: &["input"], kinds: &[Kind::Image] }
    }

    fn output(&self) -> Option<Kind> {
        Some(Kind::Bytes)
    }

    /// Lossy WebP is written by a C library that chooses its code by the CPU; the other formats
    /// are the same everywhere.
    fn determinism(&self) -> Determinism {
        Determinism::ThisBuildAndCpu
    }

    fn check(&self, params: &Params, _inputs: usize) -> Vec<(String, String)> {
        let format = format(params);
        if quality(params).is_some() && !format.has_quality() {
            vec![("quality".to_owned(), EncodeError::NoQuality(format).to_string())]
        } else {
            Vec::new()
        }
    }

    fn facts(&self, params: &Params, inputs: &[Facts]) -> Result<Facts, NodeError> {
        let format = format(params);
        let Facts { width, height, .. } = inputs[0];
        let limit = format.side_limit();
        if width.max(height) > limit {
            return Err(NodeError::Inputs(EncodeError::TooLarge { format, limit, width, height }.to_string()));
        }
        let file = SourceFacts { media_type: format.media_type(), size: Some((width, height)), animated: false };
        Ok(Facts { kind: Kind::Bytes, width, height, form: Form::Blob(file) })
    }

    fn lower(&self, params: &Params, _inputs: &[Facts]) -> Lowered {
        Lowered::Encode { format: format(params), quality: quality(params) }
    }

    fn tools(&self, params: &Params) -> Vec<Tool> {
        let format = format(params);
        vec![format.codec(quality(params).or(format.default_quality())).into()]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::nodes::testing::params;

    #[test]
    fn every_format_can_be_chosen() {
        let Type::Choice(words) = PARAMS[0].kind else { panic!() };
        let names: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
        assert_eq!(words, names);
        assert_eq!(format(&params(&ENCODE, json!({}))), Format::Png);
        assert!(PARAMS[1].doc.contains(&format!("jpeg ({} if", Format::Jpeg.default_quality().unwrap())));
    }

    #[test]
    fn its_value_is_a_file() {
        let facts = ENCODE.facts(&params(&ENCODE, json!({"format": "webp"})), &[Facts::image(16_383, 3)]).unwrap();
        assert_eq!((facts.kind, facts.width, facts.height), (Kind::Bytes, 16_383, 3));
        let Form::Blob(file) = facts.form else { panic!() };
        assert_eq!((file.media_type.mime(), file.size), ("image/webp", Some((16_383, 3))));
    }

    #[test]
    fn what_a_format_cannot_hold_is_refused() {
        let refusal =
            ENCODE.facts(&params(&ENCODE, json!({"format": "webp"})), &[Facts::image(3, 16_384)]).unwrap_err();
        assert!(refusal.to_string().contains("3x16384"), "{refusal}");
        let problems = |config| ENCODE.check(&params(&ENCODE, config), 1).len();
        assert_eq!(problems(json!({"format": "png", "quality": 50})), 1);
        assert_eq!(problems(json!({"format": "jpeg", "quality": 50})), 0);
        assert_eq!(problems(json!({"format": "gif"})), 0);
    }

    #[test]
    fn the_encoder_is_its_tool() {
        let names = |config| -> Vec<String> {
            ENCODE.tools(&params(&ENCODE, config)).into_iter().map(|tool| tool.name).collect()
        };
        assert_eq!(names(json!({"format": "webp"})), ["webp-encoder"]);
        assert_eq!(names(json!({"format": "webp", "quality": 80})), ["webp-lossy-encoder"]);
        assert_eq!(names(json!({"format": "jpeg"})), ["jpeg-encoder"]);
    }
}
