//! Records signed when they are made: what is signed, and the envelope that carries it.
//!
//! What is signed is an in-toto Statement (v1) whose subject is the output and whose predicate is
//! the record; the envelope is DSSE's. Both follow from the record's bytes, so only the signature
//! is stored ([`crate::records::SealRow`]), and the envelope is written out when it is asked for.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::base::limits::SEALED_DIGEST_BYTES;
use crate::base::{ContentHash, Fingerprint, NodeKey, canonical};
use crate::db::DbError;
use crate::engine::blobs::Bytes;
use crate::engine::error::EngineError;
use crate::engine::why::parts_of;
use crate::engine::{Engine, tables};
use crate::records::tables as names;
use crate::records::{BlobRow, KeyRow, Record as _, SealRow};

/// The type of what is signed, as DSSE names it.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// The type of the statement.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// The type of its predicate: a provenance record.
pub const PREDICATE_TYPE: &str = "https://artdag.rose-ash.com/provenance/v1";

/// Signs in the name of the home.
pub trait Signer: Send + Sync + std::fmt::Debug {
    /// The id of its key, from which the public key can be had: `did:key:z6Mk…`.
    fn key_id(&self) -> Result<String, String>;

    /// Its signature of these bytes.
    fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, String>;

    /// Is this the signature of these bytes by the key of this id, whoever has it?
    fn is_right(&self, key_id: &str, bytes: &[u8], signature: &[u8]) -> bool;
}

/// Who signs for a home, if anybody does.
pub type SignerOf = Option<Arc<dyn Signer>>;

/// Outputs whose SHA-256 is remembered, 64 bytes each: a run whose output was known reads none of it
/// again.
pub(super) const DIGESTS: usize = 4096;

/// What a record says of its output.
#[derive(Debug, Clone, Deserialize)]
pub struct Subject {
    /// Its name.
    pub name: String,
    /// Its hash.
    pub content_hash: ContentHash,
}

/// The signature of a record, as another home made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The id of the key.
    pub key_id: String,
    /// Its signature.
    pub signature: Vec<u8>,
    /// The SHA-256 of the output, if it was signed too.
    pub sha256: Option<Fingerprint>,
}

/// What a node's key is made of, as far as a chain needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyView {
    /// Do the parts give the key?
    pub right: bool,
    /// A source's content.
    pub content: Option<ContentHash>,
    /// The keys of the inputs.
    pub inputs: Vec<NodeKey>,
}

/// DSSE's encoding before signing.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

/// The statement about a record, canonical JSON. The record stands in it as it is.
pub fn statement(record: &str, subject: &Subject, sha256: Option<&Fingerprint>) -> String {
    let mut digest = json!({"blake3": subject.content_hash});
    if let Some(sha256) = sha256 {
        digest["sha256"] = json!(sha256);
    }
    let subjects = canonical::to_string(&json!([{"digest": digest, "name": subject.name}]));
    format!(
        r#"{{"_type":"{STATEMENT_TYPE}","predicate":{record},"predicateType":"{PREDICATE_TYPE}","subject":{subjects}}}"#
    )
}

/// The envelope of a statement, canonical JSON.
pub fn envelope(statement: &str, key_id: &str, signature: &[u8]) -> Vec<u8> {
    let envelope = json!({
        "payload": STANDARD.encode(statement),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": key_id, "sig": STANDARD.encode(signature)}],
    });
    canonical::to_string(&envelope).into_bytes()
}

/// What a record says of its output.
pub fn subject_of(record: &[u8]) -> Option<Subject> {
    #[derive(Deserialize)]
    struct Head {
        output: Subject,
    }
    serde_json::from_slice::<Head>(record).ok().map(|head| head.output)
}

impl Engine {
    /// Signs a record. Without a signer, or if it cannot sign, a sentence says so.
    pub(super) fn seal(&self, record: &str, subject: &Subject) -> Result<SealRow, String> {
        let signer = self.0.signer.as_ref().ok_or("this process was given no key to sign with")?;
        let sha256 = self.sha256_of(&subject.content_hash);
        let statement = statement(record, subject, sha256.as_ref());
        let signature = signer.sign(&pae(PAYLOAD_TYPE, statement.as_bytes()))?;
        Ok(SealRow { key_id: signer.key_id()?, signature, sha256 })
    }

