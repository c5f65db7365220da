//! Tokens are made where the home is: whoever could make them from elsewhere would need none.

use crate::base::Secret;
use crate::cli::backend::remote::Remote;
use crate::cli::backend::{Answer, Tokens};
use crate::cli::error::CliError;
use crate::engine::{Scopes, Token};

impl Tokens for Remote {
    fn add_token(&self, _name: &str, _scopes: Scopes) -> Answer<(Token, Secret)> {
        Err(self.only_there())
    }

    fn tokens(&self) -> Answer<Vec<Token>> {
        Err(self.only_there())
    }

    fn revoke_token(&self, _word: &str) -> Answer<Token> {
        Err(self.only_there())
    }
}

impl Remote {
    fn only_there(&self) -> CliError {
        let url = self.client.url();
        CliError::usage(format!("tokens are made and taken back on the machine of {url}, without --server"))
    }
}
