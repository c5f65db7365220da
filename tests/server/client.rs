//! The command line as a client: every command prints the same and exits the same on a bare
//! home, through the socket of a server that holds the home, and with `--server` from elsewhere.

use std::cell::RefCell;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::support::{Home, Ran, Server, heavy, png};

/// Where commands are carried out.
struct Side {
    name: &'static str,
    /// The home of the commands, with the files they name beside it.
    home: Home,
    /// The server's own home, where that is another.
    _elsewhere: Option<Home>,
    server: Option<Server>,
    /// Is the server named to the commands?
    remote: bool,
    /// Runs in the order in which they were first seen.
    runs: RefCell<Vec<String>>,
}

impl Side {
    fn all() -> [Self; 3] {
        let side = |name, home, elsewhere, server, remote| Self {
            name,
            home,
            _elsewhere: elsewhere,
            server,
            remote,
            runs: RefCell::default(),
        };
        let (held, elsewhere) = (Home::new(), Home::new());
        let (holder, away) = (Server::start(&held, &[]), Server::start(&elsewhere, &[]));
        [
            side("home", Home::new(), None, None, false),
            side("socket", held, None, Some(holder), false),
            side("server", Home::new(), Some(elsewhere), Some(away), true),
        ]
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = self.home.command(words);
        if let Some(server) = self.server.as_ref().filter(|_| self.remote) {
            command.env("ARTDAG_SERVER", &server.url).env("ARTDAG_TOKEN", &server.token);
        }
        command
    }

    fn run(&self, words: &[&str]) -> Ran {
        Ran::of(&self.command(words).output().expect("the program starts"))
    }

    /// Text without what differs from home to home: paths, addresses, times, ids of runs.
    fn masked(&self, text: &str) -> String {
        let mut text = text.replace(self.home.dir().to_str().unwrap(), "<dir>");
        if let Some(server) = &self.server {
            text = text.replace(&server.url, "<url>");
        }
        let is_part = |c: char| c.is_ascii_alphanumeric() || "_:.+-".contains(c);
        let (mut masked, mut word) = (String::new(), String::new());
        for c in text.chars().chain(['\n']) {
            if is_part(c) {
                word.push(c);
            } else {
                masked += &self.masked_word(&std::mem::take(&mut word));
                masked.push(c);
            }
        }
        let line = |line: &str| match line.split_once(" completed in ") {
            Some((before, after)) => {
                format!("{before} completed in <time> ({}", after.split_once('(').map_or("", |(_, how)| how))
            }
            None if line.starts_with("took ") => "took <time>".to_owned(),
            None if line.starts_with("provenance ") => "provenance <hash>".to_owned(),
            None => line.to_owned(),
        };
        masked.lines().map(line).collect::<Vec<_>>().join("\n")
    }

    fn masked_word(&self, word: &str) -> String {
        let bare = word.trim_end_matches([':', '.', '-']);
        let rest = &word[bare.len()..];
        let is_run = bare.len() == 36 && bare.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
        if is_run && bare.matches('-').count() == 4 {
            let mut runs = self.runs.borrow_mut();
            let index = runs.iter().position(|run| run == bare).unwrap_or_else(|| {
                runs.push(bare.to_owned());
                runs.len() - 1
            });
            return format!("<run {index}>{rest}");
        }
        let is_time = bare.len() >= 20 && bare.ends_with('Z') && bare.as_bytes()[10] == b'T';
        if is_time { format!("<time>{rest}") } else { word.to_owned() }
    }
}

/// Values of JSON that differ from one time to the next.
const VARIES: &[&str] = &["provenance_hash", "made_at"];

fn masked_json(value: &mut Value) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                if VARIES.contains(&key.as_str()) && !value.is_null() {
                    *value = Value::String("<varies>".to_owned());
                }
                masked_json(value);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(masked_json),
        _ => {}
    }
}

