//! What commands ask for, whoever carries it out: the open home ([`home`]), or a server over
//! HTTP ([`remote`]).
//!
//! Commands know this trait and the views that it answers with, never the engine or HTTP. Both
//! sides give the same answers and the same errors, so that a command prints the same with
//! `--server` and without.

pub mod follow;
pub mod home;
pub mod remote;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::base::{AssetName, ContentHash, NodeKey, RunId, Timestamp};
use crate::cli::error::CliError;
use crate::engine::gc::Collected;
use crate::engine::moving::Moved;
use crate::engine::views::{BlobInfo, ConfigView, PlanView, PublicationView, RunView};
use crate::engine::{Engine, Freed, KeyView, RecipeRef, Request, Scopes, Token, Upload, VerifyReport};
use crate::link::Keys;
use crate::plan::explain::Why;
use crate::records::{Origin, RunStatus};
use follow::Follow;

/// What a command answers with.
pub type Answer<T> = Result<T, CliError>;

/// Everything that commands ask for.
pub trait Backend: Runs + Blobs + Registry {
    /// The directory that copies of outputs go into.
    fn out_directory(&self) -> PathBuf;

    /// Where it is carried out.
    fn place(&self) -> Place<'_>;

    /// Takes over a home of the original, on the machine that has it. `stop` ends it early.
    fn move_in(&self, directory: &Path, runs: &[String], dry_run: bool, stop: &dyn Fn() -> bool) -> Answer<Moved>;

    /// Tokens are made, listed and revoked where they are kept: on the server's own machine.
    fn tokens(&self) -> Answer<&dyn Tokens>;

    /// The keys of the home: on its own machine alone.
    fn keys(&self) -> Answer<Keys>;

    /// The document of the home's actor, as other servers read it: on its own machine alone.
    fn actor(&self) -> Answer<serde_json::Value>;

    /// The open home itself, for what is done on its own machine alone.
    fn engine(&self) -> Answer<&Engine>;
}

/// Access tokens of a home.
pub trait Tokens {
    /// Makes a token, which is told this once.
    fn add(&self, name: &str, scopes: Scopes) -> Answer<(Token, String)>;

    /// All tokens, newest first.
    fn list(&self) -> Answer<Vec<Token>>;

    /// Takes a token back, by its id or name.
    fn revoke(&self, word: &str) -> Answer<Token>;
}

/// Where a command is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// In this process, which opened the home and closes it again.
    Here,
    /// In the worker or server that holds the home, for a command elsewhere on this machine.
    Holder,
    /// At the server with this address.
    Server(&'a str),
}

/// Which runs are listed.
#[derive(Debug, Clone, Copy, Default)]
pub struct RunsOf<'a> {
    /// Of this status.
    pub status: Option<RunStatus>,
    /// Of this recipe.
    pub recipe: Option<&'a str>,
}

/// Runs: asked for, looked at, ended.
pub trait Runs {
    /// The run that a word names: its id, the beginning of exactly one id, or `latest`.
    fn find_run(&self, word: &str) -> Answer<RunId>;

    /// A run as it stands.
    fn run(&self, run: RunId) -> Answer<RunView>;

    /// Runs, newest first.
    fn runs(&self, of: &RunsOf<'_>, limit: usize) -> Answer<Vec<RunView>>;

    /// The plan of a run.
    fn run_plan(&self, run: RunId) -> Answer<PlanView>;

    /// Accepts a run; `wait` says that the command waits for it, `out` where its output goes.
    fn submit(&self, request: &Request, wait: bool, out: Option<&Path>) -> Answer<RunId>;

    /// The plan of a request; nothing is run.
    fn plan(&self, request: &Request) -> Answer<PlanView>;

    /// Explains a node of a request's plan.
    fn why(&self, request: &Request, node: &str) -> Answer<Why>;

    /// Explains a node of a run.
    fn why_of_run(&self, run: RunId, node: &str) -> Answer<Why>;

    /// The provenance record of a run, or of the run that made a blob; or the record itself.
    fn provenance(&self, word: &str) -> Answer<Vec<u8>>;

    /// The runs whose output a blob is, oldest first.
    fn runs_that_gave(&self, hash: &ContentHash) -> Answer<Vec<RunId>>;

    /// Publishes the output of a completed run.
    fn publish(&self, run: RunId) -> Answer<RunView>;

    /// What is published, newest first, and how far its delivery is.
    fn publications(&self, limit: usize) -> Answer<Vec<PublicationView>>;

    /// The signed envelope of that record.
    fn envelope(&self, word: &str) -> Answer<Vec<u8>>;

    /// What a node's key is made of, if that is known.
    fn key_view(&self, key: &NodeKey) -> Answer<Option<KeyView>>;

    /// Starts a run that renders another one again.
    fn verify(&self, run: RunId) -> Answer<RunId>;

    /// Asks a run to stop; it may take a moment until it has.
    fn cancel(&self, run: RunId) -> Answer<()>;

    /// Keeps a run that waits from being begun, or lets it be.
    fn hold(&self, run: RunId, held: bool) -> Answer<RunView>;

    /// Begins no waiting runs until it is called again with false.
    fn pause_queue(&self, paused: bool) -> Answer<()>;

    /// Deletes a run that has ended.
    fn remove_run(&self, run: RunId, dry_run: bool) -> Answer<Freed>;

    /// What happens to a run from now on, beginning with how it stands.
    fn follow(&self, run: RunId) -> Answer<Box<dyn Follow + '_>>;

    /// The command ends before its run: the run goes on without it.
    fn leave(&self, run: RunId) -> Answer<()>;
}

/// Blobs and their names.
pub trait Blobs {
    /// Takes in a file, and names it if asked.
    fn add_file(&self, path: &Path, name: Option<AssetName>) -> Answer<Upload>;

