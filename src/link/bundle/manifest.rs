//! What is in a bundle, entry by entry: canonical JSON, the first file of the archive.

use serde::{Deserialize, Serialize};

use crate::base::limits::{
    BUNDLE_ENTRIES, BUNDLE_ENTRY_BYTES, BUNDLE_FREE_BYTES, BUNDLE_MANIFEST_BYTES, BUNDLE_RATIO, BUNDLE_TEXT_BYTES,
    CONFIG_BYTES, ENVELOPE_BYTES,
};
use crate::base::{ContentHash, Fingerprint, RunId, canonical};

/// Its name in the archive.
pub const NAME: &str = "manifest.json";

/// What an entry is. Entries stand in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A config, as it was registered.
    Config,
    /// What a run read.
    Input,
    /// What a run gave.
    Output,
    /// A value between nodes that was kept.
    Intermediate,
    /// A provenance record.
    Record,
    /// The signed envelope of one.
    Envelope,
    /// A run, so that it can be shown and rendered again.
    Run,
    /// A signed activity. Carried for other servers; an import keeps none.
    Activity,
}

impl Kind {
    /// The word for it, which is also the directory in the archive.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Input => "input",
            Self::Output => "output",
            Self::Intermediate => "intermediate",
            Self::Record => "record",
            Self::Envelope => "envelope",
            Self::Run => "run",
            Self::Activity => "activity",
        }
    }

    /// Is it text of this program's own, small and read as a whole?
    pub const fn is_text(self) -> bool {
        matches!(self, Self::Config | Self::Record | Self::Envelope | Self::Run | Self::Activity)
    }
}

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The BLAKE3 of its bytes.
    pub blake3: ContentHash,
    /// What it is.
    pub kind: Kind,
    /// Its name in the archive: the kind and the hash, and never another.
    pub path: String,
    /// Its bytes.
    pub size: u64,
}

impl Entry {
    /// An entry of the archive.
    pub fn new(kind: Kind, blake3: ContentHash, size: u64) -> Self {
        Self { blake3, kind, path: format!("{}/{blake3}", kind.word()), size }
    }
}

/// An effect that a run used. Effects are part of the program; they are named, not carried.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsedEffect {
    /// Its hash.
    pub content_hash: Fingerprint,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version of the format.
    pub bundle: u32,
    /// Effects that the runs used.
    pub effects: Vec<UsedEffect>,
    /// What belongs to it and was left out, as the other side has it.
    pub elsewhere: Vec<Entry>,
    /// What is in the archive, in its order.
    pub entries: Vec<Entry>,
    /// The runs.
    pub runs: Vec<RunId>,
}

/// The version of the format that is written, and the only one that is read.
pub const VERSION: u32 = 1;

impl Manifest {
    /// Its text.
    pub fn text(&self) -> String {
        canonical::to_string(self)
    }

    /// Reads a manifest, which must be written as this program writes it.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Version {
            bundle: u32,
        }
        let version: Version = serde_json::from_slice(text).map_err(|error| format!("its manifest: {error}"))?;
        if version.bundle != VERSION {
            return Err(format!("it is of version {}, and version {VERSION} is read", version.bundle));
        }
        let manifest: Self = serde_json::from_slice(text).map_err(|error| format!("its manifest: {error}"))?;
        if manifest.text().as_bytes() != text {
            return Err("its manifest is not canonical JSON".to_owned());
        }
        manifest.check()?;
        Ok(manifest)
    }

    /// Refuses counts and sizes that no bundle may have. Whoever exports asks this before anything
    /// is written, and whoever imports before anything is read.
    pub fn check_sizes(&self) -> Result<(), String> {
        for list in [&self.entries, &self.elsewhere] {
            if list.len() > BUNDLE_ENTRIES {
                return Err(format!("it has {} entries, and {BUNDLE_ENTRIES} are the most", list.len()));
            }
        }
        let mut left = BUNDLE_TEXT_BYTES;
        for entry in self.entries.iter().chain(&self.elsewhere) {
            let most = match entry.kind {
                Kind::Config => left.min(CONFIG_BYTES as u64),
                kind if kind.is_text() => left.min(ENVELOPE_BYTES),
                _ => BUNDLE_ENTRY_BYTES,
            };
            if entry.size > most {
                return Err(format!("{} has {} bytes, and {most} are the most", entry.path, entry.size));
            }
            if entry.kind.is_text() {
                left -= entry.size;
            }
        }
        let bytes = self.text().len() as u64;
        if bytes > BUNDLE_MANIFEST_BYTES {
            return Err(format!("its manifest has {bytes} bytes, and {BUNDLE_MANIFEST_BYTES} are the most"));
        }
        Ok(())
    }

    /// Refuses what a file of this size may not hold.
    pub fn check_ratio(&self, size: u64) -> Result<(), String> {
        let (bytes, most) = (self.bytes(), size.saturating_mul(BUNDLE_RATIO).max(BUNDLE_FREE_BYTES));
        if bytes > most {
            return Err(format!("{bytes} bytes are said to be in {size}, and {most} are the most"));
        }
        Ok(())
    }

    /// Refuses entries with names of their own, twice or out of order, and sizes past the limits.
    fn check(&self) -> Result<(), String> {
        for list in [&self.entries, &self.elsewhere] {
            if let Some(entry) = list.iter().find(|it| **it != Entry::new(it.kind, it.blake3, it.size)) {
                return Err(format!("its manifest names {:?}, which is no name of an entry", entry.path));
            }
            if !list.is_sorted_by(|a, b| (a.kind, a.blake3) < (b.kind, b.blake3)) {
                return Err("its manifest has an entry twice, or not in their order".to_owned());
            }
        }
        self.check_sizes()
    }

    /// The bytes of all entries.
    pub fn bytes(&self) -> u64 {
        // At most a hundred thousand of eight gigabytes.
        self.entries.iter().map(|entry| entry.size).sum()
    }

    /// The entries of a kind.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.kind == kind)
    }
}
