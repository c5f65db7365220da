//! A provenance record checked offline: its signature, its hashes, and the chain from the output
//! back to the sources, record by record.

use std::collections::{HashMap, HashSet, VecDeque};

use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::base::limits::CHAIN_RECORDS;
use crate::base::{ContentHash, NodeKey, RunId, canonical};
use crate::engine::KeyView;
use crate::link::dsse::{self, Sealed};
use crate::link::keys;

/// What a check can look up. `None` is what is not there.
pub trait Evidence {
    /// Why it cannot look.
    type Error;

    /// The envelope of the record of the run that made a blob, or of a record.
    fn envelope(&self, hash: &ContentHash) -> Result<Option<Vec<u8>>, Self::Error>;

    /// Writes the bytes of a blob; false if it is not there. Bytes that are not what the name
    /// says may be written: they are hashed by whoever asks.
    fn bytes(&self, hash: &ContentHash, to: &mut dyn std::io::Write) -> Result<bool, Self::Error>;

    /// What a node's key is made of.
    fn key(&self, key: &NodeKey) -> Result<Option<KeyView>, Self::Error>;
}

/// What came of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It is as it should be.
    Right,
    /// What is needed is not here.
    Missing,
    /// It is not what it should be.
    Wrong,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// `signature`, `record`, `output`, `source` or `chain`.
    pub what: String,
    /// Of what: a hash, a key, or a node.
    pub of: String,
    /// What came of it.
    pub outcome: Outcome,
    /// In words.
    pub note: String,
}

/// All checks.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Report {
    /// One by one, from the output to the sources.
    pub findings: Vec<Finding>,
    /// Other runs with the output that was asked for, which have records of their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<RunId>,
}

impl Report {
    /// The worst outcome; nothing checked is missing.
    pub fn outcome(&self) -> Outcome {
        let any = |outcome| self.findings.iter().any(|finding| finding.outcome == outcome);
        match (any(Outcome::Wrong), any(Outcome::Missing) || self.findings.is_empty()) {
            (true, _) => Outcome::Wrong,
            (false, true) => Outcome::Missing,
            (false, false) => Outcome::Right,
        }
    }

    fn add(&mut self, what: &str, of: impl std::fmt::Display, outcome: Outcome, note: impl Into<String>) {
        self.findings.push(Finding { what: what.to_owned(), of: of.to_string(), outcome, note: note.into() });
    }
}

/// Checks an envelope and all that its record stands on. `about` is the content that its record
/// must be about, if one was asked for; `signed_by` the key that must have signed, if one is
/// demanded.
pub fn check<E: Evidence>(
    envelope: &[u8],
    about: Option<ContentHash>,
    signed_by: Option<&VerifyingKey>,
    evidence: &E,
) -> Result<Report, E::Error> {
    let mut report = Report::default();
    let mut waiting = VecDeque::from([(envelope.to_vec(), about)]);
    let mut seen = HashSet::new();
    while let Some((envelope, about)) = waiting.pop_front() {
        let sealed = match dsse::open(&envelope) {
            Ok(sealed) => sealed,
            Err(why) => {
                report.add("signature", ContentHash::of(&envelope), Outcome::Wrong, why);
                continue;
            }
        };
        if let Some(about) = about.filter(|about| !is_about(&sealed, about)) {
            let note = format!("the record that is shown for it is about {}", sealed.output);
            report.add("record", about, Outcome::Wrong, note);
        }
        if !seen.insert(sealed.record_hash()) {
            continue;
        }
        let sources = one(&sealed, signed_by, evidence, &mut report)?;
        for source in sources {
            // What a run made here has a record of its own, back to what somebody brought.
            let Some(before) = evidence.envelope(&source)? else { continue };
            if seen.len() + waiting.len() >= CHAIN_RECORDS {
                report.add("chain", source, Outcome::Missing, format!("more than {CHAIN_RECORDS} records back"));
                continue;
            }
            waiting.push_back((before, Some(source)));
        }
    }
    Ok(report)
}

/// Does a record tell how this content came to be: as its output, a value on the way, or itself?
fn is_about(sealed: &Sealed, hash: &ContentHash) -> bool {
    if *hash == sealed.output || *hash == sealed.record_hash() {
        return true;
    }
    let record: Value = serde_json::from_str(&sealed.record).unwrap_or_default();
    let hash = hash.to_string();
    record["nodes"].as_array().into_iter().flatten().any(|node| node["output_hash"] == hash.as_str())
}

