//! Making a bundle: what belongs to the runs, configs and blobs that somebody names.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::Write;
use std::path::Path;

use serde_json::Value;

use crate::base::limits::{BUNDLE_ENTRY_BYTES, BUNDLE_TEXT_BYTES, CHAIN_RECORDS};
use crate::base::{ContentHash, RunId, Timestamp, canonical};
use crate::engine::{Engine, EngineError};
use crate::link::bundle::manifest::{Entry, Kind, Manifest, UsedEffect, VERSION};
use crate::link::bundle::{Bundle, BundleError, import, write};
use crate::link::{Keys, integrity};

/// What goes with the runs beside their recipes, inputs and records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct With {
    /// Their outputs.
    pub outputs: bool,
    /// Values between nodes, as far as they are kept.
    pub intermediates: bool,
}

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Export {
    /// Runs, configs, hashes.
    pub words: Vec<String>,
    /// What goes with runs.
    pub with: With,
    /// What the other side has.
    pub elsewhere: HashSet<ContentHash>,
}

/// Writes a bundle; its manifest and size. A file that has the name stays as it is until the new
/// one is whole and an import would take it.
pub fn export(engine: &Engine, keys: &Keys, wanted: &Export, path: &Path) -> Result<(Manifest, u64), BundleError> {
    let mut gathered = Gathered {
        engine,
        keys,
        found: BTreeMap::new(),
        placed: HashSet::new(),
        texts: BTreeMap::new(),
        text_bytes: 0,
    };
    let (mut asked, mut effects) = (BTreeSet::new(), BTreeSet::new());
    for word in &wanted.words {
        match gathered.find(word)? {
            Named::Run(run) => {
                if asked.insert(run) {
                    gathered.run(run, wanted.with, &mut effects)?;
                }
            }
            Named::Config(config) => gathered.config(config)?,
            Named::Blob(hash) => gathered.blob(Kind::Input, hash)?,
        }
    }
    let runs = gathered.runs_before(asked, &mut effects)?;
    let (mut entries, mut elsewhere) = (Vec::new(), Vec::new());
    for ((kind, hash), size) in &gathered.found {
        let left_out = !kind.is_text() && wanted.elsewhere.contains(hash);
        (if left_out { &mut elsewhere } else { &mut entries }).push(Entry::new(*kind, *hash, *size));
    }
    let effects = effects.into_iter().collect();
    let manifest = Manifest { bundle: VERSION, effects, elsewhere, entries, runs: runs.into_iter().collect() };
    let too_large = |why: String| BundleError::TooLarge(format!("no bundle can be made of this: {why}; make several"));
    manifest.check_sizes().map_err(too_large)?;
    let texts = gathered.texts;
    let written = write::write(keys, &manifest, path, &mut |entry: &Entry, to: &mut dyn Write| {
        let failed = |error: &std::io::Error| BundleError::from(EngineError::file(path, error));
        match texts.get(&(entry.kind, entry.blake3)) {
            Some(text) => to.write_all(text).map_err(|error| failed(&error)),
            None => to.write_all(&engine.read_checked(&entry.blake3)?).map_err(|error| failed(&error)),
        }
    })?;
    manifest
        .check_ratio(written.size)
        .map_err(|why| too_large(format!("it compresses so well that others would take it for a bomb ({why})")))?;
    import::check_all(engine, &Bundle::open(written.path(), None)?)?;
    Ok((manifest, written.keep()?))
}

/// The copy of an activity that goes into bundles, with a proof by the key that signs the bundle: the home may have
/// got another key since it was published.
fn by_this_key(keys: &Keys, sealed: String) -> Result<String, BundleError> {
    let key = keys.ed25519()?;
    let mut activity: Value = serde_json::from_str(&sealed).unwrap_or_default();
    if integrity::verify(&activity, &key.verifying_key()).is_ok() {
        return Ok(sealed);
    }
    let method = activity["proof"]["verificationMethod"].as_str().unwrap_or_default().to_owned();
    let document = activity.as_object_mut().map(std::mem::take).unwrap_or_default();
    Ok(integrity::sign(document, key, &method, Timestamp::now()).to_string())
}

/// What a word names.
enum Named {
    Run(RunId),
    Config(ContentHash),
    Blob(ContentHash),
}

struct Gathered<'a> {
    engine: &'a Engine,
    keys: &'a Keys,
    found: BTreeMap<(Kind, ContentHash), u64>,
    /// Blobs that have an entry: one that is an input of one run and the output of another has one.
    placed: HashSet<ContentHash>,
    texts: BTreeMap<(Kind, ContentHash), Vec<u8>>,
    /// Bytes of these, which are held in memory.
    text_bytes: u64,
}

