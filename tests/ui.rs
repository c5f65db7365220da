//! The pages in a real browser: Chromium, led by the scripts in `tests/ui`.
//!
//! What they need comes from npm, pinned by `tests/tools/package-lock.json`; `tests/run.sh` installs it into
//! `target/node`. Without it the tests say so and fail.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Home, Server, another_heavy};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn modules() -> PathBuf {
    let modules = root().join("target/node/node_modules");
    assert!(modules.exists(), "target/node is missing: ./tests/run.sh installs it (npm is needed)");
    modules
}

/// Runs a script, with these variables; fails with what it said.
fn script(name: &str, variables: &[(&str, &str)]) {
    let mut command = Command::new("node");
    command.arg(root().join("tests/ui").join(name)).env("ARTDAG_NODE", modules());
    for (name, value) in variables {
        command.env(name, value);
    }
    if let Some(screens) = std::env::var_os("ARTDAG_SCREENS") {
        command.env("ARTDAG_SCREENS", screens);
    }
    let output = command.output().expect("node starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    println!("{said}");
}

#[test]
fn people_upload_run_watch_cancel_compare_delete_and_log_in() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    let (heavy, long) = (another_heavy("heavy", 12, 1), another_heavy("long", 60, 2));
    let variables = [
        ("ARTDAG_URL", server.url.as_str()),
        ("ARTDAG_TOKEN", &server.token),
        ("ARTDAG_HEAVY", &heavy),
        ("ARTDAG_LONG", &long),
    ];
    script("flows.mjs", &variables);
}

#[test]
fn every_page_fits_and_shuts_nobody_out() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    let recipe = std::fs::read_to_string(root().join("examples/ink.yaml")).expect("an example");
    let variables =
        [("ARTDAG_URL", server.url.as_str()), ("ARTDAG_TOKEN", &server.token), ("ARTDAG_RECIPE", recipe.as_str())];
    script("pages.mjs", &variables);
}

#[test]
fn graphs_of_a_thousand_nodes_fold_open_and_move() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    script("graph.mjs", &[("ARTDAG_URL", server.url.as_str()), ("ARTDAG_TOKEN", &server.token)]);
}

#[test]
fn a_restart_is_noticed_and_healed() {
    let home = Home::new();
    let free = TcpListener::bind("127.0.0.1:0").and_then(|taken| taken.local_addr()).expect("a free port");
    let home_path = home.path();
    let variables = [
        ("ARTDAG_ADDRESS", free.to_string()),
        ("ARTDAG_BIN", env!("CARGO_BIN_EXE_artdag").to_owned()),
        ("ARTDAG_HOME", home_path.to_str().expect("a text").to_owned()),
        ("ARTDAG_TOKEN", std::fs::read_to_string(home_path.join("token")).expect("a token").trim().to_owned()),
    ];
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    script("heal.mjs", &variables);
}

#[test]
fn scripts_of_the_pages_are_checked_by_their_types() {
    let checker = modules().join("typescript/bin/tsc");
    let output =
        Command::new("node").arg(checker).arg("-p").arg(root().join("tests/tools")).output().expect("node starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