/// Carries out a command everywhere, and compares; what it printed on the bare home.
fn everywhere(sides: &[Side], words: &[&str], code: i32) -> String {
    let mut first: Option<(String, String)> = None;
    let mut printed = String::new();
    for side in sides {
        let ran = side.run(words);
        assert_eq!(ran.code, code, "{}: {words:?}: {}{}", side.name, ran.out, ran.err);
        let out = match serde_json::from_str::<Value>(&ran.out) {
            Ok(mut value) if words.contains(&"json") => {
                masked_json(&mut value);
                serde_json::to_string_pretty(&value).unwrap()
            }
            _ => ran.out.clone(),
        };
        let shown = (side.masked(&out), side.masked(&ran.err));
        match &first {
            Some(first) => {
                assert_eq!(shown.0, first.0, "{}: standard output of {words:?}", side.name);
                assert_eq!(shown.1, first.1, "{}: standard error of {words:?}", side.name);
            }
            None => (first, printed) = (Some(shown), ran.out),
        }
    }
    printed
}

const LINES: &str = "name: lines\nversion: \"1.0\"\ndag:\n  nodes:\n    - {id: photo, type: SOURCE, config: {input: true}}\n    - {id: small, type: RESIZE, config: {width: 20, height: 15}, inputs: [photo]}\n    - {id: draw, type: EFFECT, config: {effect: dog, params: {sigma: 1.4}}, inputs: [small]}\n    - {id: unused, type: RESIZE, config: {width: 8, height: 8}, inputs: [photo]}\n  output: draw\n";

fn sides_with_files() -> [Side; 3] {
    let sides = Side::all();
    for side in &sides {
        side.home.write("photo.png", png(40, 30, 1));
        side.home.write("spare.png", png(5, 5, 9));
        side.home.write("lines.yaml", LINES);
        side.home.write("broken.yaml", "name: x\ndag:\n  nodes:\n    - {id: a, type: NO}\n  output: b\n");
        side.home.write("text.txt", "hello");
        side.home.write("damaged.png", &png(40, 30, 1)[..300]);
        std::fs::create_dir_all(side.home.dir().join("shots/more")).expect("a directory");
        for (index, name) in
            ["shots/10.png", "shots/2.png", "shots/more/1.png", "shots/.hidden"].into_iter().enumerate()
        {
            side.home.write(name, png(8, 8, 20 + index as u64));
        }
        std::fs::create_dir(side.home.dir().join("nothing")).expect("a directory");
    }
    sides
}

#[test]
fn runs_are_the_same_everywhere() {
    let sides = sides_with_files();
    let all = |words: &[&str], code: i32| everywhere(&sides, words, code);
    all(&["configs", "add", "lines.yaml"], 0);
    all(&["plan", "lines.yaml", "-i", "photo=photo.png"], 0);
    all(&["plan", "dog", "-i", "input=photo.png", "--output", "json"], 0);
    all(&["render", "dog", "photo.png", "--sync", "--name", "mine"], 0);
    all(&["render", "dog", "photo.png", "--sync", "--output", "json"], 0);
    all(&["render", "dog", "./photo.png", "--sync", "--out", "x.png", "-q"], 0);
    all(&["render", "dog", "photo.png", "--sync", "--out", "x.jpg"], 2);
    all(&["render", "dog", "photo.png", "--sync", "--name", "a/b"], 2);
    all(&["render", "invert", "photo.png", "--sync", "--format", "webp", "--quality", "50"], 0);
    all(&["render", "dgo", "photo.png", "--sync"], 4);
    all(&["render", "dog", "kat", "--sync"], 4);
    all(&["render", "dog", &"0".repeat(64), "--sync"], 4);
    all(&["render", "dog", "photo.png", "--sync", "--param", "sigma=1000"], 3);
    all(&["render", "dog", "photo.png", "--sync", "--param", "sigmaa=1"], 3);
    all(&["render", "dog", "text.txt", "--sync"], 3);
    all(&["render", "dog", "damaged.png", "--sync"], 1);
    all(&["run", "lines.yaml", "-i", "photo=photo.png", "--keep", "small"], 0);
    all(&["run", "lines", "-i", "photo=photo.png", "--param", "draw.sigma=2"], 0);
    all(&["why", "draw:encode"], 0);
    all(&["why", "draw", "lines.yaml", "-i", "photo=photo.png", "--param", "draw.sigma=3"], 0);
    all(&["why", "drow"], 4);
    all(&["run", "lines.yaml"], 3);
    all(&["run", "lines.yaml", "-i", "phot=photo.png"], 3);
    all(&["run", "lines.yaml", "-i", "photo=photo.png", "--keep", "no"], 4);
    all(&["run", "broken.yaml"], 3);
    all(&["run", "missing.yaml"], 4);
    all(&["runs", "--output", "json"], 0);
    all(&["runs", "--recipe", "lines", "-q"], 0);
    all(&["runs", "--limit", "2", "-q"], 0);
    all(&["runs", "--status", "failed", "-q"], 0);
    all(&["runs", "--status", "faild"], 2);
    all(&["run-show", "latest"], 0);
    all(&["run-show", "latest", "--plan"], 0);
    all(&["run-show", "0190"], 4);
    all(&["run-show", "0"], 2);
    all(&["provenance", "latest"], 0);
    all(&["verify", "latest"], 0);
    all(&["watch", "latest"], 0);
    all(&["cancel", "latest"], 5);
    all(&["run-rm", "latest", "--dry-run"], 0);
    all(&["run-rm", "latest"], 0);
}

