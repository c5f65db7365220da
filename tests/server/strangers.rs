//! Clients that others wrote, from what `/openapi.json` says: a tool that tries everything, and a
//! generated Python client.
//!
//! Both come from the Python package index, pinned by `tests/tools/requirements.txt`; `tests/run.sh` installs them
//! into `target/python`. Without them the tests say so and fail.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Home, Server, long_case, png};

/// A program of the tools that `tests/run.sh` installs.
fn tool(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/python/bin").join(name);
    assert!(path.exists(), "{name} is missing: ./tests/run.sh installs it (python3 with venv is needed)");
    path
}

fn succeed(command: &mut Command) -> String {
    let output = command.output().expect("the tool starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    text
}

#[test]
fn schemathesis_finds_nothing() {
    let home = Home::new();
    // Wrong tokens are tried on purpose, and more often than any person would. Terabytes are
    // announced too: they are past the limit, whatever this machine's disk has left.
    let server = Server::start(&home, &["--max-upload-bytes", "100000000"]);
    server.upload(&png(8, 8, 1));
    server.run("identity", &["cat"]);
    let long = long_case("2,000 examples of schemathesis instead of a few for each route");
    let examples = if long { "120" } else { "6" };
    let mut command = Command::new(tool("schemathesis"));
    let settings = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools/schemathesis.toml");
    command.current_dir(home.dir()).arg("--config-file").arg(settings);
    command.args(["run", &format!("{}/openapi.json", server.url)]);
    command.args(["--checks", "all", "--max-examples", examples, "--seed", "7", "--workers", "1"]);
    command.args(["--header", &format!("Authorization: Bearer {}", server.token), "--no-color", "--warnings", "off"]);
    // It wants 401 for every wrong token, and from the eleventh in a minute on gets 429, as it should;
    // the tests of `auth` ask every route by every scope.
    command.args(["--exclude-checks", "ignored_auth"]);
    // A stream of events has no end, and a worker would wait for it.
    command.args(["--exclude-path-regex", "/events$", "--request-timeout", "60"]);
    let said = succeed(&mut command);
    assert!(said.contains("No issues found"), "{said}");
    println!("{}", said.lines().rev().take(20).collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_generated_python_client_uploads_runs_waits_and_downloads() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    let document = home.write("openapi.json", server.get("/openapi.json").expect(200).body);
    let generated = home.dir().join("client");
    let mut generate = Command::new(tool("openapi-python-client"));
    generate.current_dir(home.dir()).args(["generate", "--meta", "none", "--overwrite"]);
    generate.arg("--path").arg(document).arg("--output-path").arg(generated.join("artdag_client"));
    succeed(&mut generate);
    home.write("picture.png", png(40, 30, 5));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools/client.py");
    let mut python = Command::new(tool("python"));
    python.current_dir(home.dir()).arg(script).arg(&server.url).arg("picture.png").env("PYTHONPATH", &generated);
    let said = succeed(&mut python);
    assert!(said.contains("completed"), "{said}");
}
