//! Reading a bundle: nothing of it is believed before its seal, its order and its hashes are right.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read, Seek as _, SeekFrom};
use std::path::Path;

use ed25519_dalek::VerifyingKey;

use crate::base::ContentHash;
use crate::base::limits::{BUNDLE_MANIFEST_BYTES, BUNDLE_WINDOW_LOG};
use crate::engine::EngineError;
use crate::link::bundle::manifest::{self, Entry, Manifest};
use crate::link::bundle::seal::{self, Seal};
use crate::link::bundle::{BundleError, tar};
use crate::link::keys;

/// A bundle whose seal and manifest are right.
#[derive(Debug)]
pub struct Bundle {
    file: File,
    path: String,
    /// Where what is sealed begins.
    start: u64,
    /// Bytes of the file.
    pub size: u64,
    /// Its seal.
    pub seal: Seal,
    /// Its manifest.
    pub manifest: Manifest,
}

/// Takes an entry and what is in it.
pub type Take<'a> = dyn FnMut(&Entry, &mut dyn Read) -> Result<(), BundleError> + 'a;

impl Bundle {
    /// Opens a bundle: checks its signature, the hash of all its bytes, and its manifest.
    /// `signed_by` is the key that must have signed, if one is demanded.
    pub fn open(path: &Path, signed_by: Option<&VerifyingKey>) -> Result<Self, BundleError> {
        let failed = |error: io::Error| BundleError::from(EngineError::file(path, &error));
        let name = path.display().to_string();
        let invalid = |why: String| BundleError::Invalid { path: name.clone(), why };
        let changed = |why: String| BundleError::Changed { path: name.clone(), why };
        let mut file = File::open(path).map_err(failed)?;
        let about = file.metadata().map_err(failed)?;
        if !about.is_file() {
            return Err(invalid("it is not a regular file".to_owned()));
        }
        let mut head = [0; seal::HEAD];
        file.read_exact(&mut head).map_err(|_| invalid("it is too short".to_owned()))?;
        let length = seal::length(head).ok_or_else(|| invalid("it begins otherwise".to_owned()))?;
        let mut text = vec![0; length];
        file.read_exact(&mut text).map_err(|_| invalid("it is too short".to_owned()))?;
        let seal = seal::open(&text).map_err(changed)?;
        if let Some(wanted) = signed_by.filter(|wanted| **wanted != seal.signer) {
            let (by, wanted) = (keys::did_of(&seal.signer), keys::did_of(wanted));
            return Err(changed(format!("it is signed by {by}, and {wanted} is demanded")));
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(&file).map_err(failed)?;
        if ContentHash::from(hasher.finalize()) != seal.blake3 {
            return Err(changed("its bytes are not the ones that were signed".to_owned()));
        }
        let (start, size) = ((seal::HEAD + length) as u64, about.len());
        let manifest = Manifest { bundle: 0, effects: vec![], elsewhere: vec![], entries: vec![], runs: vec![] };
        let mut bundle = Self { file, path: name, start, size, seal, manifest };
        bundle.manifest = bundle.read_manifest(&mut bundle.decoder()?)?;
        Ok(bundle)
    }

    fn invalid(&self, why: impl Into<String>) -> BundleError {
        BundleError::Invalid { path: self.path.clone(), why: why.into() }
    }

    /// An error for bytes that are not what was signed.
    pub fn changed(&self, why: impl Into<String>) -> BundleError {
        BundleError::Changed { path: self.path.clone(), why: why.into() }
    }

    fn decoder(&self) -> Result<Decoder, BundleError> {
        let failed = |error: io::Error| self.invalid(format!("it cannot be read: {error}"));
        let mut file = self.file.try_clone().map_err(failed)?;
        file.seek(SeekFrom::Start(self.start)).map_err(failed)?;
        let mut decoder =
            zstd::stream::read::Decoder::with_buffer(BufReader::new(file)).map_err(failed)?.single_frame();
        decoder.window_log_max(BUNDLE_WINDOW_LOG).map_err(failed)?;
        Ok(Decoder(decoder))
    }

    fn exact(&self, from: &mut Decoder, bytes: &mut [u8]) -> Result<(), BundleError> {
        from.0
            .read_exact(bytes)
            .map_err(|error| self.invalid(format!("it ends too early, or not as zstd does: {error}")))
    }

    fn read_manifest(&self, from: &mut Decoder) -> Result<Manifest, BundleError> {
        let mut block = [0; tar::BLOCK];
        self.exact(from, &mut block)?;
        let size = tar::size_of(&block, manifest::NAME)
            .filter(|size| *size <= BUNDLE_MANIFEST_BYTES)
            .ok_or_else(|| self.invalid(format!("it does not begin with {}", manifest::NAME)))?;
        let mut text = vec![0; size as usize];
        self.exact(from, &mut text)?;
        self.zeros(from, tar::padding(size))?;
        if ContentHash::of(&text) != self.seal.manifest {
            return Err(self.changed("its manifest is not the one that was signed"));
        }
        let manifest = Manifest::parse(&text).map_err(|why| self.invalid(why))?;
        manifest.check_ratio(self.size).map_err(|why| self.invalid(why))?;
        Ok(manifest)
    }

    fn zeros(&self, from: &mut Decoder, count: usize) -> Result<(), BundleError> {
        let mut bytes = [0; tar::END];
        self.exact(from, &mut bytes[..count])?;
        if bytes[..count].iter().all(|byte| *byte == 0) {
            Ok(())
        } else {
            Err(self.invalid("something stands between its files"))
        }
    }

    /// Reads every entry, in order, and checks its header, size and hash, and that nothing follows
    /// the last one. What `take` was given is right only when this succeeds.
    pub fn read(&self, take: &mut Take<'_>) -> Result<(), BundleError> {
        let mut from = self.decoder()?;
        self.read_manifest(&mut from)?;
        for entry in &self.manifest.entries {
            let mut block = [0; tar::BLOCK];
            self.exact(&mut from, &mut block)?;
            if block != tar::header(&entry.path, entry.size) {
                return Err(
                    self.invalid(format!("what stands for {} is not a plain file of that name and size", entry.path))
                );
            }
            let mut reader = Hashing { from: (&mut from.0).take(entry.size), hasher: blake3::Hasher::new() };
            take(entry, &mut reader)?;
            let drained = io::copy(&mut reader, &mut io::sink());
            drained.map_err(|error| self.invalid(format!("{} cannot be read: {error}", entry.path)))?;
            if reader.from.limit() > 0 {
                return Err(self.invalid(format!("it ends within {}", entry.path)));
            }
            if ContentHash::from(reader.hasher.finalize()) != entry.blake3 {
                return Err(self.changed(format!("{} has other bytes than its manifest says", entry.path)));
            }
            self.zeros(&mut from, tar::padding(entry.size))?;
        }
        self.zeros(&mut from, tar::END)?;
        let mut more = [0];
        if from.0.read(&mut more).map_err(|error| self.invalid(format!("its end cannot be read: {error}")))? > 0 {
            return Err(self.invalid("something follows its last entry"));
        }
        let mut rest = from.0.finish();
        let behind = rest.fill_buf().map_err(|error| self.invalid(format!("its end cannot be read: {error}")))?;
        if behind.is_empty() { Ok(()) } else { Err(self.invalid("something follows its end")) }
    }
}

struct Decoder(zstd::stream::read::Decoder<'static, BufReader<File>>);

/// Hashes what is read through it.
struct Hashing<R> {
    from: io::Take<R>,
    hasher: blake3::Hasher,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(bytes)?;
        self.hasher.update(&bytes[..read]);
        Ok(read)
    }
}