#[test]
fn directories_are_the_same_everywhere() {
    let sides = sides_with_files();
    let all = |words: &[&str], code: i32| everywhere(&sides, words, code);
    all(&["cache", "add", "nothing"], 3);
    all(&["cache", "add", "shots", "nothing.png", "spare.png"], 4);
    all(&["cache", "add", "shots", "--name", "shots"], 2);
    all(&["cache", "add", "shots", "-"], 2);
    let shots = all(&["cache", "add", "shots", "--output", "json"], 0);
    let shots: Vec<Value> = serde_json::from_str(&shots).expect("JSON");
    let files: Vec<&str> = shots.iter().filter_map(|shot| shot["file"].as_str()).collect();
    assert_eq!(files, ["shots/2.png", "shots/10.png", "shots/more/1.png"]);
    assert!(shots.iter().all(|shot| shot["existing"] == true && shot["media_type"] == "image/png"));
    let sheet = "name: sheet\ndag:\n  nodes:\n    - {id: all, type: SOURCE_LIST, config: {input: true}}\n    - {id: small, \
                 type: MAP, config: {operation: RESIZE, config: {width: 4, height: 4}}, inputs: [all]}\n    - {id: x, type: \
                 LAYER, inputs: [small]}\n  output: x\n";
    for side in &sides {
        side.home.write("sheet.yaml", sheet);
    }
    all(&["configs", "add", "sheet.yaml"], 0);
    let run = all(&["run", "sheet.yaml", "-i", "all=shots", "--output", "json"], 0);
    let run: Value = serde_json::from_str(&run).expect("JSON");
    let hashes: Vec<&Value> = shots.iter().map(|shot| &shot["content_hash"]).collect();
    assert_eq!(run["bindings"]["all"].as_array().expect("a list").iter().collect::<Vec<_>>(), hashes);
}

