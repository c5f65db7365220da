//! Pages of lists: `?limit=` and `?cursor=` in, `Link` and `X-Total-Count` out.
//!
//! A cursor names the last item of a page, with a check that tells it from what somebody made
//! up; what is new since then does not shift the pages that follow.

use axum::Json;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::base::limits::{PAGE_DEFAULT, PAGE_MAX};
use crate::http::query::{Here, QueryWords};

/// Which part of a list is asked for.
#[derive(Debug, Clone)]
pub struct Paging {
    list: &'static str,
    /// The most items of the page.
    pub limit: usize,
    /// What the last item of the page before was.
    pub after: Option<String>,
}

impl Paging {
    /// Reads `limit` and `cursor`; a cursor of another list is a problem.
    pub fn of(list: &'static str, query: &mut QueryWords) -> Self {
        let limit = query.number("limit", 1..=PAGE_MAX as u64).unwrap_or(PAGE_DEFAULT as u64) as usize;
        let cursor = query.text("cursor");
        let after = cursor.as_deref().and_then(|cursor| position(list, cursor));
        if cursor.is_some() && after.is_none() {
            query.problem("cursor", "value_error", "this is no cursor of this list; take it from a page's Link header");
        }
        Self { list, limit, after }
    }

    /// The last item's position as a number, for lists that count.
    pub fn after_number(&self) -> Option<u64> {
        self.after.as_deref().and_then(|after| after.parse().ok())
    }

    /// The answer: `last` is the position of the page's last item, if there are more after it;
    /// `total` the length of the whole list, if it is known.
    pub fn answer<T: Serialize>(&self, here: &Here, items: &[T], last: Option<String>, total: Option<u64>) -> Response {
        let mut response = Json(items).into_response();
        let headers = response.headers_mut();
        if let Some(last) = last {
            let link = format!("<{}>; rel=\"next\"", here.with_cursor(&cursor(self.list, &last)));
            // A query that cannot stand in a header has no link; none that we made is like that.
            headers.extend(HeaderValue::from_bytes(link.as_bytes()).ok().map(|link| (header::LINK, link)));
        }
        headers.extend(total.map(|total| (TOTAL, HeaderValue::from(total))));
        response
    }

    /// The answer from a list that is there as a whole.
    pub fn cut<T: Serialize>(&self, here: &Here, all: &[T]) -> Response {
        let from = self.after_number().map_or(0, |after| after as usize).min(all.len());
        let to = from.saturating_add(self.limit).min(all.len());
        let last = (to < all.len()).then(|| to.to_string());
        self.answer(here, &all[from..to], last, Some(all.len() as u64))
    }
}

const TOTAL: header::HeaderName = header::HeaderName::from_static("x-total-count");

/// The cursor of a position in a list.
fn cursor(list: &str, position: &str) -> String {
    let digit = |digit: u8| char::from_digit(u32::from(digit), 16).unwrap_or_default();
    let hex: String = position.bytes().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
    hex + &check(list, position)
}

/// The position that a cursor of this list names.
fn position(list: &str, cursor: &str) -> Option<String> {
    let (hex, found) = cursor.split_at_checked(cursor.len().checked_sub(CHECK)?)?;
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = |pair: &[u8]| match pair {
        [high, low] => Some((digit(*high)? * 16 + digit(*low)?) as u8),
        _ => None,
    };
    let bytes: Option<Vec<u8>> = hex.as_bytes().chunks(2).map(byte).collect();
    let position = String::from_utf8(bytes?).ok()?;
    (check(list, &position) == found).then_some(position)
}

/// Digits of the check at the end of a cursor.
const CHECK: usize = 8;

fn check(list: &str, position: &str) -> String {
    let mut text = crate::base::ContentHash::of(format!("artdag cursor of {list}: {position}").as_bytes()).to_string();
    text.truncate(CHECK);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_by_its_own_list_alone() {
        let made = cursor("runs", "0199-x");
        assert_eq!(position("runs", &made).as_deref(), Some("0199-x"));
        assert_eq!(position("cache", &made), None);
        for wrong in ["", "zz", "00", &"f".repeat(31), "éééééééé", &made[1..], &made.to_uppercase()] {
            assert_eq!(position("runs", wrong), None, "{wrong}");
        }
    }
}
