//! `RsaSignature2017`, as the Python engine writes and verifies it.
//!
//! What is signed are 64 bytes: the SHA-256 of the signature's options, and that of the document
//! without its signature, both as JSON in the form of Python's `json.dumps` with sorted keys, no
//! spaces, and everything beyond ASCII escaped.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs1v15::{Signature, SigningKey, VerifyingKey};
use rsa::signature::{SignatureEncoding as _, Signer as _, Verifier as _};
use rsa::{RsaPrivateKey, RsaPublicKey};
use serde_json::{Map, Number, Value, json};
use sha2::{Digest as _, Sha256};

use crate::base::Timestamp;

/// Why a document's signature is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSignature {
    /// It has none of this type.
    #[error("the document has no RsaSignature2017")]
    Missing,
    /// The signature lacks a part, or one is of another form.
    #[error("the signature's {0:?} is missing or malformed")]
    Malformed(&'static str),
    /// It is signed by another key, or was changed.
    #[error("the signature is not one of this document by this key")]
    Wrong,
}

/// The document with a signature by this key, which others know as `key_id`.
pub fn sign(mut document: Map<String, Value>, key: &RsaPrivateKey, key_id: &str, created: Timestamp) -> Value {
    document.remove("signature");
    let created = created.to_string();
    let bytes = to_be_signed(key_id, &created, &document);
    let signature = SigningKey::<Sha256>::new(key.clone()).sign(&bytes);
    let value = STANDARD.encode(signature.to_bytes());
    let signature = json!({"type": "RsaSignature2017", "creator": key_id, "created": created, "signatureValue": value});
    document.insert("signature".to_owned(), signature);
    Value::Object(document)
}

/// Checks that a document is signed by this key.
pub fn verify(document: &Value, key: &RsaPublicKey) -> Result<(), BadSignature> {
    let mut document = document.as_object().cloned().ok_or(BadSignature::Missing)?;
    let signature = document.remove("signature").ok_or(BadSignature::Missing)?;
    if signature["type"] != "RsaSignature2017" {
        return Err(BadSignature::Missing);
    }
    let text = |name: &'static str| signature[name].as_str().ok_or(BadSignature::Malformed(name));
    let value = STANDARD.decode(text("signatureValue")?).map_err(|_| BadSignature::Malformed("signatureValue"))?;
    let value = Signature::try_from(value.as_slice()).map_err(|_| BadSignature::Malformed("signatureValue"))?;
    let bytes = to_be_signed(text("creator")?, text("created")?, &document);
    let key = VerifyingKey::<Sha256>::new(key.clone());
    key.verify(&bytes, &value).map_err(|_| BadSignature::Wrong)
}

fn to_be_signed(key_id: &str, created: &str, document: &Map<String, Value>) -> [u8; 64] {
    let options = json!({
        "@context": "https://w3id.org/security/v1", "type": "RsaSignature2017", "creator": key_id, "created": created,
    });
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(&Sha256::digest(python_json(&options)));
    bytes[32..].copy_from_slice(&Sha256::digest(python_json(&Value::Object(document.clone()))));
    bytes
}

/// A value as `json.dumps(value, sort_keys=True, separators=(",", ":"))` writes it.
pub fn python_json(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&self::number(number)),
        Value::String(text) => quote(text, out),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(entries) => {
            // Python sorts by code points, which is the order of UTF-8's bytes.
            let mut sorted: Vec<(&String, &Value)> = entries.iter().collect();
            sorted.sort_by_key(|(name, _)| *name);
            out.push('{');
            for (at, (name, value)) in sorted.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                quote(name, out);
                out.push(':');
                write(value, out);
            }
            out.push('}');
        }
    }
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(c),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out.push('"');
}

/// A number as Python's `repr` has it: the shortest digits, with an exponent below 1e-4 and from
/// 1e16 on.
fn number(number: &Number) -> String {
    if number.is_i64() || number.is_u64() {
        return number.to_string();
    }
    let float = number.as_f64().unwrap_or_default();
    let scientific = format!("{float:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) || float == 0.0 {
        let plain = float.to_string();
        return if plain.contains('.') { plain } else { format!("{plain}.0") };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_written_as_python_writes_it() {
        // What `json.dumps(…, sort_keys=True, separators=(",", ":"))` of Python 3 gives.
        let value = json!({"b": [1, -2, 1.0, 0.5, 1e16, 1e15, 1e-4, 1e-5, 1.5e300, -0.0, 18_446_744_073_709_551_615_u64],
            "a": {"z": null, "é": true, "Z": false}, "\u{1f408}": "\u{7f}\"\\/\n\r\t\u{8}\u{c}\u{1}é\u{2028}🐈"});
        let expected = concat!(
            r#"{"a":{"Z":false,"z":null,"\u00e9":true},"b":[1,-2,1.0,0.5,1e+16,1000000000000000.0,0.0001,1e-05,1.5e+300,"#,
            r#"-0.0,18446744073709551615],"\ud83d\udc08":"\u007f\"\\/\n\r\t\b\f\u0001\u00e9\u2028\ud83d\udc08"}"#
        );
        assert_eq!(python_json(&value), expected);
    }
}
