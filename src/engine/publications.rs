//! What is published: kept for good, and how far its delivery to L2 is.
//!
//! The one commit that accepts a publication holds everything of it: the signed activity, what it
//! holds (so that no path of deletion takes it), and its place in the outbox. Signing and sending
//! are `link`'s.

use redb::{ReadableTable as _, ReadableTableMetadata as _};

use crate::base::digest::hex;
use crate::base::{ContentHash, RunId, Timestamp};
use crate::db::DbError;
use crate::engine::changes::{self, Subject};
use crate::engine::error::EngineError;
use crate::engine::views::PublicationView;
use crate::engine::{Engine, Page, provenance, runs, tables};
use crate::records::tables as names;
use crate::records::{DeliveryRow, DeliveryState, Holder, PublicationRow, Record, RunRow, RunStatus};

/// What is signed of a run's output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// SHA3-256 of the output's bytes.
    pub sha3: [u8; 32],
    /// When it was signed.
    pub published_at: Timestamp,
    /// The activity as L2 gets it.
    pub activity: String,
    /// The activity as bundles carry it.
    pub sealed: String,
    /// What L2 is told of the run.
    pub record: String,
}

/// A publication with what is known of its delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// The run.
    pub run: RunId,
    /// What was published.
    pub row: PublicationRow,
    /// How far its delivery is.
    pub delivery: DeliveryRow,
}

impl Publication {
    /// As clients see it.
    pub fn view(&self) -> PublicationView {
        let Self { run, row, delivery } = self;
        PublicationView {
            run_id: *run,
            content_hash: row.object,
            sha3_256: hex(&row.sha3),
            published_at: row.published_at,
            state: delivery.state,
            attempts: delivery.attempts,
            error: delivery.error.clone(),
            tried_at: delivery.tried_at,
            next_at: delivery.next_at,
            delivered_at: delivery.delivered_at,
        }
    }
}

impl Engine {
    /// The publication that a run has, or shares because its output was published before; `None`
    /// if it can be published, and refused if it cannot.
    pub fn find_publication(&self, run: RunId) -> Result<Option<Publication>, EngineError> {
        let row = self.run_row(run)?;
        let Some(output) = completed_output(&row) else {
            return Err(EngineError::Refused(format!(
                "run {run} is {}; only a completed run can be published",
                row.status
            )));
        };
        let of = self.0.db.read(|tx| published_by(&tx.open_table(names::HOLDERS)?, &output, true))?;
        of.map(|of| self.publication(of)).transpose()
    }

    /// Accepts a publication: from the commit on that this waits for, nothing of it can be
    /// deleted, and it is delivered sooner or later. True unless the output was published already.
    pub fn accept_publication(&self, run: RunId, signed: Signed, state: DeliveryState) -> Result<bool, EngineError> {
        let _nobody_deletes = self.keep_all();
        let accepted = self.write(move |tx| {
            let Some(row) = runs::run_in(tx, run)? else { return Ok(None) };
            let Some(output) = completed_output(&row) else { return Ok(None) };
            if published_by(&tx.open_table(names::HOLDERS)?, &output, true)?.is_some() {
                return Ok(Some(false));
            }
            hold_all(tx, run, &row, output)?;
            let sequence = tables::add_to_number(tx, names::SEQUENCE, 1)?;
            let Signed { sha3, published_at, activity, sealed, record } = signed;
            let publication = PublicationRow { object: output, sha3, published_at, sequence, activity, sealed, record };
            let delivery = DeliveryRow {
                state,
                parts: 0,
                attempts: 0,
                error: None,
                tried_at: None,
                next_at: None,
                delivered_at: None,
            };
            tx.open_table(names::PUBLICATIONS)?.insert(run.as_bytes(), publication.to_bytes().as_slice())?;
            tx.open_table(names::DELIVERIES)?.insert(run.as_bytes(), delivery.to_bytes().as_slice())?;
            tx.open_table(names::PUBLICATION_ORDER)?.insert(sequence, run.as_bytes())?;
            tx.open_table(names::OUTBOX)?.insert(sequence, run.as_bytes())?;
            tx.open_table(names::PUBLISHED)?.insert(&sha3, run.as_bytes())?;
            note_runs_that_gave(tx, row.inputs.iter().chain([&output]))?;
            Ok::<_, DbError>(Some(true))
        });
        let gone = || EngineError::Refused(format!("run {run} was deleted before it could be published"));
        accepted.wait()?.ok_or_else(gone)
    }

    /// The publication of a run.
    pub fn publication(&self, run: RunId) -> Result<Publication, EngineError> {
        let rows = self.0.db.read(|tx| rows_of(tx, run))?;
        rows.ok_or_else(|| EngineError::NotFound { what: "publication", name: run.to_string(), hint: String::new() })
    }

    /// The publication of the output with this SHA3-256 or BLAKE3 hash.
    pub fn publication_of(&self, hash: &[u8; 32]) -> Result<Option<Publication>, EngineError> {
        let run = self.0.db.read(|tx| match tx.open_table(names::PUBLISHED)?.get(hash)? {
            Some(run) => Ok(Some(RunId::from_bytes(*run.value()))),
            None => published_by(&tx.open_table(names::HOLDERS)?, &ContentHash::from_bytes(*hash), true),
        })?;
        run.map(|run| self.publication(run)).transpose()
    }

    /// Publications, newest first, from before the sequence number `before`.
    pub fn publications_page(&self, before: Option<u64>, limit: usize) -> Result<Page<Publication, u64>, EngineError> {
        let page = self.0.db.read(|tx| {
            let order = tx.open_table(names::PUBLICATION_ORDER)?;
            let mut page = Page::default();
            for row in order.range(..before.unwrap_or(u64::MAX))?.rev() {
                let (sequence, run) = row?;
                if page.items.len() == limit {
                    page.next = Some(sequence.value() + 1);
                    break;
                }
                page.items.extend(rows_of(tx, RunId::from_bytes(*run.value()))?);
            }
            Ok(page)
        })?;
        Ok(page)
    }

