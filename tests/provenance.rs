//! What a record says, and that an output can be made again and compared.

use artdag::base::{ContentHash, canonical};
use serde_json::Value;

use crate::support::{Home, program};

fn record(home: &Home, of: &str) -> (Value, Vec<u8>) {
    let out = home.command(&["provenance", of]).output().expect("the program starts");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    (serde_json::from_slice(&out.stdout).expect("a record is JSON"), out.stdout)
}

#[test]
fn a_record_is_canonical_json_under_its_own_hash_and_says_what_it_should() {
    let home = Home::new();
    home.ok(&["render", "dog", "cat", "--sync"]);
    let run = home.run(&["run-show", "latest", "--output", "json"]).json();
    let (record, bytes) = record(&home, "latest");
    assert_eq!(ContentHash::of(&bytes).to_string(), run["provenance_hash"].as_str().unwrap());
    assert_eq!(String::from_utf8(bytes).unwrap(), canonical::to_string(&record));
    assert_eq!((&record["run_id"], &record["task_id"]), (&run["run_id"], &run["run_id"]));
    assert_eq!(record["output"]["content_hash"], run["output_hash"]);
    assert_eq!((&record["output"]["name"], &record["output"]["media_type"]), (&"dog".into(), &"image/png".into()));
    assert_eq!(
        (&record["inputs"][0]["name"], &record["inputs"][0]["content_hash"]),
        (&"cat".into(), &run["inputs"][0])
    );
    assert_eq!(record["recipe"], Value::Null);
    let effect = &record["effects"][0];
    let dog = home.run(&["effects", "dog", "--output", "json"]).json();
    assert_eq!((&effect["name"], &effect["content_hash"]), (&"dog".into(), &dog["hash"]));
    assert!(effect["params"]["sigma"].is_number());
    assert!(record["rendered_by"].as_str().unwrap().starts_with('@'));
    assert!(record["rendered_at"].as_str().unwrap().ends_with('Z'));

    let nodes = record["nodes"].as_array().unwrap();
    let ids: Vec<&str> = nodes.iter().map(|node| node["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 3);
    assert!(ids[2].ends_with(":encode"));
    assert_eq!((&nodes[0]["output_hash"], &nodes[2]["output_hash"]), (&run["inputs"][0], &run["output_hash"]));
    assert_eq!(nodes[1]["output_hash"], Value::Null, "a fused node's value is not kept");
    let pairs: Vec<[&Value; 2]> = nodes.iter().map(|node| [&node["id"], &node["key"]]).collect();
    assert_eq!(record["plan_hash"], ContentHash::of(canonical::to_string(&pairs).as_bytes()).to_string());

    let hardware = record["infrastructure"]["hardware"].as_object().unwrap();
    let mut others = hardware.clone();
    others.remove("content_hash");
    assert_eq!(hardware["content_hash"], ContentHash::of(canonical::to_string(&others).as_bytes()).to_string());
    let program = std::fs::read(program()).unwrap();
    assert_eq!(record["infrastructure"]["software"]["content_hash"], ContentHash::of(&program).to_string());
    let tools = record["infrastructure"]["tools"].as_array().unwrap();
    assert!(tools.iter().any(|tool| tool["name"] == "png-decoder"), "{tools:?}");
}

#[test]
fn a_hit_tells_who_made_it() {
    let home = Home::new();
    home.ok(&["render", "dog", "cat", "--sync"]);
    let (first, _) = record(&home, "latest");
    home.ok(&["render", "dog", "cat", "--sync"]);
    let (second, _) = record(&home, "latest");
    assert_ne!(first["run_id"], second["run_id"]);
    assert_eq!(
        (&first["infrastructure"]["cached"], &second["infrastructure"]["cached"]),
        (&false.into(), &true.into())
    );
    for node in second["nodes"].as_array().unwrap().iter().skip(1) {
        assert_eq!((&node["made_by"]["cached"], &node["made_by"]["run"]), (&true.into(), &first["run_id"]));
    }
    assert_eq!(first["plan_hash"], second["plan_hash"]);
    // By the output's hash too.
    let output = first["output"]["content_hash"].as_str().unwrap();
    assert_eq!(record(&home, output).0["output"]["content_hash"], output);
}

#[test]
fn verifying_renders_again_and_compares() {
    let home = Home::new();
    home.ok(&["render", "dog", "cat", "--sync"]);
    let run = home.ok(&["runs", "-q"]);
    let verified = home.run(&["verify", &run, "--output", "json"]);
    assert_eq!(verified.code, 0, "{}", verified.err);
    let json = verified.json();
    assert_eq!((&json["verdict"], &json["verifies"]), (&"same".into(), &run.as_str().into()));
    assert!(json["stats"]["misses"].as_u64().unwrap() > 0, "it was rendered: {json}");
    home.ok(&["cache", "add", &home.write("x.txt", "x").display().to_string()]);
    assert_eq!(home.run(&["verify", "0190dead"]).code, 4);
}
