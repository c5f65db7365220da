//! Refusals as pages: for whoever looks at the site with a browser.

use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;
use maud::{Markup, html};
use serde_json::Value;

use crate::base::limits::NEXT_BYTES;
use crate::http::accept::wants_page;
use crate::http::error::Told;
use crate::http::route::{self, Route};
use crate::http::ui::NEGOTIATED;
use crate::http::ui::shell::Page;

/// Where a browser was, that is to be told of refusals by pages.
pub struct Browser {
    here: Option<String>,
}

impl Browser {
    /// The browser that sends this for one of its pages; none if the answer is for a program.
    pub fn of(request: &Request, row: Option<&'static Route>) -> Option<Self> {
        if !wants_page(request.headers()) {
            return None;
        }
        let shown = match row {
            Some(row) => route::is_page(row) || (row.method == Method::GET && NEGOTIATED.contains(&row.path)),
            None => true,
        };
        let here = (*request.method() == Method::GET).then(|| request.uri().path_and_query());
        shown.then(|| Self {
            here: here
                .flatten()
                .map(axum::http::uri::PathAndQuery::as_str)
                .filter(|here| here.len() <= NEXT_BYTES)
                .map(str::to_owned),
        })
    }

    /// The same refusal as a page; any other answer as it is.
    pub fn shown(&self, response: Response) -> Response {
        let Some(Told(detail)) = response.extensions().get::<Told>() else { return response };
        let (status, headers) = (response.status(), response.headers().clone());
        let mut page = if status == StatusCode::UNAUTHORIZED {
            log_in(status, sentence(detail).as_str(), self.here.as_deref().unwrap_or("/"))
        } else {
            refusal(status, detail)
        };
        keep(&headers, &mut page);
        page
    }
}

/// Headers of the refusal that its page has, too.
fn keep(from: &HeaderMap, page: &mut Response) {
    for name in [header::WWW_AUTHENTICATE, header::RETRY_AFTER, header::ALLOW, header::CONNECTION] {
        page.headers_mut().extend(from.get(&name).cloned().map(|value| (name, value)));
    }
}

fn sentence(detail: &Value) -> String {
    detail.as_str().map_or_else(|| detail.to_string(), str::to_owned)
}

fn refusal(status: StatusCode, detail: &Value) -> Response {
    let title = match status {
        StatusCode::NOT_FOUND => "Not here",
        StatusCode::FORBIDDEN => "Not allowed",
        StatusCode::CONFLICT => "Not now",
        StatusCode::METHOD_NOT_ALLOWED => "Not this way",
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => "Not at the moment",
        status if status.is_server_error() => "Something broke",
        _ => "That cannot be done",
    };
    let body = html! {
        section.refusal {
            p.code { (status.as_u16()) }
            h1 { (title) }
            (told(detail))
            p { a.button href="/" { "To the first page" } }
        }
    };
    Page::new("", title).status(status).show_anybody(&body)
}

/// What is wrong: a sentence, or a list of problems with their places.
pub fn told(detail: &Value) -> Markup {
    let place = |problem: &Value| {
        let parts = problem["loc"].as_array().cloned().unwrap_or_default();
        let words: Vec<String> = parts.iter().map(sentence).collect();
        words.join(" › ")
    };
    html! {
        @match detail {
            Value::Array(problems) => {
                ul.problems {
                    @for problem in problems {
                        li {
                            @if let Some(line) = problem["line"].as_u64().filter(|line| *line > 0) {
                                a href={ "#line-" (line) } { "line " (line) } " "
                            }
                            span.place { (place(problem)) } " " span { (sentence(&problem["msg"])) }
                        }
                    }
                }
            }
            other => p.detail { (sentence(other)) },
        }
    }
}

/// A page to write or paste a token into.
pub fn log_in(status: StatusCode, message: &str, next: &str) -> Response {
    let body = html! {
        section.card.narrow.log-in {
            h1 { "Log in" }
            p { (message) }
            form method="post" action="/auth" {
                label { "Token" input name="auth_token" type="password" autocomplete="current-password" required autofocus; }
                input name="next" type="hidden" value=(next);
                button.button.main { "Log in" }
            }
            p.muted { code { "artdag token new" } " makes a token; the first one is in the file " code { "token" } " of the server's home." }
        }
    };
    Page::new("", "Log in").without_scripts().status(status).show_anybody(&body)
}