    /// Takes in files; each is told of by its index as soon as it is done, in any order, until `each` says false.
    fn add_files(&self, paths: &[PathBuf], each: &mut dyn FnMut(usize, Answer<Upload>) -> bool) {
        for (index, path) in paths.iter().enumerate() {
            if !each(index, self.add_file(path, None)) {
                return;
            }
        }
    }

    /// Takes in all that a reader gives, and names it if asked.
    fn add_stream(&self, input: &mut dyn Read, name: Option<AssetName>) -> Answer<Upload>;

    /// Takes in a file that a run needs: sent only if it is not there.
    fn need_file(&self, path: &Path) -> Answer<ContentHash>;

    /// Writes a blob's bytes, which are what its hash says when this succeeds.
    fn read(&self, hash: &ContentHash, to: &mut dyn Write) -> Answer<()>;

    /// Copies a blob to a file of the user's, which appears whole or not at all.
    fn export(&self, hash: &ContentHash, path: &Path) -> Answer<()>;

    /// Blobs whose media type begins with `prefix`, newest first.
    fn blobs(&self, prefix: &str) -> Answer<Vec<BlobView>>;

    /// All that is known of a blob.
    fn blob(&self, hash: &ContentHash) -> Answer<BlobInfo>;

    /// Removes a blob that nothing holds.
    fn remove_blob(&self, hash: &ContentHash, dry_run: bool) -> Answer<Freed>;

    /// Hashes every blob again, or those given; stops early when `stop` says so.
    fn verify_blobs(&self, only: &[ContentHash], stop: &dyn Fn() -> bool) -> Answer<VerifyReport>;

    /// Makes room.
    fn gc(&self, max_bytes: Option<u64>, orphans: bool, dry_run: bool) -> Answer<Collected>;

    /// All assets.
    fn assets(&self) -> Answer<BTreeMap<String, ContentHash>>;

    /// The blob that a name stands for, if it stands for one.
    fn find_asset(&self, name: &str) -> Answer<Option<ContentHash>>;

    /// Points a name at a blob.
    fn set_asset(&self, name: AssetName, hash: ContentHash) -> Answer<()>;

    /// Takes a name away; what it stood for.
    fn remove_asset(&self, name: &str, dry_run: bool) -> Answer<ContentHash>;
}

/// Registered configs.
pub trait Registry {
    /// Checks a config and, unless `check`, registers it; true if it was not registered before.
    fn add_config(&self, bytes: Vec<u8>, check: bool) -> Answer<(ConfigView, bool)>;

    /// All configs, newest first.
    fn configs(&self) -> Answer<Vec<ConfigView>>;

    /// The config that a word names: its id, or its name (the newest version).
    fn find_config(&self, word: &str) -> Answer<ConfigView>;

    /// A config's file.
    fn config_bytes(&self, id: &ContentHash) -> Answer<Vec<u8>>;

    /// Takes a config out of the register.
    fn remove_config(&self, id: ContentHash, dry_run: bool) -> Answer<()>;

    /// The recipe that a word names: an effect, a config's id, or a config's name.
    fn find_recipe(&self, word: &str) -> Answer<RecipeRef>;
}

/// A blob in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobView {
    /// Its name.
    pub content_hash: ContentHash,
    /// Its bytes.
    pub size: u64,
    /// Its type.
    pub media_type: String,
    /// How it came.
    pub origin: Origin,
    /// Assets that name it.
    pub names: Vec<String>,
    /// When it came.
    pub created_at: Timestamp,
}
