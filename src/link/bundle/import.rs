//! Taking in a bundle: everything is checked, and only then is anything written.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io::Read;

use ed25519_dalek::VerifyingKey;
use serde::Serialize;
use serde_json::Value;

use crate::base::{ContentHash, RunId, canonical};
use crate::engine::carry::{self, CarriedRun};
use crate::engine::seal::Signature;
use crate::engine::{Engine, EngineError, Uploader};
use crate::link::bundle::{Bundle, BundleError, Entry, Kind};
use crate::link::dsse::{self, Sealed};
use crate::link::{check, integrity, keys};

/// What an import did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// Files that are new here.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files that were here.
    pub known_blobs: u64,
    /// Configs, new or known.
    pub configs: u64,
    /// Runs that are new here.
    pub runs: Vec<RunId>,
    /// Runs that were here.
    pub known_runs: Vec<RunId>,
    /// Activities that stay in the bundle.
    pub activities: u64,
}

/// What a checked bundle holds beside files.
#[derive(Default)]
pub(super) struct Texts {
    configs: HashMap<ContentHash, Vec<u8>>,
    records: HashMap<ContentHash, Vec<u8>>,
    envelopes: HashMap<ContentHash, Sealed>,
    runs: Vec<CarriedRun>,
}

/// Takes in a bundle; with `dry_run` only says what that would do.
pub fn import(engine: &Engine, bundle: &Bundle, dry_run: bool) -> Result<Imported, BundleError> {
    let texts = check_all(engine, bundle)?;
    let mut done = Imported { activities: bundle.manifest.of(Kind::Activity).count() as u64, ..Imported::default() };
    let mut wanted = HashSet::new();
    for entry in bundle.manifest.entries.iter().filter(|entry| !entry.kind.is_text()) {
        // One that is here and damaged is mended by this.
        if engine.read_checked(&entry.blake3).is_ok() {
            done.known_blobs += 1;
        } else {
            done.blobs += 1;
            done.bytes += entry.size;
            wanted.insert(entry.blake3);
        }
    }
    done.configs = texts.configs.len() as u64;
    for run in &texts.runs {
        let list = if engine.has_run(run)? { &mut done.known_runs } else { &mut done.runs };
        list.push(run.run_id);
    }
    engine.has_room(done.bytes)?;
    if dry_run {
        return Ok(done);
    }
    let made = texts.made();
    // What runs made is recorded with them, and belongs to nothing until then.
    let _bringing = engine.bring();
    if !wanted.is_empty() {
        bundle.read(&mut |entry, from| {
            if !wanted.contains(&entry.blake3) {
                return Ok(());
            }
            let uploader = take_blob(engine, bundle, entry, from)?;
            if made.contains(&entry.blake3) {
                uploader.store()?;
            } else {
                uploader.finish(None, false)?;
            }
            Ok(())
        })?;
    }
    for (_, config) in texts.configs {
        engine.add_config(config)?;
    }
    let mut records = texts.records;
    let mut runs: Vec<(&CarriedRun, Vec<ContentHash>)> = texts
        .runs
        .iter()
        .map(|run| {
            let values = records.get(&run.provenance).map(|record| values_of(run, record)).unwrap_or_default();
            (run, values.into_iter().filter(|value| made.contains(value)).collect())
        })
        .collect();
    // One that made what another reads comes first.
    runs.sort_unstable_by_key(|(run, _)| run.run_id);
    for (run, values) in runs {
        let sealed = texts.envelopes.get(&run.provenance);
        let (Some(record), Some(sealed)) = (records.remove(&run.provenance), sealed) else { continue };
        let signature = Signature {
            key_id: keys::did_of(&sealed.signer),
            signature: sealed.signature.clone(),
            sha256: sealed.sha256,
        };
        engine.take_run(run, record, signature, values)?;
    }
    Ok(done)
}

