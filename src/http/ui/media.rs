//! The media: a grid of all of them, by kind or by name.

use axum::extract::{FromRequestParts as _, Request, State};
use axum::response::Response;
use maud::{Markup, html};

use crate::base::ContentHash;
use crate::engine::{Engine, EngineError};
use crate::http::App;
use crate::http::error::{ApiError, ApiResult};
use crate::http::paging::{List, Next, Paging};
use crate::http::query::{QueryWords, path_part};
use crate::http::ui::csrf;
use crate::http::ui::form::TOKEN;
use crate::http::ui::icons::{icon, of_media};
use crate::http::ui::shell::{self, Page};
use crate::http::ui::thumb::thumb;
use crate::http::ui::visitor::Visitor;
use crate::http::ui::words;
use crate::http::upload_body;
use crate::records::{BlobRow, Origin};

/// Kinds of media: the word in the address, the beginning of their types, and their name.
const KINDS: [(&str, &str, &str); 5] = [
    ("", "", "All"),
    ("image", "image/", "Pictures"),
    ("video", "video/", "Films"),
    ("audio", "audio/", "Sounds"),
    ("data", "application/", "Data"),
];
/// Names that a search shows.
const FOUND: usize = 200;

/// A medium in the grid.
struct Item {
    hash: ContentHash,
    row: BlobRow,
    names: Vec<String>,
}

/// What is shown, and where the next page begins.
type Shown = (Vec<Item>, Option<u64>);

fn listed(engine: &Engine, kind: &str, before: Option<u64>, limit: usize) -> Result<Shown, EngineError> {
    let prefix = KINDS.iter().find(|(word, ..)| *word == kind).map_or("", |(_, prefix, _)| prefix);
    let page = engine.blobs_page(prefix, before, limit)?;
    let mut items = Vec::with_capacity(page.items.len());
    for (hash, row) in page.items {
        // Records are what artdag has written itself: they are data, and no media.
        if !kind.is_empty() || row.origin != Origin::Record {
            items.push(Item { hash, row, names: engine.names_of(&hash)? });
        }
    }
    Ok((items, page.next))
}

fn found(engine: &Engine, words: &str) -> Result<Shown, EngineError> {
    let wanted = words.to_lowercase();
    let mut items: Vec<Item> = Vec::new();
    let mut add = |hash: ContentHash| -> Result<(), EngineError> {
        if items.len() < FOUND && items.iter().all(|item| item.hash != hash) {
            items.push(Item { hash, row: engine.describe(&hash)?, names: engine.names_of(&hash)? });
        }
        Ok(())
    };
    if let Ok(hash) = wanted.parse::<ContentHash>() {
        match add(hash) {
            Ok(()) | Err(EngineError::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    for (name, row) in engine.assets()? {
        if name.to_lowercase().contains(&wanted) {
            add(row.hash)?;
        }
    }
    Ok((items, None))
}

/// `/media`
pub async fn page(State(app): State<App>, visitor: Visitor, mut query: QueryWords) -> ApiResult<Response> {
    let paging = Paging::of(List::Blobs, &mut query);
    let kind = query.text("kind").unwrap_or_default();
    if !KINDS.iter().any(|(word, ..)| *word == kind) {
        query.problem("kind", "enum", "\"kind\" is image, video, audio or data");
    }
    let words = query.text("q").map(|words| words.trim().to_owned()).filter(|words| !words.is_empty());
    let here = query.finish()?;
    let (before, limit) = (paging.after_number(), paging.limit);
    let (of, asked) = (kind.clone(), words.clone());
    let shown = app.blocking(move |engine| {
        let shown = match asked {
            Some(words) => found(engine, &words)?,
            None => listed(engine, &of, before, limit)?,
        };
        Ok((shown, engine.storage()?))
    });
    let ((items, next), storage) = shown.await?;
    let body = html! {
        div.head { h1 { "Media" } span.muted { (words::count(storage.blobs, "file", "files")) ", " (words::bytes(storage.bytes)) } }
        div.filters {
            nav.tabs aria-label="By kind" {
                @for (word, _, name) in KINDS {
                    @let address = if word.is_empty() { "/media".to_owned() } else { format!("/media?kind={word}") };
                    a href=(address) aria-current=[(word == kind && words.is_none()).then_some("page")] {
                        @if !word.is_empty() { (icon(word)) } (name)
                    }
                }
            }
            form.find method="get" action="/media" role="search" {
                input type="search" name="q" value=[words.as_deref()] placeholder="A name, or a hash" aria-label="A name, or a hash";
                button.button { "Find" }
            }
        }
        @if visitor.runs { (upload_form(&visitor)) }
        div id="grid" data-live="" data-scroll="" {
            @if items.is_empty() && next.is_none() {
                (shell::empty(if words.is_some() { "Nothing has such a name." } else { "Nothing of this kind is here." }, &html! { p { a.button href="/media" { "All media" } } }))
            } @else {
                ul.grid { @for item in &items { (tile(item)) } }
            }
            @if let Some(next) = next { p.more { a.button rel="next" href=(paging.link(&here, Next::from(next))) { "Older media" } } }
        }
    };
    let page =
        Page::new("/media", "Media").script("scroll.js").api("GET /cache?details=true").command("artdag cache list");
    Ok(page.show(&visitor, &body))
}

fn upload_form(visitor: &Visitor) -> Markup {
    html! {
        form.drop id="upload" method="post" enctype="multipart/form-data" action={ "/media/upload?" (TOKEN) "=" (visitor.csrf.expose()) } {
            (icon("upload"))
            label for="file" { "Drop files anywhere, paste them, or choose one" }
            input type="file" id="file" name="file" required;
            button.button { "Upload" }
        }
    }
}

fn tile(item: &Item) -> Markup {
    let (hash, row) = (&item.hash, &item.row);
    let named = item.names.first().map_or_else(|| hash.short(), Clone::clone);
    // What cannot be drawn small has the icon of its kind.
    let drawn =
        if super::thumb::is_drawn(row) || of_media(&row.media_type) != "image" { row.media_type.as_str() } else { "" };
    html! {
        li {
            a.medium href={ "/media/" (hash) } {
                (thumb(Some(hash), Some(drawn)))
                span.medium-name { (words::within(&named, 40)) @if item.names.len() > 1 { span.muted { " +" (item.names.len() - 1) } } }
                span.muted {
                    (row.media_type.split('/').next_back().unwrap_or_default())
                    @if let Some((width, height)) = row.dimensions { " · " (width) "×" (height) }
                    " · " (words::bytes(row.size))
                    @if row.origin == Origin::Derived { " · made here" }
                }
            }
        }
    }
}

/// `POST /media/upload`: a file by a form, where no script sends it.
pub async fn upload(State(app): State<App>, request: Request) -> ApiResult<Response> {
    let (mut parts, body) = request.into_parts();
    let mut query = QueryWords::from_request_parts(&mut parts, &app).await?;
    let token = query.text(TOKEN).unwrap_or_default();
    query.finish()?;
    if !csrf::holds(&parts.headers, &token) {
        let detail =
            "this form was not made for you by this server as it runs now; load the page again, and send it then";
        return Err(ApiError::new(axum::http::StatusCode::FORBIDDEN, detail));
    }
    let upload = upload_body::receive(&app, Request::from_parts(parts, body), None).await?;
    Ok(shell::see(&format!("/media/{}", path_part(&upload.content_hash.to_string()))))
}
