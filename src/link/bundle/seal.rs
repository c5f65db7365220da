//! The seal of a bundle: who made it, and that every byte behind the seal is theirs.
//!
//! It is a zstd skippable frame, which tools that only decompress pass over: the magic number, a
//! length, and canonical JSON. What is signed is that JSON without the signature, encoded as DSSE
//! says.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Serialize};

use crate::base::{ContentHash, canonical};
use crate::engine::Signer as _;
use crate::engine::seal::pae;
use crate::link::{Keys, dsse};

/// The type of what is signed.
const TYPE: &str = "application/vnd.artdag.bundle.v1+json";
/// The magic number of a skippable frame.
const MAGIC: [u8; 4] = 0x184D_2A50_u32.to_le_bytes();
/// Bytes of the frame's head.
pub const HEAD: usize = 8;
/// Bytes of the JSON: it has a few hundred.
const LONGEST: u32 = 4096;

#[derive(Serialize)]
struct Signed<'a> {
    blake3: &'a ContentHash,
    keyid: &'a str,
    manifest: &'a ContentHash,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    blake3: ContentHash,
    keyid: String,
    manifest: ContentHash,
    sig: String,
}

/// A seal whose signature is right.
#[derive(Debug, Clone)]
pub struct Seal {
    /// Of every byte behind it.
    pub blake3: ContentHash,
    /// Of the manifest.
    pub manifest: ContentHash,
    /// Who signed.
    pub signer: VerifyingKey,
}

/// The frame for these hashes. Its length depends on the key alone.
pub fn frame(keys: &Keys, blake3: &ContentHash, manifest: &ContentHash) -> Result<Vec<u8>, crate::link::KeyError> {
    let keyid = crate::link::keys::did_of(&keys.ed25519()?.verifying_key());
    let signed = canonical::to_string(&Signed { blake3, keyid: &keyid, manifest });
    let signature = keys.sign(&pae(TYPE, signed.as_bytes())).map_err(crate::link::KeyError::Making)?;
    let written = Written { blake3: *blake3, keyid, manifest: *manifest, sig: STANDARD.encode(signature) };
    let text = canonical::to_string(&written);
    Ok([&MAGIC[..], &(text.len() as u32).to_le_bytes(), text.as_bytes()].concat())
}

/// The bytes of the JSON behind a frame's head; `None` if no bundle begins so.
pub fn length(head: [u8; HEAD]) -> Option<usize> {
    let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
    (head[..4] == MAGIC && length <= LONGEST).then_some(length as usize)
}

/// Reads the JSON of a frame and checks its signature.
pub fn open(text: &[u8]) -> Result<Seal, String> {
    let written: Written = serde_json::from_slice(text).map_err(|error| format!("its seal: {error}"))?;
    if canonical::to_string(&written).as_bytes() != text {
        return Err("its seal is not canonical JSON".to_owned());
    }
    let signature = STANDARD.decode(&written.sig).map_err(|error| format!("its seal: {error}"))?;
    let signed = Signed { blake3: &written.blake3, keyid: &written.keyid, manifest: &written.manifest };
    let signer = dsse::check(&written.keyid, &pae(TYPE, canonical::to_string(&signed).as_bytes()), &signature)?;
    if written.keyid != crate::link::keys::did_of(&signer) {
        return Err("its seal names the key in another form".to_owned());
    }
    Ok(Seal { blake3: written.blake3, manifest: written.manifest, signer })
}
