//! Bundles between homes: the same file from the same contents, and the same bytes rendered from
//! it elsewhere.

use std::process::Command;

use serde_json::Value;

use crate::support::{Home, Ran, long_case, png};

const CONFIG: &str = "
name: poster
version: '2'
dag:
  nodes:
    - {id: photo, type: SOURCE, config: {input: true}}
    - {id: paper, type: SOURCE, config: {asset: paper}}
    - {id: small, type: RESIZE, config: {width: 24, height: 18}, inputs: [photo]}
    - {id: drawn, type: EFFECT, config: {effect: dog}, inputs: [small]}
    - {id: both, type: BLEND, config: {mode: multiply}, inputs: [drawn, paper]}
  output: both
";

/// A home in which a config was run, with its run object.
fn home() -> (Home, Value) {
    let home = Home::new();
    home.ok(&["cache", "add", &home.write("paper.png", png(24, 18, 1)).display().to_string(), "--name", "paper"]);
    let (config, photo) = (home.write("poster.yaml", CONFIG), home.write("photo.png", png(48, 36, 2)));
    let input = format!("photo={}", photo.display());
    let ran = home.run(&["run", &config.display().to_string(), "-i", &input, "--keep", "drawn", "--output", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let run = ran.json();
    (home, run)
}

/// Runs the program where there is no network at all.
fn without_network(home: &Home, words: &[&str]) -> Ran {
    let program = home.command(words);
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--net", "--"]).arg(program.get_program()).args(program.get_args());
    command.current_dir(home.dir());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    Ran::of(&command.output().expect("unshare starts"))
}

#[test]
fn a_bundle_is_taken_in_checked_and_rendered_to_the_same_bytes_without_a_network() {
    let (home, run) = home();
    let id = run["run_id"].as_str().unwrap();
    let key = home.run(&["keys", "--output", "json"]).json()[0]["id"].as_str().unwrap().to_owned();
    for name in ["one", "two"] {
        assert!(home.ok(&["bundle", "export", id, "-o", name]).ends_with(name));
    }
    let bundle = home.dir().join("one");
    let path = bundle.to_str().unwrap();
    assert_eq!(
        std::fs::read(path).unwrap(),
        std::fs::read(home.dir().join("two")).unwrap(),
        "the same contents, the same file"
    );

    let other = Home::new();
    let dry = other.run(&["bundle", "import", path, "--dry-run", "--output", "json"]);
    assert_eq!((dry.code, &dry.json()["blobs"], &dry.json()["configs"]), (0, &2.into(), &1.into()), "{}", dry.err);
    assert_eq!(other.run(&["run-show", id]).code, 4, "a dry run takes nothing");
    let taken =
        without_network(&other, &["bundle", "import", path, "--verify", "--signed-by", &key, "--output", "json"]);
    assert_eq!(taken.code, 0, "{}{}", taken.out, taken.err);
    let verified = &taken.json()["verified"][0];
    assert_eq!((&verified["same"], &verified["output"]), (&true.into(), &run["output_hash"]));
    let shown = other.run(&["run-show", id, "--output", "json"]).json();
    for field in
        ["recipe", "config_id", "inputs", "bindings", "output_hash", "provenance_hash", "created_at", "username"]
    {
        assert_eq!(shown[field], run[field], "{field}");
    }
    assert_eq!(other.ok(&["provenance", id]), home.ok(&["provenance", id]));
    assert_eq!(other.ok(&["provenance", "export", id]), home.ok(&["provenance", "export", id]));
    other.ok(&["provenance", "verify", id, "--signed-by", &key]);
    let again = other.run(&["bundle", "import", path, "--output", "json"]).json();
    assert_eq!(
        (&again["blobs"], &again["known_blobs"], again["runs"].as_array().unwrap().len()),
        (&0.into(), &2.into(), 0)
    );
    // What was taken in is held like what was made here.
    assert_eq!(other.run(&["cache", "rm", run["inputs"][0].as_str().unwrap()]).code, 5);
    // And goes on from there.
    other.ok(&["bundle", "export", run["output_hash"].as_str().unwrap(), "-o", "three", "--with", "outputs"]);
}

#[test]
fn inspecting_tells_who_signed_and_what_is_in_it_and_tar_reads_the_rest() {
    let (home, run) = home();
    let id = run["run_id"].as_str().unwrap();
    home.ok(&["configs", "add", "poster.yaml"]);
    home.ok(&["bundle", "export", id, "poster", "-o", "b", "--with", "outputs,intermediates"]);
    let key = home.run(&["keys", "--output", "json"]).json();
    let told = home.run(&["bundle", "inspect", "b", "--output", "json"]).json();
    assert_eq!((&told["signed_by"], &told["fingerprint"]), (&key[0]["id"], &key[0]["fingerprint"]));
    let kinds: Vec<&str> =
        told["entries"].as_array().unwrap().iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["config", "input", "input", "output", "intermediate", "record", "envelope", "run"]);
    assert_eq!((&told["effects"][0]["name"], &told["runs"][0]), (&"dog".into(), &id.into()));
    let text = home.ok(&["bundle", "inspect", "b"]);
    assert!(text.contains(key[0]["fingerprint"].as_str().unwrap()) && text.contains("intermediate"), "{text}");

    let bytes = std::fs::read(home.dir().join("b")).unwrap();
    home.write("b.tar", zstd::decode_all(&bytes[..]).expect("the seal is passed over"));
    let listed = Command::new("tar").arg("-tvf").arg(home.dir().join("b.tar")).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert_eq!(listed.lines().count(), kinds.len() + 1, "{listed}");
    assert!(listed.lines().next().unwrap().ends_with("manifest.json"), "{listed}");
}

#[test]
fn what_was_published_carries_its_activity() {
    let (home, run) = home();
    let id = run["run_id"].as_str().unwrap();
    home.ok(&["publish", id]);
    home.ok(&["bundle", "export", id, "-o", "b"]);
    let bytes = std::fs::read(home.dir().join("b")).unwrap();
    home.write("b.tar", zstd::decode_all(&bytes[..]).expect("the seal is passed over"));
    let read =
        Command::new("tar").args(["-xOf", "b.tar", "--wildcards", "activity/*"]).current_dir(home.dir()).output();
    let activity: Value = serde_json::from_slice(&read.expect("tar starts").stdout).expect("one activity");
    assert_eq!((&activity["type"], &activity["proof"]["cryptosuite"]), (&"Create".into(), &"eddsa-jcs-2022".into()));
    assert!(activity["signature"].is_null(), "one document never carries both: {activity}");
    let other = Home::new();
    let taken = other.run(&["bundle", "import", home.dir().join("b").to_str().unwrap()]);
    assert_eq!(taken.code, 0, "{}", taken.err);
    assert!((taken.out + &taken.err).contains("1 activities stay in the bundle"));
    // Under a new key it is signed anew.
    let key = home.path().join("keys/ed25519.pem");
    std::fs::rename(&key, key.with_extension("old")).unwrap();
    home.ok(&["bundle", "export", id, "-o", "again"]);
    let taken = other.run(&["bundle", "import", home.dir().join("again").to_str().unwrap()]);
    assert_eq!(taken.code, 0, "{}", taken.err);
}

#[test]
fn what_the_other_side_has_is_left_out_and_must_be_there() {
    let (home, run) = home();
    let id = run["run_id"].as_str().unwrap();
    home.ok(&["bundle", "export", id, "-o", "whole"]);
    let manifest = home.ok(&["bundle", "inspect", "whole", "--manifest"]);
    home.write("manifest.json", &manifest);
    home.write("list.txt", home.ok(&["cache", "ls", "-q"]));
    for have in ["whole", "manifest.json", "list.txt"] {
        home.ok(&["bundle", "export", id, "-o", "rest", "--missing-from", have]);
        let told = home.run(&["bundle", "inspect", "rest", "--output", "json"]).json();
        let count = |list: &str| told[list].as_array().unwrap().len();
        assert_eq!((count("entries"), count("elsewhere")), (4, 2), "{have}");
    }
    let (whole, rest) = (home.dir().join("whole"), home.dir().join("rest"));
    let other = Home::new();
    let refused = other.run(&["bundle", "import", rest.to_str().unwrap()]);
    assert_eq!(refused.code, 4, "{}", refused.err);
    assert!(refused.err.contains("2 blobs that are not here"), "{}", refused.err);
    other.ok(&["bundle", "import", whole.to_str().unwrap()]);
    other.ok(&["run-rm", id]);
    other.ok(&["bundle", "import", rest.to_str().unwrap(), "--verify"]);
}

#[test]
fn a_bundle_that_was_changed_or_is_signed_by_another_is_refused_with_its_code() {
    let (home, run) = home();
    home.ok(&["bundle", "export", run["run_id"].as_str().unwrap(), "-o", "b"]);
    let other = Home::new();
    let path = home.dir().join("b");
    let key = other.run(&["keys", "--output", "json"]).json()[0]["id"].as_str().unwrap().to_owned();
    let refused = other.run(&["bundle", "import", path.to_str().unwrap(), "--signed-by", &key]);
    assert_eq!(refused.code, 8, "{}", refused.err);
    assert!(refused.err.contains(&key) && refused.err.contains("nothing of it was taken"), "{}", refused.err);
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    assert_eq!(other.run(&["bundle", "import", other.write("x", &bytes).to_str().unwrap()]).code, 8);
    assert_eq!(other.run(&["bundle", "import", other.write("y", "no bundle").to_str().unwrap()]).code, 3);
    assert_eq!(other.run(&["bundle", "inspect", "nowhere"]).code, 4);
    assert_eq!(home.run(&["bundle", "export", "nobody", "-o", "z"]).code, 4);
    assert!(!home.dir().join("z").exists());
}

/// A home in which the cat was drawn over twice, each time what came of it before; the runs, oldest first.
fn drawn_over() -> (Home, Vec<String>) {
    let home = Home::new();
    home.ok(&["render", "dog", "cat", "--sync"]);
    for effect in ["invert", "sepia"] {
        let before = home.run(&["run-show", "latest", "--output", "json"]).json();
        home.ok(&["render", effect, before["output_hash"].as_str().unwrap(), "--sync"]);
    }
    let mut runs: Vec<String> = home.ok(&["runs", "-q"]).lines().map(str::to_owned).collect();
    runs.reverse();
    (home, runs)
}

fn output_of(home: &Home, run: &str) -> String {
    home.run(&["run-show", run, "--output", "json"]).json()["output_hash"].as_str().unwrap().to_owned()
}

fn origin_of(home: &Home, hash: &str) -> Option<String> {
    let told = home.run(&["cache", "info", hash, "--output", "json"]);
    (told.code == 0).then(|| told.json()["origin"].as_str().unwrap().to_owned())
}

#[test]
fn a_chain_of_runs_comes_along_and_leads_back_to_what_was_brought() {
    let (home, runs) = drawn_over();
    home.ok(&["bundle", "export", &runs[2], "-o", "b", "--with", "outputs"]);
    let path = home.dir().join("b");
    let other = Home::new();
    let taken = without_network(&other, &["bundle", "import", path.to_str().unwrap(), "--verify", "--output", "json"]);
    assert_eq!(taken.code, 0, "{}", taken.err);
    let taken = taken.json();
    let listed = |value: &Value| value.as_array().unwrap().len();
    assert_eq!((listed(&taken["runs"]), listed(&taken["verified"])), (3, 3), "{taken}");

    let verified = |of: &Home, code: i32| {
        let ran = of.run(&["provenance", "verify", &runs[2], "--output", "json"]);
        assert_eq!(ran.code, code, "{}{}", ran.out, ran.err);
        let findings = ran.json()["findings"].as_array().unwrap().clone();
        let of_kind = |kind: &str| findings.iter().filter(|found| found["what"] == kind).count();
        ["signature", "record", "output", "source", "chain"].map(of_kind)
    };
    assert_eq!(verified(&home, 0), [3; 5]);
    assert_eq!(verified(&other, 0), [3; 5], "the same where it came in");
    // And it goes on from there as a whole.
    other.ok(&["bundle", "export", &runs[2], "-o", "c", "--with", "outputs"]);
    let third = Home::new();
    third.ok(&["bundle", "import", other.dir().join("c").to_str().unwrap()]);
    assert_eq!(verified(&third, 0), [3; 5]);
    // Without outputs only the last one is missing: what the others gave was read.
    home.ok(&["bundle", "export", &runs[2], "-o", "d"]);
    let fourth = Home::new();
    fourth.ok(&["bundle", "import", home.dir().join("d").to_str().unwrap()]);
    let ran = fourth.run(&["provenance", "verify", &runs[2], "--output", "json"]);
    let missing: Vec<Value> = ran.json()["findings"].as_array().unwrap().clone();
    let missing: Vec<&Value> = missing.iter().filter(|found| found["outcome"] != "right").collect();
    assert_eq!((ran.code, missing.len(), &missing[0]["of"]), (4, 1, &output_of(&home, &runs[2]).into()));
}

#[test]
fn what_runs_made_goes_with_them_where_it_came_in_and_uploads_stay() {
    let (home, runs) = drawn_over();
    let outputs: Vec<String> = runs.iter().map(|run| output_of(&home, run)).collect();
    let cat = home.run(&["run-show", &runs[0], "--output", "json"]).json()["inputs"][0].as_str().unwrap().to_owned();
    home.ok(&["bundle", "export", &runs[2], "-o", "b", "--with", "outputs"]);
    let bundle = home.dir().join("b");
    let import = |other: &Home| other.ok(&["bundle", "import", bundle.to_str().unwrap()]);
    let origins = |other: &Home| outputs.iter().map(|hash| origin_of(other, hash)).collect::<Vec<_>>();
    let (derived, upload) = (Some("derived".to_owned()), Some("upload".to_owned()));

    let other = Home::new();
    import(&other);
    assert_eq!(origins(&other), [derived.clone(), derived.clone(), derived.clone()]);
    assert_eq!(origin_of(&other, &cat), upload);
    // Held, they are not taken to make room; nor are they nobody's.
    let collected = other.run(&["cache", "gc", "--max-bytes", "0", "--output", "json"]).json();
    assert_eq!((&collected["evicted"], &collected["orphans"]), (&Value::Array(vec![]), &0.into()));
    let size = |hash: &str| home.run(&["cache", "info", hash, "--output", "json"]).json()["size"].as_u64().unwrap();
    let gone = other.run(&["run-rm", &runs[2], "--output", "json"]).json();
    assert!(gone["freed_bytes"].as_u64().unwrap() >= size(&outputs[2]), "{gone}");
    assert_eq!(origins(&other), [derived.clone(), derived.clone(), None]);
    // What another run gave stays with it, though the one that read it is gone.
    other.ok(&["run-rm", &runs[1]]);
    assert_eq!(origins(&other), [derived.clone(), None, None]);
    // Taken in again, all is as it was; and again, which changes nothing.
    import(&other);
    assert_eq!(origins(&other), [derived.clone(), derived.clone(), derived.clone()]);
    let again = other.run(&["bundle", "import", bundle.to_str().unwrap(), "--output", "json"]).json();
    assert_eq!((&again["blobs"], again["runs"].as_array().unwrap().len()), (&0.into(), 0));
    for run in &runs {
        other.ok(&["run-rm", run]);
    }
    assert_eq!(origins(&other), [None, None, None]);
    assert_eq!(origin_of(&other, &cat), upload);

    // What was uploaded before is an upload for good.
    let third = Home::new();
    home.ok(&["cache", "get", &outputs[1], "--out", "out.png"]);
    third.ok(&["cache", "add", home.dir().join("out.png").to_str().unwrap()]);
    import(&third);
    for run in &runs {
        third.ok(&["run-rm", run]);
    }
    assert_eq!(origins(&third), [None, upload, None]);
}

#[test]
fn values_between_nodes_go_with_their_run_where_it_came_in() {
    let (home, run) = home();
    let id = run["run_id"].as_str().unwrap();
    home.ok(&["bundle", "export", id, "-o", "b", "--with", "outputs,intermediates"]);
    let told = home.run(&["bundle", "inspect", "b", "--output", "json"]).json();
    let of_kind = |kind: &str| -> Vec<String> {
        let entries = told["entries"].as_array().unwrap().iter().filter(|entry| entry["kind"] == kind);
        entries.map(|entry| entry["blake3"].as_str().unwrap().to_owned()).collect()
    };
    let other = Home::new();
    other.ok(&["bundle", "import", home.dir().join("b").to_str().unwrap()]);
    let value = of_kind("intermediate").remove(0);
    assert_eq!(origin_of(&other, &value).as_deref(), Some("derived"));
    other.ok(&["run-rm", id]);
    assert_eq!(origin_of(&other, &value), None);
    assert_eq!(origin_of(&other, &of_kind("output")[0]), None);
    for input in of_kind("input") {
        assert_eq!(origin_of(&other, &input).as_deref(), Some("upload"));
    }
}

#[test]
fn an_export_that_fails_leaves_the_file_that_was_there_and_nothing_else() {
    let (home, run) = home();
    let id = run["run_id"].as_str().unwrap();
    home.ok(&["bundle", "export", id, "-o", "b"]);
    let before = std::fs::read(home.dir().join("b")).unwrap();
    let names = || {
        let mut names: Vec<_> =
            std::fs::read_dir(home.dir()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let listed = names();
    // A source changes on the disk: it is noticed while the bundle is written.
    let input = run["inputs"][0].as_str().unwrap();
    let path = home.path().join("cache").join(&input[..2]).join(&input[2..4]).join(input);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[40] ^= 1;
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, bytes).unwrap();
    let refused = home.run(&["bundle", "export", id, "-o", "b"]);
    assert!(refused.code != 0 && refused.err.contains("damaged"), "{}", refused.err);
    assert_eq!(std::fs::read(home.dir().join("b")).unwrap(), before);
    assert_eq!(names(), listed);
}

#[test]
fn what_others_would_take_for_a_bomb_is_not_written() {
    if !long_case("bundles::what_others_would_take_for_a_bomb") {
        return;
    }
    let home = Home::new();
    home.write("b", "what was there");
    let zeros = home.write("zeros", "");
    std::fs::OpenOptions::new().write(true).open(&zeros).unwrap().set_len((1 << 30) + 4096).unwrap();
    let hash = home.ok(&["cache", "add", zeros.to_str().unwrap(), "-q"]);
    let refused = home.run(&["bundle", "export", hash.trim(), "-o", "b"]);
    assert_eq!(refused.code, 3, "{}", refused.err);
    assert!(refused.err.contains("would take it for a bomb"), "{}", refused.err);
    assert_eq!(std::fs::read(home.dir().join("b")).unwrap(), b"what was there");
    let left = std::fs::read_dir(home.dir())
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with(".artdag-bundle-"));
    assert_eq!(left.count(), 0);
}
