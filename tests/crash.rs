//! kill -9 at random moments: the home opens, nothing in it is damaged, the next run finishes,
//! and its bytes are the same.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::{self, Home, Random};

const YAML: &str = "name: crash
dag:
  nodes:
    - {id: s, type: SOURCE, config: {asset: cat}}
    - {id: small, type: RESIZE, config: {width: 400, height: 300}, inputs: [s]}
    - {id: blur, type: EFFECT, config: {effect: blur, params: {sigma: 3}}, inputs: [small]}
    - {id: lines, type: EFFECT, config: {effect: dog}, inputs: [small]}
    - {id: mix, type: BLEND, config: {mode: multiply, opacity: 0.8}, inputs: [blur, lines]}
    - {id: tone, type: TRANSFORM, config: {effects: {saturation: 0.5, contrast: 1.2}}, inputs: [mix]}
  output: {node: tone, format: webp, quality: 80}
";

#[test]
fn r1_killed_at_random_moments_nothing_is_damaged_and_the_output_is_the_same() {
    let mut random = Random::seeded(99);
    let kills = if support::long_case("100 kills instead of 12") { 100 } else { 12 };
    let home = Home::new();
    home.write("crash.yaml", YAML);
    let words = ["run", "crash.yaml", "--no-fuse", "--output", "json"];
    let started = Instant::now();
    let first = home.run(&words).json();
    let takes = started.elapsed();
    for kill in 0..kills {
        // Nothing known, so that there is always something to be killed at.
        let no_cache = [&words[..], &["--no-cache"]].concat();
        let mut command = home.command(&no_cache);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts");
        let moment = Duration::from_micros(random.next() % (takes.as_micros() as u64 * 5 / 4 + 1));
        wait_until(Instant::now() + moment, &mut child);
        child.kill().expect("a child can be killed");
        child.wait().expect("a killed child ends");
        let verify = home.run(&["cache", "verify"]);
        assert_eq!(verify.code, 0, "after kill {kill}: {}{}", verify.out, verify.err);
        let again = home.run(&words).json();
        assert_eq!(again["output_hash"], first["output_hash"], "after kill {kill}");
        assert_eq!(again["status"], "completed");
    }
    // What was interrupted waits, and a worker finishes it.
    home.ok(&["worker"]);
    let runs = home.run(&["runs", "--output", "json", "--limit", "1000"]).json();
    for run in runs.as_array().expect("runs are an array") {
        assert_eq!((&run["status"], &run["output_hash"]), (&"completed".into(), &first["output_hash"]), "{run}");
    }
}

/// Waits for a moment, or for the child's end.
fn wait_until(moment: Instant, child: &mut std::process::Child) {
    while Instant::now() < moment && child.try_wait().expect("a child can be asked").is_none() {
        std::thread::yield_now();
    }
}

#[test]
fn all_results_of_a_chain_are_there_after_a_kill_at_the_moment_of_its_end() {
    let home = Home::new();
    let mut yaml = String::from("name: chain\ndag:\n  nodes:\n    - {id: n0, type: SOURCE, config: {asset: cat}}\n");
    for index in 1..=2000 {
        yaml +=
            &format!("    - {{id: n{index}, type: EFFECT, config: {{effect: identity}}, inputs: [n{}]}}\n", index - 1);
    }
    yaml += "  output: n2000\n";
    home.write("chain.yaml", yaml);
    let mut command = home.command(&["run", "chain.yaml"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program starts");
    // The path is printed when the run is complete: from then on nothing may be lost.
    let mut line = String::new();
    let out = child.stdout.take().expect("it is piped");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).expect("a path is printed");
    child.kill().expect("a child can be killed");
    child.wait().expect("a killed child ends");
    assert!(line.ends_with('\n') || line.is_empty(), "{line:?}");
    let engine = home.open(1);
    assert_eq!(engine.memo_len().expect("results are counted"), 2000);
    engine.close().expect("the home closes");
}
