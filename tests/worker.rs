//! Runs that nobody waits for: accepted, carried out by a worker, seen from other commands.

use std::time::{Duration, Instant};

use crate::support::{Home, Ran, heavy};

/// Asks until the run has ended; each answer is a whole command, so nothing spins.
fn ended(home: &Home, run: &str) -> serde_json::Value {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        let json = home.run(&["run-show", run, "--output", "json"]).json();
        if !matches!(json["status"].as_str(), Some("pending" | "running")) {
            return json;
        }
        assert!(Instant::now() < deadline, "{json}");
    }
}

#[test]
fn a_run_that_nobody_waits_for_is_carried_out() {
    let home = Home::new();
    let run = home.ok(&["render", "dog", "cat"]);
    assert_eq!(run.len(), 36, "{run}");
    let json = ended(&home, &run);
    assert_eq!(json["status"], "completed", "{json}");
    // The same as by waiting.
    let waited = home.run(&["render", "dog", "cat", "--sync", "--output", "json"]).json();
    assert_eq!(waited["output_hash"], json["output_hash"]);
}

#[test]
fn commands_are_answered_while_a_worker_holds_the_home() {
    let home = Home::new();
    home.ok(&["runs"]);
    home.write("heavy.yaml", heavy(200));
    let run = home.ok(&["run", "heavy.yaml", "--detach"]);
    let mut seen_at_work = false;
    for words in
        [&["runs", "-q"][..], &["assets", "ls"], &["run-show", &run], &["cache", "get", "cat", "--out", "cat.png"]]
    {
        let ran = home.run(words);
        assert_eq!(ran.code, 0, "{words:?}: {}", ran.err);
        seen_at_work |= home.run(&["run-show", &run]).out.contains("running");
    }
    assert!(seen_at_work, "the worker was never seen at work");
    assert!(home.dir().join("cat.png").is_file());
    let unknown = home.run(&["render", "dgo", "cat", "--sync"]);
    assert_eq!(unknown.code, 4, "{}", unknown.err);
    home.ok(&["cancel", &run]);
    assert_eq!(ended(&home, &run)["status"], "cancelled");
}

#[test]
fn a_worker_that_is_killed_loses_nothing() {
    let home = Home::new();
    home.ok(&["runs"]);
    let run = home.ok(&["render", "dog", "cat"]);
    kill_holder(&home);
    // Any command finds that a run waits and starts a worker again.
    assert_eq!(ended(&home, &run)["status"], "completed");
}

/// Kills whoever the lock names, if it is not gone already.
fn kill_holder(home: &Home) {
    let lock = std::fs::read_to_string(home.path().join("lock")).unwrap_or_default();
    let holder: serde_json::Value = serde_json::from_str(&lock).unwrap_or_default();
    if holder["role"] == "worker" {
        let pid = holder["pid"].as_u64().unwrap().to_string();
        let _ = Ran::of(&std::process::Command::new("kill").args(["-9", &pid]).output().expect("kill is there"));
    }
}
