//! A little L2, whose manners a test chooses.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::Value;

use crate::support::{Home, Server};

/// The token that it takes.
pub const TOKEN: &str = "what-l2-gave-us";

/// How it behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manner {
    /// Takes what it does not have, and says 409 to what it has.
    Honest,
    /// Answers this and takes nothing.
    Says(u16),
    /// Sends the client elsewhere.
    SendsTo(String),
    /// Reads and does not answer.
    Hangs,
    /// Takes it, and does not answer.
    TakesAndHangs,
    /// Takes activities, and does not answer to records.
    HangsAtRecords,
    /// Breaks the connection.
    Resets,
}

/// A request that came.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Its path.
    pub path: String,
    /// Its head, in lower case but for the values.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Value,
}

impl Asked {
    /// A header.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

struct State {
    manner: Manner,
    asked: Vec<Asked>,
    taken: BTreeSet<(String, String)>,
    silent: Vec<TcpStream>,
}

/// The server. Its thread ends with the test's process.
#[derive(Clone)]
pub struct L2 {
    /// Its address.
    pub url: String,
    state: Arc<(Mutex<State>, Condvar)>,
}

impl L2 {
    /// Starts it.
    pub fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let state = State { manner, asked: Vec::new(), taken: BTreeSet::new(), silent: Vec::new() };
        let l2 = Self { url, state: Arc::new((Mutex::new(state), Condvar::new())) };
        let server = l2.clone();
        std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| server.answer(stream)));
        l2
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.0.lock().expect("no test has failed with it")
    }

    /// Changes its manners.
    pub fn behave(&self, manner: Manner) {
        let mut state = self.state();
        state.manner = manner;
        state.silent.clear();
    }

    /// All that it was asked.
    pub fn asked(&self) -> Vec<Asked> {
        self.state().asked.clone()
    }

    /// Paths and ids of what it has.
    pub fn taken(&self) -> Vec<(String, String)> {
        self.state().taken.iter().cloned().collect()
    }

    /// Waits until it was asked so often.
    pub fn wait_for(&self, requests: usize) {
        let few = |state: &mut State| state.asked.len() < requests;
        let waited = self.state.1.wait_timeout_while(self.state(), Duration::from_secs(60), few);
        let (state, timeout) = waited.expect("no test has failed with it");
        assert!(!timeout.timed_out(), "it was asked {} times, not {requests}", state.asked.len());
    }

    fn answer(&self, mut stream: TcpStream) {
        if self.state().manner == Manner::Resets {
            self.came(Asked { path: String::new(), headers: Vec::new(), body: Value::Null });
            // What is not read makes the system reset the connection.
            return;
        }
        let Some(asked) = read(&stream) else { return };
        let honest = asked.header("authorization") == format!("Bearer {TOKEN}");
        let id = asked.body["id"].as_str().or(asked.body["run_id"].as_str()).unwrap_or_default().to_owned();
        let path = asked.path.clone();
        let key = (path.clone(), id);
        let manner = self.state().manner.clone();
        let status = match &manner {
            Manner::Honest | Manner::TakesAndHangs | Manner::HangsAtRecords if !honest => 401,
            Manner::HangsAtRecords if path != "/activities" => 0,
            Manner::Honest | Manner::HangsAtRecords => {
                if self.state().taken.insert(key) {
                    201
                } else {
                    409
                }
            }
            Manner::TakesAndHangs => {
                self.state().taken.insert(key);
                0
            }
            Manner::Says(status) => *status,
            Manner::SendsTo(_) => 307,
            Manner::Hangs | Manner::Resets => 0,
        };
        if status == 0 {
            self.state().silent.push(stream);
        } else {
            let location = match &manner {
                Manner::SendsTo(place) => format!("Location: {place}\r\n"),
                _ => String::new(),
            };
            let head =
                format!("HTTP/1.1 {status} Said\r\n{location}Content-Length: 2\r\nConnection: close\r\n\r\n{{}}");
            // A client that was killed does not read it.
            let _ = stream.write_all(head.as_bytes());
        }
        self.came(asked);
    }

    fn came(&self, asked: Asked) {
        self.state().asked.push(asked);
        self.state.1.notify_all();
    }
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut lines = BufReader::new(stream);
    let mut line = String::new();
    lines.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    loop {
        line.clear();
        lines.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length")?.1.parse().ok()?;
    let mut body = vec![0; length];
    lines.read_exact(&mut body).ok()?;
    Some(Asked { path, headers, body: serde_json::from_slice(&body).ok()? })
}

/// A server over this home that publishes to `l2` as `ann`.
pub fn server(home: &Home, l2: &L2) -> Server {
    let token = home.write("l2-token", format!("{TOKEN}\n"));
    let token = token.to_str().expect("a path");
    Server::start(home, &["--l2-url", &l2.url, "--l2-token-file", token, "--actor", "ann"])
}

/// Publishes a run; the run.
pub fn publish(server: &Server, run: &str) -> Value {
    server.admin("POST", &format!("/runs/{run}/publish")).expect(202).json()
}

/// A completed run of a new picture; its id and its input.
pub fn completed(server: &Server, seed: u64) -> (String, String) {
    let input = server.upload(&crate::support::png(20, 10, seed));
    let run = server.run("invert", &[&input]);
    let view = server.run_ended(&run);
    assert_eq!(view["status"], "completed", "{view}");
    (run, input)
}

/// Waits until a run's publication is in this state; the publication.
pub fn in_state(server: &Server, run: &str, state: &str) -> Value {
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    loop {
        let publication = server.get(&format!("/runs/{run}")).expect(200).json()["publication"].take();
        if publication["state"] == state {
            return publication;
        }
        assert!(std::time::Instant::now() < deadline, "not {state}: {publication}");
    }
}
