//! A disk in memory that loses what was not synced, fails on order, and can lose its power
//! between any two operations.
//!
//! It is as unkind as POSIX allows: data and names not synced are kept, lost or (data) torn, each
//! for itself; a rename may keep both names or neither; after a failed sync the changes it was to
//! save are never saved, while later syncs succeed. New directories alone are spared the last,
//! as no program can write their entry a second time.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::cas::disk::{Disk, DiskFile, Entry, EntryKind, Opened};

/// A disk; cloning shares it.
#[derive(Clone)]
pub(super) struct FaultDisk(Arc<Mutex<Model>>);

/// What goes wrong at an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The power fails before it, and everything after it.
    CutBefore,
    /// The power fails after it.
    CutAfter,
    /// It fails with this error number; a write has written half.
    Errno(i32),
}

/// What a power cut spares of the changes not synced.
#[derive(Debug, Clone, Copy)]
pub(super) enum Spared {
    Nothing,
    Everything,
    /// Some, chosen by this seed.
    Some(u64),
}

type Id = usize;

#[derive(Clone, Default)]
struct Model {
    nodes: Vec<Node>,
    log: Vec<String>,
    fault: Option<(usize, Fault)>,
    off: bool,
}

#[derive(Clone)]
enum Node {
    File { bytes: Vec<u8>, durable: Vec<u8>, sync_failed: bool },
    Dir { entries: Names, durable: Names, lost: BTreeSet<OsString> },
}

type Names = BTreeMap<OsString, Id>;

impl FaultDisk {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Model { nodes: vec![new_dir()], ..Model::default() })))
    }

    /// Orders a fault at the `operation`-th change from now, counted from 0.
    pub(super) fn order(&self, operation: usize, fault: Fault) {
        let mut model = self.model();
        model.fault = Some((model.log.len() + operation, fault));
    }

    /// The changes asked for since the last call, in order.
    pub(super) fn take_log(&self) -> Vec<String> {
        let mut model = self.model();
        model.fault = None;
        std::mem::take(&mut model.log)
    }

    /// Is the power off?
    pub(super) fn is_off(&self) -> bool {
        self.model().off
    }

    /// The disk as the next process finds it when the last one was killed: as that one left it,
    /// and no more durable.
    pub(super) fn after_kill(&self) -> Self {
        let nodes = self.model().nodes.clone();
        Self(Arc::new(Mutex::new(Model { nodes, ..Model::default() })))
    }

    /// The disk as it is found when the power comes back.
    pub(super) fn after_power_cut(&self, spared: Spared) -> Self {
        let model = self.model();
        let mut chance = Chance(if let Spared::Some(seed) = spared { seed } else { 0 });
        let mut keep = || match spared {
            Spared::Nothing => 0,
            Spared::Everything => 1,
            Spared::Some(_) => chance.next() as usize % 4,
        };
        let nodes = model.nodes.iter().map(|node| node.after_power_cut(&mut keep)).collect();
        Self(Arc::new(Mutex::new(Model { nodes, ..Model::default() })))
    }

    /// Changes a file's bytes behind the store's back.
    pub(super) fn damage(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut model = self.model();
        let id = model.find(path).unwrap();
        let Node::File { bytes, durable, .. } = &mut model.nodes[id] else { panic!("{path:?} is no file") };
        change(bytes);
        durable.clone_from(bytes);
    }

    fn model(&self) -> MutexGuard<'_, Model> {
        self.0.lock().unwrap()
    }
}

impl Node {
    fn after_power_cut(&self, keep: &mut dyn FnMut() -> usize) -> Self {
        match self {
            Self::File { bytes, durable, .. } => {
                let left = match keep() {
                    _ if bytes == durable => bytes.clone(),
                    0 => durable.clone(),
                    1 => bytes.clone(),
                    // The length came through, the data did not, or half of it.
                    2 => vec![0; bytes.len()],
                    _ => bytes[..bytes.len() / 2].to_vec(),
                };
                Self::File { bytes: left.clone(), durable: left, sync_failed: false }
            }
            Self::Dir { entries, durable, .. } => {
                let names: BTreeSet<_> = entries.keys().chain(durable.keys()).collect();
                let choose = |name: &&OsString| {
                    let (new, old) = (entries.get(*name), durable.get(*name));
                    let id = if keep() % 2 == 1 { new } else { old };
                    Some(((*name).clone(), *id?))
                };
                let left: Names = names.iter().filter_map(choose).collect();
                Self::Dir { entries: left.clone(), durable: left, lost: BTreeSet::new() }
            }
        }
    }
}