    /// Is a record here, with a signature that is right?
    pub(super) fn is_sealed(&self, record: &ContentHash) -> Result<bool, EngineError> {
        let Some(row) = self.signature_of(record)? else { return Ok(false) };
        let bytes = match self.read_checked(record) {
            Ok(bytes) => bytes,
            Err(EngineError::NotFound { .. } | EngineError::Damaged { .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
        let (Ok(text), Some(subject)) = (std::str::from_utf8(&bytes), subject_of(&bytes)) else { return Ok(false) };
        let signed = pae(PAYLOAD_TYPE, statement(text, &subject, row.sha256.as_ref()).as_bytes());
        let signer = self.0.signer.as_ref();
        Ok(signer.is_none_or(|signer| signer.is_right(&row.key_id, &signed, &row.signature)))
    }

    /// The SHA-256 of a blob, which other tools know, unless it is large.
    fn sha256_of(&self, hash: &ContentHash) -> Option<Fingerprint> {
        let read = |hash: &ContentHash| -> Result<_, EngineError> {
            let small = self.0.store.size_of(hash)?.is_some_and(|size| size <= SEALED_DIGEST_BYTES);
            let digest = |bytes: Bytes| Fingerprint::from_bytes(Sha256::digest(&bytes).into());
            small.then(|| self.stage_read(hash).map(digest)).transpose()
        };
        self.0.digests.get(*hash, read).ok().flatten()
    }

    /// The signed envelope of the record of a run, or of the run that made a blob. A record from
    /// before records were signed is signed now.
    pub fn envelope(&self, word: &str) -> Result<Vec<u8>, EngineError> {
        let hash = self.provenance_hash(word)?;
        let record = self.read_checked(&hash)?;
        let damaged = || EngineError::Damaged { hash, what: "it is no provenance record".to_owned() };
        let record = std::str::from_utf8(&record).map_err(|_| damaged())?;
        let subject = subject_of(record.as_bytes()).ok_or_else(damaged)?;
        let row = match self.signature_of(&hash)? {
            Some(row) => row,
            None => {
                let unsigned = |why| EngineError::Refused(format!("the record of {word} is not signed: {why}"));
                let row = self.seal(record, &subject).map_err(unsigned)?;
                let stored = row.clone();
                self.write(move |tx| match tables::get::<BlobRow>(tx, names::BLOBS, hash.as_bytes())? {
                    Some(blob) => put(tx, blob.sequence, &stored),
                    None => Ok(()),
                })
                .wait()?;
                row
            }
        };
        let statement = statement(record, &subject, row.sha256.as_ref());
        Ok(envelope(&statement, &row.key_id, &row.signature))
    }

    /// The signature of a record, if it is here with one.
    fn signature_of(&self, record: &ContentHash) -> Result<Option<SealRow>, EngineError> {
        let Some(blob) = self.blob_row(record)? else { return Ok(None) };
        let row = self.0.db.read(|tx| {
            let table = tx.open_table(names::SIGNATURES)?;
            Ok(table.get(blob.sequence)?.map(|bytes| SealRow::from_bytes(bytes.value())).transpose()?)
        })?;
        Ok(row)
    }

    /// What a node's key is made of, if it is known here.
    pub fn key_view(&self, key: &NodeKey) -> Result<Option<KeyView>, EngineError> {
        let Some(row) = self.row::<KeyRow>(names::KEYS, key.as_bytes())? else { return Ok(None) };
        let parts = parts_of(row);
        Ok(Some(KeyView { right: parts.key() == *key, content: parts.content, inputs: parts.inputs }))
    }
}

/// Keeps the signature of a record, by its blob's sequence number; one that is there stays.
pub(super) fn put(tx: &redb::WriteTransaction, record: u64, row: &SealRow) -> Result<(), DbError> {
    let mut table = tx.open_table(names::SIGNATURES)?;
    let known = redb::ReadableTable::get(&table, record)?.is_some();
    if !known {
        table.insert(record, row.to_bytes().as_slice())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_is_encoded_as_dsse_says() {
        // The example of the protocol's text.
        assert_eq!(
            pae("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }

    #[test]
    fn a_statement_is_canonical_and_holds_the_very_record() {
        let record = r#"{"a":1,"output":{"content_hash":"0000000000000000000000000000000000000000000000000000000000000000","name":"ä \"x\""}}"#;
        let subject = subject_of(record.as_bytes()).unwrap();
        for sha256 in [None, Some(Fingerprint::from_bytes([7; 32]))] {
            let text = statement(record, &subject, sha256.as_ref());
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(canonical::to_string(&value), text);
            assert_eq!(canonical::to_string(&value["predicate"]), record);
            assert_eq!(value["subject"][0]["digest"]["sha256"].is_string(), sha256.is_some());
        }
    }
}
