//! The query of a request, read word by word, every problem gathered; and what links to the
//! next page need of the request.

use std::ops::RangeInclusive;
use std::str::FromStr;

use axum::extract::{FromRequestParts, Query};
use axum::http::header::HOST;
use axum::http::request::Parts;
use serde_json::{Value, json};

use crate::base::limits::BODY_PROBLEMS;
use crate::base::suggest::did_you_mean;
use crate::http::App;
use crate::http::error::{ApiError, ApiResult};

/// A query's words, and what was found to be wrong so far.
pub struct QueryWords {
    pairs: Vec<(String, String)>,
    known: Vec<&'static str>,
    problems: Vec<Value>,
    here: Here,
}

/// The query of a request that takes none: any word in it is a problem.
pub struct NoQuery;

impl FromRequestParts<App> for NoQuery {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> ApiResult<Self> {
        QueryWords::from_request_parts(parts, app).await?.finish().map(|_| Self)
    }
}

/// Where a request was sent to, as far as the client knows.
#[derive(Debug, Clone, Default)]
pub struct Here {
    /// `http://host`, or nothing.
    base: String,
    path: String,
    query: String,
}

impl FromRequestParts<App> for QueryWords {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> ApiResult<Self> {
        Self::of(parts, app.settings.server.tls.is_some())
    }
}

impl QueryWords {
    /// The words of a request that came through TLS, or not.
    fn of(parts: &Parts, tls: bool) -> ApiResult<Self> {
        let pairs = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
        let Query(pairs) = pairs.map_err(|error| ApiError::invalid(&["query"], "query", error.to_string()))?;
        Ok(Self { pairs, known: Vec::new(), problems: Vec::new(), here: Here::of(parts, tls) })
    }

    /// The text given for a word; of several the last counts for nothing: they are a problem.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        let mut values = self.texts(name);
        if values.len() > 1 {
            self.problem(name, "duplicate", format!("{name:?} is given {} times", values.len()));
        }
        values.pop()
    }

    /// The texts given for a word that may come several times.
    pub fn texts(&mut self, name: &'static str) -> Vec<String> {
        self.known.push(name);
        self.pairs.extract_if(.., |(word, _)| word == name).map(|(_, value)| value).collect()
    }

    /// A text that must be there.
    pub fn required(&mut self, name: &'static str) -> Option<String> {
        let text = self.text(name);
        if text.is_none() {
            self.problem(name, "missing", format!("{name:?} is required"));
        }
        text
    }

    /// True or false; false if it is not there. Python's `True` and the words that `FastAPI`
    /// takes are taken too.
    pub fn flag(&mut self, name: &'static str) -> bool {
        match self.text(name).map(|text| text.to_ascii_lowercase()).as_deref() {
            None | Some("false" | "0" | "no" | "off") => false,
            Some("true" | "1" | "yes" | "on") => true,
            Some(other) => {
                let message = format!("{name:?} is true or false, and {other:?} was given");
                self.problem(name, "bool_parsing", message);
                false
            }
        }
    }

    /// A whole number in a range.
    pub fn number(&mut self, name: &'static str, range: RangeInclusive<u64>) -> Option<u64> {
        let text = self.text(name)?;
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|number| digits && range.contains(number));
        if number.is_none() {
            let (min, max) = range.into_inner();
            let message = format!("{name:?} is a whole number from {min} to {max}, and {text:?} was given");
            self.problem(name, "int_parsing", message);
        }
        number
    }

    /// A word of a type that can be read from text; `what` says what it has to be.
    pub fn parsed<T: FromStr>(&mut self, name: &'static str, what: &str) -> Option<T> {
        let text = self.text(name)?;
        let parsed = text.parse().ok();
        if parsed.is_none() {
            self.problem(name, "value_error", format!("{name:?} is {what}, and {text:?} was given"));
        }
        parsed
    }

    /// Something that is wrong with a word.
    pub fn problem(&mut self, name: &str, kind: &str, message: impl Into<String>) {
        if self.problems.len() < BODY_PROBLEMS {
            self.problems.push(json!({"loc": ["query", name], "msg": message.into(), "type": kind}));
        }
    }

    /// Refuses the query if anything was wrong, words that nobody asked for included.
    pub fn finish(mut self) -> ApiResult<Here> {
        for (name, _) in std::mem::take(&mut self.pairs) {
            let suggestion = did_you_mean(&name, self.known.iter().copied());
            self.problem(&name, "extra_forbidden", format!("there is no parameter {name:?}{suggestion}"));
        }
        if self.problems.is_empty() { Ok(self.here) } else { Err(ApiError::problems(self.problems)) }
    }
}

impl Here {
    /// Where these were sent to. The scheme is the one that the client sees: a proxy in front
    /// says which.
    fn of(parts: &Parts, tls: bool) -> Self {
        let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
        let scheme = match parts.headers.get("x-forwarded-proto").map(axum::http::HeaderValue::as_bytes) {
            Some(b"https") => "https",
            _ if tls => "https",
            _ => "http",
        };
        Self {
            base: host.map(|host| format!("{scheme}://{host}")).unwrap_or_default(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
        }
    }

    /// The address of the same with `cursor` in the place of the one that was given.
    pub fn with_cursor(&self, cursor: &str) -> String {
        let others = self.query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="));
        let cursor = format!("cursor={cursor}");
        let query: Vec<&str> = others.chain([cursor.as_str()]).collect();
        format!("{}{}?{}", self.base, self.path, query.join("&"))
    }
}

/// A text as one part of an address's path.
pub fn path_part(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encoded = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(encoded).collect()
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn words(uri: &str) -> QueryWords {
        let (parts, ()) = Request::get(uri).header(HOST, "a.example:8100").body(()).unwrap().into_parts();
        QueryWords::of(&parts, false).unwrap()
    }

    #[test]
    fn words_are_read_and_what_is_wrong_is_told() {
        let mut query = words("/x?limit=7&dry_run=true&name=a%20b");
        assert_eq!(query.number("limit", 1..=10), Some(7));
        assert!(query.flag("dry_run"));
        assert_eq!(query.text("name").as_deref(), Some("a b"));
        assert!(query.finish().is_ok());
        for (text, expected) in [("True", true), ("on", true), ("1", true), ("False", false), ("0", false)] {
            let mut query = words(&format!("/x?dry_run={text}"));
            assert_eq!(query.flag("dry_run"), expected, "{text}");
            assert!(query.finish().is_ok());
        }
        for wrong in ["?limit=0", "?limit=11", "?limit=+1", "?limit=", "?limit=1&limit=2", "?dry_run=maybe", "?limt=1"]
        {
            let mut query = words(&format!("/x{wrong}"));
            query.number("limit", 1..=10);
            query.flag("dry_run");
            assert!(query.finish().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_next_page_is_the_same_question_with_another_cursor() {
        let query = words("/runs?status=failed&cursor=abc&recipe=a%26b");
        let here = query.here;
        assert_eq!(here.with_cursor("xyz"), "http://a.example:8100/runs?status=failed&recipe=a%26b&cursor=xyz");
    }
}
