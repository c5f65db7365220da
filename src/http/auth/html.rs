//! The few pages of logging in and out, in the look of the others. They tell no other site where
//! somebody came from: an address may have held a token.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use maud::html;

use crate::http::auth::next::Next;
use crate::http::ui::{self, Page};

/// A page to write or paste a token into.
pub fn log_in(status: StatusCode, message: &str, next: &Next) -> Response {
    // Not `no-referrer`: browsers would then send the form as from nowhere.
    ui::log_in(status, message, next.as_str())
}

/// A page that leads on by itself: a redirect from another site would come without the cookie.
pub fn logged_in(name: &str, next: &Next) -> Response {
    let body = html! {
        section.card.narrow {
            h1 { "Logged in" }
            p { "Logged in as " (name) ". " a href=(next.as_str()) { "Go on" } }
        }
    };
    quiet(Page::new("", "Logged in").leads_to(next.as_str()), &body)
}

/// A page that says that the session has ended.
pub fn logged_out() -> Response {
    let body = html! {
        section.card.narrow {
            h1 { "Logged out" }
            p { a.button href="/auth" { "Log in" } " " a.button href="/" { "To the first page" } }
        }
    };
    quiet(Page::new("", "Logged out"), &body)
}

/// A page that asks before it ends a session: another site has led here.
pub fn log_out() -> Response {
    let body = html! {
        section.card.narrow {
            h1 { "Log out" }
            form method="post" action="/logout" { button.button.main { "Log out" } }
        }
    };
    Page::new("", "Log out").without_scripts().show_anybody(&body)
}

fn quiet(page: Page, body: &maud::Markup) -> Response {
    let mut response = page.without_scripts().show_anybody(body);
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
