//! The markers of JPEG (ITU-T T.81, annex B), as far as it takes to find a file's parts.

/// What a decoder needs to see of a file for its header: everything up to the first scan.
pub(super) fn header(bytes: &[u8]) -> &[u8] {
    &bytes[..scan(bytes).unwrap_or(bytes.len())]
}

/// Is there an end-of-image marker behind the first scan's header? In the data of a scan no
/// such pair of bytes occurs, so that a file without one was cut off.
pub(super) fn has_end(bytes: &[u8]) -> bool {
    scan(bytes).is_some_and(|start| bytes[start..].windows(2).rev().any(|pair| pair == [0xff, 0xd9]))
}

/// Where the data of the first scan begin.
fn scan(bytes: &[u8]) -> Option<usize> {
    let mut at = 2;
    loop {
        // Between segments decoders skip what is no marker.
        at += bytes.get(at..)?.iter().position(|byte| *byte == 0xff)?;
        let marker = *bytes.get(at + 1)?;
        match marker {
            0xff => at += 1,
            0x00 | 0x01 | 0xd0..=0xd8 => at += 2,
            0xd9 => return None,
            _ => {
                let size = bytes.get(at + 2..at + 4)?.first_chunk().map(|size| u16::from_be_bytes(*size))?;
                at += 2 + usize::from(size);
                if marker == 0xda {
                    return (at <= bytes.len()).then_some(at);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found() {
        // An end marker in a thumbnail inside of a segment is not the file's.
        let whole = b"\xff\xd8\xff\xe1\0\x06\xff\xd9xx\xff\xff\xda\0\x04ab0\xff\x00123\xff\xd9";
        assert_eq!(header(whole), &whole[..17]);
        assert!(has_end(whole));
        assert!(!has_end(&whole[..whole.len() - 1]));
        assert!(!has_end(&whole[..17]));
        for length in 0..whole.len() {
            header(&whole[..length]);
            has_end(&whole[..length]);
        }
    }
}
