//! Where a log-in leads: a path on this site, and nowhere else.

use crate::base::limits::NEXT_BYTES;

/// A path of this site, with its query, in printable ASCII.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next(String);

/// Why a text is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a path on this site is wanted, such as /runs: one slash first, no backslash, at most {NEXT_BYTES} characters")]
pub struct Elsewhere;

impl Next {
    /// The path; without one, the first page.
    pub fn parse(text: Option<&str>) -> Result<Self, Elsewhere> {
        let text = text.filter(|text| !text.is_empty()).unwrap_or("/");
        // Browsers take a backslash for a slash, drop tabs and line ends, and take what follows
        // two slashes for a host.
        let here = text.starts_with('/') && !text.starts_with("//") && text.len() <= NEXT_BYTES;
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        if here && plain { Ok(Self(text.to_owned())) } else { Err(Elsewhere) }
    }

    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_site_are_taken() {
        for good in ["/", "/runs?status=failed&x=1", "/run/0198-a#b", "/a//b", "/a?next=https://example.org"] {
            assert_eq!(Next::parse(Some(good)).unwrap().as_str(), good);
        }
        assert_eq!(Next::parse(None), Next::parse(Some("/")));
        assert_eq!(Next::parse(Some("")), Next::parse(Some("/")));
        for bad in [
            "//example.org",
            "///example.org",
            "/\\example.org",
            "\\\\example.org",
            "https://example.org",
            "https:example.org",
            "javascript:alert(1)",
            "runs",
            " /",
            "/\t/example.org",
            "/\n/example.org",
            "/a\\b",
            "/é",
            &format!("/{}", "a".repeat(NEXT_BYTES)),
        ] {
            assert_eq!(Next::parse(Some(bad)), Err(Elsewhere), "{bad:?}");
        }
    }
}
