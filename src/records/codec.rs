//! Each record's version, and its bytes.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::db::{self, CodecError};
use crate::records::published::{DeliveryRow, PublicationRow};
use crate::records::rows::{
    AssetRow, ConfigRow, IdempotencyRow, InfraRow, KeyRow, MemoRow, RunRow, SealRow, SessionRow, TaskRow, TokenRow,
};
use crate::records::trace::CommandsRow;

/// A row type with a stored form.
pub trait Record: Serialize + DeserializeOwned {
    /// The first byte of its stored form.
    const VERSION: u8;

    /// Its stored form.
    fn to_bytes(&self) -> Vec<u8> {
        db::encode(Self::VERSION, self)
    }

    /// Reads a stored form.
    fn from_bytes(bytes: &[u8]) -> Result<Self, CodecError> {
        db::decode(Self::VERSION, bytes)
    }
}

macro_rules! records {
    ($($row:ty = $version:literal),* $(,)?) => {
        $(impl Record for $row {
            const VERSION: u8 = $version;
        })*
    };
}

records! {
    RunRow = 2,
    MemoRow = 1,
    KeyRow = 1,
    AssetRow = 1,
    ConfigRow = 1,
    InfraRow = 1,
    TokenRow = 1,
    SessionRow = 1,
    IdempotencyRow = 1,
    PublicationRow = 1,
    DeliveryRow = 1,
    TaskRow = 1,
    SealRow = 1,
    CommandsRow = 1,
}
