//! From a file's bytes to the tree: encoding, size, and YAML's events.

use std::cell::Cell;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Tag};

use crate::base::limits;
use crate::recipe::problem::{Mark, Problem};
use crate::recipe::words::quoted;
use crate::recipe::yaml::build::{Builder, too_deep};
use crate::recipe::yaml::{Node, Scalar, Style, json};

/// Tokens that may stand between the start of a flow collection and the colon that would make
/// it a key. The scanner holds a collection back, in memory, until it knows that it is none;
/// this many tokens take 100 MB. JSON is read another way and not held back.
const HELD_BACK_TOKENS: usize = 1_000_000;

/// Reads a config: the tree, and the problems that leave the rest readable; or the one problem
/// that does not.
pub(crate) fn read(bytes: &[u8]) -> Result<(Node, Vec<Problem>), Problem> {
    let text = decode(bytes)?;
    let (root, problems) = match json::read(text)? {
        json::Outcome::Tree(root, problems) => (root, problems),
        json::Outcome::Other => read_yaml(text, None)?,
        json::Outcome::Broken(at) => read_yaml(text, Some(at))?,
    };
    match root {
        Some(root) if !root.is_null() => Ok((root, problems)),
        _ => Err(Problem::error("empty", "the config is empty")),
    }
}

/// The text of a file: UTF-8, with or without a mark of its byte order, without control
/// characters.
fn decode(bytes: &[u8]) -> Result<&str, Problem> {
    if bytes.len() > limits::CONFIG_BYTES {
        let message = format!(
            "the config has {} bytes, and the limit is {} ({} MiB)",
            bytes.len(),
            limits::CONFIG_BYTES,
            limits::CONFIG_BYTES >> 20
        );
        return Err(Problem::error("too_large", message));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Problem::error("encoding", "the config is in UTF-16; save it as UTF-8"));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let at = mark_of(&bytes[..error.valid_up_to()]);
        Problem::error("encoding", "the config is not UTF-8 text from here on").at(at)
    })?;
    let control = |byte: &u8| matches!(byte, 0..=8 | 11 | 12 | 14..=31 | 127);
    if let Some(at) = bytes.iter().position(control) {
        let message = format!("a control character (U+{:04X}), which a config may not hold", bytes[at]);
        return Err(Problem::error("encoding", message).at(mark_of(&bytes[..at])));
    }
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Where the text after these bytes, which are UTF-8, stands.
fn mark_of(before: &[u8]) -> Mark {
    let start = Mark { line: 1, column: 1 };
    before.iter().fold(start, |mark, byte| match byte {
        b'\n' => Mark { line: mark.line + 1, column: 1 },
        byte => Mark { column: mark.column + u32::from(byte & 0xc0 != 0x80), ..mark },
    })
}

