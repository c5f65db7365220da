//! A real server on a free port, and a client that says what it got.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Home;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running server. Killed when dropped.
pub struct Server {
    child: Child,
    /// Where it listens, with its scheme.
    pub url: String,
    /// The administrator's token.
    pub token: String,
    /// What it has said on standard error so far.
    said: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
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
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().expect("the program starts");
        let mut lines = BufReader::new(child.stderr.take().expect("it is piped"));
        let said = Arc::new(Mutex::new(String::new()));
        let url = loop {
            let mut line = String::new();
            let length = lines.read_line(&mut line).expect("its lines can be read");
            said.lock().unwrap().push_str(&line);
            assert!(length > 0, "the server ended before it listened:\n{}", said.lock().unwrap());
            if let Some((_, url)) = line.trim_end().split_once(" listening on ") {
                break url.to_owned();
            }
        };
        let heard = said.clone();
        let reader = std::thread::spawn(move || {
            let mut line = String::new();
            while lines.read_line(&mut line).is_ok_and(|length| length > 0) {
                heard.lock().unwrap().push_str(&line);
                line.clear();
            }
        });
        let token = std::fs::read_to_string(home.path().join("token")).expect("a token").trim().to_owned();
        let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build();
        Self { child, url, token, said, reader: Some(reader), agent: config.into() }
    }

    /// The address behind the URL.
    pub fn address(&self) -> SocketAddr {
        let (_, address) = self.url.split_once("://").expect("it has a scheme");
        address.parse().expect("it ends with an address")
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has said on standard error so far.
    pub fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// A connection to it, which gives up in the end.
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address()).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Sends text over a new connection and reads until the other end closes it.
    pub fn speak(&self, text: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(text.as_bytes()).expect("it reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("it answers and ends");
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// A request without a body, over a connection of its own.
    pub fn raw_get(&self, path: &str) -> String {
        self.speak(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
    }

    /// Sends a signal.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status();
        assert!(sent.expect("kill is there").success());
    }

    /// Waits for its end.
    pub fn ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            match self.child.try_wait().expect("it can be waited for") {
                Some(status) => break status,
                None => assert!(Instant::now() < deadline, "the server does not end:\n{}", self.said()),
            }
            std::thread::yield_now();
        };
        if let Some(reader) = self.reader.take() {
            reader.join().expect("its lines were read");
        }
        status
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
    pub fn run_ended(&self, run: &str) -> Value {
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

    /// Waits until it has ended by itself; its exit code, -1 if a signal ended it.
    pub fn wait(mut self) -> i32 {
        self.ended().code().unwrap_or(-1)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
