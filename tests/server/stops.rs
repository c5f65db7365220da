//! kill -9, SIGTERM, a stage that kills, a stage that never ends, a second server.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Home, Server, another_heavy as heavy, program};

fn start(server: &Server, config: &str) -> String {
    let run = server.post(&format!("/configs/{config}/run"), &json!({"inputs": {}})).expect(201).json();
    run["run_id"].as_str().expect("an id").to_owned()
}

/// Waits until a node of the run is in this state.
fn wait_for_node(server: &Server, run: &str, state: &str) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let plan = server.get(&format!("/runs/{run}/plan")).json();
        let nodes = plan["nodes"].as_array().expect("nodes");
        if nodes.iter().any(|node| node["state"] == state) {
            return;
        }
        assert!(Instant::now() < deadline, "{plan}");
    }
}

#[test]
fn r7_after_a_kill_runs_resume_and_what_is_kept_is_not_computed_again() {
    let home = Home::new();
    let server = Server::start(&home, &["--workers", "1"]);
    let yaml = heavy("long", 60, 0);
    let config = server.config(&yaml);
    // Every node is a stage of its own, and kept when it is done.
    let body = json!({"inputs": {}, "options": {"fuse": false}});
    let run = server.post(&format!("/configs/{config}/run"), &body).expect(201).json();
    let run = run["run_id"].as_str().expect("an id").to_owned();
    wait_for_node(&server, &run, "completed");
    let kept = |server: &Server| {
        let plan = server.get(&format!("/runs/{run}/plan")).json();
        let nodes = plan["nodes"].as_array().expect("nodes").clone();
        nodes.into_iter().find(|node| node["id"] == "b6").expect("the kept node")
    };
    let deadline = Instant::now() + Duration::from_secs(60);
    while kept(&server)["output_hash"].is_null() {
        assert!(Instant::now() < deadline);
    }
    server.kill();
    let killed = Instant::now();
    let server = Server::start(&home, &["--workers", "1"]);
    let resumed = server.run_ended(&run);
    assert_eq!(resumed["status"], "completed", "{resumed}");
    assert_eq!(resumed["attempts"], 2);
    let (hits, misses) = (&resumed["stats"]["hits"], &resumed["stats"]["misses"]);
    assert!(hits.as_u64() >= Some(1) && misses.as_u64() < Some(61 - 3), "{hits} known, {misses} computed");
    assert!(killed.elapsed() < Duration::from_secs(60));
    // The same from nothing.
    let whole = Home::new();
    let other = Server::start(&whole, &[]);
    let again = other.run_ended(&start(&other, &other.config(&yaml)));
    assert_eq!(again["output_hash"], resumed["output_hash"]);
}

#[test]
fn r8_a_stage_that_kills_the_server_each_time_is_given_up_and_other_runs_go_on() {
    let home = Home::new();
    home.ok(&["runs"]);
    // More memory than the process may have: the allocator gives up, and the process with it.
    let limited = || {
        let mut command = Command::new("prlimit");
        command.arg("--as=3500000000").arg(program()).args(["serve", "--listen", "127.0.0.1:0"]);
        command.args(["--workers", "2", "--threads", "1"]).env("ARTDAG_HOME", home.path()).env("NO_COLOR", "1");
        command
    };
    let mut yaml = "name: hungry\ndag:\n  nodes:\n    - {id: s, type: SOURCE, config: {asset: cat}}\n".to_owned();
    for big in 0..5 {
        let height = 16000 - big;
        yaml += &format!(
            "    - {{id: r{big}, type: RESIZE, config: {{width: 16000, height: {height}, mode: stretch}}, inputs: [s]}}\n"
        );
        // Each is looked at in full, so that all of them are there at once.
        yaml += &format!(
            "    - {{id: g{big}, type: EFFECT, config: {{effect: blur, params: {{sigma: 9}}}}, inputs: [r{big}]}}\n"
        );
    }
    yaml += "    - {id: all, type: LAYER, inputs: [g0, g1, g2, g3, g4]}\n  output: all\n";
    let server = Server::of(&home, limited());
    let config = server.config(&yaml);
    let hungry = start(&server, &config);
    server.wait();
    let mut starts = 1;
    let server = loop {
        let server = Server::of(&home, limited());
        starts += 1;
        assert!(starts < 8, "it is never given up");
        // A server that suspects nothing any more stays up.
        let view = server.try_request("GET", &format!("/runs/{hungry}"), &[], &[]);
        if view.is_ok_and(|view| view.json()["status"] == "failed") {
            break server;
        }
        server.wait();
    };
    let failed = server.get(&format!("/runs/{hungry}")).json();
    assert!(failed["error"].as_str().is_some_and(|error| error.contains("3 times")), "{failed}");
    assert_eq!(starts, 4, "three crashes, and a start that gives it up");
    assert_eq!(server.run_ended(&server.run("invert", &["cat"]))["status"], "completed");
}