#[test]
fn files_names_and_configs_are_the_same_everywhere() {
    let sides = sides_with_files();
    let all = |words: &[&str], code: i32| everywhere(&sides, words, code);
    all(&["cache", "add", "photo.png", "--name", "photo"], 0);
    all(&["cache", "add", "photo.png", "spare.png", "--output", "json"], 0);
    all(&["cache", "add", "nothing.png"], 4);
    all(&["cache", "add", "photo.png", "--name", "a,b"], 2);
    let photo = all(&["cache", "add", "photo.png", "-q"], 0).trim_end().to_owned();
    let spare = all(&["cache", "add", "spare.png", "-q"], 0).trim_end().to_owned();
    all(&["assets", "ls"], 0);
    all(&["assets", "ls", "--output", "json"], 0);
    all(&["assets", "add", "other", "photo"], 0);
    all(&["assets", "add", "other", &spare], 0);
    // The name of a route, and one that must be escaped.
    all(&["assets", "add", "upload", "photo"], 0);
    all(&["assets", "add", "my cat (2)?.png", "photo"], 0);
    all(&["cache", "get", "my cat (2)?.png", "--out", "copy.png"], 0);
    all(&["render", "identity", "upload", "--sync"], 0);
    all(&["assets", "rm", "other", "--dry-run"], 0);
    all(&["assets", "rm", "other"], 0);
    all(&["assets", "rm", "other"], 4);
    all(&["cache", "ls", "--media-type", "image/", "-q"], 0);
    all(&["cache", "info", "photo"], 0);
    all(&["cache", "info", "photo", "--output", "json"], 0);
    all(&["cache", "info", "fhoto"], 4);
    all(&["cache", "get", "photo", "--out", "copy.png"], 0);
    all(&["cache", "get", "photo"], 0);
    all(&["cache", "get", &"0".repeat(64)], 4);
    all(&["cache", "rm", &photo], 5);
    all(&["cache", "rm", "photo"], 2);
    all(&["cache", "rm", &spare, "--dry-run"], 0);
    all(&["cache", "rm", &spare], 0);
    all(&["cache", "rm", &spare], 4);
    all(&["cache", "verify", "-q"], 0);
    all(&["cache", "verify", "photo"], 0);
    all(&["cache", "gc", "--dry-run", "-q"], 0);
    all(&["configs", "add", "lines.yaml", "--check"], 0);
    all(&["configs", "add", "lines.yaml"], 0);
    all(&["configs", "add", "lines.yaml"], 0);
    all(&["configs", "add", "broken.yaml"], 3);
    all(&["configs", "ls"], 0);
    all(&["configs", "show", "lines"], 0);
    all(&["configs", "show", "lines", "--output", "json"], 0);
    all(&["configs", "show", "lines", "--yaml"], 0);
    all(&["configs", "show", "linse"], 4);
    all(&["configs", "rm", "lines", "--dry-run"], 0);
    all(&["configs", "rm", "lines"], 0);
    all(&["configs", "rm", "lines"], 4);
    for words in [&["effects"][..], &["effects", "dog"], &["node-types"], &["node-types", "resize"]] {
        all(words, 0);
        all(&[words, &["--output", "json"]].concat(), 0);
    }
    all(&["effects", "dgo"], 4);
    let copies: Vec<Vec<u8>> =
        sides.iter().map(|side| std::fs::read(side.home.dir().join("copy.png")).unwrap()).collect();
    assert!(copies.iter().all(|copy| *copy == png(40, 30, 1)));
}

#[test]
fn runs_that_nobody_waits_for_and_the_queue_are_the_same_everywhere() {
    let sides = sides_with_files();
    let all = |words: &[&str], code: i32| everywhere(&sides, words, code);
    all(&["queue", "pause"], 0);
    all(&["render", "sepia", "photo.png", "--output", "json"], 0);
    all(&["hold", "latest"], 0);
    all(&["queue", "resume"], 0);
    all(&["run-show", "latest", "--output", "json"], 0);
    all(&["run-rm", "latest"], 5);
    all(&["release", "latest"], 0);
    all(&["watch", "latest", "-q"], 0);
    all(&["hold", "latest"], 5);
    all(&["queue", "pause"], 0);
    all(&["render", "dog", "photo.png"], 0);
    all(&["cancel", "latest"], 0);
    all(&["watch", "latest", "-q"], 130);
}

#[test]
fn who_may_not_or_cannot_is_told_with_a_code_of_its_own() {
    let (home, elsewhere) = (Home::new(), Home::empty());
    let server = Server::start(&home, &[]);
    let spare = server.upload(b"spare");
    let remove = |home: &Home, token: &str| {
        let words = ["cache", "rm", &spare, "--dry-run", "--server", &server.url];
        Ran::of(&home.command(&words).env("ARTDAG_TOKEN", token).output().unwrap())
    };
    let none = remove(&elsewhere, "");
    assert_eq!(none.code, 6, "{}", none.err);
    assert!(none.err.contains("ARTDAG_TOKEN"), "{}", none.err);
    assert_eq!(remove(&elsewhere, "artdag_wrong").code, 6);
    let reader = home.ok(&["token", "new", "reader", "--scopes", "read", "-q"]);
    assert_eq!(remove(&elsewhere, &reader).code, 6);
    // On the home's own machine its token is found.
    assert_eq!(remove(&home, "").code, 0);
    assert_eq!(remove(&elsewhere, &server.token).code, 0);
    // Nobody is there.
    let url = server.url.clone();
    server.kill();
    let gone = elsewhere.run(&["runs", "--server", &url]);
    assert_eq!(gone.code, 7, "{}", gone.err);
    assert!(gone.err.contains(&url) && gone.err.contains("artdag serve"), "{}", gone.err);
    assert_eq!(elsewhere.run(&["runs", "--server", "127.0.0.1:1"]).code, 2);
    assert!(!elsewhere.path().join("artdag.redb").exists(), "a client makes no home");
}