impl Model {
    fn find(&self, path: &Path) -> io::Result<Id> {
        path.iter().try_fold(0, |id, name| match &self.nodes[id] {
            Node::Dir { entries, .. } => entries.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into()),
            Node::File { .. } => Err(io::ErrorKind::NotADirectory.into()),
        })
    }

    /// Sets or removes a name.
    fn link(&mut self, path: &Path, id: Option<Id>) -> io::Result<()> {
        let parent = self.find(path.parent().unwrap())?;
        let Node::Dir { entries, lost, .. } = &mut self.nodes[parent] else {
            return Err(io::ErrorKind::NotADirectory.into());
        };
        let name = path.file_name().unwrap().to_owned();
        lost.remove(&name);
        match id {
            Some(id) => drop(entries.insert(name, id)),
            None => drop(entries.remove(&name)),
        }
        Ok(())
    }

    /// Logs a change and does it, unless something has been ordered to go wrong.
    fn change<T>(&mut self, what: String, run: impl FnOnce(&mut Self, Option<i32>) -> io::Result<T>) -> io::Result<T> {
        if self.off {
            return Err(io::Error::other("the power is off"));
        }
        let due = self.fault.filter(|(at, _)| *at == self.log.len());
        self.log.push(what);
        match due {
            None => run(self, None),
            Some((_, Fault::Errno(code))) => {
                let result = run(self, Some(code));
                assert!(result.is_err(), "an operation swallowed its fault");
                result
            }
            Some((_, fault)) => {
                let result = if fault == Fault::CutAfter { Some(run(self, None)) } else { None };
                self.off = true;
                result.unwrap_or_else(|| Err(io::Error::other("the power is off")))
            }
        }
    }

    fn simple(&mut self, what: String, run: impl FnOnce(&mut Self) -> io::Result<()>) -> io::Result<()> {
        self.change(what, |model, errno| match errno {
            Some(code) => Err(io::Error::from_raw_os_error(code)),
            None => run(model),
        })
    }
}

impl Disk for FaultDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut model = self.model();
        if model.find(path).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let id = model.nodes.len();
        model.simple(format!("create {}", path.display()), |model| {
            model.nodes.push(Node::File { bytes: Vec::new(), durable: Vec::new(), sync_failed: false });
            model.link(path, Some(id))
        })?;
        Ok(Box::new(FaultFile { disk: self.clone(), id, path: path.display().to_string() }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.model().simple(format!("rename {} {}", from.display(), to.display()), |model| {
            let id = model.find(from)?;
            model.link(to, Some(id))?;
            model.link(from, None)
        })
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.model().change(format!("sync directory {}", path.display()), |model, errno| {
            let id = model.find(path)?;
            let is_dir: Vec<bool> = (model.nodes.iter()).map(|node| matches!(node, Node::Dir { .. })).collect();
            let Node::Dir { entries, durable, lost } = &mut model.nodes[id] else { unreachable!() };
            let changed: Vec<OsString> = (entries.keys().chain(durable.keys()))
                .filter(|name| entries.get(*name) != durable.get(*name) && !lost.contains(*name))
                .cloned()
                .collect();
            for name in changed {
                match (errno, entries.get(&name)) {
                    (None, Some(id)) => drop(durable.insert(name, *id)),
                    (None, None) => drop(durable.remove(&name)),
                    (Some(_), Some(id)) if is_dir[*id] => {}
                    (Some(_), _) => drop(lost.insert(name)),
                }
            }
            errno.map_or(Ok(()), |code| Err(io::Error::from_raw_os_error(code)))
        })
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        let mut model = self.model();
        if model.find(path).is_ok() {
            return Ok(());
        }
        model.simple(format!("make directory {}", path.display()), |model| {
            model.nodes.push(new_dir());
            model.link(path, Some(model.nodes.len() - 1))
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut model = self.model();
        model.find(path)?;
        model.simple(format!("remove {}", path.display()), |model| model.link(path, None))
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.remove(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        let model = self.model();
        let Node::Dir { entries, .. } = &model.nodes[model.find(path)?] else {
            return Err(io::ErrorKind::NotADirectory.into());
        };
        let kind = |id: &Id| match &model.nodes[*id] {
            Node::File { .. } => EntryKind::File,
            Node::Dir { .. } => EntryKind::Directory,
        };
        Ok(entries.iter().map(|(name, id)| Entry { name: name.clone(), kind: kind(id) }).collect())
    }

    fn open(&self, path: &Path) -> io::Result<Opened> {
        let model = self.model();
        match &model.nodes[model.find(path)?] {
            Node::File { bytes, .. } => Ok(Opened::memory(bytes.as_slice().into())),
            Node::Dir { .. } => Err(io::ErrorKind::IsADirectory.into()),
        }
    }

    fn size(&self, path: &Path) -> io::Result<u64> {
        let model = self.model();
        match &model.nodes[model.find(path)?] {
            Node::File { bytes, .. } => Ok(bytes.len() as u64),
            Node::Dir { .. } => Err(io::ErrorKind::IsADirectory.into()),
        }
    }

    fn free_bytes(&self) -> io::Result<u64> {
        Ok(u64::MAX)
    }
}

struct FaultFile {
    disk: FaultDisk,
    id: Id,
    path: String,
}

impl DiskFile for FaultFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.disk.model().change(format!("write {} {}", self.path, bytes.len()), |model, errno| {
            let Node::File { bytes: held, .. } = &mut model.nodes[self.id] else { unreachable!() };
            let written = if errno.is_some() { bytes.len() / 2 } else { bytes.len() };
            held.extend_from_slice(&bytes[..written]);
            errno.map_or(Ok(()), |code| Err(io::Error::from_raw_os_error(code)))
        })
    }

    fn sync(&mut self) -> io::Result<()> {
        self.disk.model().change(format!("sync {}", self.path), |model, errno| {
            let Node::File { bytes, durable, sync_failed } = &mut model.nodes[self.id] else { unreachable!() };
            *sync_failed |= errno.is_some();
            if !*sync_failed {
                durable.clone_from(bytes);
            }
            errno.map_or(Ok(()), |code| Err(io::Error::from_raw_os_error(code)))
        })
    }
}

fn new_dir() -> Node {
    Node::Dir { entries: Names::new(), durable: Names::new(), lost: BTreeSet::new() }
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
