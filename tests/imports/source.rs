//! Files of the project as text: Rust taken apart into code and comments, and cut into tokens.

use std::fs;
use std::path::{Path, PathBuf};

/// What never belongs to the project's own text.
const LEFT_OUT: &[&str] = &["target", "corpus", "artifacts", "coverage", "Cargo.lock"];

/// A text file.
pub(super) struct Source {
    /// Relative to the project's root.
    pub(super) path: PathBuf,
    /// As it is.
    pub(super) text: String,
    /// Without comments and what literals hold: blanks stand for them, lines stay.
    pub(super) code: String,
    /// The comments alone, likewise.
    pub(super) comments: String,
}

/// The project's root.
pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below a directory whose name ends in one of `endings`, by path.
pub(super) fn below(directory: &str, endings: &[&str]) -> Vec<Source> {
    let mut paths = Vec::new();
    collect(&root().join(directory), &mut paths);
    paths.retain(|path| {
        let name = path.to_string_lossy();
        endings.iter().any(|ending| name.ends_with(ending))
    });
    paths.sort();
    paths.iter().map(|path| Source::read(path)).collect()
}

fn collect(directory: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let hidden = name.starts_with('.') && name != ".ci";
        if hidden || LEFT_OUT.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            collect(&path, paths);
        } else {
            paths.push(path);
        }
    }
}

impl Source {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let (code, comments) = take_apart(&text);
        Self { path: path.strip_prefix(root()).unwrap_or(path).to_owned(), text, code, comments }
    }

    /// The modules that the file is in, from the crate's root: `plan`, `key` for `src/plan/key.rs`.
    pub(super) fn modules(&self) -> Vec<String> {
        let inside = self.path.strip_prefix("src").unwrap_or(&self.path).with_extension("");
        let mut modules: Vec<String> = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        if modules.last().is_some_and(|last| last == "mod" || last == "lib") {
            modules.pop();
        }
        modules
    }
}

/// Rust's text as code and comments.
fn take_apart(text: &str) -> (String, String) {
    let chars: Vec<char> = text.chars().collect();
    let (mut code, mut comments) = (String::new(), String::new());
    let mut at = 0;
    while at < chars.len() {
        let may_begin = matches!(chars[at], '/' | 'r' | '"' | '\'');
        let other = may_begin.then(|| end_of_other(&chars, at)).flatten();
        let (end, is_code, is_comment) =
            other.map_or((at + 1, true, false), |(end, is_comment)| (end, false, is_comment));
        for c in &chars[at..end] {
            code.push(if is_code { *c } else { blank(*c) });
            comments.push(if is_comment { *c } else { blank(*c) });
        }
        at = end;
    }
    (code, comments)
}

fn blank(c: char) -> char {
    if c == '\n' { c } else { ' ' }
}

/// Where the comment (then true) or literal that begins here ends.
fn end_of_other(chars: &[char], at: usize) -> Option<(usize, bool)> {
    let starts = |text: &str| text.chars().enumerate().all(|(n, c)| chars.get(at + n) == Some(&c));
    if starts("//") {
        let length = chars[at..].iter().position(|c| *c == '\n');
        return Some((length.map_or(chars.len(), |length| at + length), true));
    }
    if starts("/*") {
        return Some((end_of_block(chars, at), true));
    }
    let after_word = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    let prefixed = after_word && matches!(chars[at - 1], 'b' | 'c');
    if chars[at] == 'r' && (!after_word || prefixed) {
        let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
        if chars.get(at + 1 + hashes) == Some(&'"') {
            let close: String = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
            return Some((find(chars, at + 2 + hashes, &close), false));
        }
    }
    match chars[at] {
        '"' => Some((end_of_quoted(chars, at, '"'), false)),
        // A lifetime has no closing quote behind its first letter.
        '\'' if chars.get(at + 1) == Some(&'\\') || chars.get(at + 2) == Some(&'\'') => {
            Some((end_of_quoted(chars, at, '\''), false))
        }
        _ => None,
    }
}

fn end_of_block(chars: &[char], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0);
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (at, depth) = (at + 2, depth + 1),
            ('*', Some('/')) => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn end_of_quoted(chars: &[char], start: usize, quote: char) -> usize {
    let mut at = start + 1;
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            c if c == quote => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

/// Behind the first `text` from here on.
fn find(chars: &[char], start: usize, text: &str) -> usize {
    let text: Vec<char> = text.chars().collect();
    let found = chars[start..].windows(text.len()).position(|window| window == text);
    found.map_or(chars.len(), |offset| start + offset + text.len())
}

/// A word, `::`, or one other character; with its line, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    pub(super) line: usize,
}

/// The tokens of code.
pub(super) fn tokens(code: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    for (index, line) in code.lines().enumerate() {
        let mut rest = line.trim_start();
        while !rest.is_empty() {
            let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            let length = match word {
                0 if rest.starts_with("::") => 2,
                0 => rest.chars().next().map_or(0, char::len_utf8),
                word => word,
            };
            tokens.push(Token { text: &rest[..length], line: index + 1 });
            rest = rest[length..].trim_start();
        }
    }
    tokens
}

#[test]
fn code_and_comments_are_told_apart() {
    let text = "let a = \"// no\"; // yes \"\nlet b = r#\"\"/*\"#; /* c /* d */ */ 'x' '\\'' &'a b";
    let (code, comments) = take_apart(text);
    assert_eq!(code.split_whitespace().collect::<Vec<_>>().join(" "), "let a = ; let b = ; &'a b");
    assert_eq!(comments.split_whitespace().collect::<Vec<_>>().join(" "), "// yes \" /* c /* d */ */");
    let found: Vec<(&str, usize)> = tokens("a::b\n{ c!").iter().map(|token| (token.text, token.line)).collect();
    assert_eq!(found, [("a", 1), ("::", 1), ("b", 1), ("{", 2), ("c", 2), ("!", 2)]);
}
