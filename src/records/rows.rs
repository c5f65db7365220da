//! Row types. Fields are only ever added at the end, together with a new record version.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::{ContentHash, Fingerprint, NodeId, NodeKey, RunId, Timestamp};
use crate::db::{self, CodecError};
use crate::records::codec::Record;

/// A run, as far as it must survive: what was asked, what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRow {
    /// What became of it so far.
    pub status: RunStatus,
    /// The effect's or the config's name.
    pub recipe: String,
    /// The config's version, as written.
    pub recipe_version: Option<String>,
    /// The config's content hash; `None` for a bare effect.
    pub config: Option<ContentHash>,
    /// Node id of each variable input and its hashes (several for a list), in the config's order.
    pub bindings: Vec<(NodeId, Vec<ContentHash>)>,
    /// Node id of each fixed input and what it was when the run was submitted.
    pub fixed: Vec<(NodeId, ContentHash)>,
    /// Every source that its plan reads, fixed ones too: what it holds.
    pub inputs: Vec<ContentHash>,
    /// Parameters given with the run, JSON.
    pub params: String,
    /// The output's format, where the request asked for another than the recipe's.
    pub format: Option<String>,
    /// The quality that goes with it.
    pub quality: Option<u8>,
    /// How it is run.
    pub options: RunOptions,
    /// The output's name.
    pub output_name: String,
    /// The output, once there is one.
    pub output: Option<ContentHash>,
    /// Its media type.
    pub output_media_type: Option<String>,
    /// The provenance record's blob.
    pub provenance: Option<ContentHash>,
    /// When it was submitted.
    pub created_at: Timestamp,
    /// When its first stage started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
    /// Why it failed, one sentence.
    pub error: Option<String>,
    /// More on that.
    pub error_detail: Option<String>,
    /// Did it fail for want of space?
    pub storage_full: bool,
    /// Warnings of its config and inputs.
    pub warnings: Vec<String>,
    /// Higher runs first.
    pub priority: i32,
    /// Does it wait until released?
    pub held: bool,
    /// Times it was started.
    pub attempts: u32,
    /// Does it go on in a worker when the process that runs it ends?
    pub detached: bool,
    /// Who submitted it.
    pub username: Option<String>,
    /// Counts, once it ended.
    pub stats: RunStats,
    /// Nodes: all, done, and of these known before.
    pub progress: (u64, u64, u64),
    /// The run that this one renders again.
    pub verifies: Option<RunId>,
    /// Whether that gave the same.
    pub verdict: Option<Verdict>,
    /// Its place among runs of its priority: given when it was accepted, and never again.
    pub sequence: u64,
}

/// A run's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RunStatus {
    /// Accepted, not started.
    Pending,
    /// Started.
    Running,
    /// Its output is there.
    Completed,
    /// It ended without an output.
    Failed,
    /// Somebody ended it.
    Cancelled,
}

impl RunStatus {
    /// Every status.
    pub const ALL: [Self; 5] = [Self::Pending, Self::Running, Self::Completed, Self::Failed, Self::Cancelled];

    /// The status of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }

    /// Has it ended?
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// The status in a word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Did a rendering again give the same output?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Bit for bit.
    Same,
    /// Not.
    Different,
}

/// How a run is run; none of it changes its output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunOptions {
    /// Take known results.
    pub cache: bool,
    /// Join nodes into stages.
    pub fuse: bool,
    /// Nodes whose values are kept.
    pub keep: Vec<NodeId>,
    /// Nodes that run although known.
    pub force: Vec<NodeId>,
    /// `auto`, `never`, or a node's id.
    pub checkpoint: String,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self { cache: true, fuse: true, keep: Vec::new(), force: Vec::new(), checkpoint: "auto".to_owned() }
    }
}

/// What a run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RunStats {
    /// Stages that ran.
    pub stages: u64,
    /// Nodes whose known results were used.
    pub hits: u64,
    /// Nodes that were computed.
    pub misses: u64,
    /// Blobs that were new to the store.
    pub blobs_written: u64,
}

/// A memo row: the result of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoRow {
    /// The value's blob.
    pub hash: ContentHash,
    /// The run that made it.
    pub run: RunId,
    /// On what: a row of the infrastructure table.
    pub infra: Fingerprint,
    /// When.
    pub made_at: Timestamp,
}

/// What a key is made of (see `plan::key`), for `why`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRow {
    /// Node type.
    pub node_type: String,
    /// Its version.
    pub version: u32,
    /// A source's content.
    pub content: Option<ContentHash>,
    /// Canonical parameters.
    pub params: String,
    /// The inputs' keys.
    pub inputs: Vec<NodeKey>,
    /// Tools by name.
    pub tools: Vec<(String, Fingerprint)>,
}

