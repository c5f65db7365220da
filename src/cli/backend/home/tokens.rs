//! Tokens of an open home.

use crate::base::Secret;
use crate::cli::backend::home::Home;
use crate::cli::backend::{Answer, Tokens};
use crate::engine::{Scopes, Token};

impl Tokens for Home<'_> {
    fn add_token(&self, name: &str, scopes: Scopes) -> Answer<(Token, Secret)> {
        Ok(self.engine.add_token(name, scopes)?)
    }

    fn tokens(&self) -> Answer<Vec<Token>> {
        Ok(self.engine.tokens()?)
    }

    fn revoke_token(&self, word: &str) -> Answer<Token> {
        Ok(self.engine.revoke_token(word)?)
    }
}
