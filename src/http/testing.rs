//! What the tests of this module share: a server's state over a home of its own.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, OnceLock};

use tempfile::TempDir;

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
    _home: Arc<TempDir>,
}

impl TestApp {
    /// On loopback, or not.
    pub fn new(loopback: bool, flags: &[(&str, &str)]) -> Self {
        let home = fresh_home();
        let path = home.path().to_str().expect("its path is text").to_owned();
        let settings = settings(&[&[("home", path.as_str())], flags].concat());
        let engine = open(home.path());
        let public_read = settings.server.public_read;
        let auth = Auth::new(engine.clone(), AuthSettings { loopback, public_read, jwt: None, secure_cookie: false });
        Self { app: App::new(engine, settings, auth), _home: Arc::new(home) }
    }
}

/// A home after its first start: a copy of one that is made once, since drawing the cat takes
/// longer than most tests.
fn fresh_home() -> TempDir {
    static TEMPLATE: OnceLock<TempDir> = OnceLock::new();
    let template = TEMPLATE.get_or_init(|| {
        let home = empty_dir();
        open(home.path()).close().expect("the home closes");
        home
    });
    let home = empty_dir();
    let copied = Command::new("cp").arg("-a").arg(template.path().join(".")).arg(home.path()).status();
    assert!(copied.is_ok_and(|status| status.success()), "a home can be copied");
    home
}

fn empty_dir() -> TempDir {
    let memory = Path::new("/dev/shm");
    let dir = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    dir.expect("a temporary directory can be made")
}

fn open(home: &Path) -> Engine {
    let (threads, workers) = (2, 2);
    let opening = Opening {
        home: home.to_owned(),
        threads,
        workers,
        cache_max_bytes: None,
        ffmpeg: None,
        stage_timeout: 0,
        role: Role::Serve,
        signer: Some(std::sync::Arc::new(crate::link::Keys::open(home))),
    };
    let Ok(Opened::Ours(engine)) = Engine::open(&opening) else { panic!("a fresh home opens") };
    engine
}
