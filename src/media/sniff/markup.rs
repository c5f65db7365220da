//! Rules for markup: pages, SVG and XML, however they are hidden.

use crate::media::sniff::MediaType;

/// Elements that make a browser take a file for a page when it begins with one of them.
const PAGE_ELEMENTS: &[&str] = &[
    "a", "applet", "b", "base", "body", "br", "center", "div", "embed", "font", "form", "frameset", "h1", "h2", "h3",
    "head", "html", "iframe", "img", "link", "math", "meta", "object", "p", "script", "span", "style", "table",
    "title", "video",
];
/// What makes text a page wherever it stands.
const PAGE_MARKS: &[&str] =
    &["<script", "<html", "<body", "<iframe", "<object", "<embed", "<!doctype html", "w3.org/1999/xhtml"];

/// The type that the first element tells, behind white space, comments, processing
/// instructions and a document type. `text` is in lower case.
pub(super) fn root(text: &str) -> Option<MediaType> {
    let mut rest = skip_space(text);
    let mut is_markup = false;
    loop {
        if let Some(comment) = rest.strip_prefix("<!--") {
            // A comment that does not end here may hide anything.
            let Some((_, after)) = comment.split_once("-->") else {
                return Some(MediaType::Html);
            };
            rest = skip_space(after);
        } else if let Some(instruction) = rest.strip_prefix("<?") {
            is_markup |= instruction.starts_with("xml");
            let Some((_, after)) = instruction.split_once('>') else {
                return Some(MediaType::Xml);
            };
            rest = skip_space(after);
        } else if let Some(document) = rest.strip_prefix("<!doctype") {
            let name = document.trim_start();
            if name.starts_with("html") {
                return Some(MediaType::Html);
            } else if name.starts_with("svg") {
                return Some(MediaType::Svg);
            }
            is_markup = true;
            let Some(after) = after_document_type(document) else {
                return Some(MediaType::Xml);
            };
            rest = skip_space(after);
        } else {
            return element(rest, is_markup);
        }
    }
}

fn skip_space(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\n', '\x0c', '\r', '\u{feff}', '\0'])
}

/// Behind `<!doctype … [ … ]>`.
fn after_document_type(document: &str) -> Option<&str> {
    let end = document.find('>')?;
    match document.find('[').filter(|open| *open < end) {
        Some(open) => document[open..].split_once(']').and_then(|(_, rest)| rest.split_once('>')).map(|(_, rest)| rest),
        None => Some(&document[end + 1..]),
    }
}

fn element(text: &str, is_markup: bool) -> Option<MediaType> {
    let name = text.strip_prefix('<')?;
    let end = name.find(|c: char| !(c.is_alphanumeric() || matches!(c, ':' | '_' | '-' | '.')));
    let (name, after) = name.split_at(end.unwrap_or(name.len()));
    let local = name.rsplit(':').next().unwrap_or(name);
    if !name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
        None
    } else if local == "svg" {
        Some(MediaType::Svg)
    } else if PAGE_ELEMENTS.contains(&local) {
        Some(MediaType::Html)
    } else {
        // Angle brackets alone do not make XML: mail addresses and templates have them too.
        (is_markup || after.contains("</") || after.contains("/>")).then_some(MediaType::Xml)
    }
}

/// The type of text that has the makings of a page or of SVG somewhere. `text` is in lower case.
pub(super) fn anywhere(text: &str) -> Option<MediaType> {
    if text.contains("<svg") || text.contains(":svg") || text.contains("w3.org/2000/svg") {
        Some(MediaType::Svg)
    } else if PAGE_MARKS.iter().any(|mark| text.contains(mark)) {
        Some(MediaType::Html)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::sniff::sniff;

    #[test]
    fn pages_cannot_hide() {
        for page in [
            "<!DOCTYPE html><title>x</title>",
            "\u{feff} \t\r\n<HTML>",
            "<!-- \n a > b -->\n<!-- --><ScRiPt>alert(1)</script>",
            "<!-- it never ends",
            "<!DOCTYPE\n  HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\">",
            "<?xml version=\"1.0\"?><html xmlns=\"http://www.w3.org/1999/xhtml\">",
            "<?php echo 1 ?><body onload=x>",
            "<a href=\"javascript:x\">",
            "<img src=x onerror=alert(1)>",
            "some words first, then <script>alert(1)</script>",
            "<x:y xmlns:x=\"http://www.w3.org/1999/xhtml\"/>",
        ] {
            assert_eq!(sniff(page.as_bytes()), MediaType::Html, "{page:?}");
            let wide: Vec<u8> = std::iter::once(0xfeff).chain(page.encode_utf16()).flat_map(u16::to_be_bytes).collect();
            assert_eq!(sniff(&wide), MediaType::Html, "{page:?}");
        }
        // Bytes that are no text do not save a page.
        assert_eq!(sniff(b"  <html>\x01\xff\xfe\0"), MediaType::Html);
        assert_eq!(sniff(b"\0\0<script>"), MediaType::Html);
    }

    #[test]
    fn svg_is_told_by_its_root_or_name_space() {
        for picture in [
            "<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<!-- x -->\n<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \"x\">\n<svg>",
            "<!DOCTYPE x [ <!ENTITY a \"b>c\"> ]><svg/>",
            "<s:svg xmlns:s=\"http://www.w3.org/2000/svg\"/>",
            "<wrapper><g xmlns=\"http://www.w3.org/2000/svg\"><script>x</script></g></wrapper>",
        ] {
            assert_eq!(sniff(picture.as_bytes()), MediaType::Svg, "{picture:?}");
        }
        assert_eq!(sniff(b"<svg onload=\"x\">\xff\0"), MediaType::Svg);
    }

    #[test]
    fn other_markup_is_xml() {
        assert_eq!(sniff(b"<?xml version=\"1.0\"?><recipe/>"), MediaType::Xml);
        assert_eq!(sniff(b"<recipe><node/></recipe>"), MediaType::Xml);
        assert_eq!(sniff(b"<?xml version=\"1.0\""), MediaType::Xml);
        assert_eq!(sniff(b"<someone@example.org> wrote"), MediaType::Text);
        assert_eq!(sniff(b"< b"), MediaType::Text);
    }

    /// A picture's or a PDF's own signature wins; it is never served as a page.
    #[test]
    fn polyglots_are_what_they_begin_as() {
        assert_eq!(sniff(b"GIF89a=1;/*<script>*/"), MediaType::Gif);
        assert_eq!(sniff(b"\xff\xd8\xff\xfe\0\x20<html><script>"), MediaType::Jpeg);
        assert_eq!(sniff(b"%PDF-1.4\n<html>"), MediaType::Pdf);
        assert_eq!(sniff(b"\n%PDF-1.4\n<html>"), MediaType::Html);
        assert_eq!(sniff(b"BM<script>alert(1)</script>"), MediaType::Html);
    }
}
