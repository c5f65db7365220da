//! Signed provenance: what an envelope says, what a check finds, and what other tools read.

use artdag::base::ContentHash;
use artdag::records::{BlobRow, Record as _, tables};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use redb::ReadableTable as _;
use serde_json::Value;

use crate::support::{Home, Ran, Server};

/// A home in which the picture that a run made was drawn over; both runs, the newest first.
fn drawn() -> (Home, Vec<String>) {
    let home = Home::new();
    home.ok(&["render", "dog", "cat", "--sync"]);
    let dog = home.run(&["run-show", "latest", "--output", "json"]).json();
    home.ok(&["render", "invert", dog["output_hash"].as_str().unwrap(), "--sync"]);
    let runs = home.ok(&["runs", "-q"]).lines().map(str::to_owned).collect();
    (home, runs)
}

fn findings(home: &Home, words: &[&str], code: i32) -> Vec<(String, String, String)> {
    let ran = home.run(&[&["provenance", "verify", "--output", "json"], words].concat());
    assert_eq!(ran.code, code, "{words:?}\n{}{}", ran.out, ran.err);
    let list = ran.json()["findings"].as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    list.iter().map(|found| (text(&found["what"]), text(&found["outcome"]), text(&found["of"]))).collect()
}

#[test]
fn a_record_is_signed_when_it_is_made_and_leads_back_to_the_sources() {
    let (home, runs) = drawn();
    let envelope = home.ok(&["provenance", "export", &runs[0]]);
    let value: Value = serde_json::from_str(&envelope).unwrap();
    assert_eq!(value["payloadType"], "application/vnd.in-toto+json");
    let statement: Value =
        serde_json::from_slice(&STANDARD.decode(value["payload"].as_str().unwrap()).unwrap()).unwrap();
    let run = home.run(&["run-show", &runs[0], "--output", "json"]).json();
    assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(statement["subject"][0]["digest"]["blake3"], run["output_hash"]);
    let path = home.dir().join("out.png");
    home.ok(&["cache", "get", run["output_hash"].as_str().unwrap(), "--out", path.to_str().unwrap()]);
    let sha256 = std::process::Command::new("sha256sum").arg(&path).output().unwrap();
    assert!(sha256.stdout.starts_with(statement["subject"][0]["digest"]["sha256"].as_str().unwrap().as_bytes()));
    let record: Value = serde_json::from_str(&home.ok(&["provenance", &runs[0]])).unwrap();
    assert_eq!(statement["predicate"], record);
    let key = home.run(&["keys", "--output", "json"]).json()[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(value["signatures"][0]["keyid"], key.as_str());

    // By run, by the output's hash, by the file of the output, by the envelope's file: the same.
    let file = home.write("envelope.json", &envelope);
    let of_run = findings(&home, &[&runs[0], "--signed-by", &key], 0);
    for of in [run["output_hash"].as_str().unwrap(), path.to_str().unwrap(), file.to_str().unwrap()] {
        assert_eq!(findings(&home, &[of], 0), of_run);
    }
    let count = |what: &str| of_run.iter().filter(|(found, ..)| found == what).count();
    assert_eq!(
        (count("signature"), count("record"), count("output"), count("source"), count("chain")),
        (2, 2, 2, 2, 2)
    );

    // Where nothing of it is, the signature is right and the rest is not here.
    let elsewhere = Home::new();
    let found = findings(&elsewhere, &[file.to_str().unwrap()], 4);
    assert!(found.iter().any(|(what, outcome, _)| what == "signature" && outcome == "right"), "{found:?}");
    assert!(found.iter().any(|(what, outcome, _)| what == "output" && outcome == "missing"), "{found:?}");
    assert_eq!(elsewhere.run(&["provenance", "verify", path.to_str().unwrap()]).code, 4);
    let other = elsewhere.run(&["keys", "--output", "json"]).json()[0]["id"].as_str().unwrap().to_owned();
    let found = findings(&home, &[&runs[0], "--signed-by", &other], 8);
    assert!(found.iter().any(|(what, outcome, _)| what == "signature" && outcome == "wrong"), "{found:?}");
}

#[test]
fn what_was_changed_is_found() {
    let (home, runs) = drawn();
    let envelope: Value = serde_json::from_str(&home.ok(&["provenance", "export", &runs[0]])).unwrap();
    let payload = String::from_utf8(STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap()).unwrap();
    for (from, to) in [
        ("\"invert\"", "\"sepia\""),
        ("rendered_by\":\"@", "rendered_by\":\"@x"),
        ("\"cached\":false", "\"cached\":true"),
    ] {
        assert!(payload.contains(from), "{payload}");
        let mut forged = envelope.clone();
        forged["payload"] = STANDARD.encode(payload.replace(from, to)).into();
        let file = home.write("forged.json", forged.to_string());
        let found = findings(&home, &[file.to_str().unwrap()], 8);
        assert_eq!((found.len(), found[0].0.as_str(), found[0].1.as_str()), (1, "signature", "wrong"));
    }
    // A source of the run before, changed on the disk.
    let cat = home.run(&["assets", "ls", "--output", "json"]).out;
    let cat: ContentHash = cat.split('"').find_map(|word| word.parse().ok()).expect("the cat's hash");
    let text = cat.to_string();
    let path = home.path().join("cache").join(&text[..2]).join(&text[2..4]).join(&text);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[100] ^= 1;
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, bytes).unwrap();
    let found = findings(&home, &[&runs[0]], 8);
    let wrong: Vec<_> = found.iter().filter(|(_, outcome, _)| outcome == "wrong").collect();
    assert_eq!((wrong.len(), wrong[0].0.as_str(), wrong[0].2.as_str()), (1, "source", text.as_str()), "{found:?}");
}

