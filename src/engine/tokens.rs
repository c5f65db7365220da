//! Access tokens: who holds one may do what its scopes say.
//!
//! A token is 256 bits of the kernel's random numbers as text. Only its hash is stored, under
//! an id that is the hash's beginning: so a token is found by one look-up, and a stolen database
//! opens nothing. Knows nothing of how a token is shown.

use redb::{ReadableTable as _, ReadableTableMetadata as _};
use serde::Serialize;

use crate::base::limits::{TOKEN_NAME_BYTES, TOKENS};
use crate::base::{ContentHash, Fingerprint, Secret, Timestamp};
use crate::db::DbError;
use crate::engine::error::EngineError;
use crate::engine::{Engine, Scopes, sessions};
use crate::records::tables as names;
use crate::records::{Record, TokenRow};

/// The file of the home that holds the administrator's token of the first start.
pub(super) const FILE: &str = "token";

/// What every token begins with, so that people and scanners know one.
const PREFIX: &str = "artdag_";

/// An access token, as far as it is known here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Token {
    /// Its id, for lists and for taking it back.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// What it allows.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A token that was just made.
pub(super) struct Made {
    /// The token itself: nobody can find it out later.
    pub secret: Secret,
    /// Its id.
    pub id: String,
    /// Its row.
    pub row: TokenRow,
}

/// Makes a token; it counts when its row is stored.
pub(super) fn make(name: &str, scopes: Scopes) -> Made {
    let secret = Secret::new(format!("{PREFIX}{}", random()));
    let hash = fingerprint(secret.expose());
    let scopes = scopes.words().into_iter().map(str::to_owned).collect();
    let row = TokenRow { name: name.to_owned(), hash, scopes, created_at: Timestamp::now() };
    Made { secret, id: id(&hash), row }
}

/// 256 bits from the kernel.
pub(super) fn random() -> ContentHash {
    let mut bytes = [0_u8; 32];
    let mut filled = 0;
    while filled < bytes.len() {
        // Interrupted calls are made again; nothing else can fail here.
        if let Ok(count) = rustix::rand::getrandom(&mut bytes[filled..], rustix::rand::GetRandomFlags::empty()) {
            filled += count;
        }
    }
    ContentHash::from_bytes(bytes)
}

fn fingerprint(token: &str) -> Fingerprint {
    Fingerprint::of_parts("artdag.token.v1", &[token.as_bytes()])
}

fn id(hash: &Fingerprint) -> String {
    let mut id = hash.to_string();
    id.truncate(16);
    id
}

/// Compares in a time that does not depend on where they differ.
fn same(one: &Fingerprint, other: &Fingerprint) -> bool {
    blake3::Hash::from_bytes(*one.as_bytes()) == blake3::Hash::from_bytes(*other.as_bytes())
}

impl Token {
    fn of(id: &str, row: TokenRow) -> Self {
        let scopes = Scopes::of(row.scopes.iter().map(String::as_str));
        Self { id: id.to_owned(), name: row.name, scopes, created_at: row.created_at }
    }
}

impl Engine {
    /// Makes a token. The secret is the token itself, which cannot be had a second time.
    pub fn add_token(&self, name: &str, scopes: Scopes) -> Result<(Token, Secret), EngineError> {
        if name.is_empty() || name.len() > TOKEN_NAME_BYTES || name.chars().any(char::is_control) {
            let rule = format!("a token's name has 1 to {TOKEN_NAME_BYTES} bytes and no control characters");
            return Err(EngineError::Usage(rule));
        }
        if scopes == Scopes::default() {
            return Err(EngineError::Usage("a token needs a scope: read, run, delete or admin".to_owned()));
        }
        let Made { secret, id, row } = make(name, scopes);
        let token = Token::of(&id, row.clone());
        let added = self
            .write(move |tx| {
                let mut table = tx.open_table(names::TOKENS)?;
                let added = table.len()? < TOKENS;
                if added {
                    table.insert(id.as_str(), row.to_bytes().as_slice())?;
                }
                Ok::<bool, DbError>(added)
            })
            .wait()?;
        if added {
            Ok((token, secret))
        } else {
            Err(EngineError::Refused(format!("there are {TOKENS} tokens, which is the limit; revoke some")))
        }
    }

