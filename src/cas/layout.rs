//! Where things lie in the home: `cache/ab/cd/<64 hex digits>` and `tmp/`.
//!
//! Two levels of 256 directories each keep a directory short: 15 names at a million blobs.

use std::ffi::OsStr;
use std::path::PathBuf;

use crate::base::ContentHash;

/// The directory of all blobs.
pub(super) const CACHE: &str = "cache";
/// The directory of files being written; whatever a store finds there when it opens is junk.
pub(super) const TMP: &str = "tmp";

/// The directory of a blob: the first two bytes of its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Leaf {
    pub(super) top: u8,
    pub(super) sub: u8,
}

impl Leaf {
    pub(super) fn of(hash: &ContentHash) -> Self {
        let [top, sub, ..] = *hash.as_bytes();
        Self { top, sub }
    }

    pub(super) fn path(self) -> PathBuf {
        format!("{CACHE}/{:02x}/{:02x}", self.top, self.sub).into()
    }

    pub(super) fn top_path(self) -> PathBuf {
        format!("{CACHE}/{:02x}", self.top).into()
    }
}

/// The path of a blob.
pub(super) fn blob_path(hash: &ContentHash) -> PathBuf {
    let leaf = Leaf::of(hash);
    format!("{CACHE}/{:02x}/{:02x}/{hash}", leaf.top, leaf.sub).into()
}

/// Reads the name of a fan-out directory: two lower-case hex digits.
pub(super) fn fan_out_byte(name: &OsStr) -> Option<u8> {
    let text = name.to_str().filter(|text| text.len() == 2)?;
    let byte = u8::from_str_radix(text, 16).ok()?;
    // Upper case and signs parse too, and are other directories.
    (format!("{byte:02x}") == text).then_some(byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_lies_under_its_first_two_bytes() {
        let hash = ContentHash::from_bytes([0xab; 32]);
        assert_eq!(blob_path(&hash), PathBuf::from(format!("cache/ab/ab/{hash}")));
        assert_eq!(blob_path(&hash).parent().unwrap(), Leaf::of(&hash).path());
    }

    #[test]
    fn only_two_lower_case_digits_name_a_fan_out_directory() {
        assert_eq!(fan_out_byte(OsStr::new("0f")), Some(15));
        for bad in ["0F", "+f", "f", "00f", "", "zz"] {
            assert_eq!(fan_out_byte(OsStr::new(bad)), None, "{bad:?}");
        }
    }
}
