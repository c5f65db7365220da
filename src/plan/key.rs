//! The key of a node's result, and the same parts as text.
//!
//! A key is BLAKE3 over this byte string (also in `docs/format.md`; golden keys in the tests
//! hold it). `str` is a 64-bit little-endian length and UTF-8 bytes, `u32`/`u64` are
//! little-endian, a hash is its 32 bytes:
//!
//! ```text
//! str  "artdag.node.v1"
//! str  node type
//! u32  node type's version
//! u8   1 and the content's hash for a source, else 0
//! str  canonical parameters (RFC 8785), every default filled in
//! u64  number of inputs, then each input's key, in order (never sorted)
//! u64  number of tools, then each tool's name (str) and hash, sorted by name
//! ```
//!
//! One function writes the parts into a [`Sink`]; hashing and explaining are two sinks, so
//! that an explanation cannot drift from the key.

use serde::{Deserialize, Serialize};

use crate::base::{ContentHash, Fingerprint, NodeKey};

/// The domain tag and version of the encoding.
pub const DOMAIN: &str = "artdag.node.v1";

/// Everything that a node's result depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyParts {
    /// The node type's name.
    pub node_type: String,
    /// The node type's version.
    pub version: u32,
    /// The bytes that a source holds.
    pub content: Option<ContentHash>,
    /// Canonical JSON of the parameters.
    pub params: String,
    /// The inputs' keys in order.
    pub inputs: Vec<NodeKey>,
    /// Name and hash of each tool, sorted by name.
    pub tools: Vec<(String, Fingerprint)>,
}

/// Takes the parts of a key one by one.
pub trait Sink {
    /// A text.
    fn text(&mut self, label: &str, value: &str);
    /// A number of 32 bits.
    fn version(&mut self, label: &str, value: u32);
    /// A hash that may be absent.
    fn content(&mut self, label: &str, value: Option<&[u8; 32]>);
    /// How many items of a list follow.
    fn count(&mut self, label: &str, items: usize);
    /// Item `index` of a list: a hash, under a name where the list has names.
    fn item(&mut self, label: &str, index: usize, name: Option<&str>, hash: &[u8; 32]);
}

impl KeyParts {
    /// Writes the parts into a sink, in the order of the encoding.
    pub fn write(&self, sink: &mut dyn Sink) {
        sink.text("domain", DOMAIN);
        sink.text("type", &self.node_type);
        sink.version("type version", self.version);
        sink.content("content", self.content.as_ref().map(ContentHash::as_bytes));
        sink.text("parameters", &self.params);
        sink.count("inputs", self.inputs.len());
        for (index, input) in self.inputs.iter().enumerate() {
            sink.item("input", index, None, input.as_bytes());
        }
        sink.count("tools", self.tools.len());
        for (index, (name, hash)) in self.tools.iter().enumerate() {
            sink.item("tool", index, Some(name), hash.as_bytes());
        }
    }

    /// The key.
    pub fn key(&self) -> NodeKey {
        let mut sink = HashSink(blake3::Hasher::new());
        self.write(&mut sink);
        sink.0.finalize().into()
    }

    /// The parts as (label, value) lines, for people.
    pub fn lines(&self) -> Vec<(String, String)> {
        let mut sink = TextSink(Vec::new());
        self.write(&mut sink);
        sink.0
    }
}

struct HashSink(blake3::Hasher);

impl Sink for HashSink {
    fn text(&mut self, _label: &str, value: &str) {
        self.0.update(&(value.len() as u64).to_le_bytes());
        self.0.update(value.as_bytes());
    }

    fn version(&mut self, _label: &str, value: u32) {
        self.0.update(&value.to_le_bytes());
    }

    fn content(&mut self, _label: &str, value: Option<&[u8; 32]>) {
        self.0.update(&[u8::from(value.is_some())]);
        if let Some(hash) = value {
            self.0.update(hash);
        }
    }

    fn count(&mut self, _label: &str, items: usize) {
        self.0.update(&(items as u64).to_le_bytes());
    }

