//! `ENCODE`: the value as a file, the last node of a run.
//!
//! No config names it: planning appends it where the output is a decoded value or a format is
//! asked for.

use crate::base::Params;
use crate::base::schema::{Default, Kind as Type, Param};
use crate::media::encode::{EncodeError, Format};
use crate::media::{Facts, Kind, codec};
use crate::nodes::{Determinism, Lowered, NodeError, NodeType, Ports, Tool};

/// The node type that planning appends.
pub static ENCODE: Encode = Encode;

/// The node type.
pub struct Encode;

const PARAMS: &[Param] = &[
    Param {
        name: "format",
        kind: Type::Choice(&[
            "png", "jpeg", "webp", "gif", "tiff", "bmp", "mp4", "mov", "mkv", "webm", "wav", "flac", "mp3", "m4a",
        ]),
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
    Param {
        name: "crf",
        kind: Type::Integer { min: 0, max: 63 },
        default: Default::Absent,
        doc: "For films: constant rate factor, smaller is better (18 if not written; 31 for webm). 0 loses nothing, in a profile of H.264 that few players know.",
        unit: "",
    },
    Param {
        name: "preset",
        kind: Type::Choice(PRESETS),
        default: Default::Absent,
        doc: "For H.264: how hard the encoder tries (fast if not written).",
        unit: "",
    },
    Param {
        name: "audio_bitrate",
        kind: Type::Integer { min: 16_000, max: 512_000 },
        default: Default::Absent,
        doc: "For sound that is compressed: bits a second (192,000 if not written).",
        unit: "bit/s",
    },
];

/// x264's presets.
pub const PRESETS: &[&str] =
    &["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"];

/// How a film or sound is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding {
    /// The format.
    pub format: Format,
    /// Constant rate factor.
    pub crf: u8,
    /// x264's preset.
    pub preset: &'static str,
    /// Bits a second of the sound, where it is compressed.
    pub audio_bitrate: u32,
}

fn encoding(params: &Params) -> Encoding {
    let format = format(params);
    let default_crf = if format == Format::Webm { 31 } else { 18 };
    let word = params.optional_text("preset").unwrap_or("fast");
    Encoding {
        format,
        crf: params.optional_integer("crf").map_or(default_crf, |crf| crf as u8),
        preset: PRESETS.iter().find(|preset| **preset == word).unwrap_or(&"fast"),
        audio_bitrate: params.optional_integer("audio_bitrate").map_or(192_000, |rate| rate as u32),
    }
}

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
        "Writes a picture, film or sound as a file."
    }

    fn params(&self) -> &'static [Param] {
        PARAMS
    }

    fn ports(&self) -> Ports {
        Ports { min: 1, max: 1, names: &["input"], kinds: &[Kind::Image, Kind::Video, Kind::Audio] }
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
        let mut problems = Vec::new();
        if quality(params).is_some() && !format.has_quality() {
            problems.push(("quality".to_owned(), EncodeError::NoQuality(format).to_string()));
        }
        let meaningless =
            [("crf", format.has_crf()), ("preset", format.has_x264()), ("audio_bitrate", format.has_audio_bitrate())];
        for (name, _) in meaningless.iter().filter(|(name, has)| !has && params.get(name).is_some()) {
            problems.push(((*name).to_owned(), format!("it means nothing to a {}", format.title())));
        }
        if format.has_x264() && params.optional_integer("crf").is_some_and(|crf| crf > 51) {
            problems.push(("crf".to_owned(), "for H.264 it is at most 51".to_owned()));
        }
        problems
    }

    fn facts(&self, params: &Params, inputs: &[Facts]) -> Result<Facts, NodeError> {
        let format = format(params);
        let Facts { width, height, .. } = &inputs[0];
        let (width, height) = (*width, *height);
        let limit = format.side_limit();
        if width.max(height) > limit {
            return Err(NodeError::Inputs(EncodeError::TooLarge { format, limit, width, height }.to_string()));
        }
        Ok(inputs[0].as_file(format.media_type()))
    }

    fn lower(&self, params: &Params, inputs: &[Facts]) -> Lowered {
        if inputs[0].has_time() {
            return Lowered::EncodeClip(encoding(params));
        }
        Lowered::Encode { format: format(params), quality: quality(params) }
    }

    fn tools(&self, params: &Params) -> Vec<Tool> {
        let format = format(params);
        let of_films = format.has_x264().then_some(codec::H264_ENCODER);
        let codec = format.codec(quality(params).or(format.default_quality())).or(of_films);
        codec.map(Tool::from).into_iter().collect()
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
        let crate::media::Form::Blob(file) = facts.form else { panic!() };
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
