//! Configs at a server.

use std::io::Read as _;

use serde_json::Value;
use ureq::http::{Method, StatusCode, header};

use crate::base::ContentHash;
use crate::base::limits::{CONFIG_BYTES, PAGE_MAX};
use crate::cli::backend::remote::Remote;
use crate::cli::backend::remote::http::segment;
use crate::cli::backend::{Answer, Registry};
use crate::cli::effects::EffectView;
use crate::cli::error::Exit;
use crate::engine::views::ConfigView;
use crate::engine::{EngineError, RecipeRef};

impl Registry for Remote {
    fn add_config(&self, bytes: Vec<u8>, check: bool) -> Answer<(ConfigView, bool)> {
        let path = if check { "/configs/upload?check=true" } else { "/configs/upload" };
        let request = self.client.request(Method::POST, path).header(header::CONTENT_TYPE, "application/yaml");
        // The same file again is the same config: it may be sent twice.
        let response = self.client.send_again(&self.client.built(request, bytes)?)?;
        let new = response.status() == StatusCode::CREATED;
        Ok((self.client.json(response)?, new && !check))
    }

    fn configs(&self) -> Answer<Vec<ConfigView>> {
        self.client.all("/configs", PAGE_MAX)
    }

    fn find_config(&self, word: &str) -> Answer<ConfigView> {
        match self.config_of(word)? {
            Some(view) => Ok(view),
            None => {
                let configs = self.configs()?;
                let names = configs.iter().map(|config| config.name.as_str());
                Err(EngineError::not_found("config", word, names).into())
            }
        }
    }

    fn config_bytes(&self, id: &ContentHash) -> Answer<Vec<u8>> {
        let request = self.client.request(Method::GET, &format!("/configs/{id}"));
        let request = self.client.built(request.header(header::ACCEPT, "application/yaml"), Vec::new())?;
        let mut bytes = Vec::new();
        let mut response = self.client.send_again(&request)?;
        let read = response.body_mut().as_reader().take(CONFIG_BYTES as u64).read_to_end(&mut bytes);
        read.map_err(|error| self.client.unreachable(&error.into()))?;
        Ok(bytes)
    }

    fn remove_config(&self, id: ContentHash, dry_run: bool) -> Answer<()> {
        self.client.call::<Value>(Method::DELETE, &format!("/configs/{id}?dry_run={dry_run}"), None).map(|_| ())
    }

    fn find_recipe(&self, word: &str) -> Answer<RecipeRef> {
        let effects = self.effects()?;
        if effects.iter().any(|effect| effect.name() == word) {
            return Ok(RecipeRef::Effect(word.to_owned()));
        }
        if let Some(view) = self.config_of(word)? {
            return Ok(RecipeRef::Config(view.config_id));
        }
        let configs = self.configs()?;
        let known = effects.iter().map(EffectView::name).chain(configs.iter().map(|config| config.name.as_str()));
        Err(EngineError::not_found("effect or config", word, known).into())
    }
}

impl Remote {
    /// The config of this id or name, if there is one.
    fn config_of(&self, word: &str) -> Answer<Option<ConfigView>> {
        match self.client.get_json(&format!("/configs/{}", segment(word))) {
            Ok(view) => Ok(Some(view)),
            Err(error) if error.exit() == Exit::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}
