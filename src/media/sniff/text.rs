//! Rules for text: playlists, JSON, and whatever else is readable.

use std::borrow::Cow;

use crate::base::limits;
use crate::media::sniff::{MediaType, markup};

/// How a file begins that makes a player open other files, in lower case. The rest of such a
/// file need not even be text.
const PLAYLIST_STARTS: &[&str] = &[
    "#extm3u",
    "ffconcat",
    "[playlist]",
    "[reference]",
    "v=0\r\n",
    "v=0\n",
    "# vobsub index file",
    "rtsptext",
    "rtsp://",
    "smil",
];
/// What a playlist has somewhere, in lower case.
const PLAYLIST_MARKS: &[&str] = &[
    "#extm3u",
    "#ext-x-",
    "\nffconcat",
    "\nc=in ip",
    "<mpd",
    ":mpd",
    "<smoothstreamingmedia",
    "<asx",
    "<smil",
    "xspf.org/ns",
    "<compositionplaylist",
];

/// The type of UTF-16 text, which is known by its byte order mark.
pub(super) fn utf16(head: &[u8]) -> Option<MediaType> {
    let unit: fn([u8; 2]) -> u16 = match head {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return None,
    };
    let units = head[2..].as_chunks::<2>().0.iter().map(|pair| unit(*pair));
    // What is not ASCII is of no interest to any rule: a letter stands for it.
    let ascii: Vec<u8> = units.map(|unit| u8::try_from(unit).ok().filter(u8::is_ascii).unwrap_or(b'x')).collect();
    ascii.iter().all(|byte| is_printed(*byte)).then(|| readable(&ascii, true))
}

/// The type of UTF-8 text, or of bytes that only begin like a page or a playlist.
pub(super) fn text(head: &[u8]) -> Option<MediaType> {
    let content = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    if content.is_empty() {
        return None;
    }
    if is_text(content) {
        Some(readable(content, head.len() < limits::SNIFF_BYTES))
    } else if starts_playlist(content) {
        Some(MediaType::Playlist)
    } else {
        markup::root(&lower(content)).filter(|found| *found != MediaType::Xml)
    }
}

fn is_text(content: &[u8]) -> bool {
    let valid = match std::str::from_utf8(content) {
        Ok(_) => true,
        // A character may be cut at the end of the head.
        Err(error) => error.error_len().is_none() && error.valid_up_to() > 0,
    };
    valid && content.iter().all(|byte| is_printed(*byte))
}

fn is_printed(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\x0c' | b'\r' | b'\x1b' | 0x20..=0x7e | 0x80..)
}

fn lower(content: &[u8]) -> Cow<'_, str> {
    let mut text = String::from_utf8_lossy(content);
    text.to_mut().make_ascii_lowercase();
    text
}

fn starts_playlist(content: &[u8]) -> bool {
    let text = content.trim_ascii_start();
    PLAYLIST_STARTS
        .iter()
        .any(|start| text.get(..start.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(start.as_bytes())))
}

/// The type of what is text beyond doubt; `whole` if all of it is here.
fn readable(content: &[u8], whole: bool) -> MediaType {
    let text = lower(content);
    if starts_playlist(content) || PLAYLIST_MARKS.iter().any(|mark| text.contains(mark)) {
        MediaType::Playlist
    } else if let Some(found) = markup::root(&text).filter(|found| *found != MediaType::Xml) {
        found
    } else if is_json(content, whole) {
        MediaType::Json
    } else if let Some(found) = markup::anywhere(&text).or_else(|| markup::root(&text)) {
        found
    } else {
        MediaType::Text
    }
}

/// JSON that is an object or an array; of a part only its beginning is looked at.
fn is_json(content: &[u8], whole: bool) -> bool {
    let text = content.trim_ascii();
    if !matches!(text, [b'{' | b'[', ..]) {
        return false;
    }
    if whole {
        return serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok();
    }
    let next = text[1..].trim_ascii_start();
    let value = |start: &[u8]| match start {
        [b'"' | b'{' | b'[' | b'-' | b'0'..=b'9', ..] => true,
        start => [&b"true"[..], b"false", b"null"].iter().any(|word| start.starts_with(word)),
    };
    if text[0] == b'{' { next.starts_with(b"\"") } else { value(next) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::sniff::sniff;

    #[test]
    fn text_that_names_files_is_a_playlist() {
        for text in [
            "#EXTM3U\n#EXT-X-VERSION:3\n/etc/secret.ts\n",
            "\u{feff}#EXTM3U\n",
            "\n\n  #extm3u\n",
            "ffconcat version 1.0\nfile x\n",
            "# made by hand\nffconcat version 1.0\nfile x\n",
            "[playlist]\nFile1=/etc/passwd\n",
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 10.0.0.1\r\n",
            "o=- 0 0\nc=IN IP4 10.0.0.1\n",
            "<?xml version=\"1.0\"?>\n<!-- hi -->\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\">",
            "<d:MPD xmlns:d=\"urn:mpeg:dash:schema:mpd:2011\">",
            "<asx version=\"3.0\"><entry><ref href=\"x\"/></entry></asx>",
            "<playlist version=\"1\" xmlns=\"http://xspf.org/ns/0/\">",
            "# VobSub index file, v7\n",
            "<html><body>#EXTM3U</body></html>",
        ] {
            assert_eq!(sniff(text.as_bytes()), MediaType::Playlist, "{text:?}");
            let wide: Vec<u8> = std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
            assert_eq!(sniff(&wide), MediaType::Playlist, "{text:?}");
        }
        assert_eq!(sniff(b"#EXTM3U\n\0\0\xff\xff"), MediaType::Playlist);
        assert_eq!(sniff(b"ffconcat version 1.0\n\0"), MediaType::Playlist);
    }

    #[test]
    fn text_is_told_from_bytes() {
        assert_eq!(sniff("Grüße\n\tund mehr\r\n".as_bytes()), MediaType::Text);
        assert_eq!(sniff(b"nodes:\n  - id: a\n    type: SOURCE\n"), MediaType::Text);
        assert_eq!(sniff(b"text and a \0 in it"), MediaType::Octet);
        assert_eq!(sniff(b"text and a \xff in it"), MediaType::Octet);
        assert_eq!(sniff(b"\xfe\xff\0H\0i"), MediaType::Text);
        assert_eq!(sniff(b"\xfe\xff\0H\0\x01"), MediaType::Octet);
        let mut cut = "ü".repeat(limits::SNIFF_BYTES).into_bytes();
        cut.insert(0, b'x');
        assert_eq!(sniff(&cut), MediaType::Text);
    }

    #[test]
    fn json_is_parsed_where_it_is_whole() {
        assert_eq!(sniff(b" {\"a\": [1, 2, {\"b\": null}]}\n"), MediaType::Json);
        assert_eq!(sniff(b"[]"), MediaType::Json);
        assert_eq!(sniff(b"{\"a\": \"<script>\"}"), MediaType::Json);
        assert_eq!(sniff(b"{a: 1}"), MediaType::Text);
        assert_eq!(sniff(b"[link](address)"), MediaType::Text);
        let long = format!("[{}1]", "true, ".repeat(1000));
        assert_eq!(sniff(long.as_bytes()), MediaType::Json);
        assert_eq!(sniff(format!("[see] {}", "x ".repeat(4000)).as_bytes()), MediaType::Text);
    }
}