    /// How many publications there are, and how many of these L2 does not have.
    pub fn publication_counts(&self) -> Result<(u64, u64), EngineError> {
        let counts = self
            .0
            .db
            .read(|tx| Ok((tx.open_table(names::PUBLICATION_ORDER)?.len()?, tx.open_table(names::OUTBOX)?.len()?)))?;
        Ok(counts)
    }

    /// The runs whose publications L2 does not have yet, oldest first.
    pub fn undelivered(&self) -> Result<Vec<RunId>, EngineError> {
        let runs = self.0.db.read(|tx| {
            let mut runs = Vec::new();
            for row in tx.open_table(names::OUTBOX)?.iter()? {
                runs.push(RunId::from_bytes(*row?.1.value()));
            }
            Ok(runs)
        })?;
        Ok(runs)
    }

    /// Records how far the delivery of a publication is. One that is delivered stays so.
    pub fn record_delivery(&self, run: RunId, delivery: DeliveryRow) -> Result<(), EngineError> {
        let written = self.write(move |tx| {
            let mut deliveries = tx.open_table(names::DELIVERIES)?;
            let old =
                deliveries.get(run.as_bytes())?.map(|bytes| DeliveryRow::from_bytes(bytes.value())).transpose()?;
            let Some(old) = old.filter(|old| old.state != DeliveryState::Delivered) else { return Ok(()) };
            deliveries.insert(run.as_bytes(), delivery.to_bytes().as_slice())?;
            let publications = tx.open_table(names::PUBLICATIONS)?;
            let row = publications.get(run.as_bytes())?;
            let row = row.map(|bytes| PublicationRow::from_bytes(bytes.value())).transpose()?;
            match &row {
                // Those that share it are told of states; how often each was tried would be much.
                Some(row) if old.state != delivery.state => note_runs_that_gave(tx, [&row.object])?,
                _ => changes::note(tx, &Subject::Run(run))?,
            }
            if let Some(row) = row.filter(|_| delivery.state == DeliveryState::Delivered) {
                tx.open_table(names::OUTBOX)?.remove(row.sequence)?;
            }
            Ok::<_, DbError>(())
        });
        Ok(written.wait()?)
    }
}

/// Is an output published, and as what of its own?
pub(super) fn published_as(
    tx: &redb::ReadTransaction,
    output: &ContentHash,
) -> Result<(bool, Option<PublicationView>), DbError> {
    let holders = tx.open_table(names::HOLDERS)?;
    // Most outputs are not published.
    if published_by(&holders, output, false)?.is_none() {
        return Ok((false, None));
    }
    let of = published_by(&holders, output, true)?.map(|of| rows_of(tx, of)).transpose()?.flatten();
    Ok((true, of.map(|publication| publication.view())))
}

/// The first run by whose publication a blob is published, without a look at who else holds it.
fn published_by(
    holders: &impl redb::ReadableTable<&'static [u8], ()>,
    hash: &ContentHash,
    as_output: bool,
) -> Result<Option<RunId>, DbError> {
    let range = names::publications_of(hash, as_output);
    let first = holders.range(range.start.as_slice()..range.end.as_slice())?.next().transpose()?;
    Ok(first.and_then(|(key, _)| published_in(key.value())))
}

/// The run in the key of a holder that is a publication.
fn published_in(key: &[u8]) -> Option<RunId> {
    match names::holder_of(key)? {
        Holder::PublishedOutput(run) | Holder::PublishedInput(run) | Holder::PublishedRecord(run) => Some(run),
        _ => None,
    }
}

/// The output of a completed run.
fn completed_output(row: &RunRow) -> Option<ContentHash> {
    row.output.filter(|_| row.status == RunStatus::Completed)
}

/// Notes that all runs which gave one of these look otherwise: it is published, or further than it was.
fn note_runs_that_gave<'a>(
    tx: &redb::WriteTransaction,
    hashes: impl IntoIterator<Item = &'a ContentHash>,
) -> Result<(), DbError> {
    if tables::number_in(tx, names::CHANGES_NOTED)? == 0 {
        return Ok(());
    }
    for hash in hashes {
        let runs = provenance::runs_that_gave(&tx.open_table(names::HOLDERS)?, hash)?;
        runs.into_iter().try_for_each(|run| changes::note(tx, &Subject::Run(run)))?;
    }
    Ok(())
}

/// Holds the output of a run, all that it was made of, and what is recorded of that.
fn hold_all(tx: &redb::WriteTransaction, run: RunId, row: &RunRow, output: ContentHash) -> Result<(), DbError> {
    tables::hold(tx, &output, &Holder::PublishedOutput(run))?;
    for input in &row.inputs {
        tables::hold(tx, input, &Holder::PublishedInput(run))?;
    }
    for record in row.provenance.iter().chain(&row.config) {
        tables::hold(tx, record, &Holder::PublishedRecord(run))?;
    }
    Ok(())
}

fn rows_of(tx: &redb::ReadTransaction, run: RunId) -> Result<Option<Publication>, DbError> {
    let publications = tx.open_table(names::PUBLICATIONS)?;
    let deliveries = tx.open_table(names::DELIVERIES)?;
    match (publications.get(run.as_bytes())?, deliveries.get(run.as_bytes())?) {
        (Some(row), Some(delivery)) => Ok(Some(Publication {
            run,
            row: PublicationRow::from_bytes(row.value())?,
            delivery: DeliveryRow::from_bytes(delivery.value())?,
        })),
        _ => Ok(None),
    }
}