#[test]
fn r9_a_stage_past_its_time_is_tried_once_more_and_then_fails_its_run() {
    let home = Home::new();
    let server = Server::start(&home, &["--stage-timeout", "1", "--workers", "2"]);
    let run = start(&server, &server.config(&heavy("endless", 400, 3)));
    let failed = server.run_ended(&run);
    assert_eq!(failed["status"], "failed", "{failed}");
    let error = failed["error"].as_str().expect("a reason");
    assert!(error.contains("longer than 1 s, 2 times"), "{error}");
    assert_eq!(server.run_ended(&server.run("invert", &["cat"]))["status"], "completed");
}

#[test]
fn r27_a_second_server_is_told_who_holds_the_home_and_a_killed_one_leaves_nothing() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    let asked = Instant::now();
    let second = home.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.code, 5, "{}", second.err);
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    assert!(second.err.contains(&server.pid().to_string()), "{}", second.err);
    let address = server.url.trim_start_matches("http://").to_owned();
    assert!(second.err.contains(&address), "{}", second.err);
    server.kill();
    let server = Server::start(&home, &[]);
    server.get("/readyz").expect(200);
}

#[test]
fn r36_sigterm_drains_or_sets_the_rest_to_wait_and_exits_0() {
    let home = Home::new();
    let server = Server::start(&home, &["--drain-seconds", "1", "--workers", "1"]);
    let config = server.config(&heavy("left", 60, 5));
    let (first, second) = (start(&server, &config), start(&server, &server.config(&heavy("next", 2, 6))));
    wait_for_node(&server, &first, "running");
    let asked = Instant::now();
    server.signal("TERM");
    assert_eq!(server.wait(), 0);
    assert!(asked.elapsed() < Duration::from_secs(20), "{:?}", asked.elapsed());
    // Nothing failed: what was not done waits.
    let server = Server::start(&home, &["--workers", "2"]);
    assert_eq!(server.run_ended(&second)["status"], "completed");
    server.post(&format!("/runs/{first}/cancel"), &json!({}));
    let ended = server.run_ended(&first);
    assert!(ended["error"].is_null(), "{ended}");
    server.signal("TERM");
    assert_eq!(server.wait(), 0);
}

#[test]
fn r36_a_second_signal_ends_it_at_once() {
    let home = Home::new();
    let server = Server::start(&home, &["--drain-seconds", "600", "--workers", "1"]);
    let run = start(&server, &server.config(&heavy("slow", 400, 8)));
    wait_for_node(&server, &run, "running");
    let pid = server.pid().to_string();
    let asked = Instant::now();
    let term = || Command::new("kill").args(["-TERM", &pid]).stderr(Stdio::null()).status().expect("kill is there");
    term();
    // The first has been taken when the server no longer accepts.
    while server.try_request("GET", "/readyz", &[], &[]).is_ok_and(|answer| answer.status == 200) {}
    term();
    assert_ne!(server.wait(), 0);
    assert!(asked.elapsed() < Duration::from_secs(20), "{:?}", asked.elapsed());
}
