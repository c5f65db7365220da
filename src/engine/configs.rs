//! Registered configs. A config's id is the content hash of its bytes.

use redb::ReadableTable as _;

use crate::base::{ContentHash, Timestamp};
use crate::db::DbError;
use crate::engine::error::EngineError;
use crate::engine::{Engine, tables};
use crate::recipe::{Recipe, SourceSpec};
use crate::records::tables as names;
use crate::records::{ConfigRow, Holder, Origin, Record};

/// A registered config.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The content hash of its bytes.
    pub id: ContentHash,
    /// Its row.
    pub row: ConfigRow,
}

impl Engine {
    /// Checks a config and registers it; true if it was not registered before. Its fixed inputs
    /// are held from then on, as far as they are here.
    pub fn add_config(&self, bytes: Vec<u8>) -> Result<(ContentHash, Recipe, bool), EngineError> {
        let recipe = Recipe::parse(&bytes).map_err(EngineError::Problems)?;
        let id = ContentHash::of(&bytes);
        let fixed = self.fixed_hashes(&recipe)?;
        let _unrecorded = self.keep_all();
        let store = self.put_record(bytes, "application/yaml", None)?;
        let (name, version) = (recipe.name.clone(), recipe.version.clone());
        let new = self
            .write(move |tx| {
                store(tx)?;
                tables::hold(tx, &id, &Holder::ConfigText(id))?;
                let known = tables::get::<ConfigRow>(tx, names::CONFIGS, id.as_bytes())?;
                if known.is_none() {
                    for hash in &fixed {
                        tables::hold(tx, hash, &Holder::ConfigInput(id))?;
                    }
                    let sequence = tables::add_to_number(tx, names::SEQUENCE, 1)?;
                    let row = ConfigRow { name, version, created_at: Timestamp::now(), sequence, fixed };
                    tables::put(tx, names::CONFIGS, id.as_bytes(), &row)?;
                }
                Ok::<bool, DbError>(known.is_none())
            })
            .wait()?;
        Ok((id, recipe, new))
    }

    /// The content of each fixed input of a recipe that is known here.
    pub fn fixed_hashes(&self, recipe: &Recipe) -> Result<Vec<ContentHash>, EngineError> {
        let mut hashes = Vec::new();
        for node in &recipe.nodes {
            match &node.source {
                Some(SourceSpec::Hash(hash)) => hashes.push(*hash),
                Some(SourceSpec::Hashes(several)) => hashes.extend(several),
                Some(SourceSpec::Asset { pinned: Some(hash), .. }) => hashes.push(*hash),
                Some(SourceSpec::Asset { name, pinned: None }) => hashes.extend(self.find_asset(name.as_str())?),
                _ => {}
            }
        }
        hashes.into_iter().map(|hash| self.ours(hash)).collect()
    }

    /// All registered configs, newest first.
    pub fn configs(&self) -> Result<Vec<Config>, EngineError> {
        let mut configs = self.0.db.read(|tx| {
            let table = tx.open_table(names::CONFIGS)?;
            let mut configs = Vec::new();
            for row in table.iter()? {
                let (id, bytes) = row?;
                let row = ConfigRow::from_bytes(bytes.value())?;
                configs.push(Config { id: ContentHash::from_bytes(*id.value()), row });
            }
            Ok(configs)
        })?;
        configs.sort_by_key(|config| std::cmp::Reverse(config.row.sequence));
        Ok(configs)
    }

    /// The config whose id a word is, found without looking at the others.
    pub(super) fn config_of_id(&self, word: &str) -> Result<Option<Config>, EngineError> {
        let Ok(id) = word.parse::<ContentHash>() else { return Ok(None) };
        Ok(self.row::<ConfigRow>(names::CONFIGS, id.as_bytes())?.map(|row| Config { id, row }))
    }

    /// The config that a word names: its id, or its name (the newest version).
    pub fn find_config(&self, word: &str) -> Result<Config, EngineError> {
        if let Some(config) = self.config_of_id(word)? {
            return Ok(config);
        }
        let configs = self.configs()?;
        let found = configs.iter().find(|config| config.row.name == word);
        found.cloned().ok_or_else(|| {
            EngineError::not_found("config", word, configs.iter().map(|config| config.row.name.as_str()))
        })
    }

    /// Takes a config out of the register. Runs keep what they need of it.
    pub fn remove_config(&self, id: ContentHash, dry_run: bool) -> Result<(), EngineError> {
        if dry_run {
            return Ok(());
        }
        let _nobody_registers = self.evict()?;
        // What it held when it was registered: assets may have been pointed elsewhere since.
        let fixed = self.row::<ConfigRow>(names::CONFIGS, id.as_bytes())?.map(|row| row.fixed).unwrap_or_default();
        self.write(move |tx| {
            tx.open_table(names::CONFIGS)?.remove(id.as_bytes())?;
            tables::release(tx, &id, &Holder::ConfigText(id))?;
            for hash in &fixed {
                tables::release(tx, hash, &Holder::ConfigInput(id))?;
            }
            Ok::<(), DbError>(())
        })
        .wait()?;
        // A text that somebody has brought as a file, too, or that has a name, is theirs.
        let row = self.blob_row(&id)?.filter(|row| row.origin == Origin::Record);
        if row.is_none() || !self.names_of(&id)?.is_empty() || self.user_under_way(&id).is_some() {
            return Ok(());
        }
        self.take_away(&[id])
    }
}

#[cfg(test)]
mod tests {
    use crate::base::{AssetName, ContentHash};
    use crate::engine::testing::opened;

    #[test]
    fn a_config_that_somebody_has_brought_as_a_file_too_is_not_deleted_with_its_registration() {
        let home = tempfile::tempdir().unwrap();
        let engine = opened(home.path());
        let text = |name: &str| {
            let nodes = "[{id: a, type: SOURCE, config: {input: true}}]";
            format!("name: {name}\ndag: {{nodes: {nodes}, output: a}}\n").into_bytes()
        };
        let mine: AssetName = "mine".parse().unwrap();
        engine.add_bytes(&text("both"), Some(mine.clone())).unwrap();
        for (name, stays) in [("both", true), ("alone", false)] {
            let (id, ..) = engine.add_config(text(name)).unwrap();
            assert_eq!(id, ContentHash::of(&text(name)));
            engine.remove_config(id, false).unwrap();
            assert!(engine.find_config(name).is_err());
            assert_eq!(engine.read_checked(&id).is_ok(), stays, "{name}");
        }
        assert!(engine.find_asset("mine").unwrap().is_some());
        engine.close().unwrap();
    }
}
