//! A file of which some bytes read as others, without a copy of it.

use std::io::{BufRead, Error, ErrorKind, Read, Result, Seek, SeekFrom};

/// Other bytes for a place.
pub(super) struct Patch {
    /// Where they go.
    pub(super) at: usize,
    /// What is read there.
    pub(super) bytes: Vec<u8>,
}

/// Reads bytes through patches that do not overlap.
pub(super) struct Patched<'a> {
    bytes: &'a [u8],
    /// In the order of their places.
    patches: Vec<Patch>,
    position: usize,
}

impl<'a> Patched<'a> {
    /// The bytes with these patches over them; where two overlap, the first in the file counts.
    pub(super) fn new(bytes: &'a [u8], mut patches: Vec<Patch>) -> Self {
        patches.sort_by_key(|patch| patch.at);
        Self { bytes, patches, position: 0 }
    }
}

impl BufRead for Patched<'_> {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        let next = self.patches.iter().find(|patch| self.position < patch.at + patch.bytes.len());
        Ok(match next {
            Some(patch) if patch.at <= self.position => {
                let patched = &patch.bytes[self.position - patch.at..];
                &patched[..patched.len().min(rest.len())]
            }
            Some(patch) => &rest[..rest.len().min(patch.at - self.position)],
            None => rest,
        })
    }

    fn consume(&mut self, amount: usize) {
        self.position += amount;
    }
}

impl Read for Patched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let ready = self.fill_buf()?;
        let count = ready.len().min(buffer.len());
        buffer[..count].copy_from_slice(&ready[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl Seek for Patched<'_> {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => usize::try_from(position).ok(),
            SeekFrom::End(offset) => isize::try_from(offset).ok().and_then(|o| self.bytes.len().checked_add_signed(o)),
            SeekFrom::Current(offset) => isize::try_from(offset).ok().and_then(|o| self.position.checked_add_signed(o)),
        };
        self.position = position.ok_or_else(|| Error::from(ErrorKind::InvalidInput))?;
        Ok(self.position as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_are_read_in_their_places() {
        let patch = |at, bytes: &[u8]| Patch { at, bytes: bytes.to_vec() };
        let mut file = Patched::new(b"0123456789", vec![patch(8, b"xyz"), patch(0, b"a"), patch(3, b"bc")]);
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "a12bc567xy");
        assert_eq!(file.seek(SeekFrom::Start(4)).unwrap(), 4);
        let mut pair = [0; 2];
        file.read_exact(&mut pair).unwrap();
        assert_eq!(&pair, b"c5");
        assert_eq!(file.seek(SeekFrom::End(-1)).unwrap(), 9);
        assert_eq!(file.seek(SeekFrom::Current(100)).unwrap(), 109);
        assert_eq!(file.read(&mut pair).unwrap(), 0);
        assert!(file.seek(SeekFrom::Start(u64::MAX)).is_ok_and(|_| file.read(&mut pair).unwrap() == 0));
        assert!(file.seek(SeekFrom::Current(i64::MIN)).is_ok() || file.fill_buf().is_ok());
    }
}
