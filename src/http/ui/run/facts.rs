//! What came out of a run, and what is known of it.

use maud::{Markup, html};

use super::{Seen, same};
use crate::base::ContentHash;
use crate::engine::views::{BlobInfo, OneOrMany};
use crate::http::ui::icons::{icon, of_media};
use crate::http::ui::thumb::{thumb, view};
use crate::http::ui::words;

/// The hashes of a binding.
pub fn hashes(bound: &OneOrMany) -> &[ContentHash] {
    match bound {
        OneOrMany::One(hash) => std::slice::from_ref(hash),
        OneOrMany::Many(hashes) => hashes,
    }
}

/// The output, as large as there is room; a picture beside what it was made of.
pub fn output(seen: &Seen) -> Markup {
    html! {
        div.stage-box id="run-output" data-live="" {
            @match &seen.output {
                Some(output) => {
                    @match seen.before.as_ref().filter(|before| is_picture(before) && is_picture(output) && before.content_hash != output.content_hash) {
                        Some(before) => (compared(before, output)),
                        None => (player(output)),
                    }
                }
                None if seen.run.output_hash.is_some() => div.stage.none { p { "Its output is not in the cache any more." } },
                None => div.stage.none { (icon(seen.run.status.word())) p.muted { "No output" @if !seen.run.status.is_final() { " yet" } } },
            }
        }
    }
}

fn is_picture(blob: &BlobInfo) -> bool {
    of_media(&blob.media_type) == "image" && blob.width.is_some()
}

/// A value as it can be looked at or heard.
pub fn player(blob: &BlobInfo) -> Markup {
    let address = format!("/cache/{}", blob.content_hash);
    let named = blob.names.first().map_or_else(|| blob.content_hash.short(), Clone::clone);
    html! {
        @match of_media(&blob.media_type) {
            "image" if is_picture(blob) => a.stage href=(address) { (view(blob, None, &named)) },
            "video" => div.stage { video src=(address) controls preload="metadata" loop aria-label=(named) {} },
            "audio" => div.stage.sound { (icon("audio")) audio src=(address) controls preload="metadata" aria-label=(named) {} },
            kind => div.stage.none { (icon(kind)) p { (blob.media_type) ", " (words::bytes(blob.size)) } a href=(address) { "Open" } },
        }
    }
}

/// Two pictures, one over the other, with a slider between them where scripts run.
fn compared(before: &BlobInfo, after: &BlobInfo) -> Markup {
    html! {
        figure.compare data-compare="" {
            div.pair {
                (view(after, Some("after"), "After"))
                (view(before, Some("before"), "Before"))
            }
            figcaption {
                label { span { "Before" } input type="range" min="0" max="100" value="0" step="0.5" aria-label="How much of the picture before is shown" hidden; span { "After" } }
                a href={ "/cache/" (after.content_hash) } { "Full size" }
            }
        }
    }
}

/// When, how long, with what.
pub fn facts(seen: &Seen) -> Markup {
    let run = &seen.run;
    let waited = run.started_at.map(|start| start.seconds_since(run.created_at));
    let took = run.started_at.zip(run.completed_at).map(|(start, end)| end.seconds_since(start));
    html! {
        div.facts id="run-facts" data-live="" {
            dl {
                dt { "Asked for" } dd { (words::ago(run.created_at)) @if let Some(name) = &run.username { " by " (name) } }
                @if let Some(took) = took { dt { "Took" } dd { (words::duration(took)) @if let Some(waited) = waited { span.muted { " after waiting " (words::duration(waited)) } } } }
                @if let Some(start) = run.started_at.filter(|_| took.is_none()) { dt { "Began" } dd { (words::ago(start)) } }
                @if run.status.is_final() { dt { "Nodes" } dd { (run.stats.misses) " computed, " (run.stats.hits) " known, in " (words::count(run.stats.stages, "stage", "stages")) } }
                @if let Some(output) = &seen.output {
                    dt { "Output" } dd {
                        a href={ "/media/" (output.content_hash) } { (output.media_type) } ", " (words::bytes(output.size))
                        @if let (Some(width), Some(height)) = (output.width, output.height) { ", " (width) " × " (height) }
                        " " (words::hash(&output.content_hash))
                    }
                }
                @if let Some(publication) = &run.publication {
                    dt { "Published" } dd {
                        a href={ "/activities/" (publication.run_id) } { (publication.state) } " " (words::ago(publication.published_at))
                        @if let Some(error) = &publication.error { ". " (error) }
                    }
                }
                @if run.attempts > 1 { dt { "Attempts" } dd { (run.attempts) } }
                @if run.priority != 0 { dt { "Priority" } dd { (run.priority) } }
                @if run.params.as_object().is_some_and(|params| !params.is_empty()) { dt { "Parameters" } dd { code { (run.params) } } }
            }
            @if !run.bindings.is_empty() {
                h2.small { "Inputs" }
                ul.chips {
                    @for (node, bound) in &run.bindings {
                        @for hash in hashes(bound).iter().take(24) {
                            li { a.chip href={ "/media/" (hash) } { (thumb(Some(hash), media_type_of(seen, hash))) span { (node) } } }
                        }
                        @if hashes(bound).len() > 24 { li.muted { "and " (hashes(bound).len() - 24) " more" } }
                    }
                }
            }
            (same::same(&seen.run, &seen.row))
        }
    }
}

fn media_type_of<'a>(seen: &'a Seen, hash: &ContentHash) -> Option<&'a str> {
    let known = [&seen.before, &seen.output].into_iter().flatten().find(|blob| blob.content_hash == *hash);
    // Most inputs are pictures; one that is none shows the box without a picture.
    Some(known.map_or("image/*", |blob| blob.media_type.as_str()))
}
