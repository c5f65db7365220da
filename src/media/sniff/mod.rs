//! What bytes are, by their first few thousand: our own rules, never a name's extension and
//! never what an uploader says.
//!
//! The rules are conservative. Bytes that a browser might run as a page are a page however
//! they begin otherwise, and text that names other files is a playlist, which no decoder is
//! ever given. What no rule is sure of is only bytes. A type is a claim about the beginning of
//! a file: whether the rest can be decoded is for `probe` and `decode` to say.

mod magic;
mod markup;
mod media_type;
mod text;

pub use media_type::MediaType;

use crate::base::limits;

/// The media type of a file, from its first [`limits::SNIFF_BYTES`] bytes. More may be given:
/// they are not looked at, so that a part and the whole tell the same.
pub fn sniff(head: &[u8]) -> MediaType {
    let head = &head[..head.len().min(limits::SNIFF_BYTES)];
    magic::strong(head)
        .or_else(|| text::utf16(head))
        .or_else(|| magic::weak(head))
        .or_else(|| text::text(head))
        .unwrap_or(MediaType::Octet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_known_of_nothing() {
        assert_eq!(sniff(b""), MediaType::Octet);
        assert_eq!(sniff(&[0; 100]), MediaType::Octet);
    }

    #[test]
    fn only_the_head_counts() {
        let mut bytes = b"plain text ".repeat(limits::SNIFF_BYTES);
        bytes.extend(b"<script>alert(1)</script>\0");
        assert_eq!(sniff(&bytes), MediaType::Text);
        assert_eq!(sniff(&bytes[..limits::SNIFF_BYTES]), MediaType::Text);
    }

    #[test]
    fn no_head_panics() {
        let mut state = 0x9e37_79b9_u32;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state
        };
        let starts: [&[u8]; 16] = [
            b"",
            b"\xff\xfb",
            b"\xff\xf1",
            b"ID3\x04\0\0",
            b"\x1a\x45\xdf\xa3",
            b"\0\0\0\x20ftyp",
            b"RIFF....",
            b"BM",
            b"<!--",
            b"<?xml",
            b"<!doctype",
            b"\xff\xfe<\0",
            b"\xfe\xff\0<",
            b"{",
            b"[",
            b"\x47",
        ];
        for start in starts {
            for length in 0..200 {
                let mut bytes = start.to_vec();
                bytes.extend((0..length).map(|_| next() as u8));
                sniff(&bytes);
                let printable: Vec<u8> = bytes.iter().map(|b| b"<>!-?[]{}\" \nhtmlsvg"[usize::from(*b) % 19]).collect();
                sniff(&[start, &printable].concat());
            }
        }
    }
}
