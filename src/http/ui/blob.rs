//! One medium: what it looks like, where it came from, what it is used by, and why it may not be
//! deleted.

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};

use crate::base::ids::BadAssetName;
use crate::base::{AssetName, ContentHash};
use crate::effects::EFFECTS;
use crate::engine::views::BlobInfo;
use crate::http::App;
use crate::http::error::{ApiError, ApiResult};
use crate::http::extract::{PathHash, PathWord};
use crate::http::query::{QueryWords, path_part};
use crate::http::route::Need;
use crate::http::ui::form::PageForm;
use crate::http::ui::icons::icon;
use crate::http::ui::run::player;
use crate::http::ui::shell::{self, Page};
use crate::http::ui::visitor::Visitor;
use crate::http::ui::words;
use crate::records::{Holder, Origin};

/// Holders that are written out.
const HOLDERS: usize = 100;

/// `/media/{hash}`; a name leads to what it stands for now.
pub async fn page(
    State(app): State<App>,
    visitor: Visitor,
    PathWord(word): PathWord,
    query: QueryWords,
) -> ApiResult<Response> {
    query.finish()?;
    let Ok(hash) = word.parse::<ContentHash>() else {
        let hash = app.blocking(move |engine| engine.asset(&word)).await?;
        return Ok(shell::see(&format!("/media/{hash}")));
    };
    let (info, holders) = app.blocking(move |engine| Ok((engine.blob_info(&hash)?, engine.holders(&hash)?))).await?;
    if info.content_hash != hash {
        return Ok(shell::see(&format!("/media/{}", info.content_hash)));
    }
    let title = info.names.first().map_or_else(|| hash.short(), Clone::clone);
    let body = html! {
        article {
            div.head {
                div { p.crumbs { a href="/media" { "Media" } " /" } h1 { (title) } p.line { (words::hash(&hash)) } }
                div.actions {
                    a.button href={ "/cache/" (hash) "?download=" (path_part(&file_name(&info))) } { (icon("download")) span { "Download" } }
                    @if visitor.deletes && info.deletable { a.button.quiet href={ "/media/" (hash) "/delete" } { (icon("trash")) span { "Delete…" } } }
                }
            }
            div.split {
                div.stage-box { (player(&info)) }
                div.facts {
                    (facts(&info))
                    (names(&visitor, &info))
                    @if let Some(because) = &info.because { p.note { (icon("lock")) " It may not be deleted: " (because) } }
                }
            }
            (used(&holders))
            @if info.width.is_some() { (ways(&hash)) }
        }
    };
    let page = Page::new("/media", title).script("compare.js").api(format!("GET /cache/{hash}/info"));
    Ok(page.command(format!("artdag cache info {hash}")).show(&visitor, &body))
}

fn file_name(info: &BlobInfo) -> String {
    let media_type = crate::media::MediaType::from_mime(&info.media_type);
    let extension = media_type.map_or("bin", crate::media::MediaType::extension);
    let name = info.names.first().map_or_else(|| info.content_hash.short(), Clone::clone);
    if name.ends_with(&format!(".{extension}")) { name } else { format!("{name}.{extension}") }
}

fn facts(info: &BlobInfo) -> Markup {
    html! {
        dl {
            dt { "Type" } dd { (info.media_type) }
            dt { "Size" } dd { (words::bytes(info.size)) @if let (Some(width), Some(height)) = (info.width, info.height) { ", " (width) " × " (height) " px" } }
            @if let Some(duration) = info.duration { dt { "Lasts" } dd { (words::duration(duration)) } }
            dt { "Came" } dd { (words::ago(info.created_at)) }
            dt { "By" } dd {
                @match (&info.made_by, info.origin) {
                    (Some(made), _) => { "run " a href={ "/run/" (made.run) @if let Some(node) = &made.node { "?node=" (path_part(node)) } } { (words::run_short(made.run)) } @if let Some(node) = &made.node { ", node " (node) } }
                    (None, Origin::Upload) => "an upload",
                    (None, Origin::Derived) => "a run that is deleted",
                    (None, Origin::Record) => "artdag itself: a recipe or a record",
                }
            }
            @if let Some(damage) = &info.damage { dt { "Damage" } dd.error { (damage) } }
        }
    }
}

