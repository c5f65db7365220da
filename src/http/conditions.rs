//! Conditional requests (RFC 9110, section 13) for content that never changes.
//!
//! There are no dates: what never changes has none that would matter, and a condition by date
//! is ignored, as the standard has it where no date is known.

use axum::http::{HeaderMap, HeaderName, header};

use crate::http::range::{self, Wanted};

/// What a request says about the content that it knows.
pub struct Conditions {
    if_match: Option<String>,
    if_none_match: Option<String>,
    if_range: Option<String>,
    range: Option<String>,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The client wants other content: 412.
    Failed,
    /// The client has it: 304.
    Known,
    /// It is sent.
    Send(Wanted),
}

impl Conditions {
    /// Reads them.
    pub fn of(headers: &HeaderMap) -> Self {
        Self {
            if_match: joined(headers, &header::IF_MATCH),
            if_none_match: joined(headers, &header::IF_NONE_MATCH),
            if_range: joined(headers, &header::IF_RANGE),
            range: joined(headers, &header::RANGE),
        }
    }

    /// What is to be done about content with this strong tag and size.
    pub fn judge(&self, etag: &str, size: u64) -> Verdict {
        // A weak tag never matches where the comparison is strong.
        if self.if_match.as_ref().is_some_and(|list| !names(list, etag, false)) {
            return Verdict::Failed;
        }
        if self.if_none_match.as_ref().is_some_and(|list| names(list, etag, true)) {
            return Verdict::Known;
        }
        let same = self.if_range.as_ref().is_none_or(|tag| tag.trim() == etag);
        match self.range.as_ref().filter(|_| same) {
            Some(range) => Verdict::Send(range::wanted(range, size)),
            None => Verdict::Send(Wanted::Whole),
        }
    }
}

/// A header's values as one list; `None` if it is not there. What is no text matches nothing.
fn joined(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let values = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("?"));
    values.map(str::to_owned).reduce(|list, value| list + "," + &value)
}

/// Does a list of tags name this one? The tag is a hash in quotes: no comma is in it.
fn names(list: &str, etag: &str, weak: bool) -> bool {
    list.split(',').map(str::trim).any(|tag| {
        let tag = if weak { tag.strip_prefix("W/").unwrap_or(tag) } else { tag };
        tag == "*" || tag == etag
    })
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init)] // A list of ranges is what is meant.
mod tests {
    use super::*;

    const ETAG: &str = "\"abc\"";

    fn judge(headers: &[(HeaderName, &str)]) -> Verdict {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, value.parse().unwrap());
        }
        Conditions::of(&map).judge(ETAG, 10)
    }

    #[test]
    fn a_client_that_has_it_is_not_sent_it_again() {
        for value in ["\"abc\"", "W/\"abc\"", "*", "\"x\", \"abc\"", "\"x\",W/\"abc\""] {
            assert_eq!(judge(&[(header::IF_NONE_MATCH, value)]), Verdict::Known, "{value}");
        }
        for value in ["\"abd\"", "abc", "", "\"ABC\""] {
            assert_eq!(judge(&[(header::IF_NONE_MATCH, value)]), Verdict::Send(Wanted::Whole), "{value}");
        }
        let twice = [(header::IF_NONE_MATCH, "\"x\""), (header::IF_NONE_MATCH, "\"abc\"")];
        assert_eq!(judge(&twice), Verdict::Known);
    }

    #[test]
    fn if_match_wants_the_strong_tag() {
        for (value, holds) in
            [("\"abc\"", true), ("*", true), ("\"x\", \"abc\"", true), ("W/\"abc\"", false), ("\"x\"", false)]
        {
            let verdict = judge(&[(header::IF_MATCH, value)]);
            assert_eq!(verdict != Verdict::Failed, holds, "{value}");
        }
        let both = [(header::IF_MATCH, "\"x\""), (header::IF_NONE_MATCH, "\"abc\"")];
        assert_eq!(judge(&both), Verdict::Failed);
    }

    #[test]
    fn a_range_is_of_the_content_that_if_range_names() {
        let part = Verdict::Send(Wanted::Parts(vec![1..3]));
        let range = (header::RANGE, "bytes=1-2");
        assert_eq!(judge(std::slice::from_ref(&range)), part);
        assert_eq!(judge(&[range.clone(), (header::IF_RANGE, "\"abc\"")]), part);
        for other in ["\"x\"", "W/\"abc\"", "Wed, 21 Oct 2015 07:28:00 GMT"] {
            let whole = Verdict::Send(Wanted::Whole);
            assert_eq!(judge(&[range.clone(), (header::IF_RANGE, other)]), whole, "{other}");
        }
    }
}