/// What ffmpeg's one look at a blob told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeRow {
    /// Its streams, JSON; `None` if it cannot be used as a film or a sound.
    pub clip: Option<String>,
    /// Why not.
    pub damage: Option<String>,
    /// The version of the look, `media::ffmpeg::LOOK`: 0 where it was not noted.
    pub look: u32,
}

/// A look as version 1 of its row has it.
#[derive(Serialize, Deserialize)]
struct FirstProbe {
    clip: Option<String>,
    damage: Option<String>,
}

impl Record for ProbeRow {
    const VERSION: u8 = 2;

    fn from_bytes(bytes: &[u8]) -> Result<Self, CodecError> {
        match bytes.first() {
            Some(1) => {
                db::decode::<FirstProbe>(1, bytes).map(|FirstProbe { clip, damage }| Self { clip, damage, look: 0 })
            }
            _ => db::decode(Self::VERSION, bytes),
        }
    }
}

/// An asset: a friendly name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetRow {
    /// The blob it names.
    pub hash: ContentHash,
    /// When it was named so.
    pub created_at: Timestamp,
}

/// A registered config. Its bytes are the blob of its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigRow {
    /// Its name.
    pub name: String,
    /// Its version, as written.
    pub version: Option<String>,
    /// When it was registered.
    pub created_at: Timestamp,
    /// A number that grows with each registration: the newest version of a name has the largest.
    pub sequence: u64,
    /// The content of its fixed inputs when it was registered, as far as it was known: held.
    pub fixed: Vec<ContentHash>,
}

/// Who made values: software and hardware, canonical JSON as in provenance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InfraRow {
    /// `{"software": …, "hardware": …}`.
    pub json: String,
}

/// An access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRow {
    /// What it is for.
    pub name: String,
    /// BLAKE3 of the token: the token itself is nowhere stored here.
    pub hash: Fingerprint,
    /// `read`, `run`, `delete`, `admin`.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Somebody who logged in with a browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRow {
    /// Whose it is.
    pub of: SessionOf,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// Whose a session is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionOf {
    /// A token's of this home, by its id: it ends with the token, and may what the token may.
    Token(String),
    /// A user's of another server that is trusted here.
    User {
        /// Who it is to that server.
        subject: String,
        /// What they are called.
        name: String,
        /// That server.
        issuer: String,
    },
}

/// What was asked for under an idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdempotencyRow {
    /// BLAKE3 of the body that came with the key.
    pub body: ContentHash,
    /// The run that it made.
    pub run: RunId,
    /// When.
    pub created_at: Timestamp,
}

/// A run that came as a task: whom its result is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskRow {
    /// The task's id.
    pub task: String,
    /// Does anybody want the result?
    pub wants_result: bool,
    /// The task that called this one.
    pub parent: Option<String>,
    /// The group that it belongs to.
    pub group: Option<String>,
}

/// The signature of a provenance record. What was signed follows from the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealRow {
    /// The id of the key.
    pub key_id: String,
    /// Its signature.
    pub signature: Vec<u8>,
    /// The SHA-256 of the output, if it was signed too.
    pub sha256: Option<Fingerprint>,
}

/// Who holds a blob, so that it may not be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holder {
    /// An input of this run.
    RunInput(RunId),
    /// The output of this run.
    RunOutput(RunId),
    /// The provenance record of this run.
    RunProvenance(RunId),
    /// The config of this run.
    RunConfig(RunId),
    /// A fixed input of this config.
    ConfigInput(ContentHash),
    /// The text of this config.
    ConfigText(ContentHash),
    /// The output that the publication of this run is about.
    PublishedOutput(RunId),
    /// What that output was made of.
    PublishedInput(RunId),
    /// The provenance and the config of that output.
    PublishedRecord(RunId),
}

impl Holder {
    /// Is what it holds published?
    pub const fn is_publication(&self) -> bool {
        matches!(self, Self::PublishedOutput(_) | Self::PublishedInput(_) | Self::PublishedRecord(_))
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RunInput(run) => write!(f, "input of run {run}"),
            Self::RunOutput(run) => write!(f, "output of run {run}"),
            Self::RunProvenance(run) => write!(f, "provenance of run {run}"),
            Self::RunConfig(run) => write!(f, "config of run {run}"),
            Self::ConfigInput(config) => write!(f, "fixed input of config {config}"),
            Self::ConfigText(config) => write!(f, "text of config {config}"),
            Self::PublishedOutput(run) => write!(f, "published: the output of publication {run}"),
            Self::PublishedInput(run) => write!(f, "published: an input of publication {run}"),
            Self::PublishedRecord(run) => write!(f, "published: a record of publication {run}"),
        }
    }
}
