//! How a record becomes bytes and a record again; nothing else knows that this is bincode.
//!
//! A record is one byte, the version of its type, and then its fields without names: integers
//! and floats little-endian in their full width, lengths as 64 bits, variants as 32 bits. What
//! the decoder counts against its limit is what it has read, so whatever was written under the
//! limit can be read under it. There is no self-description: a type that needs one (a JSON
//! value, an untagged enum) goes in as canonical text.

use bincode::config::{self, Configuration, Fixint, LittleEndian};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::base::limits;

const LAYOUT: Configuration<LittleEndian, Fixint> = config::standard().with_fixed_int_encoding();

/// Records up to this size are decoded under this limit, so that a length made up by damage
/// costs next to no memory. Nearly all are far below it.
const SMALL_BYTES: usize = 64 << 10;

/// Why bytes are no record.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CodecError {
    /// There is not even a version.
    #[error("the record is empty")]
    Empty,
    /// It has another version.
    #[error("the record has version {found}, not {expected}")]
    Version {
        /// The version asked for.
        expected: u8,
        /// The version it has.
        found: u8,
    },
    /// It is larger than a record may be.
    #[error("the record has {bytes} bytes; the limit is {}", limits::RECORD_BYTES)]
    TooLarge {
        /// Its size in bytes.
        bytes: usize,
    },
    /// Its bytes are not those of its type.
    #[error("the record cannot be read: {reason}")]
    Malformed {
        /// What the decoder said.
        reason: String,
    },
    /// It goes on after its end.
    #[error("the record has {bytes} bytes too many")]
    Trailing {
        /// Bytes left over.
        bytes: usize,
    },
}

/// The bytes of a record.
///
/// What a record holds is bounded where it comes in, well below [`limits::RECORD_BYTES`]:
/// exceeding it is a bug, as is a type that cannot be written at all.
pub fn encode<T: Serialize>(version: u8, record: &T) -> Vec<u8> {
    let mut bytes = vec![version];
    let written = bincode::serde::encode_into_std_write(record, &mut bytes, LAYOUT);
    written.expect("BUG: a record of a type that cannot be written");
    assert!(bytes.len() <= limits::RECORD_BYTES, "BUG: a record of {} bytes", bytes.len());
    bytes
}

/// Reads a record that has this version.
pub fn decode<T: DeserializeOwned>(version: u8, bytes: &[u8]) -> Result<T, CodecError> {
    let (&found, body) = bytes.split_first().ok_or(CodecError::Empty)?;
    if found != version {
        return Err(CodecError::Version { expected: version, found });
    }
    if bytes.len() <= SMALL_BYTES {
        decode_within::<T, SMALL_BYTES>(body)
    } else if bytes.len() <= limits::RECORD_BYTES {
        decode_within::<T, { limits::RECORD_BYTES }>(body)
    } else {
        Err(CodecError::TooLarge { bytes: bytes.len() })
    }
}

/// The version of a record, `None` if it has no bytes.
pub fn version_of(bytes: &[u8]) -> Option<u8> {
    bytes.first().copied()
}

fn decode_within<T: DeserializeOwned, const LIMIT: usize>(body: &[u8]) -> Result<T, CodecError> {
    let (record, read) = bincode::serde::decode_from_slice(body, LAYOUT.with_limit::<LIMIT>())
        .map_err(|error| CodecError::Malformed { reason: error.to_string() })?;
    match body.len() - read {
        0 => Ok(record),
        bytes => Err(CodecError::Trailing { bytes }),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;
    use crate::base::ContentHash;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    enum State {
        Queued,
        Failed { reason: String, attempts: u32 },
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Sample {
        hash: ContentHash,
        state: State,
        names: Vec<String>,
        sizes: BTreeMap<String, u64>,
        note: Option<String>,
        seconds: f64,
        signed: i64,
    }

    fn sample(len: usize) -> Sample {
        Sample {
            hash: ContentHash::of(b"x"),
            state: State::Failed { reason: "no space".to_owned(), attempts: 3 },
            names: vec!["a".repeat(len), String::new()],
            sizes: [("in".to_owned(), u64::MAX)].into(),
            note: None,
            seconds: -0.5,
            signed: i64::MIN,
        }
    }

    #[test]
    fn a_record_has_these_very_bytes() {
        let bytes = encode(7, &(1_u16, "ab", Some(true), State::Queued, -1_i64));
        let expected: &[u8] = &[
            7, // version
            1, 0, // u16
            2, 0, 0, 0, 0, 0, 0, 0, b'a', b'b', // text
            1, 1, // option, bool
            0, 0, 0, 0, // variant
            255, 255, 255, 255, 255, 255, 255, 255, // i64
        ];
        assert_eq!(bytes, expected);
        assert_eq!(version_of(&bytes), Some(7));
    }

    #[test]
    fn records_come_back_on_both_sides_of_the_small_limit() {
        for len in [0, 1_000, SMALL_BYTES - 200, SMALL_BYTES - 100, SMALL_BYTES, 3_000_000] {
            let bytes = encode(2, &sample(len));
            assert_eq!(decode::<Sample>(2, &bytes).unwrap(), sample(len), "{len}");
        }
        // Exactly as large as a record may be: version, length, text.
        let text = "x".repeat(limits::RECORD_BYTES - 9);
        let bytes = encode(1, &text);
        assert_eq!(bytes.len(), limits::RECORD_BYTES);
        assert!(decode::<String>(1, &bytes).unwrap() == text);
        assert!(matches!(decode::<String>(1, &[bytes, vec![0]].concat()), Err(CodecError::TooLarge { .. })));
    }

    #[test]
    fn each_way_to_be_no_record_is_told_apart() {
        let bytes = encode(2, &sample(3));
        assert!(matches!(decode::<Sample>(2, &[]), Err(CodecError::Empty)));
        assert!(matches!(decode::<Sample>(3, &bytes), Err(CodecError::Version { expected: 3, found: 2 })));
        let longer = [bytes.as_slice(), &[0; 5]].concat();
        assert!(matches!(decode::<Sample>(2, &longer), Err(CodecError::Trailing { bytes: 5 })));
        for len in 1..bytes.len() {
            assert!(matches!(decode::<Sample>(2, &bytes[..len]), Err(CodecError::Malformed { .. })), "{len}");
        }
    }

    #[test]
    fn a_made_up_length_is_refused_whatever_it_measures() {
        for len in [1_u64, SMALL_BYTES as u64, limits::RECORD_BYTES as u64, 1 << 40, u64::MAX / 2, u64::MAX] {
            let bytes = [&[1][..], &len.to_le_bytes()].concat();
            assert!(matches!(decode::<String>(1, &bytes), Err(CodecError::Malformed { .. })), "{len}");
            assert!(matches!(decode::<Vec<u64>>(1, &bytes), Err(CodecError::Malformed { .. })), "{len}");
            assert!(matches!(decode::<Vec<Vec<String>>>(1, &bytes), Err(CodecError::Malformed { .. })), "{len}");
            assert!(decode::<BTreeMap<String, u64>>(1, &bytes).is_err(), "{len}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic_and_none_read_as_a_record_that_is_written_otherwise(
            body in proptest::collection::vec(any::<u8>(), 0..300),
            flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        ) {
            let _ = decode::<Sample>(2, &[&[2][..], &body].concat());
            let mut bytes = encode(2, &sample(20));
            for (at, byte) in flips {
                *at.get_mut(&mut bytes) = byte;
            }
            if let Ok(read) = decode::<Sample>(2, &bytes) {
                prop_assert!(read.seconds.is_nan() || encode(2, &read).len() == bytes.len());
            }
        }
    }
}