/// Checks one record; its sources.
fn one<E: Evidence>(
    sealed: &Sealed,
    signed_by: Option<&VerifyingKey>,
    evidence: &E,
    report: &mut Report,
) -> Result<Vec<ContentHash>, E::Error> {
    let signer = keys::did_of(&sealed.signer);
    match signed_by {
        Some(wanted) if *wanted != sealed.signer => {
            let note = format!("signed by another key than {}", keys::did_of(wanted));
            report.add("signature", signer, Outcome::Wrong, note);
        }
        _ => report.add(
            "signature",
            signer,
            Outcome::Right,
            format!("fingerprint {}", keys::fingerprint(&sealed.signer)),
        ),
    }
    let record: Value = serde_json::from_str(&sealed.record).unwrap_or_default();
    match inconsistent(&record) {
        Some(why) => report.add("record", sealed.record_hash(), Outcome::Wrong, why),
        None => report.add("record", sealed.record_hash(), Outcome::Right, run_of(&record)),
    }
    blob("output", &sealed.output, Some(sealed), evidence, report)?;
    let listed = record["inputs"].as_array().into_iter().flatten();
    let mut sources: Vec<ContentHash> =
        listed.filter_map(|input| input["content_hash"].as_str()?.parse().ok()).collect();
    sources.sort_unstable();
    sources.dedup();
    for source in &sources {
        blob("source", source, None, evidence, report)?;
    }
    if let Some(recipe) = record["recipe"]["content_hash"].as_str().and_then(|hash| hash.parse().ok()) {
        blob("recipe", &recipe, None, evidence, report)?;
    }
    chain(&record, evidence, report)?;
    Ok(sources)
}

fn run_of(record: &Value) -> String {
    format!("run {}", record["run_id"].as_str().unwrap_or("unknown"))
}

/// Hashes a blob again.
fn blob<E: Evidence>(
    what: &str,
    hash: &ContentHash,
    sealed: Option<&Sealed>,
    evidence: &E,
    report: &mut Report,
) -> Result<(), E::Error> {
    let mut hashes = Hashes { blake3: blake3::Hasher::new(), sha256: Sha256::new() };
    if !evidence.bytes(hash, &mut hashes)? {
        report.add(what, hash, Outcome::Missing, "its bytes are not here");
        return Ok(());
    }
    let sha256: [u8; 32] = hashes.sha256.finalize().into();
    let signed = sealed.and_then(|sealed| sealed.sha256);
    if ContentHash::from(hashes.blake3.finalize()) != *hash {
        report.add(what, hash, Outcome::Wrong, "its bytes are not what its name says");
    } else if signed.is_some_and(|signed| *signed.as_bytes() != sha256) {
        report.add(what, hash, Outcome::Wrong, "its SHA-256 is not the one that is signed");
    } else {
        report.add(what, hash, Outcome::Right, if signed.is_some() { "BLAKE3 and SHA-256" } else { "BLAKE3" });
    }
    Ok(())
}

struct Hashes {
    blake3: blake3::Hasher,
    sha256: Sha256,
}

