//! The media: a grid of all of them, by kind, origin, size and name.

use std::ops::Range;

use axum::extract::{FromRequestParts as _, Request, State};
use axum::response::Response;
use maud::{Markup, html};

use crate::base::ContentHash;
use crate::base::limits::PAGE_ROWS;
use crate::engine::{BlobFilter, Engine, EngineError};
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
/// How media came: the word in the address, its name, and what it stands for.
const ORIGINS: [Choice<Origin>; 2] =
    [("upload", "Uploaded", Origin::Upload), ("derived", "Made here", Origin::Derived)];
/// How large their files are.
const SIZES: [Choice<Range<u64>>; 4] = [
    ("small", "Below 1 MB", 0..1_000_000),
    ("medium", "1 MB to 10 MB", 1_000_000..10_000_000),
    ("large", "10 MB to 100 MB", 10_000_000..100_000_000),
    ("huge", "100 MB and more", 100_000_000..u64::MAX),
];
/// How many pixels the longer side of pictures and films has.
const SIDES: [Choice<Range<u32>>; 4] = [
    ("small", "Below 640 px", 0..640),
    ("medium", "640 to 1279 px", 640..1280),
    ("large", "1280 to 2559 px", 1280..2560),
    ("huge", "2560 px and more", 2560..u32::MAX),
];

/// The word in the address, the name, and what it stands for.
type Choice<T> = (&'static str, &'static str, T);

/// A medium in the grid.
struct Item {
    hash: ContentHash,
    row: BlobRow,
    names: Vec<String>,
}

/// What is asked for, as it stands in the address; what is empty asks for nothing.
#[derive(Default)]
struct Asked {
    kind: String,
    origin: String,
    size: String,
    side: String,
    words: String,
}

impl Asked {
    fn read(query: &mut QueryWords) -> Self {
        let mut word = |name: &'static str, known: Vec<&str>| {
            let word = query.text(name).unwrap_or_default();
            if !word.is_empty() && !known.contains(&word.as_str()) {
                query.problem(name, "enum", format!("{name:?} is {}", known.join(", ")));
            }
            word
        };
        let kind = word("kind", KINDS[1..].iter().map(|(kind, ..)| *kind).collect());
        let origin = word("origin", ORIGINS.map(|(origin, ..)| origin).to_vec());
        let size = word("size", SIZES.map(|(size, ..)| size).to_vec());
        let side = word("side", SIDES.map(|(side, ..)| side).to_vec());
        let words = query.text("q").unwrap_or_default().trim().to_owned();
        Self { kind, origin, size, side, words }
    }

    fn prefix(&self) -> &'static str {
        KINDS.iter().find(|(kind, ..)| *kind == self.kind).map_or("", |(_, prefix, _)| prefix)
    }

    fn filter(&self) -> BlobFilter {
        let origins = match chosen(&ORIGINS, &self.origin) {
            Some(origin) => vec![origin],
            // Records are what artdag has written itself: they are data, and no media.
            None if self.kind.is_empty() => vec![Origin::Upload, Origin::Derived],
            None => Vec::new(),
        };
        BlobFilter {
            media_type: self.prefix().to_owned(),
            origins,
            size: chosen(&SIZES, &self.size),
            side: chosen(&SIDES, &self.side),
            words: (!self.words.is_empty()).then(|| self.words.clone()),
        }
    }

    /// The address that asks for another kind, and for the same otherwise.
    fn of_kind(&self, kind: &str) -> String {
        let pairs =
            [("kind", kind), ("origin", &self.origin), ("size", &self.size), ("side", &self.side), ("q", &self.words)];
        let pairs = pairs.iter().filter(|(_, word)| !word.is_empty());
        let pairs: Vec<String> = pairs.map(|(name, word)| format!("{name}={}", path_part(word))).collect();
        if pairs.is_empty() { "/media".to_owned() } else { format!("/media?{}", pairs.join("&")) }
    }

    /// The kinds as tabs, and all else as a form.
    fn facets(&self) -> Markup {
        html! {
            div.filters {
                nav.tabs aria-label="By kind" {
                    @for (kind, _, name) in KINDS {
                        a href=(self.of_kind(kind)) aria-current=[(kind == self.kind).then_some("page")] {
                            @if !kind.is_empty() { (icon(kind)) } (name)
                        }
                    }
                }
                form.find method="get" action="/media" role="search" {
                    @if !self.kind.is_empty() { input type="hidden" name="kind" value=(self.kind); }
                    (select("origin", "Where it came from", "From anywhere", &ORIGINS, &self.origin))
                    (select("size", "Size of the file", "Any size", &SIZES, &self.size))
                    (select("side", "Longer side of a picture or film", "Any side", &SIDES, &self.side))
                    input type="search" name="q" value=[(!self.words.is_empty()).then_some(&self.words)] placeholder="A name, hash or recipe" aria-label="A name, the beginning of a hash, or the recipe that made it";
                    button.button { "Find" }
                }
            }
        }
    }
}

