//! Files that come in parts: what has come of one outlives its connection, and this process.
//!
//! Each has two files below `<home>/uploads`: the bytes that are here, and what is known of it.
//! How far it is, is the length of the first. It becomes a blob when it is whole; what it became
//! is kept for as long, so that a client that did not hear of the end can ask. What a client was
//! told is here is on disk; a part that has a checksum counts only when it is whole, and what a
//! crash left of one is taken back. One connection writes at a time: whoever comes back for a file
//! has lost the one before, which is given up.

mod tidy;

use std::collections::HashMap;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::base::limits::{FREE_BYTES_LOOK, PARTIAL_UPLOAD_SECONDS, PARTIAL_UPLOADS, PARTIAL_UPLOADS_OF_ONE};
use crate::base::{AssetName, ContentHash, Timestamp};
use crate::engine::error::EngineError;
use crate::engine::{Engine, Upload, tokens};
use crate::records::{BlobRow, Origin};

/// Below the home.
const DIRECTORY: &str = "uploads";

/// The name of a file that comes in parts: a secret, as who knows it may add to the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UploadId(ContentHash);

/// Letters of an id that tell whose file it is, so that one owner's can be counted.
const OF_OWNER: usize = 16;

impl UploadId {
    /// A new one.
    fn new(owner: &str) -> Self {
        let random = tokens::random().to_string();
        let id = format!("{}{}", Self::beginning(owner), &random[OF_OWNER..]);
        Self(id.parse().unwrap_or_else(|_| panic!("BUG: {id} is no id")))
    }

    /// What the ids of an owner's files begin with.
    fn beginning(owner: &str) -> String {
        ContentHash::of(format!("artdag.upload-owner.v1\n{owner}").as_bytes()).to_string()[..OF_OWNER].to_owned()
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for UploadId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        text.parse().map(Self).map_err(drop)
    }
}

/// What is kept beside the bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Known {
    length: u64,
    name: Option<AssetName>,
    owner: String,
    done: Option<Upload>,
    /// Bytes that count, while a part after them is to be checked.
    checked: Option<u64>,
}

/// A file that comes in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartialUpload {
    /// Bytes in all.
    pub length: u64,
    /// Bytes that are here.
    pub offset: u64,
    /// What it has become, once it is whole.
    pub done: Option<Upload>,
    /// When it is forgotten, if nothing more comes.
    pub expires_at: Timestamp,
}

/// The files that connections write to at this moment.
#[derive(Default)]
pub struct Senders {
    by_id: Mutex<HashMap<UploadId, watch::Sender<bool>>>,
}

/// The senders, locked: while it is held nobody begins to write to the file that was asked about.
type Unsent<'a> = MutexGuard<'a, HashMap<UploadId, watch::Sender<bool>>>;

impl Senders {
    fn lock(&self) -> Unsent<'_> {
        // Every change is one statement.
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses while somebody writes to the file.
    fn unsent(&self, id: UploadId) -> Result<Unsent<'_>, EngineError> {
        let senders = self.lock();
        if senders.contains_key(&id) {
            return Err(EngineError::Busy("another connection is sending this file; try again in a moment".to_owned()));
        }
        Ok(senders)
    }
}

/// Bytes on their way into such a file. What was pushed stays when this is dropped, unless it was
/// to be checked.
pub struct Appender {
    engine: Engine,
    id: UploadId,
    known: Known,
    file: File,
    start: u64,
    offset: u64,
    unlooked: u64,
    stop: watch::Receiver<bool>,
    settled: bool,
}

impl Engine {
    /// Begins a file of this many bytes; who asks for it later must be the same `owner`.
    pub fn begin_partial(&self, length: u64, name: Option<AssetName>, owner: &str) -> Result<UploadId, EngineError> {
        let [all, own] = self.forget_partials(owner)?;
        for (here, most, whose) in [(own, PARTIAL_UPLOADS_OF_ONE, "of yours "), (all, PARTIAL_UPLOADS, "")] {
            if here.under_way >= most || here.remembered >= most * 10 {
                let under_way = here.under_way;
                let detail = format!(
                    "{under_way} uploads {whose}are under way, and there may be no more; finish or end some first"
                );
                return Err(EngineError::Busy(detail));
            }
        }
        self.check_room(length)?;
        let id = UploadId::new(owner);
        let known = Known { length, name, owner: owner.to_owned(), done: None, checked: None };
        self.at(id, || OpenOptions::new().write(true).create_new(true).open(self.bytes_of(id))?.sync_all())?;
        self.keep_known(id, &known)?;
        Ok(id)
    }

