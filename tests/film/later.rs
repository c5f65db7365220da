//! What can be planned only when an analysis is known: pieces between the beats of a song.

use std::path::PathBuf;

use super::{clip, decoded_frames, make, mean, streams};
use crate::support::Home;

/// Pieces of films in turn, cut at the beats of a song, with the song as their sound.
const CUT: &str = "
name: cut
dag:
  nodes:
    - {id: song, type: SOURCE, config: {input: true, media: audio}}
    - {id: clips, type: SOURCE_LIST, config: {input: true, media: video}}
    - {id: beats, type: ANALYZE, config: {feature: beats}, inputs: [song]}
    - {id: pieces, type: SEGMENT_AT, config: {times_from: beats}, inputs: [clips]}
    - {id: small, type: RESIZE, config: {width: 32, height: 24}, inputs: [pieces]}
  output: {node: small, format: mkv}
";

/// A home with a song of a click each half second, the config, and the words that run it.
fn prepared() -> (Home, Vec<String>) {
    let home = Home::new();
    make(home.dir(), "song.wav", "-f lavfi -i aevalsrc='0.8*sin(12000*t)*lt(mod(t\\,0.5)\\,0.01)':d=8:s=48000");
    let config = home.write("cut.yaml", CUT).display().to_string();
    let clips = format!("clips={},{}", clip("red.mp4").display(), clip("blue.mp4").display());
    let words = ["run", &config, "-i", &format!("song={}", home.dir().join("song.wav").display()), "-i", &clips];
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    (home, words)
}