/// Every value that a run's record says the run made or took as known, its output first.
fn values_of(run: &CarriedRun, record: &[u8]) -> Vec<ContentHash> {
    let record: Value = serde_json::from_slice(record).unwrap_or_default();
    let nodes = record["nodes"].as_array().into_iter().flatten();
    let values = nodes.filter_map(|node| node["output_hash"].as_str()?.parse().ok());
    std::iter::once(run.output).chain(values).collect()
}

/// Streams a file in. It may be kept only if it is what the manifest says.
fn take_blob(engine: &Engine, bundle: &Bundle, entry: &Entry, from: &mut dyn Read) -> Result<Uploader, BundleError> {
    let mut uploader = engine.uploader(Some(entry.size))?;
    let (mut hasher, mut piece) = (blake3::Hasher::new(), vec![0; 1 << 16]);
    loop {
        let read = from.read(&mut piece).map_err(|error| bundle.changed(format!("{}: {error}", entry.path)))?;
        if read == 0 {
            break;
        }
        hasher.update(&piece[..read]);
        uploader.push(&piece[..read])?;
    }
    if ContentHash::from(hasher.finalize()) != entry.blake3 {
        return Err(bundle.changed("it was changed while it was taken in"));
    }
    Ok(uploader)
}

/// Checks everything that is in a bundle, and that what it counts on is here.
pub(super) fn check_all(engine: &Engine, bundle: &Bundle) -> Result<Texts, BundleError> {
    let mut texts = Texts::default();
    bundle.read(&mut |entry, from| {
        if !entry.kind.is_text() {
            return Ok(());
        }
        // How long all of these may be was judged with the manifest.
        let mut text = Vec::new();
        let read = from.take(entry.size).read_to_end(&mut text);
        read.map_err(|error| bundle.changed(format!("{}: {error}", entry.path)))?;
        if ContentHash::of(&text) != entry.blake3 {
            return Err(bundle.changed(format!("{} has other bytes than its manifest says", entry.path)));
        }
        texts.take(entry, text, &bundle.seal.signer).map_err(|why| bundle.changed(format!("{}: {why}", entry.path)))
    })?;
    let files = bundle.manifest.entries.iter().filter(|entry| !entry.kind.is_text());
    let files: HashSet<ContentHash> = files.map(|entry| entry.blake3).collect();
    let mut missing = BTreeSet::new();
    for entry in &bundle.manifest.elsewhere {
        if engine.read_checked(&entry.blake3).is_err() {
            missing.insert(entry.blake3);
        }
    }
    let mut ids: Vec<RunId> = Vec::new();
    for run in &texts.runs {
        let why = |why: String| bundle.changed(format!("run {}: {why}", run.run_id));
        texts.check_run(run).map_err(why)?;
        engine.has_run(run)?;
        ids.push(run.run_id);
        let absent = |hash: &&ContentHash| !files.contains(hash) && engine.read_checked(hash).is_err();
        missing.extend(run.inputs.iter().filter(absent));
        let unread = |hash: &&ContentHash| !texts.configs.contains_key(hash) && engine.read_checked(hash).is_err();
        missing.extend(run.config.iter().filter(unread));
    }
    ids.sort_unstable();
    if ids != bundle.manifest.runs {
        return Err(bundle.changed("its manifest names other runs than it holds"));
    }
    let of_runs: HashSet<ContentHash> = texts.runs.iter().map(|run| run.provenance).collect();
    let of_nobody = |hash: &ContentHash| !of_runs.contains(hash);
    if texts.records.keys().any(of_nobody) || texts.envelopes.keys().any(of_nobody) {
        return Err(bundle.changed("it holds a record that belongs to none of its runs"));
    }
    match missing.first() {
        Some(first) => Err(BundleError::Elsewhere { count: missing.len(), first: *first }),
        None => Ok(texts),
    }
}

/// Is a run's recipe the one of its record? A bare effect is among those that were used.
fn is_of_recipe(record: &Value, run: &CarriedRun) -> bool {
    let version = run.recipe_version.as_deref().map_or(Value::Null, Value::from);
    let is_it = |told: &Value| told["name"] == run.recipe.as_str() && told["version"] == version;
    match run.config {
        Some(_) => is_it(&record["recipe"]),
        None => record["effects"].as_array().is_some_and(|effects| effects.iter().any(is_it)),
    }
}