    /// All tokens, newest first.
    pub fn tokens(&self) -> Result<Vec<Token>, EngineError> {
        let mut tokens = self.0.db.read(|tx| {
            let mut tokens = Vec::new();
            for row in tx.open_table(names::TOKENS)?.iter()? {
                let (id, bytes) = row?;
                tokens.push(Token::of(id.value(), TokenRow::from_bytes(bytes.value())?));
            }
            Ok(tokens)
        })?;
        tokens.sort_by_key(|token| std::cmp::Reverse(token.created_at));
        Ok(tokens)
    }

    /// The token with this text, if it is one and was not revoked.
    pub fn find_token(&self, text: &str) -> Result<Option<Token>, EngineError> {
        if text.strip_prefix(PREFIX).is_none_or(|digits| digits.parse::<ContentHash>().is_err()) {
            return Ok(None);
        }
        let hash = fingerprint(text);
        let id = id(&hash);
        let row = self.token_row(&id)?.filter(|row| same(&row.hash, &hash));
        Ok(row.map(|row| Token::of(&id, row)))
    }

    /// The token with this id, if it was not revoked.
    pub(super) fn token_of_id(&self, id: &str) -> Result<Option<Token>, EngineError> {
        Ok(self.token_row(id)?.map(|row| Token::of(id, row)))
    }

    /// Takes a token back, by its id or by a name that only it has. Its sessions end with it.
    pub fn revoke_token(&self, word: &str) -> Result<Token, EngineError> {
        let tokens = self.tokens()?;
        let mut found = tokens.iter().filter(|token| token.id == word).collect::<Vec<_>>();
        if found.is_empty() {
            found = tokens.iter().filter(|token| token.name == word).collect();
        }
        let token = match found[..] {
            [token] => token.clone(),
            [] => {
                let known = tokens.iter().flat_map(|token| [token.id.as_str(), token.name.as_str()]);
                return Err(EngineError::not_found("token", word, known));
            }
            _ => {
                let ids: Vec<&str> = found.iter().map(|token| token.id.as_str()).collect();
                let reason = format!("{} tokens are named {word:?}; name one by its id: {}", ids.len(), ids.join(", "));
                return Err(EngineError::Refused(reason));
            }
        };
        let id = token.id.clone();
        let removed = self
            .write(move |tx| {
                sessions::end_of_token(tx, &id)?;
                let mut table = tx.open_table(names::TOKENS)?;
                let row = table.remove(id.as_str())?;
                Ok::<_, DbError>(row.map(|bytes| TokenRow::from_bytes(bytes.value())).transpose()?)
            })
            .wait()?;
        if let Some(row) = removed {
            self.remove_file_of(&row);
        }
        Ok(token)
    }

    fn token_row(&self, id: &str) -> Result<Option<TokenRow>, EngineError> {
        let row = self.0.db.read(|tx| {
            let table = tx.open_table(names::TOKENS)?;
            Ok(table.get(id)?.map(|bytes| TokenRow::from_bytes(bytes.value())).transpose()?)
        })?;
        Ok(row)
    }

    /// Removes `<home>/token` if it holds this token, which opens nothing any more.
    fn remove_file_of(&self, row: &TokenRow) {
        let path = self.home().join(FILE);
        let held = std::fs::read_to_string(&path).unwrap_or_default();
        if same(&fingerprint(held.trim_end()), &row.hash)
            && let Err(error) = std::fs::remove_file(&path)
        {
            tracing::warn!(%error, "the file of a revoked token cannot be removed");
        }
    }
}
