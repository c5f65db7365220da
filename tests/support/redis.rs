//! A real redis-server on a free port, which a test can stop, start and empty.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until something holds.
#[track_caller]
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "{what} has not come about");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it has an address").port()
}

/// A Redis server, which goes when it is dropped. What it holds is in memory alone.
pub struct Redis {
    port: u16,
    words: Vec<String>,
    child: Option<Child>,
    _dir: tempfile::TempDir,
    /// How a test itself reaches it.
    url: String,
}

impl Redis {
    /// A server with these options, started.
    pub fn start(words: &[&str]) -> Self {
        let mut redis = Self::absent(words);
        redis.run();
        redis
    }

    /// One that is not started yet.
    pub fn absent(words: &[&str]) -> Self {
        let (port, dir) = (free_port(), tempfile::tempdir().expect("a directory"));
        let port_text = port.to_string();
        let fixed = ["--port", &port_text, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"];
        let path = dir.path().to_str().expect("its path is text");
        let words = fixed.iter().chain(&[path]).chain(words).map(|word| (*word).to_owned()).collect();
        Self { port, words, child: None, _dir: dir, url: format!("redis://127.0.0.1:{port}/5") }
    }

    /// Starts it, empty, and waits until it answers.
    pub fn run(&mut self) {
        let mut command = Command::new("redis-server");
        command.args(&self.words).stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(command.spawn().expect("redis-server is there: ./tests/run.sh installs it"));
        until("redis-server listens", || std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok());
    }

    /// Kills it; what it held is lost.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("a child can be killed");
            child.wait().expect("a killed child ends");
        }
    }

    /// Sends a signal.
    pub fn signal(&self, name: &str) {
        let pid = self.child.as_ref().expect("it runs").id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().expect("kill is there").success());
    }

    /// The address of a database.
    pub fn url(&self, database: u8) -> String {
        format!("redis://127.0.0.1:{}/{database}", self.port)
    }

    /// Has the test itself use this address.
    pub fn reached_by(mut self, url: String) -> Self {
        self.url = url;
        self
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Carries out a command in database 5.
    pub fn ask<T: redis::FromRedisValue>(&self, words: &[&str]) -> T {
        let mut connection = redis::Client::open(self.url.as_str()).and_then(|client| client.get_connection());
        let connection = connection.as_mut().expect("the test reaches Redis");
        let (name, words) = words.split_first().expect("a command");
        redis::cmd(name).arg(words).query(connection).expect("Redis answers")
    }

    /// A key's text as JSON, if it is there.
    pub fn json(&self, key: &str) -> Option<Value> {
        let text: Option<String> = self.ask(&["GET", key]);
        text.map(|text| serde_json::from_str(&text).expect("it is JSON"))
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}
