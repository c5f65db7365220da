//! Sessions: who has logged in with a browser, and until when.
//!
//! A session's id is a secret like a token, and stored like one, as a hash; so sessions outlive
//! a restart and a stolen database opens none. A token's session is over when the token is
//! revoked, whatever its row says. Knows nothing of cookies.

use redb::{ReadableTable as _, ReadableTableMetadata as _};

use crate::base::limits::{SESSION_SECONDS, SESSIONS, SESSIONS_OF_ONE};
use crate::base::{ContentHash, Fingerprint, Secret, Timestamp};
use crate::db::DbError;
use crate::engine::error::EngineError;
use crate::engine::{Engine, Token, tokens};
use crate::records::tables as names;
use crate::records::{Record, SessionOf, SessionRow};

/// An open session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its row.
    pub row: SessionRow,
    /// The token that it was opened with, if it was one of this home.
    pub token: Option<Token>,
}

/// Ends the sessions of a token, within a write.
pub(super) fn end_of_token(tx: &redb::WriteTransaction, token: &str) -> Result<(), DbError> {
    retain(tx, |row| !matches!(&row.of, SessionOf::Token(id) if id == token))
}

fn retain(tx: &redb::WriteTransaction, mut keep: impl FnMut(&SessionRow) -> bool) -> Result<(), DbError> {
    // A row that cannot be read is nobody's session.
    let keep = |_: &[u8; 32], bytes: &[u8]| SessionRow::from_bytes(bytes).is_ok_and(|row| keep(&row));
    Ok(tx.open_table(names::SESSIONS)?.retain(keep)?)
}

/// Makes room for another session of somebody: of too many of theirs, and of too many in all, the one
/// goes that ends soonest. Those that have ended are gone already.
fn make_room(tx: &redb::WriteTransaction, of: &SessionOf) -> Result<(), DbError> {
    let mut table = tx.open_table(names::SESSIONS)?;
    let (mut soonest, mut own, mut count): (Option<Ending>, Option<Ending>, usize) = (None, None, 0);
    for row in table.iter()? {
        let (key, bytes) = row?;
        let row = SessionRow::from_bytes(bytes.value())?;
        let ending = (row.expires_at, *key.value());
        soonest = Some(soonest.map_or(ending, |known| known.min(ending)));
        if is_same(&row.of, of) {
            own = Some(own.map_or(ending, |known| known.min(ending)));
            count += 1;
        }
    }
    let all = table.len()? >= SESSIONS;
    let goes = if count >= SESSIONS_OF_ONE { own } else { soonest.filter(|_| all) };
    if let Some((_, key)) = goes {
        table.remove(&key)?;
    }
    Ok(())
}

/// When a session ends, and its key.
type Ending = (Timestamp, [u8; 32]);

/// Are two sessions of the same token, or of the same user?
fn is_same(one: &SessionOf, other: &SessionOf) -> bool {
    match (one, other) {
        (SessionOf::User { subject, issuer, .. }, SessionOf::User { subject: other, issuer: of, .. }) => {
            (subject, issuer) == (other, of)
        }
        (one, other) => one == other,
    }
}

/// The key of a session's row; `None` for what was never a session's id.
fn key(id: &str) -> Option<Fingerprint> {
    id.parse::<ContentHash>().ok()?;
    Some(Fingerprint::of_parts("artdag.session.v1", &[id.as_bytes()]))
}

impl Engine {
    /// Opens a session until `latest` at most. The secret is its id.
    pub fn open_session(&self, of: SessionOf, latest: Option<Timestamp>) -> Result<(SessionRow, Secret), EngineError> {
        let id = tokens::random().to_string();
        let key = key(&id).unwrap_or_else(|| unreachable!("BUG: a random hash is no hash"));
        let now = Timestamp::now();
        let end = Timestamp::from_micros(now.micros() + SESSION_SECONDS as i64 * 1_000_000);
        let row = SessionRow { of, created_at: now, expires_at: latest.map_or(end, |latest| latest.min(end)) };
        let stored = row.clone();
        self.write(move |tx| {
            retain(tx, |row| row.expires_at > now)?;
            make_room(tx, &stored.of)?;
            tx.open_table(names::SESSIONS)?.insert(key.as_bytes(), stored.to_bytes().as_slice())?;
            Ok(())
        })
        .wait()?;
        Ok((row, Secret::new(id)))
    }

    /// The open session with this id.
    pub fn find_session(&self, id: &str) -> Result<Option<Session>, EngineError> {
        let Some(key) = key(id) else { return Ok(None) };
        let row: Option<SessionRow> = self.row(names::SESSIONS, key.as_bytes())?;
        let Some(row) = row.filter(|row| row.expires_at > Timestamp::now()) else { return Ok(None) };
        match &row.of {
            SessionOf::User { .. } => Ok(Some(Session { row, token: None })),
            SessionOf::Token(token) => {
                let token = self.token_of_id(token)?;
                Ok(token.map(|token| Session { row, token: Some(token) }))
            }
        }
    }

    /// Ends a session; true if it was open.
    pub fn close_session(&self, id: &str) -> Result<bool, EngineError> {
        let Some(key) = key(id) else { return Ok(false) };
        let known: Option<SessionRow> = self.row(names::SESSIONS, key.as_bytes())?;
        if known.is_none() {
            return Ok(false);
        }
        self.write(move |tx| {
            tx.open_table(names::SESSIONS)?.remove(key.as_bytes())?;
            Ok::<(), DbError>(())
        })
        .wait()?;
        Ok(true)
    }
}
