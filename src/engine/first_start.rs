//! What a new home gets: an administrator's token, a cap on derived data, and a cat.

use std::io::Write;

use crate::base::{AssetName, Secret};
use crate::engine::error::EngineError;
use crate::engine::scopes::Scopes;
use crate::engine::{Engine, assets, tables, tokens};
use crate::media::cat;
use crate::media::encode::{Format, encode};
use crate::records::Record;
use crate::records::tables as names;

/// Makes them once; sets the cap again whenever the settings say one.
pub fn ensure(engine: &Engine, cap: Option<u64>) -> Result<(), EngineError> {
    let stored = tables::number(&engine.0.db, names::DERIVED_CAP)?;
    if stored.is_some() && (cap.is_none() || cap == stored) {
        return Ok(());
    }
    let cap = match (cap, stored) {
        (Some(cap), _) | (None, Some(cap)) => cap,
        (None, None) => engine.0.store.free_bytes()? / 2,
    };
    if stored.is_some() {
        return Ok(engine.write(move |tx| tables::set_number(tx, names::DERIVED_CAP, cap)).wait()?);
    }
    let lost = engine.0.store.iter().next().is_some();
    if lost {
        tracing::warn!("the database is new and the cache is not: was the database lost?");
    }
    let made = tokens::make("first start", Scopes::ALL);
    write_token(engine, &made.secret)?;
    let picture = picture()?;
    let upload = engine.add_bytes(&picture, None)?;
    let hash = upload.content_hash;
    let name: AssetName = "cat".parse().unwrap_or_else(|error| unreachable!("BUG: {error}"));
    engine
        .write(move |tx| {
            assets::point(tx, &name, hash)?;
            tx.open_table(names::TOKENS)?.insert(made.id.as_str(), made.row.to_bytes().as_slice())?;
            tables::set_number(tx, names::LOST_DATABASE, u64::from(lost))?;
            tables::set_number(tx, names::DERIVED_CAP, cap)
        })
        .wait()?;
    Ok(())
}

/// The cat as a file. Drawing it takes most of a first start.
fn picture() -> Result<Vec<u8>, EngineError> {
    let draw = || encode(&cat::draw(), Format::Png, None).map_err(|error| EngineError::Input(error.to_string()));
    // Tests make hundreds of homes in one process.
    #[cfg(test)]
    {
        static PICTURE: std::sync::LazyLock<std::sync::Mutex<Vec<u8>>> = std::sync::LazyLock::new(Default::default);
        let mut picture = PICTURE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if picture.is_empty() {
            *picture = draw()?;
        }
        Ok(picture.clone())
    }
    #[cfg(not(test))]
    draw()
}

/// Writes a token to `<home>/token`, readable by the owner alone, whole or not at all.
fn write_token(engine: &Engine, token: &Secret) -> Result<(), EngineError> {
    let path = engine.home().join(tokens::FILE);
    let failed = |error: &std::io::Error| EngineError::file(&path, error);
    let mut file = tempfile::NamedTempFile::new_in(engine.home().join("tmp")).map_err(|error| failed(&error))?;
    writeln!(file, "{}", token.expose()).and_then(|()| file.as_file().sync_all()).map_err(|error| failed(&error))?;
    file.persist(&path).map_err(|error| failed(&error.error))?;
    Ok(())
}
