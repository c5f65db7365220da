//! A home of the original, moved in.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::{Home, Ran, Redis, Server, until};

const FILES: usize = 1_000;
const RUNS: usize = 200;

/// What the script made.
struct Original {
    path: PathBuf,
    redis: Redis,
    /// What it says of it: hashes and ids.
    made: Value,
}

fn original(home: &Home) -> Original {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join("target/python/bin/python");
    assert!(python.exists(), "python is missing: ./tests/run.sh installs it (python3 with venv is needed)");
    let (path, redis) = (home.dir().join("original"), Redis::start(&[]));
    let mut command = Command::new(python);
    command.arg(root.join("tests/tools/original_home.py")).arg(&path).arg(redis.url(5));
    let ran = Ran::of(&command.args([FILES.to_string(), RUNS.to_string()]).output().expect("python starts"));
    assert_eq!(ran.code, 0, "{}", ran.err);
    Original { made: ran.json(), path, redis }
}

impl Original {
    fn words(&self) -> [String; 6] {
        let path = self.path.display().to_string();
        [
            "import-home".to_owned(),
            path,
            "--redis".to_owned(),
            self.redis.url(5),
            "--output".to_owned(),
            "json".to_owned(),
        ]
    }

    fn text(&self, name: &str) -> &str {
        self.made[name].as_str().unwrap_or_else(|| panic!("{name}: {}", self.made))
    }
}

fn count(home: &Home) -> usize {
    home.run(&["cache", "ls", "-q"]).out.lines().count()
}

fn import(home: &Home, original: &Original, more: &[&str]) -> (i32, Value) {
    let words = original.words();
    let words: Vec<&str> = words.iter().map(String::as_str).chain(more.iter().copied()).collect();
    let ran = home.run(&words);
    (ran.code, ran.json())
}

