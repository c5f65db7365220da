//! Following runs, leaving them with Ctrl-C and coming back to them.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Home, Ran, heavy};

/// A command that is under way.
struct Running {
    child: Child,
    err: BufReader<std::process::ChildStderr>,
}

impl Running {
    /// Starts a command and waits until it holds the home: from then on it listens to signals.
    fn start(home: &Home, words: &[&str]) -> Self {
        let mut child = home.command(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let err = BufReader::new(child.stderr.take().unwrap());
        let deadline = Instant::now() + Duration::from_secs(60);
        let holds = || -> Option<bool> {
            let lock: Value = serde_json::from_str(&std::fs::read_to_string(home.path().join("lock")).ok()?).ok()?;
            Some(lock["pid"] == child.id())
        };
        while holds() != Some(true) {
            assert!(Instant::now() < deadline, "the command never held the home");
            std::thread::yield_now();
        }
        Self { child, err }
    }

    fn press_ctrl_c(&self) {
        let pid = self.child.id().to_string();
        assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    }

    /// Reads what it says until a line holds this.
    fn says(&mut self, words: &str) -> String {
        let mut line = String::new();
        while !line.contains(words) {
            line.clear();
            assert!(self.err.read_line(&mut line).unwrap() > 0, "it never said {words:?}");
        }
        line
    }

    fn end(mut self) -> Ran {
        let (mut out, mut err) = (String::new(), String::new());
        self.child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        self.err.read_to_string(&mut err).unwrap();
        Ran { code: self.child.wait().unwrap().code().unwrap_or(-1), out, err }
    }
}

#[test]
fn ctrl_c_leaves_a_run_that_goes_on_and_watch_comes_back_to_it() {
    let home = Home::new();
    home.ok(&["runs"]);
    home.write("heavy.yaml", heavy(400));
    let mut running = Running::start(&home, &["run", "heavy.yaml"]);
    running.press_ctrl_c();
    let said = running.says("leaving run");
    let run = said.split("watch ").nth(1).and_then(|rest| rest.get(..36)).unwrap().to_owned();
    let left = running.end();
    assert_eq!((left.code, left.out.trim_end()), (130, run.as_str()), "{}", left.err);

    let watched = home.run(&["watch", &run, "--output", "ndjson"]);
    assert_eq!(watched.code, 0, "{}", watched.err);
    let events: Vec<Value> = watched.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(events.iter().all(|event| event["run_id"] == run.as_str()));
    let last = events.last().unwrap();
    assert_eq!((&last["event"], &last["status"]), (&"run".into(), &"completed".into()));
    // A worker took it over, for it waited when this command came, or was under way.
    assert_eq!(home.run(&["watch", &run]).code, 0);
}

#[test]
fn a_second_ctrl_c_cancels_the_run() {
    let home = Home::new();
    home.ok(&["runs"]);
    home.write("heavy.yaml", heavy(200));
    let mut running = Running::start(&home, &["run", "heavy.yaml"]);
    running.press_ctrl_c();
    running.says("leaving run");
    running.press_ctrl_c();
    let cancelled = running.end();
    assert_eq!(cancelled.code, 130, "{}", cancelled.err);
    assert!(cancelled.err.contains("was cancelled"), "{}", cancelled.err);
    assert_eq!(home.run(&["run-show", "latest", "--output", "json"]).json()["status"], "cancelled");
    assert_eq!(home.run(&["watch", "latest"]).code, 130);
}

#[test]
fn a_worker_draws_the_nodes_of_a_watched_run_and_lines_tell_them_elsewhere() {
    let home = Home::new();
    home.write("heavy.yaml", heavy(4));
    let run = home.ok(&["run", "heavy.yaml", "--detach", "--no-fuse"]);
    let watched = home.run(&["watch", &run]);
    assert_eq!(watched.code, 0, "{}", watched.err);
    let last = watched.out.lines().last().unwrap();
    let output = home.run(&["run-show", &run, "--output", "json"]).json()["output_hash"].clone();
    assert_eq!(last, format!("completed  {}", output.as_str().unwrap()));
    assert!(watched.out.contains("b3  EFFECT"), "{}", watched.out);
    assert_eq!(home.ok(&["watch", &run, "-q"]), output.as_str().unwrap());
}

#[test]
fn watching_ends_with_the_runs_exit_code() {
    let home = Home::new();
    home.write("damaged.png", &crate::support::png(40, 30, 1)[..300]);
    let run = home.ok(&["render", "dog", "damaged.png"]);
    let watched = home.run(&["watch", &run]);
    assert_eq!(watched.code, 1, "{}", watched.err);
    assert!(watched.err.contains("failed"), "{}", watched.err);
    let json = home.run(&["watch", &run, "--output", "json"]);
    assert_eq!((json.code, &json.json()["status"]), (1, &"failed".into()));
    assert_eq!(home.run(&["watch", "0190"]).code, 4);
}

#[test]
fn held_runs_and_a_paused_queue_wait() {
    let home = Home::new();
    home.ok(&["queue", "pause"]);
    let run = home.ok(&["render", "dog", "cat"]);
    let status = |run: &str| home.run(&["run-show", run, "--output", "json"]).json();
    assert_eq!(status(&run)["status"], "pending");
    assert_eq!(home.run(&["hold", &run, "--output", "json"]).json()["held"], true);
    home.ok(&["queue", "resume"]);
    assert_eq!((&status(&run)["status"], &status(&run)["held"]), (&"pending".into(), &true.into()));
    assert_eq!(home.ok(&["release", &run]), format!("run {run} may begin"));
    assert_eq!(home.run(&["watch", &run]).code, 0);
    assert_eq!(home.run(&["hold", &run]).code, 5);
    // Deleting it says what goes and what stays.
    let would = home.run(&["run-rm", &run, "--dry-run", "--output", "json"]).json();
    assert_eq!((&would["deleted"], &would["kept"][0]["because"]), (&false.into(), &"it was uploaded, not made".into()));
    assert!(home.ok(&["run-rm", &run]).starts_with(&format!("deleted run {run}")));
    assert_eq!(home.run(&["run-show", &run]).code, 4);
}
