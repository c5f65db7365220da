//! The two keys of a home, made when they are first needed.
//!
//! Ed25519 signs provenance, bundles and Data Integrity proofs; RSA with 2048 bits is what the
//! Python engine and most `ActivityPub` servers check. They are PKCS#8 PEM files in
//! `<home>/keys`, readable by their owner alone; one that others could have read is refused.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _, EncodePrivateKey as _, EncodePublicKey as _};
use ed25519_dalek::{SigningKey, VerifyingKey};
use rsa::{RsaPrivateKey, RsaPublicKey};

use crate::base::limits::{KEY_FILE_BYTES, RSA_BITS};
use crate::base::{ContentHash, Secret};
use crate::link::multibase;

/// The directory of keys below the home.
pub const DIRECTORY: &str = "keys";
/// The Ed25519 key's file.
const ED25519: &str = "ed25519.pem";
/// The RSA key's file.
const RSA: &str = "rsa.pem";
/// What Multicodec puts before the 32 bytes of an Ed25519 public key.
const ED25519_PUB: [u8; 2] = [0xed, 0x01];

/// Why a key cannot be had.
#[derive(Debug, Clone, thiserror::Error)]
pub enum KeyError {
    /// Others may read it, or could have.
    #[error(
        "{path} has mode {mode:o}: others than its owner may read or change it. If nobody did, `chmod {wanted:o}` it; \
if somebody may have, move it away, and a new key is made"
    )]
    Open {
        /// The file or directory.
        path: String,
        /// Its mode.
        mode: u32,
        /// What it should be.
        wanted: u32,
    },
    /// What is there is no such key.
    #[error("{path} is not {what}; move it away, and a new key is made: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// What it should be.
        what: &'static str,
        /// Why it is not.
        reason: String,
    },
    /// The file cannot be read or written.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// No key can be made.
    #[error("no key can be made: {0}")]
    Making(String),
    /// A text that should be a public key.
    #[error("{0:?} is no public key: an Ed25519 one is wanted, as did:key:z6Mk…, z6Mk… or PEM")]
    NotPublic(String),
}

/// The keys of a home. Cloning shares them.
#[derive(Clone)]
pub struct Keys(Arc<Inner>);

struct Inner {
    directory: PathBuf,
    making: Mutex<()>,
    ed25519: OnceLock<SigningKey>,
    rsa: OnceLock<RsaPrivateKey>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys({})", self.0.directory.display())
    }
}

impl Keys {
    /// The keys of this home. Nothing is read or made until a key is asked for.
    pub fn open(home: &Path) -> Self {
        let directory = home.join(DIRECTORY);
        Self(Arc::new(Inner { directory, making: Mutex::default(), ed25519: OnceLock::new(), rsa: OnceLock::new() }))
    }

    /// The Ed25519 key; made in no time if there is none.
    pub fn ed25519(&self) -> Result<&SigningKey, KeyError> {
        let make = || {
            let mut seed = [0_u8; 32];
            random(&mut seed)?;
            Ok(SigningKey::from_bytes(&seed))
        };
        let write = |key: &SigningKey| key.to_pkcs8_pem(LineEnding::LF).map_err(|error| error.to_string());
        let read = |text: &str| SigningKey::from_pkcs8_pem(text).map_err(|error| error.to_string());
        self.key(
            &self.0.ed25519,
            ED25519,
            "an Ed25519 key as PKCS#8 PEM",
            make,
            |key| Ok(write(key)?.to_string()),
            read,
        )
    }

    /// The RSA key; made if there is none, which takes a moment.
    pub fn rsa(&self) -> Result<&RsaPrivateKey, KeyError> {
        let make = || {
            RsaPrivateKey::new(&mut rsa::rand_core::OsRng, RSA_BITS)
                .map_err(|error| KeyError::Making(error.to_string()))
        };
        let write = |key: &RsaPrivateKey| key.to_pkcs8_pem(LineEnding::LF).map_err(|error| error.to_string());
        let read = |text: &str| {
            let key = RsaPrivateKey::from_pkcs8_pem(text).map_err(|error| error.to_string())?;
            let bits = rsa::traits::PublicKeyParts::n(&key).bits();
            if bits < RSA_BITS { Err(format!("it has {bits} bits, and {RSA_BITS} are wanted")) } else { Ok(key) }
        };
        self.key(&self.0.rsa, RSA, "an RSA key as PKCS#8 PEM", make, |key| Ok(write(key)?.to_string()), read)
    }