#[test]
fn a_thousand_files_and_two_hundred_runs_move_in_although_it_is_killed_and_only_once() {
    let home = Home::new();
    let original = original(&home);
    let before = count(&home);
    let (code, dry) = import(&home, &original, &["--dry-run"]);
    assert_eq!((code, count(&home)), (8, before), "nothing is taken: {dry}");
    // Killed in the middle.
    let words = original.words();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut child = home.command(&words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let cache = home.path().join("cache");
    let directories = || std::fs::read_dir(&cache).map_or(0, |found| found.flatten().count());
    let first = directories();
    until("some files are taken", || directories() > first + 50);
    child.kill().expect("a child can be killed");
    child.wait().expect("a killed child ends");
    let (code, moved) = import(&home, &original, &[]);
    // Runs that had not ended are left, and told.
    assert_eq!(code, 8);
    let number = |moved: &Value, name: &str| moved[name].as_u64().expect("a number") as usize;
    let links = number(&original.made, "links");
    assert_eq!(number(&moved, "files") + number(&moved, "known_files"), FILES);
    assert!(number(&moved, "known_files") > links, "{moved}");
    assert_eq!((number(&dry, "files"), number(&dry, "known_files")), (FILES - links, links));
    let running = number(&original.made, "running");
    assert_eq!(number(&moved, "runs"), RUNS - running);
    let left = moved["left_runs"].as_array().expect("runs");
    assert!(left.iter().all(|left| left["because"].as_str().is_some_and(|why| why.contains("it is running"))));
    assert_eq!((left.len(), moved["left_files"].as_array().map(Vec::len)), (running, Some(0)));
    assert_eq!(count(&home), before + FILES - links);
    let (_, again) = import(&home, &original, &[]);
    assert_eq!((number(&again, "files"), number(&again, "known_files")), (0, FILES));
    assert_eq!((number(&again, "runs"), number(&again, "known_runs")), (0, RUNS - running));
    assert_eq!(home.run(&["cache", "verify"]).code, 0);
    let runs = home.run(&["runs", "--limit", "1000", "-q"]).out.lines().count();
    assert_eq!(runs, RUNS - running);
}

#[test]
fn old_hashes_and_ids_lead_to_what_was_moved_in_everywhere() {
    let home = Home::new();
    let original = original(&home);
    import(&home, &original, &[]);
    let (sha3, blake3) = (original.text("picture"), original.text("picture_file"));
    let bytes = std::fs::read(blake3).expect("the picture");
    let ours = artdag::base::ContentHash::of(&bytes).to_string();
    let prefixed = format!("sha3-256:{sha3}");
    // On the command line.
    for word in [sha3, prefixed.as_str()] {
        home.ok(&["cache", "get", word, "-o", "copy.png"]);
        assert_eq!(std::fs::read(home.dir().join("copy.png")).expect("a copy"), bytes);
        let path = home.ok(&["render", "dog", word, "--sync", "--out", "dog.png"]);
        assert!(path.ends_with("dog.png"), "{path}");
    }
    // In an old recipe.
    let recipe = format!(
        "name: old\nversion: \"1.0\"\nregistry:\n  assets:\n    photo: {{hash: \"{sha3}\"}}\n    other: \"{sha3}\"\n\
         dag:\n  nodes:\n    - {{id: photo, type: SOURCE, config: {{asset: photo}}}}\n    \
         - {{id: same, type: SOURCE, config: {{hash: \"{prefixed}\"}}}}\n    \
         - {{id: blend, type: BLEND, inputs: [photo, same]}}\n    \
         - {{id: drawn, type: EFFECT, config: {{effect: dog}}, inputs: [blend]}}\n  output: drawn\n"
    );
    home.write("old.yaml", &recipe);
    let run = home.run(&["run", "old.yaml", "--output", "json"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let inputs = home.run(&["cache", "info", sha3, "--output", "json"]).json();
    assert_eq!(inputs["content_hash"], ours, "{inputs}");
    assert!(inputs["used_by"].as_array().is_some_and(|by| !by.is_empty()), "the recipe's run holds it: {inputs}");
    assert_eq!(home.run(&["cache", "rm", sha3]).code, 5);
    // At a server.
    let server = Server::start(&home, &[]);
    let found = server.get(&format!("/cache/{sha3}")).expect(307);
    assert_eq!(found.header("location"), Some(format!("/cache/{ours}").as_str()));
    assert_eq!(server.get(&format!("/cache/{prefixed}/info")).expect(200).json()["content_hash"], ours);
    let body = json!({"recipe": "invert", "inputs": [prefixed]});
    let run = server.post("/runs", &body).expect(201).json();
    assert_eq!(run["inputs"], json!([ours]));
    server.run_ended(run["run_id"].as_str().expect("an id"));
    let found = server.get(&format!("/runs?input={sha3}&limit=1000")).expect(200).json();
    assert!(found.as_array().is_some_and(|runs| runs.iter().any(|found| found["run_id"] == run["run_id"])));
    let config = server.config(&recipe);
    assert_eq!(
        server.run_ended(server.post(&format!("/configs/{config}/run"), &json!({})).json()["run_id"].as_str().unwrap())
            ["status"],
        "completed"
    );
    let old = server.get(&format!("/runs/{}", original.text("run"))).expect(200).json();
    assert_eq!((&old["status"], &old["output_hash"]), (&json!("completed"), &json!(ours)));
    let new = old["run_id"].as_str().expect("an id").to_owned();
    server.request("GET", &format!("/run/{new}"), &[("accept", "text/html")], &[]).expect(200);
    server.request("GET", "/runs", &[("accept", "text/html")], &[]).expect(200);
    server.get(&format!("/runs/{new}/plan")).expect(200);
    server.get(&format!("/runs/{new}/provenance")).expect(404);
    assert!(server.post(&format!("/runs/{new}/verify"), &json!({})).expect(409).detail().contains("moved in"));
    server.admin("DELETE", &format!("/runs/{}", original.text("run"))).expect(200);
    server.get(&format!("/runs/{new}")).expect(404);
    server.get(&format!("/cache/sha3-256:{}", "0".repeat(64))).expect(404);
}

#[test]
fn what_is_damaged_or_gone_is_left_and_told_and_the_rest_moves_in() {
    let home = Home::new();
    let original = original(&home);
    let cache = original.path.join("cache");
    let node = |index: usize| original.made["nodes"][index].as_str().expect("a node").to_owned();
    let output = |index: usize| cache.join(node(index)).join("output.png");
    let mut bytes = std::fs::read(output(20)).expect("a file");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(output(20), &bytes).expect("it can be damaged");
    std::fs::remove_file(output(21)).expect("it can be removed");
    let (code, moved) = import(&home, &original, &[]);
    assert_eq!(code, 8);
    let left = |moved: &Value, index: usize| {
        let all = moved["left_files"].as_array().expect("files").clone();
        all.iter().find(|left| left["id"] == node(index)).map(|left| left["because"].as_str().unwrap().to_owned())
    };
    assert!(left(&moved, 20).is_some_and(|why| why.contains("damaged")), "{moved}");
    assert!(left(&moved, 21).is_some_and(|why| why.contains("no file output")), "{moved}");
    assert_eq!(moved["left_files"].as_array().map(Vec::len), Some(2));
    // The index itself: each directory says what it holds.
    std::fs::write(cache.join("index.json"), "{\"entries\": {").expect("it can be cut");
    let (_, again) = import(&home, &original, &[]);
    assert_eq!(again["files"], 0);
    assert!(again["known_files"].as_u64() > Some(900), "{again}");
    let ran = home.run(&["import-home", home.dir().join("nothing").to_str().expect("a path")]);
    assert_eq!(ran.code, 3, "{}", ran.err);
}
