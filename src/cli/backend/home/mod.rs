//! The home that this process holds, as commands see it.

mod blobs;
mod follow;
mod registry;
mod runs;

use std::cell::Cell;
use std::path::{Path, PathBuf};

use crate::cli::backend::{Answer, Backend, Place, Tokens};
use crate::engine::moving::Moved;
use crate::engine::{Engine, Scopes, Token};
use crate::link::{Keys, Publisher};

/// An open home.
pub struct Home<'a> {
    engine: &'a Engine,
    publisher: &'a Publisher,
    /// Does this process go on when the command has ended?
    stays: bool,
    left: Cell<bool>,
}

impl<'a> Home<'a> {
    /// The home of a command, which closes it when it ends.
    pub fn of_command(publisher: &'a Publisher) -> Self {
        Self { engine: publisher.engine(), publisher, stays: false, left: Cell::new(false) }
    }

    /// The home of a worker or server, which carries out a command for somebody else.
    pub fn of_holder(publisher: &'a Publisher) -> Self {
        Self { engine: publisher.engine(), publisher, stays: true, left: Cell::new(false) }
    }

    /// Has the command left a run behind that is to go on?
    pub fn has_left_work(&self) -> bool {
        self.left.get() || self.engine.detached_waiting()
    }
}

impl Backend for Home<'_> {
    fn out_directory(&self) -> PathBuf {
        self.engine.home().join("out")
    }

    fn place(&self) -> Place<'_> {
        if self.stays { Place::Holder } else { Place::Here }
    }

    fn move_in(&self, directory: &Path, runs: &[String], dry_run: bool, stop: &dyn Fn() -> bool) -> Answer<Moved> {
        Ok(self.engine.move_in(directory, runs, dry_run, &mut |_, _| !stop())?)
    }

    fn tokens(&self) -> Answer<&dyn Tokens> {
        Ok(self)
    }

    fn keys(&self) -> Answer<Keys> {
        Ok(Keys::open(self.engine.home()))
    }

    fn actor(&self) -> Answer<serde_json::Value> {
        Ok(self.publisher.identity().actor_document(&self.keys()?)?)
    }

    fn engine(&self) -> Answer<&Engine> {
        Ok(self.engine)
    }
}

impl Tokens for Home<'_> {
    fn add(&self, name: &str, scopes: Scopes) -> Answer<(Token, String)> {
        let (token, secret) = self.engine.add_token(name, scopes)?;
        Ok((token, secret.expose().to_owned()))
    }

    fn list(&self) -> Answer<Vec<Token>> {
        Ok(self.engine.tokens()?)
    }

    fn revoke(&self, word: &str) -> Answer<Token> {
        Ok(self.engine.revoke_token(word)?)
    }
}