impl Texts {
    /// What the runs made and nobody brought. What one of them has read before any of them made
    /// it came from somewhere else: that is an upload, as it was there.
    fn made(&self) -> HashSet<ContentHash> {
        let mut runs: Vec<&CarriedRun> = self.runs.iter().collect();
        // Ids are in the order of time.
        runs.sort_unstable_by_key(|run| run.run_id);
        let (mut made, mut brought) = (HashSet::new(), HashSet::new());
        for run in runs {
            brought.extend(run.inputs.iter().filter(|input| !made.contains(*input)).copied());
            let record = self.records.get(&run.provenance).map(Vec::as_slice).unwrap_or_default();
            made.extend(values_of(run, record).into_iter().filter(|value| !brought.contains(value)));
        }
        made
    }

    fn take(&mut self, entry: &Entry, text: Vec<u8>, signer: &VerifyingKey) -> Result<(), String> {
        match entry.kind {
            Kind::Config => {
                carry::check_config(&text).map_err(|error: EngineError| error.to_string())?;
                self.configs.insert(entry.blake3, text);
            }
            Kind::Record => {
                self.records.insert(entry.blake3, text);
            }
            Kind::Envelope => {
                let sealed = dsse::open(&text)?;
                self.envelopes.insert(sealed.record_hash(), sealed);
            }
            Kind::Run => {
                let run: CarriedRun = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
                carry::check_names(&run).map_err(|error| error.to_string())?;
                if canonical::to_string(&run).as_bytes() != text {
                    return Err("it is not canonical JSON".to_owned());
                }
                self.runs.push(run);
            }
            Kind::Activity => {
                let activity: Value = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
                integrity::verify(&activity, signer).map_err(|error| error.to_string())?;
            }
            Kind::Input | Kind::Output | Kind::Intermediate => {}
        }
        Ok(())
    }

    /// A run, its record and the record's signature must tell the same.
    fn check_run(&self, run: &CarriedRun) -> Result<(), String> {
        let record = self.records.get(&run.provenance).ok_or("its record is not in the bundle")?;
        let sealed = self.envelopes.get(&run.provenance).ok_or("its record is not signed")?;
        let about: Value = serde_json::from_slice(record).map_err(|error| format!("its record: {error}"))?;
        if let Some(why) = check::inconsistent(&about) {
            return Err(why);
        }
        let named = |list: &Value| -> HashSet<Option<ContentHash>> {
            let hash = |input: &Value| input["content_hash"].as_str()?.parse().ok();
            list.as_array().into_iter().flatten().map(hash).collect()
        };
        let inputs: HashSet<Option<ContentHash>> = run.inputs.iter().copied().map(Some).collect();
        let bound = run.bindings.iter().flat_map(|(_, hashes)| hashes);
        let bound_or_fixed = bound.chain(run.fixed.iter().map(|(_, hash)| hash));
        let config = about["recipe"]["content_hash"].as_str().map(str::to_owned);
        let same = about["run_id"] == run.run_id.to_string().as_str()
            && sealed.output == run.output
            && about["output"]["name"] == run.output_name.as_str()
            && run.output_media_type.as_deref().is_none_or(|told| about["output"]["media_type"] == told)
            && about["rendered_at"] == run.completed_at.unwrap_or(run.created_at).to_string().as_str()
            && is_of_recipe(&about, run)
            && named(&about["inputs"]) == inputs
            && config == run.config.map(|config| config.to_string());
        if !same {
            return Err("it is not what its signed record says".to_owned());
        }
        let mut bound_or_fixed = bound_or_fixed.map(|hash| Some(*hash));
        if bound_or_fixed.any(|hash| !inputs.contains(&hash)) {
            return Err("it is bound to inputs that its record does not name".to_owned());
        }
        Ok(())
    }
}