    fn item(&mut self, label: &str, _index: usize, name: Option<&str>, hash: &[u8; 32]) {
        if let Some(name) = name {
            self.text(label, name);
        }
        self.0.update(hash);
    }
}

struct TextSink(Vec<(String, String)>);

impl Sink for TextSink {
    fn text(&mut self, label: &str, value: &str) {
        self.0.push((label.to_owned(), value.to_owned()));
    }

    fn version(&mut self, label: &str, value: u32) {
        self.0.push((label.to_owned(), value.to_string()));
    }

    fn content(&mut self, label: &str, value: Option<&[u8; 32]>) {
        if let Some(hash) = value {
            self.0.push((label.to_owned(), ContentHash::from_bytes(*hash).to_string()));
        }
    }

    fn count(&mut self, label: &str, items: usize) {
        self.0.push((format!("number of {label}"), items.to_string()));
    }

    fn item(&mut self, label: &str, index: usize, name: Option<&str>, hash: &[u8; 32]) {
        let label = name.map_or_else(|| format!("{label} {index}"), |name| format!("{label} {name}"));
        self.0.push((label, Fingerprint::from_bytes(*hash).to_string()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts() -> KeyParts {
        KeyParts {
            node_type: "BLEND".to_owned(),
            version: 1,
            content: None,
            params: r#"{"mode":"multiply","opacity":0.5}"#.to_owned(),
            inputs: vec![NodeKey::from_bytes([1; 32]), NodeKey::from_bytes([2; 32])],
            tools: vec![("stored-png".to_owned(), Fingerprint::from_bytes([3; 32]))],
        }
    }

    /// The encoding written out by hand, byte by byte, from the text above.
    fn by_hand(parts: &KeyParts) -> NodeKey {
        fn text(bytes: &mut Vec<u8>, value: &str) {
            bytes.extend((value.len() as u64).to_le_bytes());
            bytes.extend(value.as_bytes());
        }
        let mut bytes = Vec::new();
        text(&mut bytes, "artdag.node.v1");
        text(&mut bytes, &parts.node_type);
        bytes.extend(parts.version.to_le_bytes());
        match parts.content {
            Some(hash) => {
                bytes.push(1);
                bytes.extend(hash.as_bytes());
            }
            None => bytes.push(0),
        }
        text(&mut bytes, &parts.params);
        bytes.extend((parts.inputs.len() as u64).to_le_bytes());
        for input in &parts.inputs {
            bytes.extend(input.as_bytes());
        }
        bytes.extend((parts.tools.len() as u64).to_le_bytes());
        for (name, hash) in &parts.tools {
            text(&mut bytes, name);
            bytes.extend(hash.as_bytes());
        }
        blake3::hash(&bytes).into()
    }

    #[test]
    fn the_encoding_is_the_documented_one() {
        let source = KeyParts {
            node_type: "SOURCE".to_owned(),
            version: 1,
            content: Some(ContentHash::of(b"bytes")),
            params: "{}".to_owned(),
            inputs: Vec::new(),
            tools: Vec::new(),
        };
        for parts in [parts(), source] {
            assert_eq!(parts.key(), by_hand(&parts));
        }
    }

    #[test]
    fn golden_key() {
        assert_eq!(parts().key().to_string(), "9badc3009593f9b7779f8bcec0dccd4e7419cdb6929e128432b8b61df4d9bf9a");
    }

    #[test]
    fn every_part_changes_the_key() {
        let base = parts();
        let changes: [fn(&mut KeyParts); 8] = [
            |p| p.node_type.push('2'),
            |p| p.version += 1,
            |p| p.content = Some(ContentHash::of(b"")),
            |p| p.params.push(' '),
            |p| p.inputs.swap(0, 1),
            |p| p.inputs.truncate(1),
            |p| p.tools.clear(),
            |p| p.tools[0].0.push('2'),
        ];
        for change in changes {
            let mut other = base.clone();
            change(&mut other);
            assert_ne!(other.key(), base.key(), "{other:?}");
            assert_ne!(other.lines(), base.lines(), "{other:?}");
        }
    }
}
