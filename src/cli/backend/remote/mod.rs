//! A server, as commands see it: each request of a command becomes one or a few of HTTP's.
//!
//! Files are read and written on this side; what comes over the line is checked against its
//! hash.

mod address;
mod answer;
mod blobs;
mod follow;
mod http;
mod registry;
mod runs;
mod sse;
mod submit;
mod transfer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::Secret;
use crate::base::limits::PAGE_MAX;
use crate::cli::args::Server;
use crate::cli::backend::{Answer, Backend, Place, Tokens};
use crate::cli::effects::EffectView;
use crate::cli::error::CliError;
use crate::cli::node_types::NodeTypeView;
use crate::engine::moving::Moved;
use crate::engine::{Engine, EngineError};
use crate::link::Keys;
use address::Address;
use http::Client;

/// A server.
pub struct Remote {
    client: Client,
    home: PathBuf,
}

impl Remote {
    /// The server of this address. `home` is where copies of outputs go, and whose token is
    /// shown if it is the home's own server.
    pub fn new(server: &Server, home: &Path) -> Answer<Self> {
        let address = Address::parse(&server.url)?;
        let certificates = server.certificate.as_deref().map(certificates).transpose()?;
        let token = std::env::var("ARTDAG_TOKEN").ok().filter(|token| !token.is_empty()).map(Secret::new);
        let token = token.or_else(|| address.token_of_home(home));
        Ok(Self { client: Client::new(address, certificates.as_ref(), token), home: home.to_owned() })
    }

    /// The server's effects.
    pub fn effects(&self) -> Answer<Vec<EffectView>> {
        self.client.all("/effects", PAGE_MAX)
    }

    /// The server's node types.
    pub fn node_types(&self) -> Answer<Vec<NodeTypeView>> {
        self.client.all("/node-types", PAGE_MAX)
    }
}

impl Backend for Remote {
    fn out_directory(&self) -> PathBuf {
        self.home.join("out")
    }

    fn place(&self) -> Place<'_> {
        Place::Server(self.client.url())
    }

    fn move_in(&self, _: &Path, _: &[String], _: bool, _: &dyn Fn() -> bool) -> Answer<Moved> {
        self.only_there("a home is moved in")
    }

    fn tokens(&self) -> Answer<&dyn Tokens> {
        self.only_there("tokens are kept")
    }

    fn keys(&self) -> Answer<Keys> {
        self.only_there("keys are kept")
    }

    fn actor(&self) -> Answer<serde_json::Value> {
        self.only_there("keys are kept")
    }

    fn engine(&self) -> Answer<&Engine> {
        self.only_there("this is done")
    }
}

impl Remote {
    /// What a server does for nobody who is elsewhere.
    fn only_there<T>(&self, what: &str) -> Answer<T> {
        let url = self.client.url();
        Err(CliError::usage(format!("{what} on the machine of {url}: run this command there, without --server")))
    }
}

/// The certificates of a PEM file.
fn certificates(path: &Path) -> Answer<ureq::tls::RootCerts> {
    let pem = std::fs::read(path).map_err(|error| EngineError::file(path, &error))?;
    let mut certificates = Vec::new();
    for item in ureq::tls::parse_pem(&pem) {
        match item {
            Ok(ureq::tls::PemItem::Certificate(certificate)) => certificates.push(certificate),
            Ok(_) => {}
            Err(error) => return Err(CliError::usage(format!("--cacert {}: {error}", path.display()))),
        }
    }
    if certificates.is_empty() {
        return Err(CliError::usage(format!("--cacert {}: there is no certificate in it", path.display())));
    }
    Ok(ureq::tls::RootCerts::Specific(Arc::new(certificates)))
}
