//! Storage for redb that remembers every change and sync, so that a test can say what a power
//! cut at any point leaves; and that fails on order.

use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use redb::{Builder, Database, DatabaseError, StorageBackend};

use crate::db::keeper::Clock;
use crate::db::place::Place;

/// Storage in memory; cloning shares it.
#[derive(Debug, Clone, Default)]
pub(super) struct FaultStorage(Arc<Mutex<Model>>);

#[derive(Debug, Default)]
struct Model {
    bytes: Vec<u8>,
    /// What it held when the log begins.
    base: Vec<u8>,
    log: Vec<Change>,
    /// Changes that still succeed, and the error number of those after them.
    fault: Option<(usize, i32)>,
    /// Changes that were asked for.
    attempts: usize,
}

#[derive(Debug, Clone)]
enum Change {
    Write(usize, Vec<u8>),
    SetLen(usize),
    Sync,
}

/// What a power cut spares of the changes since the last sync.
#[derive(Debug, Clone, Copy)]
pub(super) enum Spared {
    Nothing,
    Everything,
    /// Some of them, and of writes some sectors of 512 bytes, chosen by this seed.
    Some(u64),
}

impl FaultStorage {
    pub(super) fn holding(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(Model { base: bytes.clone(), bytes, ..Model::default() })))
    }

    /// Syncs that have completed.
    pub(super) fn syncs(&self) -> usize {
        self.model().log.iter().filter(|change| matches!(change, Change::Sync)).count()
    }

    /// Changes and syncs that were asked for, also those that failed.
    pub(super) fn attempts(&self) -> usize {
        self.model().attempts
    }

    /// Its length in bytes.
    pub(super) fn size(&self) -> usize {
        self.model().bytes.len()
    }

    /// What is found after a power cut between the `syncs`-th sync and the next.
    pub(super) fn after_power_cut(&self, syncs: usize, spared: Spared) -> Vec<u8> {
        let model = self.model();
        let mut image = model.base.clone();
        let mut chance = Chance(if let Spared::Some(seed) = spared { seed } else { 0 });
        let mut done = 0;
        for change in &model.log {
            if matches!(change, Change::Sync) {
                done += 1;
                if done > syncs {
                    break;
                }
            } else if done < syncs {
                change.apply(&mut image, |_| true);
            } else {
                match spared {
                    Spared::Nothing => {}
                    Spared::Everything => change.apply(&mut image, |_| true),
                    Spared::Some(_) => match chance.next() % 3 {
                        0 => {}
                        1 => change.apply(&mut image, |_| true),
                        _ => change.apply(&mut image, |_| chance.next().is_multiple_of(2)),
                    },
                }
            }
        }
        image
    }

    /// Lets so many more changes succeed, and then none.
    pub(super) fn fail_after(&self, changes: usize, errno: rustix::io::Errno) {
        self.model().fault = Some((changes, errno.raw_os_error()));
    }

    /// Ends the fault; true if it was met.
    pub(super) fn mend(&self) -> bool {
        self.model().fault.take().is_some_and(|(left, _)| left == 0)
    }

    fn model(&self) -> MutexGuard<'_, Model> {
        self.0.lock().unwrap()
    }

    fn change(&self, change: Change) -> io::Result<()> {
        let mut model = self.model();
        model.attempts += 1;
        if let Some((left, errno)) = &mut model.fault {
            if *left == 0 {
                return Err(io::Error::from_raw_os_error(*errno));
            }
            *left -= 1;
        }
        change.apply(&mut model.bytes, |_| true);
        model.log.push(change);
        Ok(())
    }
}

impl Change {
    /// Applies it to an image, of a write those sectors that are kept.
    fn apply(&self, image: &mut Vec<u8>, mut keep: impl FnMut(&Range<usize>) -> bool) {
        match self {
            Self::Sync => {}
            Self::SetLen(len) => image.resize(*len, 0),
            Self::Write(offset, data) => {
                let mut start = 0;
                while start < data.len() {
                    let sector = start..data.len().min((offset + start) / 512 * 512 + 512 - offset);
                    let range = offset + sector.start..offset + sector.end;
                    start = sector.end;
                    if keep(&range) {
                        image.resize(image.len().max(range.end), 0);
                        image[range].copy_from_slice(&data[sector]);
                    }
                }
            }
        }
    }
}

impl StorageBackend for FaultStorage {
    fn len(&self) -> io::Result<u64> {
        Ok(self.model().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let model = self.model();
        let range = offset as usize..offset as usize + out.len();
        out.copy_from_slice(model.bytes.get(range).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change(Change::SetLen(len as usize))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.change(Change::Sync)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.change(Change::Write(offset as usize, data.to_vec()))
    }
}

impl Place for FaultStorage {
    fn open(&self, builder: &Builder) -> Result<Database, DatabaseError> {
        builder.create_with_backend(self.clone())
    }
}

/// A clock that goes when it is told to.
#[derive(Clone)]
pub(super) struct SetClock(Arc<AtomicU64>, Instant);

impl SetClock {
    pub(super) fn new() -> Self {
        Self(Arc::default(), Instant::now())
    }

    pub(super) fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_millis() as u64, Ordering::Relaxed);
    }

    pub(super) fn clock(&self) -> Clock {
        let this = self.clone();
        Box::new(move || this.1 + Duration::from_millis(this.0.load(Ordering::Relaxed)))
    }
}

/// A small generator of numbers (`SplitMix64`).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
