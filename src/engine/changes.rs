//! What changed, noted for whoever copies it elsewhere: a bounded list on disk, in the commits
//! that make the changes.
//!
//! Nothing is noted until somebody asks for it. A reader remembers the number of the last change
//! that it has seen. Where the list would grow too long it is dropped, and the reader begins anew
//! from everything there is.

use std::collections::BTreeSet;
use std::ops::Bound;

use redb::ReadableTableMetadata as _;

use crate::base::limits::CHANGES_KEPT;
use crate::base::{ContentHash, NodeKey, RunId};
use crate::db::DbError;
use crate::engine::error::EngineError;
use crate::engine::views::{RunView, run_view};
use crate::engine::{Engine, tables, tasks};
use crate::records::tables as names;
use crate::records::{Record, RunRow};

/// What a change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A run.
    Run(RunId),
    /// The key whose result a blob is.
    Content(ContentHash),
}

/// How a subject stands.
#[derive(Debug, Clone)]
pub enum Standing {
    /// A run, and the task that it came as; `None` if it is gone.
    Run(RunId, Option<(Box<RunView>, Option<String>)>),
    /// A blob, and the key whose result it is; `None` if it is nobody's.
    Content(ContentHash, Option<NodeKey>),
}

/// Where a reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Numbers of another epoch mean nothing.
    pub epoch: u64,
    /// The last change that was seen.
    pub change: u64,
}

/// Some of what there is, or of what changed.
#[derive(Debug, Clone)]
pub struct Part {
    /// How each subject stands now.
    pub standings: Vec<Standing>,
    /// Where the reader is with them.
    pub place: Place,
    /// Is there more?
    pub more: bool,
}

impl Subject {
    fn key(&self) -> Vec<u8> {
        match self {
            Self::Run(run) => names::subject_key(0, run.as_bytes()),
            Self::Content(hash) => names::subject_key(1, hash.as_bytes()),
        }
    }

    fn of_key(key: &[u8]) -> Option<Self> {
        match key.split_first()? {
            (0, id) => Some(Self::Run(RunId::from_bytes(id.try_into().ok()?))),
            (1, id) => Some(Self::Content(ContentHash::from_bytes(id.try_into().ok()?))),
            _ => None,
        }
    }
}

/// Notes a change, if anybody wants to know.
pub(super) fn note(tx: &redb::WriteTransaction, subject: &Subject) -> Result<(), DbError> {
    note_of(tx, subject, CHANGES_KEPT)
}

/// The same with a list of at most `most`.
fn note_of(tx: &redb::WriteTransaction, subject: &Subject, most: u64) -> Result<(), DbError> {
    if tables::number_in(tx, names::CHANGES_NOTED)? == 0 {
        return Ok(());
    }
    if tx.open_table(names::CHANGES)?.len()? >= most {
        tx.delete_table(names::CHANGES)?;
        tx.open_table(names::CHANGES)?;
        return tables::set_number(tx, names::CHANGES_NOTED, 0);
    }
    let number = tables::add_to_number(tx, names::CHANGE, 1)?;
    tx.open_table(names::CHANGES)?.insert(number, subject.key().as_slice())?;
    Ok(())
}

impl Engine {
    /// A text that no other home has.
    pub fn home_id(&self) -> Result<String, EngineError> {
        let id = self.write(|tx| {
            let known = tables::number_in(tx, names::HOME_ID)?;
            if known != 0 {
                return Ok(known);
            }
            // The last half of such an id is random.
            let new = uuid::Uuid::now_v7().as_u64_pair().1;
            tables::set_number(tx, names::HOME_ID, new).map(|()| new)
        });
        Ok(format!("{:016x}", id.wait()?))
    }

    /// Has changes noted from now on; where they are now.
    pub fn note_changes(&self) -> Result<Place, EngineError> {
        let place = self.write(|tx| {
            if tables::number_in(tx, names::CHANGES_NOTED)? == 0 {
                tables::set_number(tx, names::CHANGES_NOTED, 1)?;
                tables::add_to_number(tx, names::CHANGES_EPOCH, 1)?;
            }
            let (epoch, change) = (tables::number_in(tx, names::CHANGES_EPOCH)?, tables::number_in(tx, names::CHANGE)?);
            Ok(Place { epoch, change })
        });
        Ok(place.wait()?)
    }

    /// The number of the last change that was noted.
    pub fn last_change(&self) -> Result<u64, EngineError> {
        self.number(names::CHANGE)
    }

    /// How what changed after a place stands now, at most `most` subjects. `None` if not all of
    /// it is known any more.
    pub fn changes_after(&self, place: Place, most: usize) -> Result<Option<Part>, EngineError> {
        let part = self.0.db.read(|tx| {
            let numbers = tx.open_table(names::NUMBERS)?;
            let number = |name: &str| Ok::<u64, DbError>(numbers.get(name)?.map_or(0, |number| number.value()));
            let known = number(names::CHANGES_NOTED)? == 1
                && number(names::CHANGES_EPOCH)? == place.epoch
                && (number(names::CHANGES_GONE)?..=number(names::CHANGE)?).contains(&place.change);
            if !known {
                return Ok(None);
            }
            let changes = tx.open_table(names::CHANGES)?;
            let (mut subjects, mut place, mut more) = (BTreeSet::new(), place, false);
            for row in changes.range((Bound::Excluded(place.change), Bound::Unbounded))? {
                let (change, key) = row?;
                if subjects.len() == most {
                    more = true;
                    break;
                }
                place.change = change.value();
                subjects.extend(Subject::of_key(key.value()));
            }
            let standings = subjects.into_iter().map(|subject| standing(tx, subject)).collect::<Result<_, _>>()?;
            Ok(Some(Part { standings, place, more }))
        })?;
        Ok(part)
    }

