//! What every page has: its head, the way around, and how the same is asked of the API and of
//! the command line.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

use crate::engine::infra::Infrastructure;
use crate::http::accept::varied;
use crate::http::ui::form;
use crate::http::ui::icons::{icon, of_kinds};
use crate::http::ui::statics::address;
use crate::http::ui::visitor::Visitor;

/// What a page may load and do: its own scripts, style, pictures and forms.
pub const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; \
                          media-src 'self' blob:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; \
                          base-uri 'none'";

/// The parts of the site, as the bar at the top has them.
const PARTS: [(&str, &str); 6] = [
    ("/runs", "Runs"),
    ("/recipes", "Recipes"),
    ("/media", "Media"),
    ("/effects", "Effects"),
    ("/storage", "Storage"),
    ("/docs", "API"),
];

/// A page before it is put into its frame.
#[must_use]
pub struct Page {
    title: String,
    part: &'static str,
    scripts: Vec<&'static str>,
    same: Vec<(&'static str, String)>,
    status: StatusCode,
    next: Option<String>,
    scripts_run: bool,
}

impl Page {
    /// A page of a part of the site, which is the address that the bar has for it.
    pub fn new(part: &'static str, title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            part,
            scripts: Vec::new(),
            same: Vec::new(),
            status: StatusCode::OK,
            next: None,
            scripts_run: true,
        }
    }

    /// A script that it needs beside those that every page has.
    pub fn script(mut self, name: &'static str) -> Self {
        self.scripts.push(name);
        self
    }

    /// The request that asks the API for what the page shows.
    pub fn api(mut self, call: impl Into<String>) -> Self {
        self.same.push(("API", call.into()));
        self
    }

    /// The command that tells the same.
    pub fn command(mut self, line: impl Into<String>) -> Self {
        self.same.push(("Command", line.into()));
        self
    }

    /// With a status other than 200.
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// A page that leads on by itself.
    pub fn leads_to(mut self, address: &str) -> Self {
        self.next = Some(address.to_owned());
        self
    }

    /// A page without any script: one whose address, or whose form, holds a secret.
    pub fn without_scripts(mut self) -> Self {
        self.scripts_run = false;
        self
    }

    /// The answer, for somebody.
    pub fn show(self, visitor: &Visitor, body: &Markup) -> Response {
        let who = html! {
            @if visitor.is_known() {
                a.who href="/logout" title={ "Logged in: " (visitor.name()) } { "Log out" }
            } @else {
                a.who href={ "/auth?next=" (crate::http::query::path_part(&visitor.here).replace("%2F", "/")) } { "Log in" }
            }
        };
        self.framed(&who, body)
    }

    /// The answer where it is not known who asks.
    pub fn show_anybody(self, body: &Markup) -> Response {
        self.framed(&html! { a.who href="/auth" { "Log in" } }, body)
    }

    fn framed(self, who: &Markup, body: &Markup) -> Response {
        let markup = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="description" content="artdag renders media through DAGs; every byte can be traced back and made again.";
                    meta name="artdag-build" content=(Infrastructure::here().software.content_hash);
                    @if let Some(next) = &self.next { meta http-equiv="refresh" content={ "0; url=" (next) }; }
                    title { (self.title) " · artdag" }
                    link rel="icon" type="image/svg+xml" href=(address("icon.svg"));
                    link rel="stylesheet" href=(address("style.css"));
                    @if self.scripts_run {
                        script type="module" src=(address("page.js")) {}
                        @for script in &self.scripts { script type="module" src=(address(script)) {} }
                    }
                }
                body {
                    a.skip href="#main" { "To the content" }
                    header.bar {
                        a.brand href="/" aria-current=[(self.part == "/").then_some("page")] {
                            svg.mark viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" focusable="false" {
                                path d="M6 6L17 12L6 18" {}
                                circle cx="5" cy="6" r="3" {} circle cx="5" cy="18" r="3" {}
                                circle.out cx="18" cy="12" r="4" {}
                            }
                            "artdag"
                        }
                        nav aria-label="Parts of the site" {
                            @for (address, name) in PARTS {
                                a href=(address) aria-current=[(self.part == address).then_some("page")] { (name) }
                            }
                        }
                        div.bar-end {
                            a.button.quiet href="/media#upload" data-upload="" { (icon("upload")) span { "Upload" } }
                            (who)
                        }
                    }
                    p.lost role="status" hidden id="lost" { (icon("again")) "Reconnecting…" }
                    main id="main" tabindex="-1" { (body) }
                    @if self.scripts_run { (of_kinds()) }
                    footer.foot {
                        @if !self.same.is_empty() {
                            details.same {
                                summary { "The same without this page" }
                                dl {
                                    @for (kind, text) in &self.same {
                                        dt { (kind) }
                                        dd { code { (text) } (copy(text)) }
                                    }
                                }
                            }
                        }
                        p {
                            "artdag " (env!("CARGO_PKG_VERSION")) " · "
                            a href="/docs" { "API" } " · " a href="/client" { "Command line" }
                            " · " button.link type="button" data-keys="" hidden { "Keys " kbd { "?" } }
                        }
                    }
                }
            }
        };
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
            (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        ];
        varied((self.status, headers, markup.into_string()).into_response())
    }
}

/// A button that copies a text; it shows where scripts run.
pub fn copy(text: &str) -> Markup {
    html! { button.copy type="button" data-copy=(text) aria-label="Copy" hidden { (icon("copy")) } }
}

/// The hidden field that says that a form is ours.
pub fn token(visitor: &Visitor) -> Markup {
    html! { input type="hidden" name=(form::TOKEN) value=(visitor.csrf.expose()); }
}

/// A form that is one button.
pub fn button(visitor: &Visitor, action: &str, class: &str, name: &str, words: &str) -> Markup {
    html! {
        form.inline method="post" action=(action) {
            (token(visitor))
            button class=(class) { (icon(name)) span { (words) } }
        }
    }
}

/// What a page shows in the place of what is not there yet.
pub fn empty(words: &str, more: &Markup) -> Markup {
    html! { div.empty { p { (words) } (more) } }
}

/// To another page, after a form.
pub fn see(address: &str) -> Response {
    let location = HeaderValue::from_str(address).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}
