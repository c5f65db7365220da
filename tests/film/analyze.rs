//! `ANALYZE` through the whole program.

use super::{clip, make};
use crate::support::Home;

fn analysed(home: &Home, feature: &str, file: &std::path::Path) -> serde_json::Value {
    let yaml = format!(
        "name: look\ndag:\n  nodes:\n    - {{id: s, type: SOURCE, config: {{input: true}}}}\n    - {{id: x, type: ANALYZE, config: {{feature: {feature}}}, inputs: [s]}}\n  output: x\n"
    );
    let config = home.write("look.yaml", yaml).display().to_string();
    let path = home.ok(&["run", &config, "-i", &format!("s={}", file.display())]);
    assert!(std::path::Path::new(&path).extension().is_some_and(|extension| extension == "json"), "{path}");
    serde_json::from_slice(&std::fs::read(path).expect("the output")).expect("JSON")
}

#[test]
fn metadata_is_that_of_the_value() {
    let home = Home::new();
    let told = analysed(&home, "metadata", &clip("ntsc.mp4"));
    assert_eq!((&told["width"], &told["height"], &told["frames"]), (&96.into(), &64.into(), &180.into()));
    assert_eq!((told["frame_rate"].as_str(), told["duration"].as_f64()), (Some("30000/1001"), Some(6.006)));
    let told = analysed(&home, "duration", &clip("stereo.flac"));
    assert_eq!(told.to_string(), r#"{"duration":3}"#);
    let told = analysed(&home, "metadata", &clip("still.png"));
    assert_eq!((&told["width"], &told["sound"]), (&50.into(), &false.into()));
}

#[test]
fn loudness_silence_and_cuts_are_found() {
    let home = Home::new();
    // 1 kHz at -23 dBFS in both channels is -23 LUFS (EBU Tech 3341, case 1).
    make(
        home.dir(),
        "tone.wav",
        "-f lavfi -i sine=f=1000:r=48000:d=10 -af volume=-4.94dB,pan=stereo|c0=c0|c1=c0 -c:a pcm_f32le",
    );
    let told = analysed(&home, "loudness", &home.dir().join("tone.wav"));
    let lufs = told["integrated_lufs"].as_f64().expect("a number");
    assert!((lufs + 23.0).abs() < 0.1, "{told}");
    make(home.dir(), "gap.wav", "-f lavfi -i aevalsrc='sin(2000*t)*(lt(t,1)+gt(t,2))':d=3:s=48000");
    let told = analysed(&home, "silence", &home.dir().join("gap.wav"));
    let gap = &told["silence"][0];
    assert!((gap[0].as_f64().unwrap() - 1.0).abs() < 0.01 && (gap[1].as_f64().unwrap() - 2.0).abs() < 0.01, "{told}");
    let yaml = "name: two\ndag:\n  nodes:\n    - {id: a, type: SOURCE, config: {input: true}}\n    - {id: b, type: SOURCE, config: {input: true}}\n    - {id: all, type: SEQUENCE, inputs: [a, b]}\n    - {id: x, type: ANALYZE, config: {feature: scene_changes}, inputs: [all]}\n  output: x\n";
    let config = home.write("two.yaml", yaml).display().to_string();
    let inputs = [format!("a={}", clip("red.mp4").display()), format!("b={}", clip("green.mp4").display())];
    let path = home.ok(&["run", &config, "-i", &inputs[0], "-i", &inputs[1]]);
    let told: serde_json::Value = serde_json::from_slice(&std::fs::read(path).expect("the output")).expect("JSON");
    assert_eq!(told.to_string(), r#"{"scene_changes":[1]}"#);
}

#[test]
fn beats_of_clicks_are_where_they_are() {
    let home = Home::new();
    // A click each half second: 120 beats a minute.
    make(home.dir(), "clicks.wav", "-f lavfi -i aevalsrc='0.8*sin(12000*t)*lt(mod(t\\,0.5)\\,0.01)':d=20:s=48000");
    let told = analysed(&home, "beats", &home.dir().join("clicks.wav"));
    let tempo = told["tempo"].as_f64().expect("a number");
    assert!((tempo - 120.0).abs() < 2.4, "{told}");
    let beats: Vec<f64> =
        told["beat_times"].as_array().expect("a list").iter().filter_map(serde_json::Value::as_f64).collect();
    let near = beats.iter().filter(|beat| (*beat * 2.0 - (*beat * 2.0).round()).abs() < 0.07).count();
    assert!(near >= 36 && near * 100 >= beats.len() * 95, "{beats:?}");
    let ran = home.run(&["run", &home.write("silent.yaml", "name: x\ndag:\n  nodes:\n    - {id: s, type: SOURCE, config: {input: true}}\n    - {id: x, type: ANALYZE, config: {feature: beats}, inputs: [s]}\n  output: x\n").display().to_string(), "-i", &format!("s={}", clip("odd.mkv").display())]);
    assert!(ran.code == 3 && ran.err.contains("beats is of a sound"), "{}", ran.err);
}
