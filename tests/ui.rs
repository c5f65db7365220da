//! The pages in a real browser: Chromium, led by the scripts in `tests/ui`.
//!
//! What they need comes from npm, pinned by `tests/tools/package-lock.json`; `tests/run.sh` installs it into
//! `target/node`, and for a full run what judges pages into `target/lighthouse`. Without it the tests say so and fail.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Home, Server, another_heavy, long_case, program};

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
fn the_description_of_the_api_shuts_nobody_out() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    script("docs.mjs", &[("ARTDAG_URL", server.url.as_str()), ("ARTDAG_TOKEN", &server.token)]);
}

#[test]
fn graphs_of_a_thousand_nodes_fold_open_and_move() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    script("graph.mjs", &[("ARTDAG_URL", server.url.as_str()), ("ARTDAG_TOKEN", &server.token)]);
}

/// Texts, each another one, taken in as a directory: the cheapest real way.
fn add_media(home: &Home, count: usize) {
    let dir = home.dir().join("many");
    std::fs::create_dir_all(&dir).expect("a directory");
    for index in 0..count {
        std::fs::write(dir.join(format!("{index:06}.txt")), index.to_string()).expect("a file");
    }
    let many = dir.display().to_string();
    home.ok(&["cache", "add", &many, "-q"]);
    std::fs::remove_dir_all(dir).expect("a directory that can be removed");
}

#[test]
fn media_are_scrolled_to_the_end_in_bounded_memory() {
    let home = Home::new();
    let count = if long_case("100,000 media are scrolled") { 100_000 } else { 2000 };
    add_media(&home, count);
    let server = Server::start(&home, &[]);
    let count = count.to_string();
    script(
        "scroll.mjs",
        &[("ARTDAG_URL", server.url.as_str()), ("ARTDAG_TOKEN", &server.token), ("ARTDAG_COUNT", &count)],
    );
}

#[test]
fn pages_with_much_on_them_are_judged_well() {
    if !long_case("Lighthouse judges the pages") {
        return;
    }
    let modules = root().join("target/lighthouse/node_modules");
    assert!(modules.exists(), "target/lighthouse is missing: ARTDAG_TESTS=full ./tests/run.sh installs it");
    let home = Home::new();
    add_media(&home, 10_000);
    {
        let recipe = std::fs::read_to_string(root().join("examples/ink.yaml")).expect("an example");
        let ink = home.write("ink.yaml", recipe).display().to_string();
        home.ok(&["configs", "add", &ink]);
    }
    let server = Server::start(&home, &[]);
    for index in 0..1000 {
        let name = format!("out-{index}");
        let recipe = if index % 2 == 0 { "invert" } else { "sepia" };
        let body = serde_json::json!({"recipe": recipe, "inputs": ["cat"], "output_name": name});
        let run = server.post("/runs", &body).expect(201).json()["run_id"].as_str().expect("a run").to_owned();
        server.run_ended(&run);
    }
    let modules = modules.display().to_string();
    script("lighthouse.mjs", &[("ARTDAG_URL", server.url.as_str()), ("ARTDAG_LIGHTHOUSE", &modules)]);
}

#[test]
fn a_client_for_uploads_in_parts_goes_on_after_cuts_and_a_kill() {
    let home = Home::new();
    let long = long_case("2 GB are sent in parts over a line that is cut");
    // What is large is not kept in memory.
    let disk = tempfile::tempdir().expect("a directory");
    let copied = Command::new("cp").arg("-a").arg(home.path()).arg(disk.path()).status();
    assert!(copied.is_ok_and(|status| status.success()), "a home can be copied");
    // What is on its way when a line is cut is sent again: the slower the line, the less that is.
    let (size, cuts, speed) = if long { (2 << 30, "10", 96 << 20) } else { (64 << 20, "3", 24 << 20) };
    let speed = i32::to_string(&speed);
    let file = disk.path().join("large.bin");
    let hash = noise(&file, size);
    let free = TcpListener::bind("127.0.0.1:0").and_then(|taken| taken.local_addr()).expect("a free port").to_string();
    let text = |path: &Path| path.to_str().expect("a text").to_owned();
    let (at, file, size) = (text(&disk.path().join("home")), text(&file), size.to_string());
    let token = std::fs::read_to_string(home.path().join("token")).expect("a token");
    let program = text(&program());
    let variables = [
        ("ARTDAG_ADDRESS", free.as_str()),
        ("ARTDAG_BIN", &program),
        ("ARTDAG_HOME", &at),
        ("ARTDAG_TOKEN", token.trim()),
        ("ARTDAG_FILE", &file),
        ("ARTDAG_SIZE", &size),
        ("ARTDAG_HASH", &hash),
        ("ARTDAG_CUTS", cuts),
        ("ARTDAG_SPEED", &speed),
    ];
    script("tus.mjs", &variables);
}

/// Writes a file that nothing can make smaller; its hash.
fn noise(file: &Path, size: usize) -> String {
    let mut reader = blake3::Hasher::new().update(b"noise").finalize_xof();
    let mut hasher = blake3::Hasher::new();
    let mut file = std::fs::File::create(file).expect("a file");
    let mut piece = vec![0; 1 << 20];
    for _ in 0..size / piece.len() {
        reader.fill(&mut piece);
        hasher.update(&piece);
        std::io::Write::write_all(&mut file, &piece).expect("a file that can be written");
    }
    hasher.finalize().to_hex().to_string()
}

#[test]
fn a_restart_is_noticed_and_healed() {
    let home = Home::new();
    let free = TcpListener::bind("127.0.0.1:0").and_then(|taken| taken.local_addr()).expect("a free port");
    let home_path = home.path();
    let variables = [
        ("ARTDAG_ADDRESS", free.to_string()),
        ("ARTDAG_BIN", program().to_str().expect("a text").to_owned()),
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