#[test]
fn a_key_that_cannot_be_read_costs_no_run_and_its_record_is_signed_later() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new();
    home.ok(&["keys"]);
    let key = home.path().join("keys/ed25519.pem");
    let set = |mode| std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
    set(0o644);
    home.ok(&["render", "dog", "cat", "--sync"]);
    let run = home.run(&["run-show", "latest", "--output", "json"]).json();
    assert!(
        run["warnings"].to_string().contains("not signed") && run["warnings"].to_string().contains("chmod 600"),
        "{run}"
    );
    assert_eq!(home.run(&["provenance", "verify", "latest"]).code, 5);
    set(0o600);
    home.ok(&["provenance", "verify", "latest"]);
}

#[test]
fn a_record_as_prov_is_read_by_the_reference_library() {
    let (home, runs) = drawn();
    let file = home.write("record.provn.json", home.ok(&["provenance", "export", &runs[0], "--format", "prov"]));
    let python = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/python/bin/python");
    assert!(python.exists(), "python is missing: ./tests/run.sh installs it (python3 with venv is needed)");
    let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools/prov_read.py");
    let said = std::process::Command::new(python).arg(script).arg(file).output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let said: Value = serde_json::from_slice(&said.stdout).unwrap();
    let run = home.run(&["run-show", &runs[0], "--output", "json"]).json();
    assert_eq!(said["generated"], format!("urn:blake3:{}", run["output_hash"].as_str().unwrap()));
    assert_eq!(said["by"], format!("urn:uuid:{}", runs[0]));
    assert_eq!(said["used"].as_array().unwrap()[0], format!("urn:blake3:{}", run["inputs"][0].as_str().unwrap()));
    assert_eq!((&said["same"], &said["agents"]), (&true.into(), &true.into()), "{said}");
}

#[test]
fn of_several_runs_with_one_output_the_oldest_that_is_signed_right_tells_of_it() {
    let home = Home::new();
    for _ in 0..3 {
        home.ok(&["render", "dog", "cat", "--sync"]);
    }
    // Newest first, as ever.
    let runs: Vec<String> = home.ok(&["runs", "-q"]).lines().map(str::to_owned).collect();
    let run = home.run(&["run-show", "latest", "--output", "json"]).json();
    let output = run["output_hash"].as_str().unwrap();
    let shown = |words: &[&str]| {
        let ran = home.run(&[&["provenance"], words].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        let record: Value = serde_json::from_str(&ran.out).unwrap();
        (record["run_id"].as_str().unwrap_or_default().to_owned(), ran.err)
    };
    let (of, said) = shown(&[output]);
    assert_eq!(of, runs[2]);
    assert!(said.contains("2 other runs gave this output too") && said.contains(&runs[0]), "{said}");
    // Who asks for a run is shown that run, and told of nothing else.
    assert_eq!(shown(&[&runs[0]]), (runs[0].clone(), String::new()));
    let others = |words: &[&str], code: i32| {
        let ran = home.run(&[&["provenance", "verify", "--output", "json"], words].concat());
        assert_eq!(ran.code, code, "{}{}", ran.out, ran.err);
        let others = ran.json()["others"].as_array().cloned().unwrap_or_default();
        others.iter().map(|run| run.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(others(&[output], 0), [runs[1].clone(), runs[0].clone()]);
    assert_eq!(others(&[&runs[0]], 0), Vec::<String>::new());
    // A server says the same.
    let server = Server::start(&home, &[]);
    let there = ["--server", &server.url, "--output", "json", "provenance", "verify", output];
    let ran = Ran::of(&home.command(&there).env("ARTDAG_TOKEN", &server.token).output().unwrap());
    assert_eq!((ran.code, ran.json()["others"].as_array().unwrap().len()), (0, 2), "{}", ran.err);
    drop(server);

    // The signature of the oldest record is damaged: the next one tells of it.
    let record = home.ok(&["provenance", &runs[2]]);
    let hash = ContentHash::of(record.as_bytes());
    let db = redb::Database::open(home.path().join("artdag.redb")).unwrap();
    let tx = db.begin_write().unwrap();
    {
        let blobs = tx.open_table(tables::BLOBS).unwrap();
        let number = BlobRow::from_bytes(blobs.get(hash.as_bytes()).unwrap().unwrap().value()).unwrap().sequence;
        let mut signatures = tx.open_table(tables::SIGNATURES).unwrap();
        let mut row = signatures.get(number).unwrap().expect("it is signed").value().to_vec();
        // Behind the key's id stand the signature's 64 bytes.
        let middle = row.len() - 60;
        row[middle] ^= 1;
        signatures.insert(number, row.as_slice()).unwrap();
    }
    tx.commit().unwrap();
    drop(db);
    assert_eq!(shown(&[output]).0, runs[1]);
    assert_eq!(others(&[output], 0), [runs[2].clone(), runs[0].clone()]);
    assert_eq!(others(&[&runs[2]], 8), Vec::<String>::new(), "asked for by name it is judged");
}
