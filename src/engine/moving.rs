//! Taking over what the original kept: its cache directory, and its runs.
//!
//! A file is taken only if its SHA3-256 is what the original's index says, and that hash names it
//! from then on (see [`super::aliases`]). Everything is taken in steps that are each durable and
//! that a second call recognises, so that one that was interrupted is simply made again.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};
use sha3::{Digest as _, Sha3_256};

use crate::base::limits::{INDEX_BYTES, MOVED_AT_ONCE};
use crate::base::{ContentHash, RunId};
use crate::engine::error::EngineError;
use crate::engine::moved_runs::{self, OldRun};
use crate::engine::{Engine, aliases};

/// What was taken over and what not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// Was it only asked what would be done?
    pub dry_run: bool,
    /// Files taken.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files that had been taken before, or that several entries name.
    pub known_files: u64,
    /// Entries whose files were not taken, and why.
    pub left_files: Vec<Left>,
    /// Runs taken.
    pub runs: u64,
    /// Runs that had been taken before.
    pub known_runs: u64,
    /// Runs that were not taken, and why.
    pub left_runs: Vec<Left>,
}

/// Something that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// What the original calls it.
    pub id: String,
    /// Why it stayed where it is.
    pub because: String,
}

/// An entry of the original's index, as far as it matters.
#[derive(Debug, Default, Deserialize)]
struct Entry {
    content_hash: Option<String>,
}

#[derive(Deserialize)]
struct Index {
    entries: BTreeMap<String, serde_json::Value>,
}

/// A file that is as its entry says.
enum Taken {
    New(u64),
    Known,
}

impl Engine {
    /// Takes over a cache directory of the original, and these runs (JSON as it kept them).
    /// `progress` is told how many entries have been looked at, of all, and says whether to go on.
    pub fn move_in(
        &self,
        directory: &Path,
        runs: &[String],
        dry_run: bool,
        progress: &mut dyn FnMut(u64, u64) -> bool,
    ) -> Result<Moved, EngineError> {
        let cache = cache_of(directory)?;
        let mut moved = Moved { dry_run, ..Moved::default() };
        let entries = entries(&cache, &mut moved.left_files)?;
        let all = entries.len() as u64;
        // What is here, or would be: in a dry run nothing is recorded that could be asked.
        let mut here = BTreeMap::new();
        for (looked, (node, entry)) in entries.iter().enumerate() {
            if !progress(looked as u64, all) {
                return Ok(moved);
            }
            match self.take_entry(&cache, node, entry, dry_run, &mut here) {
                Ok(Taken::New(size)) => {
                    moved.files += 1;
                    moved.bytes += size;
                }
                Ok(Taken::Known) => moved.known_files += 1,
                // What the disk or this home refuses, it refuses for all.
                Err(error @ (EngineError::NoRoom(_) | EngineError::Store(_) | EngineError::Db(_))) => {
                    return Err(error);
                }
                Err(error) => moved.left_files.push(Left { id: node.clone(), because: error.to_string() }),
            }
        }
        for part in runs.chunks(MOVED_AT_ONCE) {
            self.take_runs(part, dry_run, &here, &mut moved)?;
        }
        progress(all, all);
        Ok(moved)
    }

    fn take_entry(
        &self,
        cache: &Path,
        node: &str,
        entry: &Entry,
        dry_run: bool,
        here: &mut BTreeMap<ContentHash, ContentHash>,
    ) -> Result<Taken, EngineError> {
        let said = entry.content_hash.as_deref();
        let said = said.ok_or_else(|| left("its entry has no content_hash to check it by".to_owned()))?;
        let said: ContentHash = said.parse().map_err(|error| left(format!("its content_hash is {said:?}; {error}")))?;
        if here.contains_key(&said) {
            return Ok(Taken::Known);
        }
        if let Some(hash) = self.alias(&said)?.filter(|hash| self.has_blob(hash)) {
            here.insert(said, hash);
            return Ok(Taken::Known);
        }
        let path = output_of(cache, node)?;
        let failed = |error: std::io::Error| EngineError::file(&path, &error);
        // Opening a pipe would wait for a writer.
        let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
        let mut file = File::options().read(true).custom_flags(nonblocking).open(&path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(left(format!("{} is no regular file", path.display())));
        }
        let mut uploader = if dry_run { None } else { Some(self.uploader(Some(metadata.len()))?) };
        let (mut sha3, mut blake3, mut buffer) = (Sha3_256::new(), blake3::Hasher::new(), vec![0; 1 << 20]);
        loop {
            let count = file.read(&mut buffer).map_err(failed)?;
            if count == 0 {
                break;
            }
            sha3.update(&buffer[..count]);
            match &mut uploader {
                Some(uploader) => uploader.push(&buffer[..count])?,
                None => drop(blake3.update(&buffer[..count])),
            }
        }
        let found = ContentHash::from_bytes(sha3.finalize().into());
        if said != found {
            let path = path.display();
            return Err(left(format!("{path} is damaged: its SHA3-256 is {found}, and the index says {said}")));
        }
        let before = here.contains_key(&found) || self.alias(&found)?.is_some_and(|hash| self.has_blob(&hash));
        let hash = match uploader {
            Some(uploader) => {
                let hash = uploader.finish(None, false)?.content_hash;
                let sha3 = *found.as_bytes();
                self.write(move |tx| aliases::put(tx, &sha3, &hash)).wait()?;
                hash
            }
            None => blake3.finalize().into(),
        };
        here.insert(found, hash);
        Ok(if before { Taken::Known } else { Taken::New(metadata.len()) })
    }

