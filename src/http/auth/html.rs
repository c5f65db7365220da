//! The few pages of logging in and out: no script, no style, nothing from elsewhere.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::http::auth::next::Next;

/// What these pages may do: send their forms here.
const POLICY: &str = "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A page to write or paste a token into.
pub fn log_in(status: StatusCode, message: &str, next: &Next) -> Response {
    let body = format!(
        "<p>{}</p>\n<form method=\"post\" action=\"/auth\">\n\
         <label>Token <input name=\"auth_token\" type=\"password\" autocomplete=\"current-password\" required autofocus></label>\n\
         <input name=\"next\" type=\"hidden\" value=\"{}\">\n<button>Log in</button>\n</form>",
        escaped(message),
        escaped(next.as_str()),
    );
    page(status, "Log in", "", &body)
}

/// A page that leads on by itself: a redirect from another site would come without the cookie.
pub fn logged_in(name: &str, next: &Next) -> Response {
    let target = escaped(next.as_str());
    let head = format!("<meta http-equiv=\"refresh\" content=\"0; url={target}\">\n");
    let body = format!("<p>Logged in as {}. <a href=\"{target}\">Go on</a></p>", escaped(name));
    page(StatusCode::OK, "Logged in", &head, &body)
}

/// A page that says that the session has ended.
pub fn logged_out() -> Response {
    let body = "<p>Logged out. <a href=\"/auth\">Log in</a></p>";
    page(StatusCode::OK, "Logged out", "", body)
}

/// A page that asks before it ends a session: another site has led here.
pub fn log_out() -> Response {
    let body = "<form method=\"post\" action=\"/logout\">\n<button>Log out</button>\n</form>";
    page(StatusCode::OK, "Log out", "", body)
}

fn page(status: StatusCode, title: &str, head: &str, body: &str) -> Response {
    let text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n{head}<title>{title} · artdag</title>\n\
         </head>\n<body>\n<main>\n<h1>{title}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers.map(|(name, value)| (name, HeaderValue::from_static(value))), text).into_response()
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_cannot_leave_their_place() {
        assert_eq!(escaped("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
    }
}