/// Reads YAML. `broken_json` is where a text that begins as JSON is none any more: it may be
/// YAML all the same.
fn read_yaml(text: &str, broken_json: Option<Mark>) -> Result<(Option<Node>, Vec<Problem>), Problem> {
    let tokens_left = Cell::new(HELD_BACK_TOKENS);
    let mut builder = Builder::default();
    let mut documents = 0;
    for event in Parser::new_from_iter(Metered { chars: text.chars(), tokens_left: &tokens_left }) {
        let (event, span) = event.map_err(|error| syntax(&error, tokens_left.get(), broken_json))?;
        tokens_left.set(HELD_BACK_TOKENS);
        let mark = Mark { line: span.start.line() as u32, column: span.start.col() as u32 + 1 };
        match event {
            Event::DocumentStart(_) => {
                documents += 1;
                if documents > 1 {
                    return Err(Problem::error("syntax", "a second document; a config is one").at(mark));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let quoted = style != ScalarStyle::Plain || is_text(tag.as_deref());
                check_tag(tag.as_deref(), mark, &mut builder);
                let style = if quoted { Style::Quoted } else { Style::Plain };
                builder.scalar(Scalar { text: text.into_owned(), style }, mark, anchor)?;
            }
            Event::SequenceStart(anchor, tag) => {
                check_tag(tag.as_deref(), mark, &mut builder);
                builder.open_seq(mark, anchor)?;
            }
            Event::MappingStart(anchor, tag) => {
                check_tag(tag.as_deref(), mark, &mut builder);
                builder.open_map(mark, anchor)?;
            }
            Event::SequenceEnd | Event::MappingEnd => builder.close(),
            Event::Alias(id) => builder.alias(id, mark)?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
    }
    Ok(builder.finish())
}

/// Characters with a bound on the tokens that the scanner may make of them before it gives an
/// event. At the bound the text ends; the error that follows is told from the real end by the
/// bound being used up.
struct Metered<'a> {
    chars: std::str::Chars<'a>,
    tokens_left: &'a Cell<usize>,
}

impl Iterator for Metered<'_> {
    type Item = char;

    #[inline]
    fn next(&mut self) -> Option<char> {
        let c = self.chars.next()?;
        // The most tokens that one such character brings with it, the plain scalar after it included.
        let tokens = match c {
            ':' => 5,
            ',' | '?' | '[' | ']' | '{' | '}' | '*' | '&' | '!' => 2,
            '"' | '\'' => 1,
            _ => return Some(c),
        };
        let left = self.tokens_left.get().saturating_sub(tokens);
        self.tokens_left.set(left);
        (left > 0).then_some(c)
    }
}

fn syntax(error: &ScanError, tokens_left: usize, broken_json: Option<Mark>) -> Problem {
    let at = error.marker();
    let mark = Mark { line: at.line() as u32, column: at.col() as u32 + 1 };
    if let (0, Some(at)) = (tokens_left, broken_json) {
        return Problem::error("syntax", "not JSON from here on (and too long for YAML in brackets)").at(at);
    }
    if tokens_left == 0 {
        let message = format!(
            "a list or map in brackets of more than {HELD_BACK_TOKENS} tokens, which is the limit; write it without \
             brackets, an item a line, or the whole config as JSON"
        );
        return Problem::error("too_large", message).at(mark);
    }
    if error.info() == "recursion limit exceeded" {
        return too_deep().at(mark);
    }
    let hint = match error.info() {
        "mapping values are not allowed in this context" => " (a text with \": \" in it needs quotes)",
        info if info.contains("tabs disallowed") || info.contains("found a tab") => " (indent with spaces)",
        "found unknown anchor" | "while parsing node, found unknown anchor" => {
            " (a text that begins with \"*\" needs quotes)"
        }
        _ => "",
    };
    let neither = if broken_json.is_some() { "neither JSON nor YAML" } else { "not YAML" };
    Problem::error("syntax", format!("{neither}: {}{hint}", error.info())).at(mark)
}

const CORE: &str = "tag:yaml.org,2002:";

/// Tagged as text, by `!` or `!!str`?
fn is_text(tag: Option<&Tag>) -> bool {
    tag.is_some_and(|tag| tag.suffix == "!" && tag.handle.is_empty() || tag.handle == CORE && tag.suffix == "str")
}

/// Tags of YAML's core schema say nothing that the place does not; others have no meaning here.
fn check_tag(tag: Option<&Tag>, mark: Mark, builder: &mut Builder) {
    let Some(tag) = tag.filter(|tag| !is_text(Some(tag))) else {
        return;
    };
    let core = ["null", "bool", "int", "float", "map", "seq"];
    let suffix = if tag.handle.is_empty() { tag.suffix.strip_prefix(CORE).unwrap_or(&tag.suffix) } else { &tag.suffix };
    let is_core = tag.handle == CORE || tag.handle.is_empty() && tag.suffix.starts_with(CORE);
    if !(is_core && (core.contains(&suffix) || suffix == "str")) {
        let name = if tag.handle == CORE { format!("!!{suffix}") } else { format!("{}{suffix}", tag.handle) };
        builder.problem("tag", mark, format!("the tag {} has no meaning in a config", quoted(&name)));
    }
}