#[test]
fn a_certificate_of_ones_own_authority_is_trusted_when_it_is_named() {
    let (home, client) = (Home::new(), Home::new());
    let key = |name: &str| {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/tls").join(name);
        path.to_str().unwrap().to_owned()
    };
    let words = ["--tls-cert", &key("cert.pem"), "--tls-key", &key("key.pem")];
    let server = Server::start(&home, &words);
    assert!(server.url.starts_with("https://"), "{}", server.url);
    client.write("note.txt", "hello");
    let add = ["cache", "add", "note.txt", "-q", "--server", &server.url];
    let unknown = client.run(&add);
    assert_eq!(unknown.code, 7, "{}", unknown.err);
    assert!(unknown.err.contains("--cacert"), "{}", unknown.err);
    let known = client.ok(&[&add[..], &["--cacert", &key("ca.pem")]].concat());
    assert_eq!(known, artdag::base::ContentHash::of(b"hello").to_string());
    let wrong = client.run(&[&add[..], &["--cacert", "note.txt"]].concat());
    assert_eq!(wrong.code, 2, "{}", wrong.err);
    assert_eq!(client.run(&[&add[..], &["--cacert", "missing.pem"]].concat()).code, 4);
}

/// A command with `--server` that is under way.
fn under_way(home: &Home, server: &Server, words: &[&str]) -> (Child, BufReader<std::process::ChildStderr>) {
    let mut command = home.command(words);
    command.env("ARTDAG_SERVER", &server.url).env("ARTDAG_TOKEN", &server.token);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let err = BufReader::new(child.stderr.take().unwrap());
    (child, err)
}

#[test]
fn a_client_that_is_left_alone_by_its_server_waits_for_it_to_come_back() {
    let (home, client) = (Home::new(), Home::new());
    let server = Server::start(&home, &[]);
    let config = server.config(&heavy(400));
    let run = server.run(&config, &[]);
    let (mut child, mut err) = under_way(&client, &server, &["watch", &run]);
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("running") {
        line.clear();
        assert!(out.read_line(&mut line).unwrap() > 0, "it never saw the run at work");
    }
    let listen = server.address().to_string();
    server.kill();
    line.clear();
    err.read_line(&mut line).unwrap();
    assert!(line.contains("trying again"), "{line}");
    let again = Server::of(&home, home.command(&["serve", "--listen", &listen]));
    let (mut rest, mut talk) = (String::new(), String::new());
    out.read_to_string(&mut rest).unwrap();
    err.read_to_string(&mut talk).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{rest}{talk}");
    let output = again.get(&format!("/runs/{run}")).json()["output_hash"].clone();
    assert_eq!(rest.lines().last(), Some(format!("completed  {}", output.as_str().unwrap()).as_str()));
}

#[test]
fn ctrl_c_leaves_a_run_at_the_server_and_a_second_one_cancels_it() {
    let (home, client) = (Home::new(), Home::new());
    client.write("heavy.yaml", heavy(400));
    let server = Server::start(&home, &[]);
    for presses in [1, 2] {
        let (mut child, mut err) = under_way(&client, &server, &["run", "heavy.yaml", "--no-cache"]);
        // From the moment at which the run is there the client listens to signals.
        while server.get("/runs?status=running").json().as_array().unwrap().is_empty() {}
        let interrupt = || {
            let pid = child.id().to_string();
            assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        };
        interrupt();
        let mut said = String::new();
        err.read_line(&mut said).unwrap();
        let run = said.split("watch ").nth(1).and_then(|rest| rest.get(..36)).unwrap().to_owned();
        assert!(said.contains(&format!("artdag --server {} watch {run}", server.url)), "{said}");
        if presses == 2 {
            interrupt();
        }
        let mut out = String::new();
        child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130));
        let ended = server.run_ended(&run);
        assert_eq!(ended["status"], if presses == 2 { "cancelled" } else { "completed" }, "{ended}");
    }
}