impl std::io::Write for Hashes {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.blake3.update(bytes);
        self.sha256.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Why a record contradicts itself, if it does.
pub fn inconsistent(record: &Value) -> Option<String> {
    let nodes = record["nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let pairs: Vec<[&Value; 2]> = nodes.iter().map(|node| [&node["id"], &node["key"]]).collect();
    let plan = ContentHash::of(canonical::to_string(&pairs).as_bytes()).to_string();
    if record["plan_hash"] != plan.as_str() {
        return Some("its plan_hash is not that of its nodes".to_owned());
    }
    let mut hardware = record["infrastructure"]["hardware"].clone();
    let named = hardware.as_object_mut().and_then(|fields| fields.remove("content_hash"));
    let hash = ContentHash::of(canonical::to_string(&hardware).as_bytes()).to_string();
    if named.as_ref().and_then(Value::as_str) != Some(&hash) {
        return Some("the hash of its hardware is not that of what it says of it".to_owned());
    }
    let mut before = HashSet::new();
    for node in nodes {
        let inputs = node["inputs"].as_array().into_iter().flatten();
        if let Some(input) = inputs.filter_map(Value::as_str).find(|input| !before.contains(input)) {
            return Some(format!("node {} takes {input:?}, which does not come before it", node["id"]));
        }
        before.extend(node["id"].as_str());
    }
    let last = nodes.last().map(|node| &node["output_hash"]);
    if last.is_none_or(|last| !last.is_null() && *last != record["output"]["content_hash"]) {
        return Some("its last node gives another output than the record's".to_owned());
    }
    None
}

/// Follows the nodes' keys: each is made of its inputs' keys, and a source's of its content.
fn chain<E: Evidence>(record: &Value, evidence: &E, report: &mut Report) -> Result<(), E::Error> {
    let nodes = record["nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut keys: HashMap<&str, NodeKey> = HashMap::new();
    let mut unknown = 0;
    for node in nodes {
        let (Some(id), Some(Ok(key))) = (node["id"].as_str(), node["key"].as_str().map(str::parse::<NodeKey>)) else {
            report.add("chain", run_of(record), Outcome::Wrong, "a node has no id or key");
            return Ok(());
        };
        let named = node["inputs"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let inputs: Option<Vec<NodeKey>> = named.map(|input| keys.get(input).copied()).collect();
        keys.insert(id, key);
        let Some(parts) = evidence.key(&key)? else {
            unknown += 1;
            continue;
        };
        let content = parts.content.map(|content| content.to_string());
        let of_content = content.is_none() || node["output_hash"].as_str() == content.as_deref();
        if !parts.right || inputs.is_none_or(|inputs| inputs != parts.inputs) || !of_content {
            let note = format!("the key of node {id:?} is not made of the keys of its inputs");
            report.add("chain", key, Outcome::Wrong, note);
            return Ok(());
        }
    }
    let count = nodes.len();
    let note = match unknown {
        0 => format!("the keys of {count} nodes lead back to the sources"),
        // Keys are signed with the record; what they are made of is known where it was rendered.
        _ => format!("{count} nodes in order; what {unknown} of their keys are made of is not known here"),
    };
    report.add("chain", run_of(record), Outcome::Right, note);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Signer as _;
    use crate::engine::seal::{PAYLOAD_TYPE, Subject, envelope, pae, statement};
    use crate::link::Keys;

    /// A home in which there is nothing.
    struct Nothing;

    impl Evidence for Nothing {
        type Error = std::convert::Infallible;

        fn envelope(&self, _hash: &ContentHash) -> Result<Option<Vec<u8>>, Self::Error> {
            Ok(None)
        }

        fn bytes(&self, _hash: &ContentHash, _to: &mut dyn std::io::Write) -> Result<bool, Self::Error> {
            Ok(false)
        }

        fn key(&self, _key: &NodeKey) -> Result<Option<KeyView>, Self::Error> {
            Ok(None)
        }
    }

    #[test]
    fn a_record_of_something_else_is_not_taken_for_the_one_that_was_asked_for() {
        let home = tempfile::tempdir().unwrap();
        let keys = Keys::open(home.path());
        let (output, kept, other) = (ContentHash::of(b"output"), ContentHash::of(b"kept"), ContentHash::of(b"other"));
        let subject = Subject { name: "dog".to_owned(), content_hash: output };
        let record = canonical::to_string(&serde_json::json!({
            "output": {"content_hash": output, "name": "dog"}, "nodes": [{"id": "a", "output_hash": kept}],
        }));
        let text = statement(&record, &subject, None);
        let signature = keys.sign(&pae(PAYLOAD_TYPE, text.as_bytes())).unwrap();
        let sealed = envelope(&text, &keys.key_id().unwrap(), &signature);
        let wrong = |about: Option<ContentHash>| {
            let Ok(report) = check(&sealed, about, None, &Nothing);
            report.findings.iter().any(|finding| finding.note.starts_with("the record that is shown for it is about"))
        };
        for right in [None, Some(output), Some(kept), Some(ContentHash::of(record.as_bytes()))] {
            assert!(!wrong(right), "{right:?}");
        }
        assert!(wrong(Some(other)));
    }
}
