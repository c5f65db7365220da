//! What takes room, by the recipe whose runs gave it.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use redb::ReadableTable as _;

use crate::base::ContentHash;
use crate::engine::Engine;
use crate::engine::error::EngineError;
use crate::records::tables as names;
use crate::records::{BlobRow, Record, RunRow};

/// Runs of a recipe, and the outputs that they gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipeSum {
    /// The effect's or the config's name.
    pub recipe: String,
    /// The config of the newest of these runs; `None` for a bare effect.
    pub config: Option<ContentHash>,
    /// Runs, whatever became of them.
    pub runs: u64,
    /// Outputs that are here, each counted once.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What recipes have given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ByRecipe {
    /// Those that take most room first.
    pub recipes: Vec<RecipeSum>,
    /// Runs that were looked at.
    pub looked_at: usize,
    /// Are there older runs, that were not?
    pub more: bool,
}

impl Engine {
    /// The newest `most` runs by their recipes.
    pub fn by_recipe(&self, most: usize) -> Result<ByRecipe, EngineError> {
        let mut found = self.0.db.read(|tx| {
            let (runs, blobs) = (tx.open_table(names::RUNS)?, tx.open_table(names::BLOBS)?);
            let mut found = ByRecipe::default();
            // An effect and a config may have the same name.
            let mut places: HashMap<(String, bool), usize> = HashMap::new();
            let mut seen: HashSet<(usize, ContentHash)> = HashSet::new();
            for row in runs.iter()?.rev() {
                if found.looked_at == most {
                    found.more = true;
                    break;
                }
                found.looked_at += 1;
                let RunRow { recipe, config, output, .. } = RunRow::from_bytes(row?.1.value())?;
                let place = match places.entry((recipe, config.is_some())) {
                    Entry::Occupied(known) => *known.get(),
                    Entry::Vacant(new) => {
                        let recipe = new.key().0.clone();
                        found.recipes.push(RecipeSum { recipe, config, runs: 0, files: 0, bytes: 0 });
                        *new.insert(found.recipes.len() - 1)
                    }
                };
                let sum = &mut found.recipes[place];
                sum.runs += 1;
                if let Some(output) = output.filter(|output| seen.insert((place, *output)))
                    && let Some(row) = blobs.get(output.as_bytes())?
                {
                    sum.files += 1;
                    sum.bytes += BlobRow::from_bytes(row.value())?.size;
                }
            }
            Ok(found)
        })?;
        found.recipes.sort_by(|one, other| (other.bytes, &one.recipe).cmp(&(one.bytes, &other.recipe)));
        Ok(found)
    }
}