fn names(visitor: &Visitor, info: &BlobInfo) -> Markup {
    let hash = &info.content_hash;
    html! {
        div {
            h2.small { "Names" }
            ul.plain {
                @for name in &info.names {
                    li.line {
                        span { (name) }
                        @if visitor.deletes {
                            form.inline method="post" action={ "/media/" (hash) "/unname" } {
                                (shell::token(visitor))
                                input type="hidden" name="name" value=(name);
                                button.link { "Take away" }
                            }
                        }
                    }
                }
                @if info.names.is_empty() { li.muted { "None; its hash is always one." } }
            }
            @if visitor.runs {
                form.find.name-it method="post" action={ "/media/" (hash) "/name" } {
                    (shell::token(visitor))
                    input type="text" name="name" placeholder="A name for it" aria-label="A name for it" required maxlength="255";
                    button.button { "Name it" }
                }
            }
        }
    }
}

fn used(holders: &[Holder]) -> Markup {
    html! {
        @if !holders.is_empty() {
            section {
                h2 { "Used by" }
                ul.plain {
                    @for holder in holders.iter().take(HOLDERS) {
                        li {
                            @match holder {
                                Holder::RunInput(run) | Holder::RunOutput(run) | Holder::RunProvenance(run) | Holder::RunConfig(run)
                                | Holder::PublishedOutput(run) | Holder::PublishedInput(run) | Holder::PublishedRecord(run) => a href={ "/run/" (run) } { (holder) },
                                Holder::ConfigInput(config) | Holder::ConfigText(config) => a href={ "/recipe/" (config) } { (holder) },
                            }
                        }
                    }
                    @if holders.len() > HOLDERS { li.muted { "and " (holders.len() - HOLDERS) " more" } }
                }
            }
        }
    }
}

fn ways(hash: &ContentHash) -> Markup {
    html! {
        section {
            div.head { h2 { "Render it" } a href={ "/runs?input=" (hash) } { "Runs that read it" } }
            ul.tabs { @for effect in EFFECTS { li { a href={ "/recipe/" (effect.name()) "?input=" (hash) } { (effect.name()) } } } }
        }
    }
}

/// `POST /media/{hash}/name`
pub async fn name(
    State(app): State<App>,
    visitor: Visitor,
    PathHash(hash): PathHash,
    form: PageForm,
) -> ApiResult<Response> {
    let word = form.filled("name").unwrap_or_default();
    let name: AssetName = word.parse().map_err(|error: BadAssetName| {
        ApiError::invalid(&["body", "name"], "value_error", format!("{word:?}: {error}"))
    })?;
    let may_move = app.auth.allows(&visitor.principal, Need::Delete).is_ok();
    app.blocking(move |engine| engine.set_asset(name, hash, may_move)).await?;
    Ok(shell::see(&format!("/media/{hash}")))
}

/// `POST /media/{hash}/unname`
pub async fn unname(State(app): State<App>, PathHash(hash): PathHash, form: PageForm) -> ApiResult<Response> {
    let name = form.text("name").unwrap_or_default().to_owned();
    app.blocking(move |engine| engine.remove_asset(&name, false)).await?;
    Ok(shell::see(&format!("/media/{hash}")))
}

/// `GET /media/{hash}/delete`: what deleting would do, or who holds it.
pub async fn ask_delete(State(app): State<App>, visitor: Visitor, PathHash(hash): PathHash) -> ApiResult<Response> {
    let looked = app.blocking(move |engine| {
        let freed = engine.remove_blob(&hash, true);
        Ok((engine.blob_info(&hash)?, freed.map_err(|error| error.to_string())))
    });
    let (info, freed) = looked.await?;
    let body = html! {
        section.card.narrow {
            h1 { "Delete this?" }
            @match &freed {
                Ok(freed) => {
                    p { "This frees " strong { (words::bytes(freed.freed_bytes)) } "." @if info.origin == Origin::Derived { " It can be made again." } @else { " It cannot be made again." } }
                    @if !info.names.is_empty() { p { "Its names go with it: " (info.names.join(", ")) } }
                    (shell::button(&visitor, &format!("/media/{hash}/delete"), "button danger", "trash", "Delete"))
                    " "
                }
                Err(why) => p.note role="alert" { (icon("lock")) " " (why) },
            }
            a.button href={ "/media/" (hash) } { "Keep it" }
        }
    };
    let page = Page::new("/media", "Delete").api(format!("DELETE /cache/{hash}?dry_run=true"));
    Ok(page.command(format!("artdag cache rm {hash} --dry-run")).show(&visitor, &body))
}

/// `POST /media/{hash}/delete`
pub async fn delete(State(app): State<App>, PathHash(hash): PathHash, _form: PageForm) -> ApiResult<Response> {
    app.blocking(move |engine| engine.remove_blob(&hash, false)).await?;
    Ok(shell::see("/media"))
}
