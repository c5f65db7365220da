//! Signed envelopes (DSSE, version 1) read and checked.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};
use serde::Deserialize;
use serde_json::Value;

use crate::base::{ContentHash, Fingerprint, canonical};
use crate::engine::seal::{self, PAYLOAD_TYPE, PREDICATE_TYPE, STATEMENT_TYPE, pae};
use crate::link::keys;

/// An envelope as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    payload: String,
    payload_type: String,
    signatures: Vec<Signed>,
}

#[derive(Deserialize)]
struct Signed {
    keyid: String,
    sig: String,
}

/// What a good envelope says.
#[derive(Debug, Clone)]
pub struct Sealed {
    /// Who signed.
    pub signer: VerifyingKey,
    /// The signature.
    pub signature: Vec<u8>,
    /// The output's SHA-256, if it was signed.
    pub sha256: Option<Fingerprint>,
    /// The output's BLAKE3.
    pub output: ContentHash,
    /// The record, canonical JSON.
    pub record: String,
}

impl Sealed {
    /// The record's hash.
    pub fn record_hash(&self) -> ContentHash {
        ContentHash::of(self.record.as_bytes())
    }
}

/// Might these bytes be an envelope, whatever it is worth?
pub fn is_envelope(bytes: &[u8]) -> bool {
    let start = bytes.trim_ascii_start();
    start.starts_with(b"{")
        && serde_json::from_slice::<Value>(start).is_ok_and(|value| value["payloadType"].is_string())
}

/// Opens the envelope of a provenance record: every signature must be right, and what is signed
/// a statement about a record. Otherwise a sentence says what is wrong.
pub fn open(bytes: &[u8]) -> Result<Sealed, String> {
    let written: Written = serde_json::from_slice(bytes).map_err(|error| format!("it is no DSSE envelope: {error}"))?;
    if written.payload_type != PAYLOAD_TYPE {
        return Err(format!("it carries {:?}, and {PAYLOAD_TYPE} is wanted", written.payload_type));
    }
    let payload = STANDARD.decode(&written.payload).map_err(|error| format!("its payload is not base64: {error}"))?;
    let signed = pae(PAYLOAD_TYPE, &payload);
    let mut signer = None;
    for one in &written.signatures {
        let signature = STANDARD.decode(&one.sig).map_err(|error| format!("a signature is not base64: {error}"))?;
        let key = check(&one.keyid, &signed, &signature)?;
        signer.get_or_insert((key, signature));
    }
    let (signer, signature) = signer.ok_or("it carries no signature")?;
    let (record, output, sha256) = statement(&payload)?;
    // It is kept as its parts, and must be the same when it is put together again.
    let subject = seal::subject_of(record.as_bytes()).ok_or("what is signed is no provenance record")?;
    if seal::statement(&record, &subject, sha256.as_ref()).as_bytes() != payload {
        return Err("what is signed is not written as a statement about a provenance record is".to_owned());
    }
    Ok(Sealed { signer, signature, sha256, output, record })
}

/// The key of an id, if its signature of these bytes is right.
pub fn check(key_id: &str, bytes: &[u8], signature: &[u8]) -> Result<VerifyingKey, String> {
    let key = keys::parse_public(key_id).map_err(|error| error.to_string())?;
    let wrong = || format!("the signature is not one of {} for these bytes: something was changed", keys::did_of(&key));
    let signature = Signature::from_slice(signature).map_err(|_| wrong())?;
    key.verify_strict(bytes, &signature).map_err(|_| wrong())?;
    Ok(key)
}

/// The record that a statement is about, and the digests of its subject.
fn statement(payload: &[u8]) -> Result<(String, ContentHash, Option<Fingerprint>), String> {
    let statement: Value =
        serde_json::from_slice(payload).map_err(|error| format!("what is signed is not JSON: {error}"))?;
    for (field, wanted) in [("_type", STATEMENT_TYPE), ("predicateType", PREDICATE_TYPE)] {
        if statement[field] != wanted {
            return Err(format!("the {field} of what is signed is {}, and {wanted:?} is wanted", statement[field]));
        }
    }
    let record = canonical::to_string(&statement["predicate"]);
    let subjects = statement["subject"].as_array().map(Vec::as_slice).unwrap_or_default();
    let [subject] = subjects else { return Err(format!("{} outputs are signed, and one is wanted", subjects.len())) };
    let digest = |name: &str| subject["digest"][name].as_str();
    let output = digest("blake3").and_then(|hash| hash.parse().ok()).ok_or("no BLAKE3 of an output is signed")?;
    let sha256 = digest("sha256").map(str::parse).transpose().map_err(|_| "the SHA-256 that is signed is none")?;
    if statement["predicate"]["output"]["content_hash"] != subject["digest"]["blake3"] {
        return Err("the record is about another output than what is signed".to_owned());
    }
    Ok((record, output, sha256))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Signer as _;
    use crate::engine::seal::{Subject, envelope, statement};
    use crate::link::Keys;

    fn sealed() -> (tempfile::TempDir, Vec<u8>) {
        let home = tempfile::tempdir().unwrap();
        let keys = Keys::open(home.path());
        let subject = Subject { name: "dog".to_owned(), content_hash: ContentHash::of(b"output") };
        let record =
            canonical::to_string(&serde_json::json!({"output": {"content_hash": subject.content_hash, "name": "dog"}}));
        let statement = statement(&record, &subject, None);
        let signature = keys.sign(&pae(PAYLOAD_TYPE, statement.as_bytes())).unwrap();
        let bytes = envelope(&statement, &keys.key_id().unwrap(), &signature);
        (home, bytes)
    }

    #[test]
    fn an_envelope_opens_with_its_own_key_alone() {
        let (home, bytes) = sealed();
        let opened = open(&bytes).unwrap();
        assert_eq!(opened.signer, Keys::open(home.path()).ed25519().unwrap().verifying_key());
        assert_eq!(opened.output, ContentHash::of(b"output"));
        assert!(is_envelope(&bytes) && !is_envelope(b"{}") && !is_envelope(b"\x89PNG"));
        let other = Keys::open(tempfile::tempdir().unwrap().path().join("x").as_path()).key_id();
        assert!(other.is_err(), "no key is made where there is no home");
    }

    #[test]
    fn an_envelope_with_one_changed_byte_is_refused() {
        let (_home, bytes) = sealed();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            // JSON has many ways to write the same; what counts is that nothing else is read.
            if let Ok(read) = open(&changed) {
                let was = open(&bytes).unwrap();
                assert_eq!((read.record, read.signer), (was.record, was.signer), "byte {at}");
            }
        }
    }
}
