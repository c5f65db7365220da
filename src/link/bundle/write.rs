//! Writing a bundle: to a temporary file beside its name, which it gets when it is whole and was
//! looked at. Until then whatever has the name keeps it.

use std::io::{self, BufWriter, Seek as _, Write};
use std::path::Path;

use crate::base::ContentHash;
use crate::engine::EngineError;
use crate::link::Keys;
use crate::link::bundle::manifest::{self, Entry, Manifest};
use crate::link::bundle::{BundleError, seal, tar};

/// How hard to compress: media hardly compress at all, text does at any level.
const LEVEL: i32 = 3;

/// A bundle that is written and on disk, under another name than it will have.
pub struct Written<'a> {
    file: tempfile::NamedTempFile,
    name: &'a Path,
    /// Its bytes.
    pub size: u64,
}

impl Written<'_> {
    /// Where it is.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Gives it its name. Dropped without that, it goes.
    pub fn keep(self) -> Result<u64, BundleError> {
        self.file.persist(self.name).map_err(|error| EngineError::file(self.name, &error.error))?;
        Ok(self.size)
    }
}

/// Writes what `give` says of each entry, to a file that is to have the name `path`.
pub fn write<'a>(
    keys: &Keys,
    manifest: &Manifest,
    path: &'a Path,
    give: &mut dyn FnMut(&Entry, &mut dyn Write) -> Result<(), BundleError>,
) -> Result<Written<'a>, BundleError> {
    use std::os::unix::fs::PermissionsExt as _;
    let failed = |error: io::Error| BundleError::from(EngineError::file(path, &error));
    let text = manifest.text();
    let of_manifest = ContentHash::of(text.as_bytes());
    // As long as the one that will stand here.
    let place = seal::frame(keys, &of_manifest, &of_manifest)?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(".artdag-bundle-")
        .permissions(std::fs::Permissions::from_mode(0o666))
        .tempfile_in(parent)
        .map_err(failed)?;
    file.write_all(&place).map_err(failed)?;
    let hashed = Hashed { to: BufWriter::new(file), hasher: blake3::Hasher::new(), written: 0 };
    let mut encoder = zstd::stream::write::Encoder::new(hashed, LEVEL).map_err(failed)?;
    encoder.include_checksum(true).map_err(failed)?;
    entry(&mut encoder, manifest::NAME, text.len() as u64, &mut |to| to.write_all(text.as_bytes()).map_err(failed))
        .map_err(|error| error.unwrap_or_else(failed))?;
    for listed in &manifest.entries {
        entry(&mut encoder, &listed.path, listed.size, &mut |to| give(listed, to))
            .map_err(|error| error.unwrap_or_else(failed))?;
    }
    encoder.write_all(&[0; tar::END]).map_err(failed)?;
    let hashed = encoder.finish().map_err(failed)?;
    let (written, hash) = (hashed.written, ContentHash::from(hashed.hasher.finalize()));
    let mut file = hashed.to.into_inner().map_err(|error| failed(error.into_error()))?;
    let frame = seal::frame(keys, &hash, &of_manifest)?;
    file.rewind().and_then(|()| file.write_all(&frame)).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    Ok(Written { file, name: path, size: frame.len() as u64 + written })
}

/// An error of writing, or one of what is written.
enum Failed {
    Writing(io::Error),
    Giving(BundleError),
}

impl Failed {
    fn unwrap_or_else(self, of: impl FnOnce(io::Error) -> BundleError) -> BundleError {
        match self {
            Self::Writing(error) => of(error),
            Self::Giving(error) => error,
        }
    }
}

fn entry(
    to: &mut dyn Write,
    name: &str,
    size: u64,
    give: &mut dyn FnMut(&mut dyn Write) -> Result<(), BundleError>,
) -> Result<(), Failed> {
    to.write_all(&tar::header(name, size)).map_err(Failed::Writing)?;
    give(to).map_err(Failed::Giving)?;
    to.write_all(&[0; tar::BLOCK][..tar::padding(size)]).map_err(Failed::Writing)
}

/// Hashes what it passes on.
struct Hashed<W> {
    to: W,
    hasher: blake3::Hasher,
    written: u64,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