impl Gathered<'_> {
    fn find(&self, word: &str) -> Result<Named, BundleError> {
        if let Ok(config) = self.engine.find_config(word) {
            return Ok(Named::Config(config.id));
        }
        let Ok(hash) = word.parse::<ContentHash>() else { return Ok(Named::Run(self.engine.find_run(word)?)) };
        match self.engine.provenance(word) {
            Ok(record) => {
                let record: Value = serde_json::from_slice(&record).unwrap_or_default();
                let run = record["run_id"].as_str().unwrap_or_default();
                Ok(Named::Run(self.engine.find_run(run)?))
            }
            Err(EngineError::NotFound { .. }) => Ok(Named::Blob(self.engine.ours(hash)?)),
            Err(error) => Err(error.into()),
        }
    }

    fn blob(&mut self, kind: Kind, hash: ContentHash) -> Result<(), BundleError> {
        if !self.placed.insert(hash) {
            return Ok(());
        }
        let missing = || EngineError::NotFound { what: "blob", name: hash.to_string(), hint: String::new() };
        let size = self.engine.blob_size(&hash)?.ok_or_else(missing)?;
        if size > BUNDLE_ENTRY_BYTES {
            return Err(BundleError::TooLarge(format!(
                "{hash} has {size} bytes, and {BUNDLE_ENTRY_BYTES} are the most in a bundle; send it by itself"
            )));
        }
        self.found.insert((kind, hash), size);
        Ok(())
    }

    fn text(&mut self, kind: Kind, text: Vec<u8>) -> Result<(), BundleError> {
        let (hash, size) = (ContentHash::of(&text), text.len() as u64);
        if self.found.insert((kind, hash), size).is_none() {
            self.text_bytes += size;
        }
        if self.text_bytes > BUNDLE_TEXT_BYTES {
            let most = BUNDLE_TEXT_BYTES;
            return Err(BundleError::TooLarge(format!("its records have more than {most} bytes; make several")));
        }
        self.texts.insert((kind, hash), text);
        Ok(())
    }

    fn config(&mut self, config: ContentHash) -> Result<(), BundleError> {
        for hash in self.engine.find_config(&config.to_string())?.row.fixed {
            self.blob(Kind::Input, hash)?;
        }
        self.text(Kind::Config, self.engine.read_checked(&config)?.to_vec())
    }

    /// These runs, and those that made what they read, and so on back to what somebody brought:
    /// what a check of provenance follows. Of the earlier ones there goes what that check reads.
    fn runs_before(
        &mut self,
        asked: BTreeSet<RunId>,
        effects: &mut BTreeSet<UsedEffect>,
    ) -> Result<BTreeSet<RunId>, BundleError> {
        let mut waiting: Vec<RunId> = asked.iter().copied().collect();
        let (mut runs, mut earlier) = (asked, 0);
        while let Some(run) = waiting.pop() {
            for input in self.engine.carried_run(run)?.inputs {
                let Some((before, _)) = self.engine.maker_of(&input)? else { continue };
                if !runs.insert(before) {
                    continue;
                }
                earlier += 1;
                if earlier > CHAIN_RECORDS {
                    let why = format!("it goes back over more than {CHAIN_RECORDS} runs, further than it is followed");
                    return Err(BundleError::TooLarge(why));
                }
                self.run(before, With::default(), effects)?;
                waiting.push(before);
            }
        }
        Ok(runs)
    }

    fn run(&mut self, run: RunId, with: With, effects: &mut BTreeSet<UsedEffect>) -> Result<(), BundleError> {
        let carried = self.engine.carried_run(run)?;
        if let Some(config) = carried.config {
            self.text(Kind::Config, self.engine.read_checked(&config)?.to_vec())?;
        }
        for input in &carried.inputs {
            self.blob(Kind::Input, *input)?;
        }
        if with.outputs {
            self.blob(Kind::Output, carried.output)?;
        }
        let record = self.engine.read_checked(&carried.provenance)?.to_vec();
        let about: Value = serde_json::from_slice(&record).unwrap_or_default();
        if with.intermediates {
            let nodes = about["nodes"].as_array().into_iter().flatten();
            for value in nodes.filter_map(|node| node["output_hash"].as_str()?.parse().ok()) {
                if value != carried.output && self.engine.blob_size(&value)?.is_some() {
                    self.blob(Kind::Intermediate, value)?;
                }
            }
        }
        let used = about["effects"].as_array().into_iter().flatten();
        effects.extend(used.filter_map(|effect| {
            Some(UsedEffect {
                content_hash: effect["content_hash"].as_str()?.parse().ok()?,
                name: effect["name"].as_str()?.to_owned(),
                version: effect["version"].as_str()?.to_owned(),
            })
        }));
        self.text(Kind::Record, record)?;
        self.text(Kind::Envelope, self.engine.envelope(&run.to_string())?)?;
        self.text(Kind::Run, canonical::to_string(&carried).into_bytes())?;
        if let Some(publication) = self.engine.find_publication(run)? {
            self.text(Kind::Activity, by_this_key(self.keys, publication.row.sealed)?.into_bytes())?;
        }
        Ok(())
    }
}
