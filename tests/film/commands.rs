//! The commands that a run tells of are those that ran: run again by hand, they make the same bytes.

use std::path::Path;
use std::process::Command;

use artdag::base::ContentHash;
use serde_json::Value;

use super::{clip, make};
use crate::support::{Home, Server};

/// What is told of the node of a run.
fn commands(server: &Server, run: &str, node: &str) -> Vec<Value> {
    let told = server.get(&format!("/runs/{run}/why?node={node}")).expect(200).json();
    told["commands"].as_array().expect("commands").clone()
}

/// Lays out the files of a command as they are told, and runs it.
fn again(server: &Server, dir: &Path, command: &Value) {
    for file in command["files"].as_array().expect("files") {
        let path = dir.join(file["name"].as_str().expect("a name"));
        match (file["content_hash"].as_str(), file["text"].as_str()) {
            (Some(hash), None) => std::fs::write(&path, server.get(&format!("/cache/{hash}")).expect(200).body),
            (None, Some(text)) => std::fs::write(&path, text),
            _ => panic!("{file}"),
        }
        .expect("a file can be written");
    }
    let words: Vec<&str> = command["argv"].as_array().expect("words").iter().filter_map(Value::as_str).collect();
    let ran = Command::new(words[0]).args(&words[1..]).current_dir(dir).output().expect("ffmpeg starts");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}

#[test]
fn the_command_of_a_stage_makes_its_output_again() {
    let home = Home::new();
    let config = "name: cut\ndag:\n  nodes:\n    - {id: film, type: SOURCE, config: {input: true, media: video}}\n    \
                  - {id: part, type: SEGMENT, config: {offset: 0.5, duration: 1}, inputs: [film]}\n    \
                  - {id: small, type: RESIZE, config: {width: 48, height: 32}, inputs: [part]}\n  \
                  output: {node: small, format: mkv}\n";
    let config = home.write("cut.yaml", config).display().to_string();
    let input = format!("film={}", clip("ntsc.mp4").display());
    let ran = home.run(&["run", &config, "-i", &input, "--output", "json"]).json();
    let run = ran["run_id"].as_str().expect("a run");
    let server = Server::start(&home, &[]);
    let plan = server.get(&format!("/runs/{run}/plan")).expect(200).json();
    let nodes = plan["nodes"].as_array().expect("nodes");
    let output = nodes.last().expect("an output");
    let told = commands(&server, run, output["id"].as_str().expect("an id"));
    assert_eq!(told.len(), 1, "one process made it: {told:?}");
    assert_eq!(commands(&server, run, "small"), told, "what was computed together has one command");
    assert!(commands(&server, run, "film").is_empty(), "a source is not computed");
    let dir = tempfile::tempdir().expect("a directory");
    again(&server, dir.path(), &told[0]);
    let words = told[0]["argv"].as_array().expect("words");
    let file = words.last().and_then(Value::as_str).and_then(|word| word.strip_prefix("file:")).expect("a file");
    let made = std::fs::read(dir.path().join(file)).expect("the command has written it");
    assert_eq!(output["output_hash"], ContentHash::of(&made).to_string(), "the very bytes");

    // When each was ready, begun and done, and what storing took.
    let time = |node: &Value, name: &str| node[name].as_str().expect("a time").to_owned();
    for node in &nodes[1..] {
        assert!(time(node, "ready_at") <= time(node, "started_at"), "{node}");
        assert!(time(node, "started_at") <= time(node, "completed_at"), "{node}");
    }
    assert!(output["store_seconds"].as_f64().is_some_and(|seconds| seconds > 0.0), "{output}");
    assert!(nodes[1]["store_seconds"].is_null(), "what only passed through is not stored: {}", nodes[1]);

    // Known by then: nothing was run.
    let ran = home.run(&["run", &config, "-i", &input, "--output", "json"]).json();
    assert!(commands(&server, ran["run_id"].as_str().expect("a run"), "small").is_empty());
    server.admin("DELETE", &format!("/runs/{run}")).expect(200);
    assert_eq!(server.get(&format!("/runs/{run}/why?node=small")).status, 404);
}

#[test]
fn all_commands_of_a_run_are_told_those_before_it_could_be_planned_too() {
    let home = Home::new();
    make(home.dir(), "song.wav", "-f lavfi -i aevalsrc='0.8*sin(12000*t)*lt(mod(t\\,0.5)\\,0.01)':d=4:s=48000");
    let config = "name: cut\ndag:\n  nodes:\n    - {id: song, type: SOURCE, config: {input: true, media: audio}}\n    \
                  - {id: clips, type: SOURCE_LIST, config: {input: true, media: video}}\n    \
                  - {id: beats, type: ANALYZE, config: {feature: beats}, inputs: [song]}\n    \
                  - {id: pieces, type: SEGMENT_AT, config: {times_from: beats}, inputs: [clips]}\n    \
                  - {id: other, type: EFFECT, config: {effect: invert}, inputs: [pieces]}\n  \
                  output: {node: other, format: mkv}\n";
    let config = home.write("cut.yaml", config).display().to_string();
    let song = format!("song={}", home.dir().join("song.wav").display());
    let clips = format!("clips={},{}", clip("red.mp4").display(), clip("blue.mp4").display());
    let ran = home.run(&["run", &config, "-i", &song, "-i", &clips, "--output", "json"]).json();
    let run = ran["run_id"].as_str().expect("a run");
    let server = Server::start(&home, &[]);
    let heard = commands(&server, run, "beats");
    assert!(heard.len() == 1 && heard[0].to_string().contains("pcm_f32le"), "{heard:?}");
    // The effect is ours: what is before it is one process, and what is after it another.
    let [before, after] = &commands(&server, run, "other")[..] else { panic!("not two commands") };
    assert!(before.to_string().contains("pipe:1") && after.to_string().contains("pipe:0"));
    let plan = server.get(&format!("/runs/{run}/plan")).expect(200).json();
    let beats = plan["nodes"].as_array().expect("nodes").iter().find(|node| node["id"] == "beats").expect("beats");
    assert!(beats["started_at"].is_string() && beats["ready_at"].is_string(), "{beats}");
}
