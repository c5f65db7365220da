//! Blobs as lists show them: those that fit a question, newest first.

use std::collections::HashMap;
use std::ops::Range;

use redb::ReadTransaction;

use crate::base::limits::PAGE_ROWS;
use crate::base::{ContentHash, RunId};
use crate::db::DbError;
use crate::engine::error::EngineError;
use crate::engine::{Engine, Page, assets, tables, tools};
use crate::records::tables as names;
use crate::records::{BlobRow, MemoRow, Origin, ProbeRow, Record, RunRow};

/// Digits from which on a word may be the beginning of a hash: with fewer, every word of such letters would be some.
const HASH_DIGITS: usize = 4;

/// Which blobs are listed; what is empty or `None` matches all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlobFilter {
    /// Of a type that begins so.
    pub media_type: String,
    /// That came in one of these ways.
    pub origins: Vec<Origin>,
    /// Of so many bytes.
    pub size: Option<Range<u64>>,
    /// Pictures and films whose longer side has so many pixels.
    pub side: Option<Range<u32>>,
    /// With this in a name, at the beginning of the hash, or in the name of the recipe that made it.
    pub words: Option<String>,
}

impl BlobFilter {
    /// Blobs of a type that begins so.
    pub fn of_type(prefix: impl Into<String>) -> Self {
        Self { media_type: prefix.into(), ..Self::default() }
    }

    /// Does the row alone fit?
    fn takes(&self, row: &BlobRow) -> bool {
        row.media_type.starts_with(&self.media_type)
            && (self.origins.is_empty() || self.origins.contains(&row.origin))
            && self.size.as_ref().is_none_or(|size| size.contains(&row.size))
    }
}

/// What a filter asks of other rows than the blob's own.
struct Asking<'a> {
    tx: &'a ReadTransaction,
    side: Option<&'a Range<u32>>,
    /// In lower case.
    words: Option<String>,
    /// Runs that were looked at: is the word in the name of their recipe?
    recipes: HashMap<RunId, bool>,
}

impl Asking<'_> {
    fn takes(&mut self, hash: &ContentHash, row: &BlobRow) -> Result<bool, DbError> {
        Ok(self.has_side(hash, row)? && self.is_called_so(hash, row)?)
    }

    fn has_side(&self, hash: &ContentHash, row: &BlobRow) -> Result<bool, DbError> {
        let Some(side) = self.side else { return Ok(true) };
        let size = match row.dimensions {
            Some(size) => Some(size),
            None if row.media_type.starts_with("video/") => {
                // A film was looked at when it was first shown.
                let probes = self.tx.open_table(names::PROBES)?;
                let probe = probes.get(hash.as_bytes())?;
                let probe = probe.map(|bytes| ProbeRow::from_bytes(bytes.value())).transpose()?;
                let clip = probe.and_then(|probe| tools::told(&probe).ok());
                clip.and_then(|clip| clip.facts()).map(|facts| (facts.width, facts.height))
            }
            None => None,
        };
        Ok(size.is_some_and(|(width, height)| side.contains(&width.max(height))))
    }

    fn is_called_so(&mut self, hash: &ContentHash, row: &BlobRow) -> Result<bool, DbError> {
        let Some(words) = &self.words else { return Ok(true) };
        if words.len() >= HASH_DIGITS && hash.to_string().starts_with(words) {
            return Ok(true);
        }
        let named = assets::names_from(&self.tx.open_table(names::NAMES)?, hash)?;
        if named.iter().any(|name| name.to_lowercase().contains(words)) {
            return Ok(true);
        }
        if row.origin != Origin::Derived {
            return Ok(false);
        }
        let (made, memo) = (self.tx.open_table(names::MADE)?, self.tx.open_table(names::MEMO)?);
        for key in tables::second_halves::<32>(&made, hash.as_bytes())? {
            let row = memo.get(&key)?.map(|bytes| MemoRow::from_bytes(bytes.value())).transpose()?;
            let Some(MemoRow { run, .. }) = row else { continue };
            let fits = match self.recipes.get(&run) {
                Some(fits) => *fits,
                None => {
                    let runs = self.tx.open_table(names::RUNS)?;
                    let row = runs.get(run.as_bytes())?.map(|bytes| RunRow::from_bytes(bytes.value())).transpose()?;
                    row.is_some_and(|row| row.recipe.to_lowercase().contains(words))
                }
            };
            self.recipes.insert(run, fits);
            if fits {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Engine {
    /// Blobs that the filter takes, newest first, from before the sequence number `before`. Where
    /// few are taken, a page may have fewer than there are: `next` goes on.
    pub fn blobs_page(
        &self,
        filter: &BlobFilter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Page<(ContentHash, BlobRow), u64>, EngineError> {
        let words = filter.words.as_ref().map(|words| words.to_lowercase());
        // A whole hash needs no looking for.
        let whole = words.as_deref().and_then(|words| words.parse::<ContentHash>().ok());
        let whole = whole.map(|hash| self.ours(hash)).transpose()?;
        let page = self.0.db.read(|tx| {
            let (order, blobs) = (tx.open_table(names::BLOB_ORDER)?, tx.open_table(names::BLOBS)?);
            let row = |hash: &ContentHash| {
                let row = blobs.get(hash.as_bytes())?;
                Ok::<_, DbError>(row.map(|bytes| BlobRow::from_bytes(bytes.value())).transpose()?)
            };
            let words = words.filter(|_| whole.is_none());
            let mut asking = Asking { tx, side: filter.side.as_ref(), words, recipes: HashMap::new() };
            let mut page = Page::default();
            if let Some(hash) = whole {
                if let Some(row) = row(&hash)?.filter(|row| filter.takes(row))
                    && asking.takes(&hash, &row)?
                {
                    page.items.push((hash, row));
                }
                return Ok(page);
            }
            for (looked_at, entry) in order.range(..before.unwrap_or(u64::MAX))?.rev().enumerate() {
                let (sequence, hash) = entry?;
                if page.items.len() == limit || looked_at == PAGE_ROWS {
                    page.next = Some(sequence.value() + 1);
                    break;
                }
                let hash = ContentHash::from_bytes(*hash.value());
                let Some(row) = row(&hash)?.filter(|row| filter.takes(row)) else { continue };
                if asking.takes(&hash, &row)? {
                    page.items.push((hash, row));
                }
            }
            Ok(page)
        })?;
        Ok(page)
    }
}