    /// A key that is known, or read, or made.
    fn key<'a, K>(
        &self,
        known: &'a OnceLock<K>,
        name: &str,
        what: &'static str,
        make: impl FnOnce() -> Result<K, KeyError>,
        write: impl FnOnce(&K) -> Result<String, String>,
        read: impl Fn(&str) -> Result<K, String>,
    ) -> Result<&'a K, KeyError> {
        if let Some(key) = known.get() {
            return Ok(key);
        }
        let _alone = self.0.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = known.get() {
            return Ok(key);
        }
        let path = self.0.directory.join(name);
        let parse = |text: &Secret| {
            let unreadable = |reason| KeyError::Unreadable { path: path.display().to_string(), what, reason };
            read(text.expose()).map_err(unreadable)
        };
        let key = match self.read(&path)? {
            Some(text) => parse(&text)?,
            None => {
                let key = make()?;
                let text = Secret::new(write(&key).map_err(KeyError::Making)?);
                if self.keep(&path, &text)? {
                    key
                } else {
                    // Another process was quicker.
                    let text = self.read(&path)?;
                    parse(&text.ok_or_else(|| KeyError::Making(format!("{} comes and goes", path.display())))?)?
                }
            }
        };
        Ok(known.get_or_init(|| key))
    }

    /// A key's text, if it is there and its owner's alone.
    fn read(&self, path: &Path) -> Result<Option<Secret>, KeyError> {
        let failed = |error: &std::io::Error| file_error(path, error);
        match fs::symlink_metadata(&self.0.directory) {
            Ok(about) if about.is_dir() => private(&self.0.directory, &about, 0o700)?,
            Ok(_) => return Err(file_error(&self.0.directory, &std::io::ErrorKind::NotADirectory.into())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(file_error(&self.0.directory, &error)),
        }
        let nofollow = rustix::fs::OFlags::NOFOLLOW.union(rustix::fs::OFlags::NONBLOCK).bits().cast_signed();
        let file = match File::options().read(true).custom_flags(nofollow).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(&error)),
        };
        private(path, &file.metadata().map_err(|error| failed(&error))?, 0o600)?;
        let mut text = String::new();
        file.take(KEY_FILE_BYTES).read_to_string(&mut text).map_err(|error| failed(&error))?;
        Ok(Some(Secret::new(text)))
    }

    /// Keeps a new key, whole and durable or not at all; false if there is one by now.
    fn keep(&self, path: &Path, text: &Secret) -> Result<bool, KeyError> {
        let directory = &self.0.directory;
        let failed = |error: &std::io::Error| file_error(path, error);
        match fs::DirBuilder::new().mode(0o700).create(directory) {
            Ok(()) => sync_directory(directory.parent().unwrap_or(directory))?,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(file_error(directory, &error)),
        }
        let mut file = tempfile::Builder::new()
            .permissions(fs::Permissions::from_mode(0o600))
            .tempfile_in(directory)
            .map_err(|error| failed(&error))?;
        file.write_all(text.expose().as_bytes()).map_err(|error| failed(&error))?;
        file.as_file().sync_all().map_err(|error| failed(&error))?;
        match file.persist_noclobber(path) {
            Ok(_) => sync_directory(directory).map(|()| true),
            Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(failed(&error.error)),
        }
    }
}

impl crate::engine::Signer for Keys {
    fn key_id(&self) -> Result<String, String> {
        self.ed25519().map(|key| did_of(&key.verifying_key())).map_err(|error| error.to_string())
    }

    fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, String> {
        use ed25519_dalek::Signer as _;
        self.ed25519().map(|key| key.sign(bytes).to_bytes().to_vec()).map_err(|error| error.to_string())
    }

    fn is_right(&self, key_id: &str, bytes: &[u8], signature: &[u8]) -> bool {
        let signature = ed25519_dalek::Signature::from_slice(signature);
        let key = parse_public(key_id).ok();
        key.zip(signature.ok()).is_some_and(|(key, signature)| key.verify_strict(bytes, &signature).is_ok())
    }
}

/// Refuses what others than its owner may look at.
fn private(path: &Path, about: &fs::Metadata, wanted: u32) -> Result<(), KeyError> {
    let mode = about.mode() & 0o7777;
    if mode.trailing_zeros() >= 6 {
        return Ok(());
    }
    Err(KeyError::Open { path: path.display().to_string(), mode, wanted })
}

fn sync_directory(path: &Path) -> Result<(), KeyError> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(|error| file_error(path, &error))
}

fn file_error(path: &Path, error: &std::io::Error) -> KeyError {
    KeyError::File { path: path.display().to_string(), reason: error.to_string() }
}

fn random(bytes: &mut [u8]) -> Result<(), KeyError> {
    let mut filled = 0;
    while filled < bytes.len() {
        let more = rustix::rand::getrandom(&mut bytes[filled..], rustix::rand::GetRandomFlags::empty());
        filled += more.map_err(|error| KeyError::Making(error.to_string()))?;
    }
    Ok(())
}

/// An Ed25519 public key as Multibase text, `z6Mk…`.
pub fn multibase_of(key: &VerifyingKey) -> String {
    multibase::encode(&[&ED25519_PUB[..], key.as_bytes()].concat())
}

/// An Ed25519 public key as an id that needs nobody to look it up, `did:key:z6Mk…`.
pub fn did_of(key: &VerifyingKey) -> String {
    format!("did:key:{}", multibase_of(key))
}

