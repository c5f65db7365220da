//! What a request shows of who sends it: headers, and nothing of what they are worth.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::base::Secret;
use crate::base::limits::SESSION_COOKIES;

/// The cookie of a session.
const COOKIE: &str = "artdag_session";

/// What a request shows.
pub enum Shown {
    /// Nothing.
    Nothing,
    /// A token.
    Bearer(Secret),
    /// Something else than one token, where a token belongs.
    Malformed,
    /// Ids of sessions, most often one.
    Sessions(Vec<Secret>),
}

/// Reads what a request shows. A token goes before a session.
pub fn shown(headers: &HeaderMap) -> Shown {
    let mut lines = headers.get_all(header::AUTHORIZATION).iter();
    match (lines.next(), lines.next()) {
        (None, _) => match sessions(headers) {
            ids if ids.is_empty() => Shown::Nothing,
            ids => Shown::Sessions(ids),
        },
        (Some(line), None) => line.to_str().ok().and_then(bearer).map_or(Shown::Malformed, Shown::Bearer),
        (Some(_), Some(_)) => Shown::Malformed,
    }
}

fn bearer(line: &str) -> Option<Secret> {
    let (scheme, token) = line.split_once(' ')?;
    let token = token.trim();
    let is_one = scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && !token.contains(char::is_whitespace);
    is_one.then(|| Secret::new(token))
}

/// The ids of sessions in a request's cookies: a browser may send one for each path.
pub fn sessions(headers: &HeaderMap) -> Vec<Secret> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let cookies = lines.flat_map(|line| line.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
    cookies.filter(|(name, _)| *name == COOKIE).take(SESSION_COOKIES).map(|(_, id)| Secret::new(id)).collect()
}

/// Has a browser keep the id of a session, for this site alone and out of reach of scripts.
pub fn cookie(id: &Secret, seconds: u64, secure: bool) -> HeaderValue {
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}", id.expose());
    let mut value =
        HeaderValue::from_str(&text).unwrap_or_else(|error| unreachable!("BUG: the id of a session is hex: {error}"));
    value.set_sensitive(true);
    value
}

/// Has a browser forget it.
pub fn no_cookie(secure: bool) -> HeaderValue {
    cookie(&Secret::new(""), 0, secure)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(header::HeaderName, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name.clone(), HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn one_token_behind_bearer_is_read_and_nothing_else() {
        for (line, token) in [
            ("Bearer abc", Some("abc")),
            ("bearer  abc ", Some("abc")),
            ("BEARER abc", Some("abc")),
            ("Bearer", None),
            ("Bearer ", None),
            ("Bearer a b", None),
            ("Basic YTpi", None),
            ("abc", None),
            ("", None),
        ] {
            match shown(&headers(&[(header::AUTHORIZATION, line), (header::COOKIE, "artdag_session=1")])) {
                Shown::Bearer(found) => assert_eq!(Some(found.expose()), token, "{line}"),
                Shown::Malformed => assert_eq!(token, None, "{line}"),
                Shown::Nothing | Shown::Sessions(_) => panic!("{line:?} was not seen"),
            }
        }
        let two = headers(&[(header::AUTHORIZATION, "Bearer a"), (header::AUTHORIZATION, "Bearer b")]);
        assert!(matches!(shown(&two), Shown::Malformed));
        assert!(matches!(shown(&headers(&[])), Shown::Nothing));
    }

    #[test]
    fn sessions_are_found_among_other_cookies_and_their_number_is_bounded() {
        let lines =
            [(header::COOKIE, "a=1; artdag_session=x; artdag_sessions=y"), (header::COOKIE, "artdag_session=z")];
        let ids = sessions(&headers(&lines));
        assert_eq!(ids.iter().map(Secret::expose).collect::<Vec<_>>(), ["x", "z"]);
        assert!(matches!(shown(&headers(&[(header::COOKIE, "a=1")])), Shown::Nothing));
        let many = [(
            header::COOKIE,
            "artdag_session=1; artdag_session=2; artdag_session=3; artdag_session=4; artdag_session=5",
        )];
        assert_eq!(sessions(&headers(&many)).len(), SESSION_COOKIES);
    }

    #[test]
    fn cookies_are_out_of_reach_of_scripts_and_other_sites() {
        let value = cookie(&Secret::new("ab"), 60, true);
        assert!(value.is_sensitive());
        assert_eq!(value, "artdag_session=ab; Path=/; HttpOnly; SameSite=Strict; Max-Age=60; Secure");
        assert_eq!(no_cookie(false), "artdag_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    }
}
