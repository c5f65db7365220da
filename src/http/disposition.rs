//! Whether a browser may show bytes that people sent, and under which name it saves them.

use axum::http::HeaderValue;

use crate::base::limits::FILE_NAME_BYTES;
use crate::media::MediaType;

/// Types that a browser shows without running anything of them. Everything else, HTML, SVG,
/// XML and PDF among it, is saved.
const SHOWN: &[MediaType] = &[
    MediaType::Text,
    MediaType::Png,
    MediaType::Jpeg,
    MediaType::Gif,
    MediaType::Webp,
    MediaType::Tiff,
    MediaType::Bmp,
    MediaType::Avif,
    MediaType::Heic,
    MediaType::Jxl,
    MediaType::Mp4,
    MediaType::Mov,
    MediaType::Matroska,
    MediaType::Webm,
    MediaType::Wav,
    MediaType::Flac,
    MediaType::Mp3,
    MediaType::Ogg,
    MediaType::Aac,
    MediaType::M4a,
    MediaType::Aiff,
    MediaType::Json,
];

/// May a browser show bytes of this type?
pub fn is_shown(media_type: MediaType) -> bool {
    SHOWN.contains(&media_type)
}

/// `Content-Disposition` for saving under this name (RFC 6266): a name of plain letters for
/// old clients, and the whole of it in UTF-8. What a file system or a header would take amiss
/// becomes `_`.
pub fn attachment(name: &str) -> HeaderValue {
    let name = safe(name);
    let plain: String = name.chars().map(|c| if c.is_ascii() && !"\"\\%".contains(c) { c } else { '_' }).collect();
    let mut text = format!("attachment; filename=\"{plain}\"");
    if plain != name {
        text.push_str("; filename*=UTF-8''");
        text.push_str(&percent(&name));
    }
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("attachment"))
}

/// One path component without control characters, of at most [`FILE_NAME_BYTES`].
fn safe(name: &str) -> String {
    let name: String = name.chars().map(|c| if is_trouble(c) { '_' } else { c }).collect();
    let name = name.trim_matches(|c: char| c == '.' || c.is_whitespace());
    let mut end = name.len().min(FILE_NAME_BYTES);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    if end == 0 { "download".to_owned() } else { name[..end].to_owned() }
}

/// Separators of paths, control characters, and what turns the direction of text round.
fn is_trouble(c: char) -> bool {
    c.is_control()
        || "/\\:*?\"<>|".contains(c)
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Percent-encoding of an extended value (RFC 8187).
fn percent(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, expected: &str) {
        assert_eq!(attachment(name).to_str().unwrap(), expected, "{name:?}");
    }

    #[test]
    fn names_are_written_for_old_and_new_clients() {
        check("cat.png", "attachment; filename=\"cat.png\"");
        check("my cat.png", "attachment; filename=\"my cat.png\"");
        check("Kätzchen.png", "attachment; filename=\"K_tzchen.png\"; filename*=UTF-8''K%C3%A4tzchen.png");
        check("100%.png", "attachment; filename=\"100_.png\"; filename*=UTF-8''100%25.png");
        check("it's", "attachment; filename=\"it's\"");
    }

    #[test]
    fn s3_a_name_cannot_break_out_of_its_header_or_its_directory() {
        check("a\r\nSet-Cookie: x=1", "attachment; filename=\"a__Set-Cookie_ x=1\"");
        check("a\"; filename=\"b", "attachment; filename=\"a_; filename=_b\"");
        check("../../etc/passwd", "attachment; filename=\"_.._etc_passwd\"");
        check("..\\..\\x", "attachment; filename=\"_.._x\"");
        check("cat\u{202e}gnp.exe", "attachment; filename=\"cat_gnp.exe\"");
        check("\0", "attachment; filename=\"_\"");
        for nothing in ["", ".", "..", "   "] {
            check(nothing, "attachment; filename=\"download\"");
        }
        let long = attachment(&"ä".repeat(400));
        assert!(long.to_str().unwrap().matches("%C3%A4").count() == FILE_NAME_BYTES / 2);
    }
}
