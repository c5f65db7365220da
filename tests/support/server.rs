//! A real server on a free port, and a client that says what it got.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Home;

/// A server; killed when dropped.
pub struct Server {
    child: Child,
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    /// The administrator's token.
    pub token: String,
    lines: Receiver<String>,
    agent: ureq::Agent,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers by lower-case name.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, String::from_utf8_lossy(&self.body)))
    }

    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Fails the test unless the status is this.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self
    }

    /// What an error says.
    pub fn detail(&self) -> String {
        match &self.json()["detail"] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }
}

impl Server {
    /// Starts a server on this home.
    pub fn start(home: &Home, words: &[&str]) -> Self {
        let command = home.command(&[&["serve", "--listen", "127.0.0.1:0"], words].concat());
        Self::of(home, command)
    }

    /// Starts a server by this command, which may come by way of another program.
    pub fn of(home: &Home, mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let err = BufReader::new(child.stderr.take().expect("it is piped"));
        let (sender, lines) = channel();
        // The pipe is read to its end, so that the server never waits for us.
        std::thread::spawn(move || {
            for line in err.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let mut said = Vec::new();
        let url = loop {
            let line = lines.recv_timeout(Duration::from_secs(60)).unwrap_or_else(|_| {
                let _ = child.kill();
                panic!("the server did not come up: {said:#?}")
            });
            if let Some((_, url)) = line.split_once("listening on ") {
                break url.trim().trim_end_matches('/').to_owned();
            }
            said.push(line);
        };
        let token = std::fs::read_to_string(home.path().join("token")).expect("a token").trim().to_owned();
        let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build();
        Self { child, url, token, lines, agent: config.into() }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has said on standard error since it came up.
    pub fn said(&self) -> Vec<String> {
        self.lines.try_iter().collect()
    }

    /// Makes a request. `token` adds the administrator's.
    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.try_request(method, path, headers, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// The same, where the connection may break.
    pub fn try_request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer, ureq::Error> {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body).expect("a request");
        let mut response = self.agent.run(request)?;
        let headers = response.headers().iter();
        let headers = headers
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        let headers = headers.collect();
        let mut bytes = Vec::new();
        response.body_mut().as_reader().read_to_end(&mut bytes).map_err(ureq::Error::Io)?;
        Ok(Answer { status: response.status().as_u16(), headers, body: bytes })
    }

    /// `GET`.
    pub fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &[], &[])
    }

    /// `POST` of JSON.
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.request("POST", path, &[("content-type", "application/json")], body.to_string().as_bytes())
    }

    /// A request with the administrator's token and no body.
    pub fn admin(&self, method: &str, path: &str) -> Answer {
        self.request(method, path, &[("authorization", &format!("Bearer {}", self.token))], &[])
    }

    /// Uploads bytes; their hash.
    pub fn upload(&self, bytes: &[u8]) -> String {
        let answer = self.request("POST", "/cache/upload", &[("content-type", "application/octet-stream")], bytes);
        answer.json()["content_hash"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
    }

    /// Registers a config; its id.
    pub fn config(&self, yaml: &str) -> String {
        let headers = [("content-type", "application/yaml")];
        let answer = self.request("POST", "/configs/upload", &headers, yaml.as_bytes());
        answer.json()["config_id"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
    }

    /// Starts a run; its id.
    pub fn run(&self, recipe: &str, inputs: &[&str]) -> String {
        let answer = self.post("/runs", &json!({"recipe": recipe, "inputs": inputs})).expect(201);
        answer.json()["run_id"].as_str().expect("a run's id").to_owned()
    }

    /// Waits for a run's end by its events; the run.
    pub fn ended(&self, run: &str) -> Value {
        let deadline = Instant::now() + Duration::from_secs(120);
        loop {
            // The stream ends with the run; each round is one wait for something to happen.
            self.get(&format!("/runs/{run}/events"));
            let view = self.get(&format!("/runs/{run}")).expect(200).json();
            if !matches!(view["status"].as_str(), Some("pending" | "running")) {
                return view;
            }
            assert!(Instant::now() < deadline, "{view}");
        }
    }

    /// kill -9.
    pub fn kill(mut self) {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a killed child ends");
    }

    /// Sends a signal and waits for the end; its exit code, -1 if the signal ended it.
    pub fn signal(mut self, name: &str) -> i32 {
        let pid = self.pid().to_string();
        Command::new("kill").args([&format!("-{name}"), &pid]).status().expect("kill is there");
        self.child.wait().expect("it ends").code().unwrap_or(-1)
    }

    /// Waits until it has ended by itself; its exit code, -1 if a signal ended it.
    pub fn wait(mut self) -> i32 {
        self.child.wait().expect("it ends").code().unwrap_or(-1)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