fn chosen<T: Clone>(choices: &[Choice<T>], word: &str) -> Option<T> {
    choices.iter().find(|(known, ..)| *known == word).map(|(.., of)| of.clone())
}

fn select<T>(name: &str, about: &str, any: &str, choices: &[Choice<T>], now: &str) -> Markup {
    html! {
        select name=(name) aria-label=(about) {
            option value="" { (any) }
            @for (word, title, _) in choices { option value=(word) selected[*word == now] { (title) } }
        }
    }
}

/// What is shown, and where the next page begins.
fn listed(
    engine: &Engine,
    filter: &BlobFilter,
    before: Option<u64>,
    limit: usize,
) -> Result<(Vec<Item>, Option<u64>), EngineError> {
    let page = engine.blobs_page(filter, before, limit)?;
    let items = page.items.into_iter().map(|(hash, row)| Ok(Item { hash, row, names: engine.names_of(&hash)? }));
    Ok((items.collect::<Result<_, EngineError>>()?, page.next))
}

/// `/media`
pub async fn page(State(app): State<App>, visitor: Visitor, mut query: QueryWords) -> ApiResult<Response> {
    let paging = Paging::of(List::Blobs, &mut query);
    let asked = Asked::read(&mut query);
    let here = query.finish()?;
    let (before, limit, filter) = (paging.after_number(), paging.limit, asked.filter());
    let shown = app.blocking(move |engine| Ok((listed(engine, &filter, before, limit)?, engine.storage()?))).await?;
    let ((items, next), storage) = shown;
    let body = html! {
        div.head { h1 { "Media" } span.muted { (words::count(storage.blobs, "file", "files")) ", " (words::bytes(storage.bytes)) } }
        (asked.facets())
        @if visitor.runs { (upload_form(&visitor)) }
        div id="grid" data-live="" data-scroll="" {
            @if !items.is_empty() {
                ul.grid { @for item in &items { (tile(item)) } }
            } @else if next.is_none() {
                @let words = if before.is_some() { "No older ones are like that." } else { "Nothing here is like that." };
                (shell::empty(words, &html! { p { a.button href="/media" { "All media" } } }))
            }
            @if let Some(next) = next {
                p.more {
                    @if items.is_empty() { span.muted { "None is like that among the " (words::number(PAGE_ROWS as u64)) " that were looked at. " } }
                    a.button rel="next" href=(paging.link(&here, Next::from(next))) { "Older media" }
                }
            }
        }
    };
    let of_type = if asked.kind.is_empty() { String::new() } else { format!("&media_type={}", asked.prefix()) };
    let page = Page::new("/media", "Media").script("scroll.js").api(format!("GET /cache?details=true{of_type}"));
    Ok(page.command("artdag cache list").show(&visitor, &body))
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
