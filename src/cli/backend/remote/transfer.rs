//! Bytes to and from a server, in pieces: memory does not grow with a file. What comes is
//! checked against its hash.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use ureq::http::{Method, header};
use ureq::{AsSendBody, SendBody};

use crate::base::{AssetName, ContentHash};
use crate::cli::backend::Answer;
use crate::cli::backend::remote::http::{Client, segment};
use crate::cli::error::CliError;
use crate::engine::{EngineError, Upload};

/// Bytes that are read at a time.
const PIECE: usize = 256 << 10;

/// The hash of a user's file.
pub fn hash_of(path: &Path) -> Answer<ContentHash> {
    let mut hasher = blake3::Hasher::new();
    // Not mapped: whoever owns the file may cut it short meanwhile.
    hasher.update_reader(open(path)?).map_err(|error| EngineError::file(path, &error))?;
    Ok(hasher.finalize().into())
}

/// Sends a file.
pub fn upload_file(client: &Client, path: &Path, name: Option<&AssetName>) -> Answer<Upload> {
    upload(client, &open(path)?, name)
}

/// Sends all that a reader gives.
pub fn upload_stream(client: &Client, input: &mut dyn Read, name: Option<&AssetName>) -> Answer<Upload> {
    upload(client, SendBody::from_reader(input), name)
}

fn upload(client: &Client, body: impl AsSendBody, name: Option<&AssetName>) -> Answer<Upload> {
    let name = name.map_or_else(String::new, |name| format!("?name={}", segment(name.as_str())));
    let request = client
        .request(Method::POST, &format!("/cache/upload{name}"))
        .header(header::CONTENT_TYPE, "application/octet-stream")
        // A refusal comes before the bytes are sent, and is not lost in them.
        .header(header::EXPECT, "100-continue");
    client.json(client.send(client.built(request, body)?)?)
}

fn open(path: &Path) -> Answer<File> {
    let failed = |error: std::io::Error| EngineError::file(path, &error);
    let file = File::open(path).map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(EngineError::Input(format!("{}: not a regular file", path.display())).into());
    }
    Ok(file)
}

/// Writes a blob's bytes as they come. When this fails, what was written is not the blob.
pub fn download(client: &Client, hash: &ContentHash, to: &mut dyn Write) -> Answer<()> {
    copy(client, hash, to, &CliError::Out)
}

/// Copies a blob to a file, which appears whole or not at all.
pub fn download_file(client: &Client, hash: &ContentHash, path: &Path) -> Answer<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let failed = |error: std::io::Error| CliError::from(EngineError::file(path, &error));
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut temporary = tempfile::Builder::new()
        .prefix(".artdag-")
        .permissions(std::fs::Permissions::from_mode(0o666))
        .tempfile_in(directory)
        .map_err(failed)?;
    copy(client, hash, &mut temporary, &failed)?;
    temporary.as_file().sync_data().map_err(failed)?;
    temporary.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

fn copy(
    client: &Client,
    hash: &ContentHash,
    to: &mut dyn Write,
    failed: &dyn Fn(std::io::Error) -> CliError,
) -> Answer<()> {
    let mut response = client.get(&format!("/cache/{hash}"))?;
    let mut from = response.body_mut().as_reader();
    let mut hasher = blake3::Hasher::new();
    let mut piece = vec![0; PIECE];
    loop {
        let read = from.read(&mut piece).map_err(|error| client.unreachable(&error.into()))?;
        if read == 0 {
            break;
        }
        hasher.update(&piece[..read]);
        to.write_all(&piece[..read]).map_err(failed)?;
    }
    to.flush().map_err(failed)?;
    if ContentHash::from(hasher.finalize()) == *hash {
        return Ok(());
    }
    Err(CliError::machine(format!("what {} sent for {hash} has another hash; try again", client.url())))
}
