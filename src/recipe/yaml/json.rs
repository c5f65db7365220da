//! JSON as the tree, read on its own: YAML's scanner would hold all of it in memory before its
//! first event, and knows no surrogate pairs.

use crate::recipe::problem::{Mark, Problem};
use crate::recipe::yaml::build::Builder;
use crate::recipe::yaml::{Node, Scalar, Style};

/// What came of reading a text as JSON.
pub(super) enum Outcome {
    /// The tree and what is wrong with it.
    Tree(Option<Node>, Vec<Problem>),
    /// It does not even begin as JSON.
    Other,
    /// It begins as JSON, and is none from here on.
    Broken(Mark),
}

/// Reads a config as JSON.
pub(super) fn read(text: &str) -> Result<Outcome, Problem> {
    let mut reader = Reader { text, at: 0, mark_at: 0, mark: Mark { line: 1, column: 1 } };
    if !matches!(reader.peek_token(), Some(b'{' | b'[')) {
        return Ok(Outcome::Other);
    }
    let mut builder = Builder::default();
    match reader.document(&mut builder) {
        Ok(()) => {
            let (root, problems) = builder.finish();
            Ok(Outcome::Tree(root, problems))
        }
        Err(Stop::NotJson) => Ok(Outcome::Broken(reader.mark())),
        Err(Stop::Refused(problem)) => Err(problem),
    }
}

/// Why reading ended early.
enum Stop {
    NotJson,
    Refused(Problem),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

struct Reader<'a> {
    text: &'a str,
    /// The next byte to read.
    at: usize,
    /// A place whose mark is known, not after `at`: marks are counted onwards from it.
    mark_at: usize,
    mark: Mark,
}

impl Reader<'_> {
    /// A value and nothing after it. The open lists (`false`) and maps (`true`) are a stack of
    /// its own, so that nesting costs no frames.
    fn document(&mut self, builder: &mut Builder) -> Result<(), Stop> {
        let mut open: Vec<bool> = Vec::new();
        loop {
            let in_map = open.last() == Some(&true);
            if in_map {
                self.key(builder)?;
            }
            if let Some(is_map) = self.value(builder)? {
                open.push(is_map);
                if !self.take(if is_map { b'}' } else { b']' }) {
                    continue;
                }
                open.pop();
                builder.close();
            }
            while let Some(is_map) = open.last().copied() {
                if self.take(b',') {
                    break;
                }
                if !self.take(if is_map { b'}' } else { b']' }) {
                    return Err(Stop::NotJson);
                }
                open.pop();
                builder.close();
            }
            if open.is_empty() {
                return if self.peek_token().is_none() { Ok(()) } else { Err(Stop::NotJson) };
            }
        }
    }

    /// A key and its colon.
    fn key(&mut self, builder: &mut Builder) -> Result<(), Stop> {
        if self.peek_token() != Some(b'"') {
            return Err(Stop::NotJson);
        }
        let mark = self.mark();
        let text = self.string()?;
        builder.scalar(Scalar { text, style: Style::Quoted }, mark, 0)?;
        if self.take(b':') { Ok(()) } else { Err(Stop::NotJson) }
    }

    /// A scalar, or the start of a list or map (then which).
    fn value(&mut self, builder: &mut Builder) -> Result<Option<bool>, Stop> {
        let first = self.peek_token().ok_or(Stop::NotJson)?;
        let mark = self.mark();
        match first {
            b'{' => builder.open_map(mark, 0)?,
            b'[' => builder.open_seq(mark, 0)?,
            b'"' => {
                let text = self.string()?;
                builder.scalar(Scalar { text, style: Style::Quoted }, mark, 0)?;
                return Ok(None);
            }
            _ => {
                let text = self.word()?.to_owned();
                builder.scalar(Scalar { text, style: Style::Plain }, mark, 0)?;
                return Ok(None);
            }
        }
        self.at += 1;
        Ok(Some(first == b'{'))
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) -> Result<&str, Stop> {
        let rest = &self.text[self.at..];
        let part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b'.');
        let word = &rest[..rest.bytes().take_while(|b| part(b)).count()];
        // A number must begin with a digit; what else is wrong with it, the place says.
        let number = word.strip_prefix('-').unwrap_or(word).starts_with(|c: char| c.is_ascii_digit());
        if !number && !matches!(word, "true" | "false" | "null") {
            return Err(Stop::NotJson);
        }
        self.at += word.len();
        Ok(word)
    }

    /// A string, from its opening quote to after its closing one.
    fn string(&mut self) -> Result<String, Stop> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let rest = &self.text[self.at..];
            let run = rest.find(['"', '\\', '\n']).ok_or(Stop::NotJson)?;
            text.push_str(&rest[..run]);
            self.at += run + 1;
            match rest.as_bytes()[run] {
                b'"' => return Ok(text),
                b'\\' => text.push(self.escape()?),
                _ => return Err(Stop::NotJson),
            }
        }
    }

    /// What follows a backslash.
    fn escape(&mut self) -> Result<char, Stop> {
        let kind = *self.text.as_bytes().get(self.at).ok_or(Stop::NotJson)?;
        self.at += 1;
        Ok(match kind {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let mut code = self.code_unit()?;
                if (0xd800..0xdc00).contains(&code) && self.text[self.at..].starts_with("\\u") {
                    self.at += 2;
                    let low = self.code_unit()?;
                    let paired = (0xdc00..0xe000).contains(&low);
                    code = if paired { 0x1_0000 + ((code - 0xd800) << 10) + (low - 0xdc00) } else { code };
                }
                char::from_u32(code).ok_or(Stop::NotJson)?
            }
            _ => return Err(Stop::NotJson),
        })
    }

    /// Four hexadecimal digits.
    fn code_unit(&mut self) -> Result<u32, Stop> {
        let digits = self.text.get(self.at..self.at + 4).ok_or(Stop::NotJson)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(Stop::NotJson);
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| Stop::NotJson)
    }

    /// The next byte that is no white space.
    fn peek_token(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while matches!(bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    /// Takes the next token if it is this byte.
    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek_token() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Where the next byte stands.
    fn mark(&mut self) -> Mark {
        for byte in self.text.as_bytes().get(self.mark_at..self.at).unwrap_or_default() {
            match byte {
                b'\n' => self.mark = Mark { line: self.mark.line + 1, column: 1 },
                byte => self.mark.column += u32::from(byte & 0xc0 != 0x80),
            }
        }
        self.mark_at = self.at;
        self.mark
    }
}
