//! Small pictures of pictures and films, made when they are asked for.
//!
//! Drawn from the decoded picture, so that whatever its bytes are, what goes out is a picture of
//! ours: a PNG, or for a large one a WebP. A few at a time: decoding takes memory.

use std::sync::LazyLock;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use tokio::sync::Semaphore;

use crate::base::ContentHash;
use crate::base::limits::{SMALL_VIEW_SIDE, THUMB_PIXELS, THUMB_SIDE, THUMBS_AT_ONCE, VIEW_BYTES, VIEW_SIDE};
use crate::engine::views::BlobInfo;
use crate::http::App;
use crate::http::error::{ApiError, ApiResult};
use crate::http::extract::PathHash;
use crate::http::query::QueryWords;
use crate::http::ui::icons::{icon, of_media};
use crate::media::encode::{Format, encode};
use crate::media::resample::resize;
use crate::media::{Image, MediaType, decode};
use crate::records::BlobRow;

static TURNS: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(THUMBS_AT_ONCE));

/// A picture of a blob that fits into a small square: a PNG, or a WebP if a `size` is named, with `medium` and
/// `large` as large as a window.
pub async fn picture(
    State(app): State<App>,
    PathHash(hash): PathHash,
    headers: HeaderMap,
    mut query: QueryWords,
) -> ApiResult<Response> {
    let size = query.text("size");
    let (side, format) = match size.as_deref() {
        None => (THUMB_SIDE, Format::Png),
        Some("small") => (THUMB_SIDE, Format::Webp),
        Some("medium") => (SMALL_VIEW_SIDE, Format::Webp),
        size => {
            if size != Some("large") {
                query.problem("size", "enum", "\"size\" is small, medium or large, or is not given");
            }
            (VIEW_SIDE, Format::Webp)
        }
    };
    query.finish()?;
    let etag = format!("\"t{side}-{hash}\"");
    let kept = [
        (header::ETAG, HeaderValue::from_str(&etag).unwrap_or(HeaderValue::from_static("\"t\""))),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
    ];
    let row = app.blocking(move |engine| engine.describe(&hash)).await?;
    if headers.get_all(header::IF_NONE_MATCH).iter().any(|known| known.as_bytes() == etag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, kept).into_response());
    }
    if !is_drawn(&row) {
        return Err(ApiError::not_found("small picture of", &hash.to_string()));
    }
    // It is never closed.
    let _turn = TURNS.acquire().await.map_err(|closed| ApiError::bug(&closed))?;
    let bytes = app.on_thread(move |app| {
        let bytes = if of_media(&row.media_type) == "video" {
            app.engine.glance(&hash, side)?.and_then(|frame| drawn(&frame, format))
        } else {
            small(&app.engine.read_blob(&hash)?, side, format)
        };
        bytes.ok_or_else(|| ApiError::not_found("small picture of", &hash.to_string()))
    });
    let bytes = bytes.await?;
    Ok((kept, [(header::CONTENT_TYPE, format.media_type().mime())], bytes).into_response())
}

/// Is there a small picture of a blob like this?
pub fn is_drawn(row: &BlobRow) -> bool {
    let pixels = row.dimensions.map_or(0, |(width, height)| u64::from(width) * u64::from(height));
    let media_type = MediaType::from_mime(&row.media_type).unwrap_or(MediaType::Octet);
    let is_small = (1..=THUMB_PIXELS).contains(&pixels);
    row.damage.is_none() && (of_media(&row.media_type) == "video" || media_type.is_picture() && is_small)
}

/// A picture that is looked at: its own bytes, or a smaller picture of what would be long on its way. What may
/// move is never made a still.
pub fn view(blob: &BlobInfo, class: Option<&str>, alt: &str) -> Markup {
    let hash = &blob.content_hash;
    let (wide, high) = (blob.width.unwrap_or_default(), blob.height.unwrap_or_default());
    if !is_smaller(blob) {
        return html! { img class=[class] src={ "/cache/" (hash) } alt=(alt) width=(wide) height=(high) decoding="async"; };
    }
    let width = |side: u32| fitted(wide, high, side).0;
    let both = format!(
        "/thumb/{hash}?size=medium {}w, /thumb/{hash}?size=large {}w",
        width(SMALL_VIEW_SIDE),
        width(VIEW_SIDE)
    );
    html! {
        img class=[class] src={ "/thumb/" (hash) "?size=large" } srcset=(both) sizes="(max-width: 760px) 92vw, 720px" alt=(alt)
            width=(wide) height=(high) decoding="async" fetchpriority="high";
    }
}

/// Is a smaller picture of it shown in its place?
fn is_smaller(blob: &BlobInfo) -> bool {
    let still = ["image/png", "image/jpeg", "image/tiff", "image/bmp"].contains(&blob.media_type.as_str());
    let pixels = blob.width.zip(blob.height).map_or(0, |(width, height)| u64::from(width) * u64::from(height));
    still && blob.size > VIEW_BYTES && (1..=THUMB_PIXELS).contains(&pixels)
}

fn small(bytes: &[u8], side: u32, format: Format) -> Option<Vec<u8>> {
    let whole = decode::decode(bytes).ok()?;
    let (width, height) = fitted(whole.width(), whole.height(), side);
    let small = resize(&whole, width, height);
    drop(whole);
    drawn(&small, format)
}

fn drawn(small: &Image, format: Format) -> Option<Vec<u8>> {
    let quality = (format == Format::Webp).then_some(80);
    encode(small, format, quality).ok()
}

/// The size within the square, not above its own.
fn fitted(width: u32, height: u32, most: u32) -> (u32, u32) {
    let scale = (f64::from(most) / f64::from(width.max(height))).min(1.0);
    let side = |side: u32| ((f64::from(side) * scale).round() as u32).max(1);
    (side(width), side(height))
}

/// A box of fixed shape with a small picture of a value in it, or the icon of its kind.
pub fn thumb(hash: Option<&ContentHash>, media_type: Option<&str>) -> Markup {
    let kind = of_media(media_type.unwrap_or_default());
    html! {
        span.thumb {
            @match hash {
                Some(hash) if matches!(kind, "image" | "video") => {
                    img data-kind=[(kind == "video").then_some(kind)] src={ "/thumb/" (hash) "?size=small" } alt="" width="320" height="240" loading="lazy" decoding="async";
                }
                Some(_) => (icon(kind)),
                None => span.none {},
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_fit_and_are_never_made_larger() {
        assert_eq!(fitted(THUMB_SIDE * 2, THUMB_SIDE, THUMB_SIDE), (THUMB_SIDE, THUMB_SIDE / 2));
        assert_eq!(fitted(10, 20, THUMB_SIDE), (10, 20));
        assert_eq!(fitted(1_000_000, 1, THUMB_SIDE), (THUMB_SIDE, 1));
    }
}
