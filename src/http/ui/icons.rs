//! Icons: a few strokes each, drawn here, in the colour of the text beside them.

use maud::{Markup, PreEscaped, html};

/// Name and strokes, in a square of 16.
const ICONS: &[(&str, &str)] = &[
    // States: each has a shape of its own, so that colour is never all that tells them apart.
    ("pending", "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 0 0 0-11"),
    ("waiting", "M4.5 2.5h7M4.5 13.5h7M5.5 2.5c0 3.5 5 4 5 5.5s-5 2-5 5.5M10.5 2.5c0 3.5-5 4-5 5.5s5 2 5 5.5"),
    ("running", "M8 2.5a5.5 5.5 0 1 0 5.5 5.5M8 5v3l2 1.5"),
    ("cached", "M9 1.5L3.5 9H8L7 14.5L12.5 7H8z"),
    ("completed", "M2.5 8.5l3.700 3.700L13.5 4.5"),
    ("failed", "M3.5 3.5l9 9M12.5 3.5l-9 9"),
    ("cancelled", "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 0 0 0-11M4.200 11.800l7.600-7.600"),
    ("skipped", "M3 4l5 4l-5 4zM12 4v8"),
    ("held", "M5.5 3v10M10.5 3v10"),
    // Kinds of media.
    ("image", "M2.5 3.5h11v9h-11zM2.5 11l3.5-3.5l2.5 2.5l2-2l3 3M10.5 6h.01"),
    ("video", "M2.5 4h8v8h-8zM10.5 7.5l3-2v5l-3-2"),
    ("audio", "M2 8h1.5M5 5.5v5M7.5 3v10M10 5v6M12.5 7v2"),
    (
        "data",
        "M6 3c-2 0-2 1-2 2.5S3.5 8 2.5 8C3.5 8 4 9 4 10.5S4 13 6 13M10 3c2 0 2 1 2 2.5s.5 2.5 1.5 2.5c-1 0-1.5 1-1.5 2.5S12 13 10 13",
    ),
    ("file", "M4 2h5l3 3v9H4zM9 2v3h3"),
    // Things to do.
    ("copy", "M6 6h7v7H6zM10 6V3H3v7h3"),
    ("upload", "M8 11V3M4.5 6L8 2.5L11.5 6M2.5 11v2.5h11V11"),
    ("download", "M8 2.5V10M4.5 7L8 10.5L11.5 7M2.5 11v2.5h11V11"),
    ("again", "M13 8a5 5 0 1 1-1.5-3.600M13 2v3h-3"),
    ("trash", "M3 4.5h10M6 4.5V3h4v1.5M4.5 4.5l.5 9h6l.5-9"),
    ("verify", "M8 2l5 2v4c0 3-2.5 5-5 6c-2.5-1-5-3-5-6V4zM5.800 7.800l1.700 1.700l3-3"),
    ("lock", "M4 7.5h8v6H4zM5.5 7.5V5.5a2.5 2.5 0 0 1 5 0v2"),
    ("play", "M5 3l7.5 5L5 13z"),
];

/// An icon that says nothing beside the words that stand with it.
pub fn icon(name: &str) -> Markup {
    let strokes = strokes(name);
    html! {
        svg.icon viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false" { (PreEscaped(format!("<path d=\"{strokes}\"/>"))) }
    }
}

/// The strokes of an icon; those of a file for a name that is none.
pub fn strokes(name: &str) -> &'static str {
    let of = |name: &str| ICONS.iter().find(|(known, _)| *known == name).map(|(_, strokes)| *strokes);
    of(name).or_else(|| of("file")).unwrap_or_default()
}

/// The icon of a media type.
pub fn of_media(media_type: &str) -> &'static str {
    match media_type.split('/').next().unwrap_or_default() {
        "image" if media_type != "image/svg+xml" => "image",
        "video" => "video",
        "audio" => "audio",
        _ if media_type.ends_with("json") || media_type.ends_with("yaml") => "data",
        _ => "file",
    }
}

/// A state as an icon and its word.
pub fn state(word: &str) -> Markup {
    html! { span class={ "state s-" (word) } { (icon(word)) span { (word) } } }
}

/// The icons of what is shown by a picture, for the script that puts them in the place of one that fails.
pub fn of_kinds() -> Markup {
    symbols("k", &["image", "video"])
}

/// Every icon that states have, for the script that changes them.
pub fn of_states() -> Markup {
    const STATES: [&str; 8] =
        ["pending", "waiting", "running", "cached", "completed", "failed", "cancelled", "skipped"];
    symbols("i", &STATES)
}

fn symbols(prefix: &str, names: &[&str]) -> Markup {
    html! {
        svg.defs width="0" height="0" aria-hidden="true" focusable="false" {
            @for name in names {
                symbol id={ (prefix) "-" (name) } viewBox="0 0 16 16" { (PreEscaped(format!("<path d=\"{}\"/>", strokes(name)))) }
            }
        }
    }
}