fn with<'a>(words: &'a [String], more: &[&'a str]) -> Vec<&'a str> {
    words.iter().map(String::as_str).chain(more.iter().copied()).collect()
}

fn as_plan(words: &[String]) -> Vec<&str> {
    std::iter::once("plan").chain(words[1..].iter().map(String::as_str)).chain(["--output", "json"]).collect()
}

#[test]
fn pieces_lie_between_the_beats_and_do_not_depend_on_how_they_are_found() {
    let (home, words) = prepared();
    let plan = home.run(&as_plan(&words)).json();
    let known = |plan: &serde_json::Value, id: &str| -> String {
        let nodes = plan["nodes"].as_array().expect("nodes").iter();
        nodes.filter(|node| node["id"] == id).map(|node| node["known"].to_string()).collect()
    };
    assert_eq!(known(&plan, "beats"), "\"miss\"");
    assert_eq!(known(&plan, "small"), "\"unknown until beats\"");
    assert!(plan["output_media_type"].is_null(), "{plan}");

    let first = home.run(&with(&words, &["--output", "json"])).json();
    // beats, pieces, small, ENCODE.
    assert_eq!((&first["stats"]["misses"], &first["stats"]["hits"]), (&4.into(), &0.into()), "{first}");
    assert_eq!((&first["progress"]["nodes"], &first["progress"]["done"]), (&7.into(), &7.into()), "{first}");
    let file = PathBuf::from(first["path"].as_str().expect("a path"));
    let colour = |frame: &Vec<u8>| if mean(frame)[0] > mean(frame)[2] { 'r' } else { 'b' };
    let mut lengths: Vec<(char, usize)> = Vec::new();
    for found in decoded_frames(&file, 32, 24).iter().map(colour) {
        match lengths.last_mut().filter(|(colour, _)| *colour == found) {
            Some((_, length)) => *length += 1,
            None => lengths.push((found, 1)),
        }
    }
    // Half a second is 12.5 frames, and a beat is found within 70 ms.
    assert!(lengths.len() >= 12 && lengths.iter().all(|(_, length)| (9..=16).contains(length)), "{lengths:?}");
    assert!(lengths.windows(2).all(|pair| pair[0].0 != pair[1].0), "{lengths:?}");

    let plan = home.run(&as_plan(&words)).json();
    assert_eq!(
        (known(&plan, "beats"), known(&plan, "small:encode")),
        ("\"not needed\"".into(), "\"hit\"".into()),
        "{plan}"
    );
    for how in [
        vec![],
        vec!["--no-fuse"],
        vec!["--no-cache"],
        vec!["--no-cache", "--no-fuse"],
        vec!["--force", "beats"],
        vec!["--keep", "pieces"],
    ] {
        let again = home.run(&with(&words, &[&["--output", "json"], how.as_slice()].concat())).json();
        assert_eq!(again["output_hash"], first["output_hash"], "{how:?}");
        let misses = again["stats"]["misses"].as_u64();
        let expected = match how.first() {
            // What was stored step by step is known.
            None | Some(&"--no-fuse" | &"--keep") => 0,
            _ => 4,
        };
        assert_eq!(misses, Some(expected), "{how:?}: {again}");
    }
    let verified = home.run(&["verify", first["run_id"].as_str().expect("an id")]);
    assert_eq!(verified.code, 0, "{} {}", verified.out, verified.err);
    let show = home.run(&["provenance", first["run_id"].as_str().expect("an id")]).json();
    let made: Vec<(&str, bool)> = show["nodes"]
        .as_array()
        .expect("nodes")
        .iter()
        .filter_map(|node| Some((node["id"].as_str()?, node["made_by"]["cached"].as_bool()?)))
        .collect();
    assert_eq!(made, [("beats", false), ("pieces", false), ("small", false), ("small:encode", false)], "{show}");
}

#[test]
fn r1_a_run_that_waits_for_an_analysis_survives_a_kill() {
    let (home, words) = prepared();
    let other = prepared();
    let expected = other.0.run(&with(&other.1, &["--output", "json"])).json()["output_hash"].clone();
    for delay in [40, 120, 250, 400, 700] {
        let mut child = home.command(&with(&words, &[])).spawn().expect("artdag starts");
        let moment = std::time::Instant::now() + std::time::Duration::from_millis(delay);
        // It may have ended by then.
        while std::time::Instant::now() < moment && child.try_wait().is_ok_and(|ended| ended.is_none()) {
            std::thread::yield_now();
        }
        child.kill().ok();
        child.wait().expect("its end");
    }
    home.ok(&["worker"]);
    let again = home.run(&with(&words, &["--output", "json"])).json();
    assert_eq!(again["output_hash"], expected);
    let runs = home.run(&["runs", "--output", "json"]).json();
    let runs = runs.as_array().expect("runs");
    assert!(runs.iter().all(|run| run["status"] == "completed" && run["output_hash"] == expected), "{runs:?}");
}

#[test]
fn what_cannot_give_times_is_told_of() {
    let home = Home::new();
    let run = |config: &str, inputs: &str| {
        let yaml = format!(
            "name: x\ndag:\n  nodes:\n    - {{id: a, type: SOURCE, config: {{input: true}}}}\n    - {{id: look, type: ANALYZE, config: {{feature: metadata}}, inputs: [a]}}\n    - {{id: x, type: SEGMENT_AT, config: {config}, inputs: {inputs}}}\n  output: x\n"
        );
        let config = home.write("x.yaml", yaml).display().to_string();
        home.run(&["run", &config, "-i", &format!("a={}", clip("red.mp4").display())])
    };
    let check = |config: &str, inputs: &str, code: i32, words: &[&str]| {
        let ran = run(config, inputs);
        assert_eq!(ran.code, code, "{config}: {}", ran.err);
        assert!(words.iter().all(|word| ran.err.contains(word)), "{config}: {}", ran.err);
    };
    check("{times_from: lok}", "[a]", 3, &["config.times_from", "\"lok\"", "did you mean \"look\"", ":6:"]);
    check("{times_from: a}", "[a]", 3, &["times_from takes the data of an ANALYZE node", "video/mp4"]);
    check("{times_from: x}", "[a]", 3, &["takes itself"]);
    check("{times_from: look, times: [0, 1]}", "[a]", 3, &["times_from is written too"]);
    check("{}", "[a]", 3, &["write times, or times_from"]);
    check("{times_from: [look]}", "[a]", 3, &["a node's id"]);
    // What only the run can tell fails it.
    check("{times_from: look}", "[a]", 1, &["x", "times_from has no times"]);
    let (home, words) = prepared();
    let ran = home.run(&with(&words, &["--param", "pieces.times_from=song"]));
    assert!(ran.code == 3 && ran.err.contains("cannot be replaced"), "{}", ran.err);
    let ran = home.run(&with(&words, &["--keep", "piecs"]));
    assert!(ran.code == 4 && ran.err.contains("pieces"), "{} {}", ran.code, ran.err);
}

#[test]
fn items_and_seeds_of_a_map_are_named_in_its_config() {
    let home = Home::new();
    let yaml = |config: &str, inputs: &str| {
        format!(
            "name: x\ndag:\n  nodes:\n    - {{id: clips, type: SOURCE_LIST, config: {{input: true}}}}\n    - {{id: song, type: SOURCE, config: {{input: true}}}}\n    - {{id: m, type: MAP, config: {config}{inputs}}}\n    - {{id: joined, type: SEQUENCE, inputs: [m]}}\n    - {{id: x, type: MUX, inputs: [joined, song]}}\n  output: {{node: x, format: mkv}}\n"
        )
    };
    let run = |config: &str, inputs: &str, song: &str| {
        let config = home.write("m.yaml", yaml(config, inputs)).display().to_string();
        let clips = format!("clips={},{}", clip("ntsc.mp4").display(), clip("mono.avi").display());
        home.run(&["run", &config, "-i", &clips, "-i", &format!("song={}", clip(song).display()), "--output", "json"])
    };
    let by_port = run("{operation: SEGMENT, config: {duration: 1}}", ", inputs: [clips]", "stereo.flac").json();
    let by_name = run("{operation: SEGMENT, items: clips, config: {duration: 1}}", "", "stereo.flac").json();
    assert_eq!(by_port["output_hash"], by_name["output_hash"]);
    assert!(streams(&PathBuf::from(by_name["path"].as_str().expect("a path")))[0].starts_with("video 96x64"));
    let listed = run("{operation: SEGMENT, items: [clips], config: {duration: 1}}", "", "stereo.flac").json();
    assert_eq!(listed["output_hash"], by_name["output_hash"]);

    // The pictures follow the content of the source that the seed names.
    let seeded = "{operation: RANDOM_SLICE, items: clips, duration: 0.4, seed_from: song}";
    let keyed = |song: &str| {
        let config = home.write("m.yaml", yaml(seeded, "")).display().to_string();
        let clips = format!("clips={},{}", clip("ntsc.mp4").display(), clip("mono.avi").display());
        let plan = home.run(&[
            "plan",
            &config,
            "-i",
            &clips,
            "-i",
            &format!("song={}", clip(song).display()),
            "--output",
            "json",
        ]);
        let plan = plan.json();
        let nodes = plan["nodes"].as_array().expect("nodes").clone();
        nodes
            .into_iter()
            .filter(|node| node["id"].as_str().is_some_and(|id| id.starts_with("m[")))
            .map(|node| node["key"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(keyed("stereo.flac"), keyed("stereo.flac"));
    assert_ne!(keyed("stereo.flac"), keyed("mono.avi"));
    let ran = run("{operation: SEGMENT, config: {duration: 1}}", "", "stereo.flac");
    assert!(ran.code == 3 && ran.err.contains("at least 1 input"), "{}", ran.err);
    let ran = run("{operation: SEGMENT_AT, items: clips, config: {times_from: song}}", "", "stereo.flac");
    assert!(ran.code == 3 && ran.err.contains("cannot be given for each item"), "{}", ran.err);
}