    /// Lets go of changes that were seen.
    pub fn forget_changes(&self, place: Place) -> Result<(), EngineError> {
        let forgotten = self.write(move |tx| {
            if tables::number_in(tx, names::CHANGES_EPOCH)? != place.epoch {
                return Ok(());
            }
            tx.open_table(names::CHANGES)?.retain_in(..=place.change, |_, _| false)?;
            tables::set_number(tx, names::CHANGES_GONE, place.change)
        });
        Ok(forgotten.wait()?)
    }

    /// How the runs after this one stand, in the order of their ids.
    pub fn runs_standing(&self, after: Option<RunId>, most: usize) -> Result<Vec<Standing>, EngineError> {
        let standings = self.0.db.read(|tx| {
            let runs = tx.open_table(names::RUNS)?;
            let from = after.map_or(Bound::Unbounded, |run| Bound::Excluded(*run.as_bytes()));
            let mut standings = Vec::new();
            for row in runs.range::<&[u8; 16]>((from.as_ref(), Bound::Unbounded))?.take(most) {
                standings.push(standing(tx, Subject::Run(RunId::from_bytes(*row?.0.value())))?);
            }
            Ok(standings)
        })?;
        Ok(standings)
    }

    /// How these runs stand.
    pub fn standings_of_runs(&self, runs: &[RunId]) -> Result<Vec<Standing>, EngineError> {
        let standings = runs.iter().map(|run| Subject::Run(*run));
        Ok(self.0.db.read(|tx| standings.map(|subject| standing(tx, subject)).collect())?)
    }

    /// How these blobs stand.
    pub fn standings_of_contents(&self, hashes: &[ContentHash]) -> Result<Vec<Standing>, EngineError> {
        let standings = hashes.iter().map(|hash| Subject::Content(*hash));
        Ok(self.0.db.read(|tx| standings.map(|subject| standing(tx, subject)).collect())?)
    }

    /// The keys of blobs after this one, in the order of their hashes.
    pub fn contents_standing(&self, after: Option<ContentHash>, most: usize) -> Result<Vec<Standing>, EngineError> {
        let standings = self.0.db.read(|tx| {
            let made = tx.open_table(names::MADE)?;
            let from = after.map_or_else(Vec::new, |hash| names::pairs_of(hash.as_bytes()).end().clone());
            let mut standings: Vec<Standing> = Vec::new();
            let mut last = None;
            for row in made.range(from.as_slice()..)? {
                let pair = row?.0;
                let Some((hash, key)) = halves(pair.value()) else { continue };
                if last.replace(hash) != Some(hash) {
                    if standings.len() == most {
                        break;
                    }
                    standings.push(Standing::Content(hash, Some(key)));
                }
            }
            Ok(standings)
        })?;
        Ok(standings)
    }
}

fn halves(pair: &[u8]) -> Option<(ContentHash, NodeKey)> {
    let (hash, key) = pair.split_at_checked(32)?;
    Some((ContentHash::from_bytes(hash.try_into().ok()?), NodeKey::from_bytes(key.try_into().ok()?)))
}

fn standing(tx: &redb::ReadTransaction, subject: Subject) -> Result<Standing, DbError> {
    Ok(match subject {
        Subject::Run(run) => {
            let row = tx.open_table(names::RUNS)?.get(run.as_bytes())?.map(|bytes| RunRow::from_bytes(bytes.value()));
            let task = tasks::of_run(tx, run)?.map(|task| task.task);
            let view = row.transpose()?.map(|row| run_view(tx, run, &row)).transpose()?;
            Standing::Run(run, view.map(|view| (Box::new(view), task)))
        }
        Subject::Content(hash) => {
            let made = tx.open_table(names::MADE)?;
            let key = tables::second_halves::<32>(&made, hash.as_bytes())?.first().copied();
            Standing::Content(hash, key.map(NodeKey::from_bytes))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_noted_when_somebody_asks_and_dropped_when_there_are_too_many() {
        let file = tempfile::NamedTempFile::new().unwrap();
        crate::db::initialise(&redb::Database::create(file.path()).unwrap()).unwrap();
        let db = crate::db::Db::open(file.path()).unwrap();
        tables::create(&db).unwrap();
        let noted = |count: usize| {
            let noted = tables::write(&db, move |tx| {
                (0..count).try_for_each(|_| note_of(tx, &Subject::Run(RunId::new()), 10))?;
                let length = tx.open_table(names::CHANGES)?.len()?;
                Ok((length, tables::number_in(tx, names::CHANGES_NOTED)?, tables::number_in(tx, names::CHANGE)?))
            });
            noted.wait().unwrap()
        };
        assert_eq!(noted(5), (0, 0, 0), "nobody asked");
        tables::write(&db, |tx| tables::set_number(tx, names::CHANGES_NOTED, 1)).wait().unwrap();
        assert_eq!(noted(10), (10, 1, 10));
        assert_eq!(noted(3), (0, 0, 10), "dropped, and nothing is noted until somebody asks again");
    }

    #[test]
    fn subjects_are_read_back_from_their_keys() {
        for subject in [Subject::Run(RunId::new()), Subject::Content(ContentHash::of(b"x"))] {
            assert_eq!(Subject::of_key(&subject.key()), Some(subject));
        }
        for other in [&b""[..], b"\x00short", b"\x07"] {
            assert_eq!(Subject::of_key(other), None);
        }
    }
}
