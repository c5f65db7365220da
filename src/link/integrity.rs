//! Data Integrity with `eddsa-jcs-2022`: the modern signature, on the copy that bundles carry.
//!
//! What is signed are 64 bytes: the SHA-256 of the proof's options and that of the document
//! without its proof, both as canonical JSON (RFC 8785).

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::base::{Timestamp, canonical};
use crate::link::multibase;

/// Why a document's proof is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadProof {
    /// It has none of this kind.
    #[error("the document has no proof by eddsa-jcs-2022")]
    Missing,
    /// The value of the proof is no signature.
    #[error("the proof's value is malformed")]
    Malformed,
    /// It is signed by another key, or was changed.
    #[error("the proof is not one of this document by this key")]
    Wrong,
}

/// The document with a proof by this key, which others know as `key_id`.
pub fn sign(mut document: Map<String, Value>, key: &SigningKey, key_id: &str, created: Timestamp) -> Value {
    document.remove("proof");
    let mut proof = json!({
        "type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "created": created,
        "verificationMethod": key_id, "proofPurpose": "assertionMethod",
    });
    if let Some(context) = document.get("@context") {
        proof["@context"] = context.clone();
    }
    let signature = key.sign(&to_be_signed(&proof, &document));
    proof["proofValue"] = Value::from(multibase::encode(&signature.to_bytes()));
    document.insert("proof".to_owned(), proof);
    Value::Object(document)
}

/// Checks that a document is signed by this key.
pub fn verify(document: &Value, key: &VerifyingKey) -> Result<(), BadProof> {
    let mut document = document.as_object().cloned().ok_or(BadProof::Missing)?;
    let mut proof = document.remove("proof").ok_or(BadProof::Missing)?;
    if proof["type"] != "DataIntegrityProof" || proof["cryptosuite"] != "eddsa-jcs-2022" {
        return Err(BadProof::Missing);
    }
    let options = proof.as_object_mut().ok_or(BadProof::Missing)?;
    let value = options.remove("proofValue");
    let value = value.as_ref().and_then(Value::as_str).and_then(multibase::decode).ok_or(BadProof::Malformed)?;
    let signature = Signature::from_slice(&value).map_err(|_| BadProof::Malformed)?;
    key.verify_strict(&to_be_signed(&proof, &document), &signature).map_err(|_| BadProof::Wrong)
}

fn to_be_signed(options: &Value, document: &Map<String, Value>) -> [u8; 64] {
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(&Sha256::digest(canonical::to_string(options)));
    bytes[32..].copy_from_slice(&Sha256::digest(canonical::to_string(document)));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_holds_for_its_document_and_its_key_alone() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let document = json!({"@context": "https://www.w3.org/ns/activitystreams", "type": "Note", "content": "é"});
        let signed =
            sign(document.as_object().unwrap().clone(), &key, "https://a.example/#k", Timestamp::from_micros(0));
        assert_eq!(signed["proof"]["@context"], document["@context"]);
        verify(&signed, &key.verifying_key()).unwrap();
        let other = SigningKey::from_bytes(&[8; 32]).verifying_key();
        assert_eq!(verify(&signed, &other), Err(BadProof::Wrong));
        for path in ["/content", "/proof/created", "/proof/verificationMethod", "/@context"] {
            let mut changed = signed.clone();
            *changed.pointer_mut(path).unwrap() = Value::from("another");
            assert_eq!(verify(&changed, &key.verifying_key()), Err(BadProof::Wrong), "{path}");
        }
        assert_eq!(verify(&document, &other), Err(BadProof::Missing));
    }
}
