//! Configs of an open home.

use crate::base::ContentHash;
use crate::cli::backend::home::Home;
use crate::cli::backend::{Answer, Registry};
use crate::engine::views::{ConfigView, config_view};
use crate::engine::{EngineError, RecipeRef};
use crate::recipe::Recipe;

impl Registry for Home<'_> {
    fn add_config(&self, bytes: Vec<u8>, check: bool) -> Answer<(ConfigView, bool)> {
        if check {
            let recipe = Recipe::parse(&bytes).map_err(EngineError::Problems)?;
            return Ok((config_view(ContentHash::of(&bytes), &recipe), false));
        }
        let (id, recipe, new) = self.engine.add_config(bytes)?;
        Ok((config_view(id, &recipe), new))
    }

    fn configs(&self) -> Answer<Vec<ConfigView>> {
        let configs = self.engine.configs()?;
        configs.iter().map(|config| Ok(self.engine.config_view(config.id)?)).collect()
    }

    fn find_config(&self, word: &str) -> Answer<ConfigView> {
        Ok(self.engine.config_view(self.engine.find_config(word)?.id)?)
    }

    fn config_bytes(&self, id: &ContentHash) -> Answer<Vec<u8>> {
        Ok(self.engine.read_checked(id)?.to_vec())
    }

    fn remove_config(&self, id: ContentHash, dry_run: bool) -> Answer<()> {
        Ok(self.engine.remove_config(id, dry_run)?)
    }

    fn find_recipe(&self, word: &str) -> Answer<RecipeRef> {
        Ok(self.engine.find_recipe(word)?)
    }
}