    /// Ends a file at once whose content is here already, as a file that somebody brought: it is named, and nothing of
    /// it need come. Whether it is so.
    pub fn settle_known(
        &self,
        id: UploadId,
        owner: &str,
        hash: ContentHash,
        repoint: bool,
    ) -> Result<bool, EngineError> {
        let _nobody_writes = self.0.senders.unsent(id)?;
        let mut known = self.known_partial(id, owner)?;
        let is_here = |row: &BlobRow| row.origin == Origin::Upload && row.size == known.length && self.has_blob(&hash);
        let Some(row) = self.blob_row(&hash)?.filter(is_here) else { return Ok(false) };
        let mut name = known.name.clone();
        if let Some(wanted) = &name {
            match self.set_asset(wanted.clone(), hash, repoint) {
                Ok(_) => {}
                // The content is here, whoever has the name.
                Err(EngineError::NameTaken { .. }) => name = None,
                Err(error) => return Err(error),
            }
        }
        let (size, media_type) = (row.size, row.media_type);
        known.done = Some(Upload { content_hash: hash, size, media_type, name, existing: true });
        self.keep_known(id, &known)?;
        self.at(id, || fs::remove_file(self.bytes_of(id)))?;
        Ok(true)
    }

    /// Asks whoever writes to a file to leave it. They have when the channel is closed; nobody writes
    /// to it if there is none.
    pub fn ask_to_leave(&self, id: UploadId, owner: &str) -> Result<Option<watch::Receiver<bool>>, EngineError> {
        self.known_partial(id, owner)?;
        let senders = self.0.senders.lock();
        Ok(senders.get(&id).map(|stop| {
            stop.send_replace(true);
            stop.subscribe()
        }))
    }

    /// How far a file is.
    pub fn partial(&self, id: UploadId, owner: &str) -> Result<PartialUpload, EngineError> {
        let _nobody_writes = self.0.senders.unsent(id)?;
        let mut known = self.known_partial(id, owner)?;
        self.take_back(id, &mut known)?;
        let (offset, changed) = match &known.done {
            Some(_) => (known.length, self.at(id, || fs::metadata(self.known_of(id)))?),
            // A process that was killed may have left bytes that are not on disk.
            None => self.at(id, || {
                let file = File::open(self.bytes_of(id))?;
                file.sync_data()?;
                file.metadata().map(|data| (data.len(), data))
            })?,
        };
        let changed = changed.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let since = changed.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let expires_at = Timestamp::from_micros(since.as_micros() as i64 + PARTIAL_UPLOAD_SECONDS as i64 * 1_000_000);
        Ok(PartialUpload { length: known.length, offset, done: known.done, expires_at })
    }

    /// Goes on with a file at the end of what is here, which the caller must know. What is `checked`
    /// counts only when it is finished.
    pub fn append_partial(
        &self,
        id: UploadId,
        owner: &str,
        offset: u64,
        checked: bool,
    ) -> Result<Appender, EngineError> {
        let mut senders = self.0.senders.unsent(id)?;
        let mut known = self.known_partial(id, owner)?;
        if known.done.is_some() {
            return Err(EngineError::Refused(format!("all {} bytes are here already", known.length)));
        }
        self.take_back(id, &mut known)?;
        let mut file = self.at(id, || OpenOptions::new().write(true).open(self.bytes_of(id)))?;
        let here = self.at(id, || file.seek(SeekFrom::End(0)))?;
        if here != offset {
            return Err(EngineError::Refused(format!("{here} bytes are here, and not {offset}; go on from there")));
        }
        if checked {
            known.checked = Some(offset);
            self.keep_known(id, &known)?;
        }
        let (told, stop) = watch::channel(false);
        senders.insert(id, told);
        let engine = self.clone();
        Ok(Appender { engine, id, known, file, start: offset, offset, unlooked: 0, stop, settled: false })
    }

    /// Bytes that ending a file would free.
    pub fn bytes_of_partial(&self, id: UploadId, owner: &str) -> Result<u64, EngineError> {
        match self.known_partial(id, owner)?.done {
            Some(_) => Ok(0),
            None => self.at(id, || Ok(fs::metadata(self.bytes_of(id))?.len())),
        }
    }

    /// Ends a file that is not wanted any more.
    pub fn remove_partial(&self, id: UploadId, owner: &str) -> Result<(), EngineError> {
        let _nobody_writes = self.0.senders.unsent(id)?;
        self.known_partial(id, owner)?;
        self.forget_partial(id)
    }

    /// Takes back what came of a part that was to be checked, and never was.
    fn take_back(&self, id: UploadId, known: &mut Known) -> Result<(), EngineError> {
        let Some(counts) = known.checked.take() else { return Ok(()) };
        self.at(id, || {
            let file = OpenOptions::new().write(true).open(self.bytes_of(id))?;
            file.set_len(counts.min(file.metadata()?.len()))?;
            file.sync_data()
        })?;
        self.keep_known(id, known)
    }

    fn bytes_of(&self, id: UploadId) -> PathBuf {
        self.home().join(DIRECTORY).join(format!("{id}.part"))
    }

    fn known_of(&self, id: UploadId) -> PathBuf {
        self.home().join(DIRECTORY).join(format!("{id}.json"))
    }

