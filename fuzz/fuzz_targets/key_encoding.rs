//! The parts of keys: the key is the hash of the documented bytes, these bytes can be read
//! back, and no two different parts have the same bytes, key or explanation.

#![no_main]

use artdag::base::{ContentHash, Fingerprint, NodeKey};
use artdag::plan::explain;
use artdag::plan::key::{DOMAIN, KeyParts, Sink};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;

#[derive(Debug, Arbitrary)]
struct Input {
    node_type: String,
    version: u32,
    content: Option<[u8; 32]>,
    params: String,
    inputs: Vec<[u8; 32]>,
    tools: Vec<(String, [u8; 32])>,
}

impl Input {
    fn parts(&self) -> KeyParts {
        KeyParts {
            node_type: self.node_type.clone(),
            version: self.version,
            content: self.content.map(ContentHash::from_bytes),
            params: self.params.clone(),
            inputs: self.inputs.iter().map(|key| NodeKey::from_bytes(*key)).collect(),
            tools: self.tools.iter().map(|(name, hash)| (name.clone(), Fingerprint::from_bytes(*hash))).collect(),
        }
    }
}

fuzz_target!(|inputs: (Input, Input)| {
    let (one, other) = (inputs.0.parts(), inputs.1.parts());
    for parts in [&one, &other] {
        let mut bytes = Bytes(Vec::new());
        parts.write(&mut bytes);
        assert_eq!(parts.key(), NodeKey::from(blake3::hash(&bytes.0)));
        assert_eq!(Reader(&bytes.0).parts().as_ref(), Some(parts));
        assert!(explain::differences(parts, parts).is_empty());
    }
    let same = one == other;
    assert_eq!(one.key() == other.key(), same);
    assert_eq!(one.lines() == other.lines(), same);
    explain::differences(&one, &other);
});

/// The documented bytes.
struct Bytes(Vec<u8>);

impl Sink for Bytes {
    fn text(&mut self, _label: &str, value: &str) {
        self.0.extend((value.len() as u64).to_le_bytes());
        self.0.extend(value.as_bytes());
    }

    fn version(&mut self, _label: &str, value: u32) {
        self.0.extend(value.to_le_bytes());
    }

    fn content(&mut self, _label: &str, value: Option<&[u8; 32]>) {
        self.0.push(u8::from(value.is_some()));
        self.0.extend(value.into_iter().flatten());
    }

    fn count(&mut self, _label: &str, items: usize) {
        self.0.extend((items as u64).to_le_bytes());
    }

    fn item(&mut self, label: &str, _index: usize, name: Option<&str>, hash: &[u8; 32]) {
        if let Some(name) = name {
            self.text(label, name);
        }
        self.0.extend(hash);
    }
}

/// Reads them back.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn parts(mut self) -> Option<KeyParts> {
        if self.text()? != DOMAIN {
            return None;
        }
        let node_type = self.text()?;
        let version = u32::from_le_bytes(self.take(4)?.try_into().ok()?);
        let content = match self.take(1)? {
            [0] => None,
            [1] => Some(ContentHash::from_bytes(self.hash()?)),
            _ => return None,
        };
        let params = self.text()?;
        let inputs = (0..self.number()?).map(|_| self.hash().map(NodeKey::from_bytes)).collect::<Option<_>>()?;
        let tools = (0..self.number()?)
            .map(|_| Some((self.text()?, Fingerprint::from_bytes(self.hash()?))))
            .collect::<Option<_>>()?;
        self.0.is_empty().then_some(KeyParts { node_type, version, content, params, inputs, tools })
    }

    fn take(&mut self, count: usize) -> Option<&[u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    fn text(&mut self) -> Option<String> {
        let length = usize::try_from(self.number()?).ok()?;
        String::from_utf8(self.take(length)?.to_vec()).ok()
    }

    fn hash(&mut self) -> Option<[u8; 32]> {
        self.take(32)?.try_into().ok()
    }
}
