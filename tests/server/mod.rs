//! The server as a process of its own, spoken to over its socket.

mod shell;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::support::Home;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server. Killed when dropped.
pub struct Server {
    child: Child,
    url: String,
    /// What it has said on standard error so far.
    said: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts the program on a free port with these flags, and waits until it listens.
    pub fn start(home: &Home, flags: &[&str]) -> Self {
        let mut command = home.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.args(flags);
        Self::of(command)
    }

    /// Starts a command that serves.
    pub fn of(mut command: Command) -> Self {
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
        Self { child, url, said, reader: Some(reader) }
    }

    /// Where it listens, with its scheme.
    pub fn url(&self) -> &str {
        &self.url
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
    pub fn get(&self, path: &str) -> String {
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
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