    /// Does something with a file's own files; what is not there is no such upload.
    fn at<T>(&self, id: UploadId, work: impl FnOnce() -> io::Result<T>) -> Result<T, EngineError> {
        work().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => no_such(id),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                EngineError::NoRoom("the disk is full".to_owned())
            }
            _ => EngineError::Home { home: self.home().display().to_string(), reason: error.to_string() },
        })
    }

    fn known_partial(&self, id: UploadId, owner: &str) -> Result<Known, EngineError> {
        let bytes = self.at(id, || fs::read(self.known_of(id)))?;
        let known: Option<Known> = serde_json::from_slice(&bytes).ok();
        known.filter(|known| known.owner == owner).ok_or_else(|| no_such(id))
    }

    fn keep_known(&self, id: UploadId, known: &Known) -> Result<(), EngineError> {
        let bytes = serde_json::to_vec(known).expect("BUG: what is known of an upload is JSON");
        let path = self.known_of(id);
        let fresh = path.with_extension("new");
        self.at(id, || {
            let mut file = File::create(&fresh)?;
            file.write_all(&bytes)?;
            file.sync_data()?;
            fs::rename(&fresh, &path)?;
            File::open(self.home().join(DIRECTORY))?.sync_all()
        })
    }

    fn forget_partial(&self, id: UploadId) -> Result<(), EngineError> {
        for path in [self.bytes_of(id), self.known_of(id)] {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => self.at(id, || Err(error))?,
                _ => {}
            }
        }
        Ok(())
    }
}

fn no_such(id: UploadId) -> EngineError {
    EngineError::NotFound { what: "upload", name: id.to_string(), hint: String::new() }
}

impl Appender {
    /// Bytes that may still come.
    pub fn room(&self) -> u64 {
        self.known.length - self.offset
    }

    /// Becomes true when somebody comes back for the file: then nothing more is taken.
    pub fn stopped(&self) -> watch::Receiver<bool> {
        self.stop.clone()
    }

    /// Adds bytes; more than were said to come are refused, and nothing of them is taken.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), EngineError> {
        if *self.stop.borrow() {
            return Err(EngineError::Refused("somebody came back for this file, and goes on with it".to_owned()));
        }
        let count = bytes.len() as u64;
        if count > self.room() {
            let detail = format!("more bytes came than the {} that were said to", self.known.length);
            return Err(EngineError::Usage(detail));
        }
        if count > self.unlooked {
            self.engine.check_room(count)?;
            self.unlooked = FREE_BYTES_LOOK.max(count);
        }
        self.unlooked -= count;
        let file = &mut self.file;
        self.engine.at(self.id, || file.write_all(bytes))?;
        self.offset += count;
        Ok(())
    }

    /// Takes back what was pushed: its checksum was another.
    pub fn undo(mut self) -> Result<(), EngineError> {
        self.settle(false)
    }

    /// Puts on disk what counts, and takes back what does not.
    fn settle(&mut self, counts: bool) -> Result<(), EngineError> {
        self.settled = true;
        let (file, start) = (&self.file, self.start);
        self.engine.at(self.id, || {
            if !counts {
                file.set_len(start)?;
            }
            file.sync_data()
        })?;
        match self.known.checked.take() {
            Some(_) => self.engine.keep_known(self.id, &self.known),
            None => Ok(()),
        }
    }

    /// How far the file is now, and what it has become if it is whole. A name that stands for
    /// another file is moved only if `repoint` says so.
    pub fn finish(mut self, repoint: bool) -> Result<(u64, Option<Upload>), EngineError> {
        self.settle(true)?;
        let (engine, id, offset) = (self.engine.clone(), self.id, self.offset);
        if offset < self.known.length {
            return Ok((offset, None));
        }
        let known = &mut self.known;
        let path = engine.bytes_of(id);
        let mut source = engine.at(id, || File::open(&path))?;
        let name = known.name.clone();
        let mut uploader = engine.uploader(Some(known.length))?;
        engine.at(id, || io::copy(&mut source, &mut uploader))?;
        let upload = match uploader.finish(name, repoint) {
            Ok(upload) => upload,
            // The content is here, whoever has the name.
            Err(EngineError::NameTaken { .. }) => engine.add(&mut engine.at(id, || File::open(&path))?, None)?,
            Err(error) => return Err(error),
        };
        known.done = Some(upload.clone());
        engine.keep_known(id, known)?;
        engine.at(id, || fs::remove_file(&path))?;
        Ok((offset, Some(upload)))
    }
}

impl Drop for Appender {
    fn drop(&mut self) {
        if !self.settled {
            let counts = self.known.checked.is_none();
            self.settle(counts).inspect_err(|error| tracing::warn!(%error, "a part of an upload is not settled")).ok();
        }
        // With what told it to stop, so that those who wait for that hear of the end.
        self.engine.0.senders.lock().remove(&self.id);
    }
}
