//! Lists: given for a run or fixed, mapped, and joined.

use super::{clip, decoded_frames, mean, streams};
use crate::support::Home;
use std::path::PathBuf;

fn strongest(frame: &[u8]) -> usize {
    (0..3).max_by_key(|channel| mean(frame)[*channel]).unwrap_or_default()
}

const JOIN: &str = "
name: join
dag:
  nodes:
    - {id: clips, type: SOURCE_LIST, config: {input: true, media: video}}
    - {id: pieces, type: MAP, config: {operation: SEGMENT, config: {duration: 0.4}}, inputs: [clips]}
    - {id: all, type: SEQUENCE, inputs: [pieces]}
  output: {node: all, format: mkv}
";

fn list(names: &[&str]) -> String {
    let files: Vec<String> = names.iter().map(|name| clip(name).display().to_string()).collect();
    format!("clips={}", files.join(","))
}

#[test]
fn a_list_is_mapped_and_joined_in_order() {
    let home = Home::new();
    let config = home.write("join.yaml", JOIN).display().to_string();
    let file = PathBuf::from(home.ok(&["run", &config, "-i", &list(&["blue.mp4", "red.mp4", "green.mp4"])]));
    let frames = decoded_frames(&file, 64, 48);
    let order: Vec<usize> = frames.iter().map(|frame| strongest(frame)).collect();
    assert_eq!(order, [vec![2; 10], vec![0; 10], vec![1; 10]].concat());
    // One more item: the pieces of the others are the same nodes.
    let ran = home.run(&["plan", &config, "-i", &list(&["blue.mp4", "red.mp4"])]);
    assert!(ran.code == 0 && ran.out.contains("pieces[1]"), "{} {}", ran.out, ran.err);
}

#[test]
fn a_list_where_one_value_is_wanted_is_told_of() {
    let home = Home::new();
    let yaml = "name: x\ndag:\n  nodes:\n    - {id: clips, type: SOURCE_LIST}\n    - {id: x, type: SEGMENT, inputs: [clips]}\n  output: x\n";
    let config = home.write("wrong.yaml", yaml).display().to_string();
    let ran = home.run(&["run", &config, "-i", &list(&["blue.mp4", "red.mp4"])]);
    assert!(ran.code == 3 && ran.err.contains("MAP") && ran.err.contains("SEQUENCE"), "{}", ran.err);
    let yaml = "name: x\ndag:\n  nodes:\n    - {id: clips, type: SOURCE_LIST}\n  output: clips\n";
    let config = home.write("wrong.yaml", yaml).display().to_string();
    let ran = home.run(&["run", &config, "-i", &list(&["blue.mp4", "red.mp4"])]);
    assert!(ran.code == 3 && ran.err.contains("a list of 2 items"), "{}", ran.err);
}

#[test]
fn what_is_written_for_each_input_goes_with_the_items_of_a_list() {
    let home = Home::new();
    let yaml = |node: &str| {
        format!(
            "name: x\ndag:\n  nodes:\n    - {{id: clips, type: SOURCE_LIST, config: {{input: true}}}}\n    \
             - {{id: x, {node}, inputs: [clips]}}\n  output: {{node: x, format: mkv}}\n"
        )
    };
    let switched = home.write("switch.yaml", yaml("type: SWITCH, config: {times: [0.4]}")).display().to_string();
    let file = PathBuf::from(home.ok(&["run", &switched, "-i", &list(&["red.mp4", "blue.mp4"])]));
    let frames = decoded_frames(&file, 64, 48);
    assert_eq!((strongest(&frames[9]), strongest(&frames[10])), (0, 2));
    let layered = yaml("type: LAYER, config: {inputs: [{}, {opacity: 0.1}, {scale: 0.5}]}");
    let layered = home.write("layer.yaml", layered).display().to_string();
    home.ok(&["run", &layered, "-i", &list(&["red.mp4", "blue.mp4", "green.mp4"])]);
    for (config, files, said) in [
        (&switched, &["red.mp4", "blue.mp4", "green.mp4"][..], "config.times: 1 times are written for 3 inputs"),
        (&layered, &["red.mp4", "blue.mp4"], "config.inputs[2]: 3 entries are written for 2 inputs"),
    ] {
        let refused = home.run(&["run", config, "-i", &list(files)]);
        assert!(refused.code == 3 && refused.err.contains(said), "{}", refused.err);
    }
}

#[test]
fn random_slices_are_the_same_for_a_seed() {
    let home = Home::new();
    let yaml = |seed: u32| {
        JOIN.replace(
            "{operation: SEGMENT, config: {duration: 0.4}}",
            &format!("{{operation: RANDOM_SLICE, duration: 0.4, seed: {seed}}}"),
        )
    };
    let run = |seed: u32| {
        let config = home.write("slices.yaml", yaml(seed)).display().to_string();
        PathBuf::from(home.ok(&["run", &config, "-i", &list(&["ntsc.mp4", "mono.avi"])]))
    };
    let first = run(1);
    assert_eq!(streams(&first)[0], "video 96x64 30000/1001 24");
    assert_eq!(run(1).file_name(), first.file_name());
    assert_ne!(run(2).file_name(), first.file_name());
}

#[test]
fn segment_at_takes_pieces_in_turn() {
    let home = Home::new();
    let yaml = "name: x\ndag:\n  nodes:\n    - {id: a, type: SOURCE, config: {input: true}}\n    - {id: b, type: SOURCE, config: {input: true}}\n    - {id: x, type: SEGMENT_AT, config: {times: [0, 0.2, 0.6, 0.8]}, inputs: [a, b]}\n  output: x\n";
    let config = home.write("at.yaml", yaml).display().to_string();
    let (red, blue) = (format!("a={}", clip("red.mp4").display()), format!("b={}", clip("blue.mp4").display()));
    let file = PathBuf::from(home.ok(&["run", &config, "-i", &red, "-i", &blue]));
    let order: Vec<usize> = decoded_frames(&file, 64, 48).iter().map(|frame| strongest(frame)).collect();
    assert_eq!(order, [vec![0; 5], vec![2; 10], vec![0; 5]].concat());
}