/// The id of the key within its own document, as proofs name it.
pub fn verification_method(key: &VerifyingKey) -> String {
    let multibase = multibase_of(key);
    format!("did:key:{multibase}#{multibase}")
}

/// A public key as PEM.
pub fn ed25519_pem(key: &VerifyingKey) -> String {
    key.to_public_key_pem(LineEnding::LF).unwrap_or_else(|error| panic!("BUG: a public key is always PEM: {error}"))
}

/// A public key as PEM.
pub fn rsa_pem(key: &RsaPublicKey) -> String {
    key.to_public_key_pem(LineEnding::LF).unwrap_or_else(|error| panic!("BUG: a public key is always PEM: {error}"))
}

/// What people compare: the first 16 hex digits of the BLAKE3 of an Ed25519 public key.
pub fn fingerprint(key: &VerifyingKey) -> String {
    ContentHash::of(key.as_bytes()).to_string()[..16].to_owned()
}

/// The public key of a text: `did:key:z6Mk…`, also with a fragment, `z6Mk…`, or PEM.
pub fn parse_public(text: &str) -> Result<VerifyingKey, KeyError> {
    let not = || KeyError::NotPublic(text.chars().take(80).collect());
    let text = text.trim();
    if text.starts_with("-----BEGIN") {
        return VerifyingKey::from_public_key_pem(text).map_err(|_| not());
    }
    let id = text.strip_prefix("did:key:").unwrap_or(text);
    let id = id.split_once('#').map_or(id, |(id, _)| id);
    let bytes = multibase::decode(id).ok_or_else(not)?;
    let key: [u8; 32] = bytes.strip_prefix(&ED25519_PUB).and_then(|key| key.try_into().ok()).ok_or_else(not)?;
    VerifyingKey::from_bytes(&key).map_err(|_| not())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_and_are_their_owners_alone() {
        let home = tempfile::tempdir().unwrap();
        let keys = Keys::open(home.path());
        assert!(!home.path().join(DIRECTORY).exists(), "nothing is made before it is asked for");
        let made = keys.ed25519().unwrap().clone();
        assert!(!home.path().join("keys/rsa.pem").exists());
        assert_eq!(Keys::open(home.path()).ed25519().unwrap(), &made);
        let modulus = keys.rsa().unwrap().to_public_key();
        assert_eq!(Keys::open(home.path()).rsa().unwrap().to_public_key(), modulus);
        assert_eq!(rsa::traits::PublicKeyParts::n(&modulus).bits(), 2048);
        for (path, mode) in [("keys", 0o700), ("keys/ed25519.pem", 0o600), ("keys/rsa.pem", 0o600)] {
            assert_eq!(fs::metadata(home.path().join(path)).unwrap().mode() & 0o7777, mode, "{path}");
        }
        assert_eq!(fs::read_dir(home.path().join("keys")).unwrap().count(), 2, "nothing else is left there");
    }

    #[test]
    fn many_who_ask_at_once_get_one_key() {
        let home = tempfile::tempdir().unwrap();
        let ask = || multibase_of(&Keys::open(home.path()).ed25519().unwrap().verifying_key());
        let asked: Vec<String> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(asked.iter().all(|key| *key == asked[0]), "{asked:?}");
    }

    #[test]
    fn s6_a_key_that_others_may_read_is_refused_with_what_to_do() {
        let home = tempfile::tempdir().unwrap();
        Keys::open(home.path()).ed25519().unwrap();
        for (path, mode, good) in [("keys/ed25519.pem", 0o640, 0o600), ("keys", 0o755, 0o700)] {
            let set = |mode| fs::set_permissions(home.path().join(path), fs::Permissions::from_mode(mode)).unwrap();
            set(mode);
            let refused = Keys::open(home.path()).ed25519().unwrap_err().to_string();
            assert!(refused.contains(&format!("mode {mode:o}")) && refused.contains("chmod"), "{refused}");
            set(good);
            assert!(Keys::open(home.path()).ed25519().is_ok());
        }
        fs::write(home.path().join("keys/ed25519.pem"), "no key").unwrap();
        let refused = Keys::open(home.path()).ed25519().unwrap_err().to_string();
        assert!(refused.contains("is not an Ed25519 key") && refused.contains("move it away"), "{refused}");
    }

    #[test]
    fn a_public_key_is_read_in_each_form_that_it_is_written_in() {
        // The example of the did:key specification.
        let text = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK";
        let key = parse_public(text).unwrap();
        assert_eq!(did_of(&key), text);
        for form in [multibase_of(&key), verification_method(&key), ed25519_pem(&key)] {
            assert_eq!(parse_public(&form).unwrap(), key, "{form}");
        }
        assert_eq!(fingerprint(&key).len(), 16);
        for wrong in ["", "did:key:", "did:key:z6Mk", "z11233QC4", "-----BEGIN PUBLIC KEY-----\n", "did:web:x"] {
            assert!(parse_public(wrong).is_err(), "{wrong}");
        }
    }
}
