//! Pages of lists: `?limit=` and `?cursor=` in, `Link` and `X-Total-Count` out.
//!
//! A cursor says after what a page begins: a letter for the list, and a number in hex. Every
//! cursor of the form leads to some page; what is new since a page was sent does not shift those
//! that follow.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::base::RunId;
use crate::base::limits::{PAGE_DEFAULT, PAGE_MAX};
use crate::http::query::{Here, QueryWords};

/// A list that is sent in pages. A cursor of one is none of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// Runs, by id.
    Runs,
    /// Blobs, by their sequence.
    Blobs,
    /// Configs, by their sequence.
    Configs,
    /// Effects, by position.
    Effects,
    /// Node types, by position.
    NodeTypes,
    /// Publications, by their sequence.
    Publications,
}

impl List {
    const fn letter(self) -> char {
        match self {
            Self::Runs => 'r',
            Self::Blobs => 'b',
            Self::Configs => 'c',
            Self::Effects => 'e',
            Self::NodeTypes => 'n',
            Self::Publications => 'p',
        }
    }

    /// Hex digits of its cursors.
    const fn digits(self) -> usize {
        if matches!(self, Self::Runs) { 32 } else { 16 }
    }

    fn cursor(self, after: u128) -> String {
        format!("{}{after:0digits$x}", self.letter(), digits = self.digits())
    }

    fn read(self, cursor: &str) -> Option<u128> {
        let hex = cursor.strip_prefix(self.letter())?;
        let plain = hex.len() == self.digits() && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if plain { u128::from_str_radix(hex, 16).ok() } else { None }
    }
}

/// Which part of a list is asked for.
#[derive(Debug, Clone)]
pub struct Paging {
    list: List,
    /// The most items of the page.
    pub limit: usize,
    after: Option<u128>,
}

impl Paging {
    /// Reads `limit` and `cursor`.
    pub fn of(list: List, query: &mut QueryWords) -> Self {
        Self::of_page(list, PAGE_DEFAULT, query)
    }

    /// The same for a page that shows another number of items, if it is not told.
    pub fn of_page(list: List, default: usize, query: &mut QueryWords) -> Self {
        let limit = query.number("limit", 1..=PAGE_MAX as u64).unwrap_or(default as u64) as usize;
        let cursor = query.text("cursor");
        let after = cursor.as_deref().and_then(|cursor| list.read(cursor));
        if cursor.is_some() && after.is_none() {
            query.problem("cursor", "value_error", "this is no cursor of this list; take it from a page's Link header");
        }
        Self { list, limit, after }
    }

    /// The run after which the page begins.
    pub fn after_run(&self) -> Option<RunId> {
        self.after.map(|after| RunId::from_bytes(after.to_be_bytes()))
    }

    /// The number after which the page begins.
    pub fn after_number(&self) -> Option<u64> {
        // The cursors of lists that count have 16 digits.
        self.after.map(|after| after as u64)
    }

    /// What asks for the page that begins at `next`.
    pub fn cursor(&self, next: Next) -> String {
        self.list.cursor(next.0)
    }

    /// The address of the page that begins at `next`.
    pub fn link(&self, here: &Here, next: Next) -> String {
        here.with_cursor(&self.list.cursor(next.0))
    }

    /// The answer: `next` is where the next page begins, if there is one; `total` the length of
    /// the whole list, if it is known.
    pub fn answer<T: Serialize>(&self, here: &Here, items: &[T], next: Option<Next>, total: Option<u64>) -> Response {
        let mut response = Json(items).into_response();
        let headers = response.headers_mut();
        if let Some(next) = next {
            let link = format!("<{}>; rel=\"next\"", self.link(here, next));
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
        let next = (to < all.len()).then_some(Next(to as u128));
        self.answer(here, &all[from..to], next, Some(all.len() as u64))
    }
}

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Next(u128);

impl From<RunId> for Next {
    fn from(run: RunId) -> Self {
        Self(u128::from_be_bytes(*run.as_bytes()))
    }
}

impl From<u64> for Next {
    fn from(number: u64) -> Self {
        Self(number.into())
    }
}

const TOTAL: HeaderName = HeaderName::from_static("x-total-count");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_by_its_own_list_alone() {
        let run = RunId::new();
        let made = List::Runs.cursor(Next::from(run).0);
        let paging = Paging { list: List::Runs, limit: 1, after: List::Runs.read(&made) };
        assert_eq!(paging.after_run(), Some(run));
        assert_eq!(List::Blobs.read(&made), None);
        assert_eq!(List::Blobs.read(&List::Blobs.cursor(u64::MAX.into())), Some(u64::MAX.into()));
        assert_eq!(List::Configs.read(&List::Blobs.cursor(7)), None);
        for wrong in ["", "r", "zz", "b+000000000000001", &made[1..], &made.to_uppercase(), &format!("{made}0")] {
            assert_eq!(List::Runs.read(wrong).or(List::Blobs.read(wrong)), None, "{wrong}");
        }
    }
}
