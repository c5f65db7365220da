//! What the tests of this module share: a server's state over a home of its own.

use std::sync::Arc;

use crate::config::Settings;
use crate::engine::home::Opening;
use crate::engine::lock::Role;
use crate::engine::{Engine, Opened};
use crate::http::app::App;
use crate::http::auth::{Auth, AuthSettings};

/// Settings with these flags and no file.
pub fn settings(flags: &[(&str, &str)]) -> Settings {
    let flag = |name: &str| {
        let given = flags.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        given.or_else(|| (name == "home").then(|| "/nonexistent".to_owned()))
    };
    Settings::resolve(&flag, &|_| None, 2).unwrap_or_else(|error| panic!("{error}"))
}

/// A server's state over a home that goes with the last of its clones.
#[derive(Clone)]
pub struct TestApp {
    /// The state.
    pub app: App,
    _home: Arc<tempfile::TempDir>,
}

impl TestApp {
    /// On loopback, or not.
    pub fn new(loopback: bool, flags: &[(&str, &str)]) -> Self {
        let memory = std::path::Path::new("/dev/shm");
        let home = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let home = home.expect("a temporary directory can be made");
        let path = home.path().to_str().expect("its path is text").to_owned();
        let settings = settings(&[&[("home", path.as_str())], flags].concat());
        let (threads, workers) = (2, 2);
        let opening = Opening {
            home: home.path().to_owned(),
            threads,
            workers,
            cache_max_bytes: None,
            stage_timeout: 0,
            role: Role::Serve,
        };
        let Ok(Opened::Ours(engine)) = Engine::open(&opening) else { panic!("a fresh home opens") };
        let public_read = settings.server.public_read;
        let auth = Auth::new(engine.clone(), AuthSettings { loopback, public_read, jwt: None, secure_cookie: false });
        Self { app: App::new(engine, settings, auth), _home: Arc::new(home) }
    }
}
