//! BLAKE3 names: 32 bytes, written as 64 lower-case hex digits.
//!
//! Three newtypes keep apart what must never be mixed: the name of bytes ([`ContentHash`]),
//! the name of a result before it is computed ([`NodeKey`]), and the identity of a tool or
//! effect ([`Fingerprint`]).

use std::fmt;
use std::str::FromStr;

/// Why a text is no hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a hash is 64 lower-case hexadecimal digits")]
pub struct NotAHash;

fn parse_hex(text: &str) -> Result<[u8; 32], NotAHash> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return Err(NotAHash);
    }
    let mut out = [0_u8; 32];
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Ok(out)
}

fn nibble(digit: u8) -> Result<u8, NotAHash> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(NotAHash),
    }
}

fn write_hex(bytes: &[u8; 32], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0_u8; 64];
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    f.pad(std::str::from_utf8(&text).unwrap_or_default())
}

/// The hex digits of a hash of another kind.
pub fn hex(bytes: &[u8; 32]) -> String {
    ContentHash(*bytes).to_string()
}

macro_rules! hash_type {
    ($(#[$doc:meta])* $name:ident $(or $prefix:literal)?) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 32]);

        impl $name {
            /// The hash with these 32 bytes.
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The 32 bytes.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// The first eight hex digits, for people.
            pub fn short(&self) -> String {
                let mut text = self.to_string();
                text.truncate(8);
                text
            }
        }

        impl From<blake3::Hash> for $name {
            fn from(hash: blake3::Hash) -> Self {
                Self(*hash.as_bytes())
            }
        }

        impl FromStr for $name {
            type Err = NotAHash;

            fn from_str(text: &str) -> Result<Self, NotAHash> {
                $(let text = text.strip_prefix($prefix).unwrap_or(text);)?
                parse_hex(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_hex(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_hex(&self.0, f)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                if s.is_human_readable() {
                    s.collect_str(self)
                } else {
                    self.0.serialize(s)
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                if d.is_human_readable() {
                    let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
                    text.parse().map_err(serde::de::Error::custom)
                } else {
                    <[u8; 32]>::deserialize(d).map(Self)
                }
            }
        }
    };
}

hash_type! {
    /// The BLAKE3 hash of bytes: the name of a blob. Where one is read, a SHA3-256 hash of the
    /// original may be written too, with `sha3-256:` before it or bare; what it stands for the
    /// engine knows.
    ContentHash or "sha3-256:"
}
hash_type! {
    /// The name of a node's result, known before it is computed (see `plan::key`).
    NodeKey
}
hash_type! {
    /// The identity of an effect, a codec or a tool.
    Fingerprint
}

impl ContentHash {
    /// The name of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        blake3::hash(bytes).into()
    }
}

impl Fingerprint {
    /// BLAKE3 of a domain tag and parts, each preceded by its length as a 64-bit
    /// little-endian number, so that no two lists of parts give the same bytes.
    pub fn of_parts(domain: &str, parts: &[&[u8]]) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in std::iter::once(domain.as_bytes()).chain(parts.iter().copied()) {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        hasher.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_round_trips_and_refuses_all_else() {
        let hash = ContentHash::of(b"artdag");
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert_eq!(format!("sha3-256:{hash}").parse(), Ok(hash));
        assert_eq!(format!("sha3-256:{hash}").parse::<NodeKey>(), Err(NotAHash));
        for bad in ["", "abc", &"A".repeat(64), &"0".repeat(63), &"0".repeat(65), &"é".repeat(32)] {
            assert_eq!(bad.parse::<ContentHash>(), Err(NotAHash), "{bad:?}");
        }
    }

    #[test]
    fn parts_do_not_run_together() {
        let one = Fingerprint::of_parts("t", &[b"ab", b"c"]);
        let other = Fingerprint::of_parts("t", &[b"a", b"bc"]);
        assert_ne!(one, other);
    }
}