    fn take_runs(
        &self,
        runs: &[String],
        dry_run: bool,
        here: &BTreeMap<ContentHash, ContentHash>,
        moved: &mut Moved,
    ) -> Result<(), EngineError> {
        let mut rows = Vec::new();
        for text in runs {
            let old: OldRun = match serde_json::from_str(text) {
                Ok(old) => old,
                Err(error) => {
                    moved.left_runs.push(Left { id: text.chars().take(80).collect(), because: error.to_string() });
                    continue;
                }
            };
            let find = |hash: &ContentHash| match here.get(hash) {
                Some(hash) => Ok(Some(*hash)),
                None => {
                    let ours = self.ours(*hash)?;
                    Ok(self.has_blob(&ours).then_some(ours))
                }
            };
            let run = old.new_id();
            if self.run_row(run).is_ok() {
                moved.known_runs += 1;
                continue;
            }
            match old.row(&find)? {
                Ok(row) => rows.push((run, old.run_id.parse::<RunId>().ok(), old.task(), row)),
                Err(because) => moved.left_runs.push(Left { id: old.run_id, because }),
            }
        }
        moved.runs += rows.len() as u64;
        if !dry_run && !rows.is_empty() {
            self.write(move |tx| rows.iter().try_for_each(|row| moved_runs::put(tx, row))).wait()?;
        }
        Ok(())
    }
}

fn left(because: String) -> EngineError {
    EngineError::Input(because)
}

/// The directory that has the index: the one given, or `cache` in it.
fn cache_of(directory: &Path) -> Result<PathBuf, EngineError> {
    let is_cache = |path: &Path| path.join("index.json").is_file();
    let below = directory.join("cache");
    let found = [directory, below.as_path()].into_iter().find(|path| is_cache(path));
    let found = found.or_else(|| [below.as_path(), directory].into_iter().find(|path| has_entries(path)));
    found.map(Path::to_owned).ok_or_else(|| {
        let directory = directory.display();
        EngineError::Input(format!(
            "{directory} is no cache of the original: there is no index.json, and no directory with a metadata.json"
        ))
    })
}

fn has_entries(path: &Path) -> bool {
    let directories = std::fs::read_dir(path).into_iter().flatten().flatten();
    directories.into_iter().any(|entry| entry.path().join("metadata.json").is_file())
}

/// The entries of the index, with those of the directories that it does not name.
fn entries(cache: &Path, wrong: &mut Vec<Left>) -> Result<BTreeMap<String, Entry>, EngineError> {
    let path = cache.join("index.json");
    let index = read_json::<Index>(&path);
    let mut entries = BTreeMap::new();
    match index {
        Ok(index) => {
            for (node, entry) in index.entries {
                match serde_json::from_value(entry) {
                    Ok(entry) => drop(entries.insert(node, entry)),
                    Err(error) => wrong.push(Left { id: node, because: format!("its entry cannot be read: {error}") }),
                }
            }
        }
        Err(because) => wrong.push(Left { id: "index.json".to_owned(), because }),
    }
    let directories = std::fs::read_dir(cache).map_err(|error| EngineError::file(cache, &error))?;
    for directory in directories.flatten() {
        let Ok(node) = directory.file_name().into_string() else { continue };
        let metadata = directory.path().join("metadata.json");
        if !entries.contains_key(&node) && metadata.is_file() {
            match read_json(&metadata) {
                Ok(entry) => drop(entries.insert(node, entry)),
                Err(because) => wrong.push(Left { id: node, because }),
            }
        }
    }
    Ok(entries)
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, String> {
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(INDEX_BYTES + 1).read_to_end(&mut text));
    read.map_err(|error| format!("{}: {error}", path.display()))?;
    if text.len() as u64 > INDEX_BYTES {
        return Err(format!("{} has more than {INDEX_BYTES} bytes", path.display()));
    }
    serde_json::from_slice(&text).map_err(|error| format!("{} is damaged: {error}", path.display()))
}

/// The file of an entry, wherever the index says that it was: homes are copied.
fn output_of(cache: &Path, node: &str) -> Result<PathBuf, EngineError> {
    let one_component = !node.is_empty() && !matches!(node, "." | "..") && !node.contains(['/', '\0']);
    if !one_component {
        return Err(left("its node_id is no name of a directory".to_owned()));
    }
    let directory = cache.join(node);
    let missing = || left(format!("{} has no file output.*", directory.display()));
    let files = std::fs::read_dir(&directory).map_err(|_| missing())?.flatten();
    let mut outputs: Vec<PathBuf> = files.map(|file| file.path()).filter(|path| is_output(path)).collect();
    outputs.sort();
    outputs.into_iter().next().ok_or_else(missing)
}

fn is_output(path: &Path) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name == "output" || name.starts_with("output."))
}
