//! Which site a browser sends a request for.
//!
//! A page of another site may make a browser send requests here, with the cookies of its user.
//! Browsers say so; programs say nothing and are not asked.

use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};

use crate::http::error::{ApiError, ApiResult};
use crate::http::route::Route;

/// Refuses what another site makes a browser do, or lets it read as it happens.
pub fn check(request: &Request, row: &Route, host: &str) -> ApiResult<()> {
    let safe = matches!(row.method, Method::GET | Method::HEAD);
    let streams = row.path.ends_with("/events");
    if (safe && !streams) || !is_foreign(request.headers(), host) {
        return Ok(());
    }
    let detail = "a page of another site sent this; only pages of this server and programs may";
    Err(ApiError::new(StatusCode::FORBIDDEN, detail))
}

/// Was it sent for a page that is not of this very host and port?
fn is_foreign(headers: &HeaderMap, host: &str) -> bool {
    let fetch_site = headers.get_all("sec-fetch-site").iter();
    if fetch_site.into_iter().any(|site| site != "same-origin" && site != "none") {
        return true;
    }
    headers.get_all(header::ORIGIN).iter().any(|origin| !origin.to_str().is_ok_and(|origin| is_own(origin, host)))
}

/// Does an origin name the host that was called? Whether over TLS is the business of who takes
/// the connection, which may be a proxy.
fn is_own(origin: &str, host: &str) -> bool {
    let (authority, port) = match origin.split_once("://") {
        Some(("http", authority)) => (authority, ":80"),
        Some(("https", authority)) => (authority, ":443"),
        _ => return false,
    };
    let plain = |text: &str| text.strip_suffix(port).unwrap_or(text).to_ascii_lowercase();
    plain(authority) == plain(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s2_only_the_very_origin_is_own() {
        for (origin, host) in [
            ("http://localhost:8100", "localhost:8100"),
            ("https://art.example", "art.example"),
            ("https://art.example", "art.example:443"),
            ("http://art.example:80", "art.example"),
            ("http://[::1]:8100", "[::1]:8100"),
        ] {
            assert!(is_own(origin, host), "{origin} {host}");
        }
        for (origin, host) in [
            ("http://localhost:3000", "localhost:8100"),
            ("http://localhost", "localhost:8100"),
            ("http://evil.com", "localhost:8100"),
            ("http://localhost:8100.evil.com", "localhost:8100"),
            ("http://127.0.0.1:8100", "localhost:8100"),
            ("null", "localhost:8100"),
            ("file://", "localhost:8100"),
            ("", "localhost:8100"),
            ("ftp://localhost:8100", "localhost:8100"),
        ] {
            assert!(!is_own(origin, host), "{origin} {host}");
        }
    }

    #[test]
    fn s2_what_a_browser_says_of_itself_counts() {
        let of = |name: &'static str, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            is_foreign(&headers, "localhost:8100")
        };
        assert!(!is_foreign(&HeaderMap::new(), "localhost:8100"));
        assert!(!of("sec-fetch-site", "same-origin") && !of("sec-fetch-site", "none"));
        assert!(of("sec-fetch-site", "cross-site") && of("sec-fetch-site", "same-site") && of("sec-fetch-site", "x"));
        assert!(of("origin", "http://evil.com") && of("origin", "null"));
        assert!(!of("origin", "http://localhost:8100"));
    }
}
