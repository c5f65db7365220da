//! Lengths, orders, joints, sounds, and what is found in them. `steps.mkv` has the number of the
//! frame in its grey and the time in its sound, so that both are judged exactly.

use artdag::media::Kind;
use serde_json::Value;

use super::{BLACK, BLUE, Case, GREEN, RED, Rig, Seen, about, film, near};

pub const CASES: &[Case] = &[
    ("SEGMENT", "offset", |rig| segment_begins(rig, "offset")),
    ("SEGMENT", "start", |rig| segment_begins(rig, "start")),
    ("SEGMENT", "duration", segment_duration),
    ("SEGMENT", "end", segment_end),
    ("SEGMENT", "precise", segment_precise),
    ("SEQUENCE", "transition", sequence_transition),
    ("SEQUENCE", "transition.type", sequence_type),
    ("SEQUENCE", "transition.duration", sequence_transition_duration),
    ("SEQUENCE", "target_size", sequence_target_size),
    ("SEQUENCE", "width", sequence_explicit),
    ("SEQUENCE", "height", sequence_explicit),
    ("SEQUENCE", "background", sequence_background),
    ("SEQUENCE", "duration", sequence_duration),
    ("SWITCH", "times", switch_times),
    ("SEGMENT_AT", "times", segment_at_times),
    ("SEGMENT_AT", "times_from", segment_at_times_from),
    ("SEGMENT_AT", "distribute", segment_at_distribute),
    ("MUX", "video_stream", mux_video_stream),
    ("MUX", "audio_stream", mux_audio_stream),
    ("MUX", "shortest", mux_shortest),
    ("AUDIO_MIX", "gains", mix_gains),
    ("AUDIO_MIX", "normalize", mix_normalize),
    ("ANALYZE", "feature", analyze_feature),
];

fn range(from: usize, to: usize) -> Vec<usize> {
    (from..to).collect()
}

/// Checks a piece of `steps.mkv`, of whole frames from `from` to `to`.
fn is_piece(seen: &Seen, from: usize, to: usize) {
    assert_eq!((seen.steps(), seen.samples()), (range(from, to), (to - from) * 1920));
    about(seen.second(0).into(), from as f64 / 25.0, 1e-4);
    about(seen.second(seen.samples() - 1).into(), to as f64 / 25.0, 1e-4);
}

fn segment_begins(rig: &Rig, name: &str) {
    is_piece(&rig.see(&format!("type: SEGMENT, config: {{{name}: 0.4}}"), &["steps.mkv"]), 10, 50);
    is_piece(&rig.see("type: SEGMENT", &["steps.mkv"]), 0, 50);
    let sound = format!("type: SEGMENT, config: {{{name}: 0.3333, duration: 0.5}}, inputs: [n0]");
    let seen = rig.see_last(&["type: EXTRACT_AUDIO", &sound], &["steps.mkv"]);
    assert_eq!((seen.kind, seen.samples()), (Kind::Audio, 24_000));
    about(seen.second(0).into(), 15_998.0 / 48_000.0, 1e-5);
    let refusal = rig.refusal(&format!("type: SEGMENT, config: {{{name}: 2}}"), &["steps.mkv"]);
    assert!(refusal.contains("ends at 2.000 s"), "{refusal}");
}

fn segment_duration(rig: &Rig) {
    is_piece(&rig.see("type: SEGMENT, config: {duration: 0.4}", &["steps.mkv"]), 0, 10);
    is_piece(&rig.see("type: SEGMENT, config: {offset: 1.6, duration: 60}", &["steps.mkv"]), 40, 50);
    let still = rig.see("type: SEGMENT, config: {duration: 0.4}", &["still.png"]);
    assert_eq!((still.kind, still.frames.len()), (Kind::Video, 10));
}

fn segment_end(rig: &Rig) {
    is_piece(&rig.see("type: SEGMENT, config: {end: 0.4}", &["steps.mkv"]), 0, 10);
    is_piece(&rig.see("type: SEGMENT, config: {start: 0.4, end: 1}", &["steps.mkv"]), 10, 25);
}

fn segment_precise(rig: &Rig) {
    let whole = rig.see("type: SEGMENT", &["ntsc.mp4"]);
    let cut =
        |precise: &str| rig.see(&format!("type: SEGMENT, config: {{offset: 2.2, end: 3{precise}}}"), &["ntsc.mp4"]);
    // Frame 66 is asked for, and 60 is a keyframe.
    for (precise, from) in [(", precise: false", 60), (", precise: true", 66), ("", 66)] {
        assert!(cut(precise).frames[..] == whole.frames[from..90], "{precise}");
    }
}

fn colours(seen: &Seen) -> String {
    let word = |frame: usize| {
        let pixel = seen.middle(frame);
        let is = |colour: [u8; 3]| pixel.iter().zip(colour).all(|(a, b)| a.abs_diff(b) < 16);
        [(RED, 'r'), (GREEN, 'g'), (BLUE, 'b'), (BLACK, 'k')]
            .into_iter()
            .find(|(colour, _)| is(*colour))
            .map_or('?', |it| it.1)
    };
    (0..seen.frames.len()).map(word).collect()
}

fn join(rig: &Rig, config: &str) -> Seen {
    rig.see(&format!("type: SEQUENCE, config: {{{config}}}"), &["red.mp4", "blue.mp4"])
}

fn sequence_transition(rig: &Rig) {
    assert_eq!(colours(&rig.see("type: SEQUENCE", &["red.mp4", "blue.mp4"])), "r".repeat(25) + &"b".repeat(25));
    // Half a second is 13 frames.
    assert_eq!(join(rig, "transition: {type: crossfade}").frames.len(), 37);
}

fn sequence_type(rig: &Rig) {
    assert_eq!(colours(&join(rig, "transition: {type: cut, duration: 0.4}")), "r".repeat(25) + &"b".repeat(25));
    let crossed = join(rig, "transition: {type: crossfade, duration: 0.36}");
    assert_eq!(colours(&crossed), "r".repeat(16) + &"?".repeat(9) + &"b".repeat(16));
    for (at, part) in [(16, 0.1), (20, 0.5), (24, 0.9)] {
        let [red, green, blue] = [255.0 * (1.0 - part), 0.0, 255.0 * part].map(|value: f64| value.round() as u8);
        near(crossed.middle(at), [red, green, blue], 6);
    }
    let faded = join(rig, "transition: {type: fade, duration: 0.36}");
    assert_eq!((faded.frames.len(), colours(&faded).starts_with(&"r".repeat(16))), (50, true));
    near(faded.middle(25), BLACK, 16);
    near(faded.middle(20), [142, 0, 0], 40);
    // The sound of a crossfade goes from one to the other in a straight line.
    let heard =
        rig.see("type: SEQUENCE, config: {transition: {type: crossfade, duration: 0.4}}", &["steps.mkv", "steps.mkv"]);
    assert_eq!((heard.frames.len(), heard.samples()), (90, 90 * 1920));
    // In the middle of the two as loud as their mean: 1.8 and 0.2.
    about(heard.second(45 * 1920).into(), 1.0, 0.01);
    about(heard.second(50 * 1920).into(), 0.4, 1e-3);
}

fn sequence_transition_duration(rig: &Rig) {
    for (seconds, frames) in [("0", 50), ("0.2", 45), ("0.4", 40), ("1", 25)] {
        let seen = join(rig, &format!("transition: {{type: crossfade, duration: {seconds}}}"));
        assert_eq!(seen.frames.len(), frames, "{seconds}");
    }
    // A fade of five frames to black, and of five from it.
    let dark = |seconds: &str| {
        let faded = join(rig, &format!("transition: {{type: fade, duration: {seconds}}}"));
        faded.frames.iter().filter(|frame| frame.iter().max() < Some(&225)).count()
    };
    assert!((8..=10).contains(&dark("0.2")) && (17..=20).contains(&dark("0.4")), "{} {}", dark("0.2"), dark("0.4"));
}

fn sequence_target_size(rig: &Rig) {
    let size = |config: &str, sources: &[&str]| rig.see(&format!("type: SEQUENCE, config: {{{config}}}"), sources).size;
    for (word, expected) in [
        ("", (32, 32)),
        ("target_size: first", (32, 32)),
        ("target_size: last", (50, 40)),
        ("target_size: largest", (64, 48)),
    ] {
        assert_eq!(
            size(
                &format!("{word}{}duration: 0.2", if word.is_empty() { "" } else { ", " }),
                &["steps.mkv", "red.mp4", "still.png"]
            ),
            expected,
            "{word}"
        );
    }
}

fn sequence_explicit(rig: &Rig) {
    let seen = rig.see("type: SEQUENCE, config: {target_size: explicit, width: 80, height: 20}", &["red.mp4"]);
    assert_eq!(seen.size, (80, 20));
    near(seen.pixel(0, 40, 10), RED, 8);
    near(seen.pixel(0, 4, 10), BLACK, 4);
    let refusal = rig.refusal("type: SEQUENCE, config: {width: 80}", &["red.mp4"]);
    assert!(refusal.contains("explicit"), "{refusal}");
}

fn sequence_background(rig: &Rig) {
    for (config, expected) in [("background: lime", GREEN), ("", BLACK)] {
        let seen = rig.see(&format!("type: SEQUENCE, config: {{{config}}}"), &["red.mp4", "steps.mkv"]);
        near(seen.pixel(30, 3, 24), expected, 4);
        near(seen.pixel(0, 3, 24), RED, 4);
    }
}

fn sequence_duration(rig: &Rig) {
    for (config, frames) in [("duration: 0.4", 10), ("duration: 1", 25), ("", 125)] {
        assert_eq!(rig.see(&format!("type: SEQUENCE, config: {{{config}}}"), &["still.png"]).frames.len(), frames);
    }
}

fn switch_times(rig: &Rig) {
    let seen = rig.see("type: SWITCH, config: {times: [0.4, 0.8]}", &["red.mp4", "green.mp4", "steps.mkv"]);
    assert_eq!(colours(&seen)[..20], ("r".repeat(10) + &"g".repeat(10)));
    // Time went on in the one that was not seen, and in its sound.
    assert_eq!(seen.steps()[20..], range(20, 50));
    about(seen.second(20 * 1920).into(), 0.8, 1e-4);
    assert!(seen.sound[..2 * 20 * 1920].iter().all(|sample| sample.abs() < 1e-9));
}

fn segment_at_times(rig: &Rig) {
    is_piece(&rig.see("type: SEGMENT_AT, config: {times: [0.2, 0.6, 1]}", &["steps.mkv"]), 5, 25);
    let turns = rig.see("type: SEGMENT_AT, config: {times: [0, 0.2, 0.6, 0.8]}", &["red.mp4", "blue.mp4"]);
    assert_eq!(colours(&turns), "rrrrrbbbbbbbbbbrrrrr");
}

fn segment_at_times_from(rig: &Rig) {
    let nodes = [
        "type: SEQUENCE, inputs: [s0, s1, s2]",
        "type: ANALYZE, config: {feature: scene_changes}, inputs: [n0]",
        "type: SEGMENT_AT, config: {times_from: n1}, inputs: [s3]",
    ];
    // The scenes change at 1 s and 2 s.
    is_piece(&rig.see_last(&nodes, &["red.mp4", "green.mp4", "blue.mp4", "steps.mkv"]), 25, 50);
}

fn segment_at_distribute(rig: &Rig) {
    let node = |word: &str| format!("type: SEGMENT_AT, config: {{times: [0, 0.2, 0.4, 0.6]{word}}}");
    for word in ["", ", distribute: round_robin"] {
        assert_eq!(colours(&rig.see(&node(word), &["red.mp4", "blue.mp4"])), "rrrrrbbbbbrrrrr");
    }
    let refusal = rig.refusal(&node(", distribute: random"), &["red.mp4", "blue.mp4"]);
    assert!(refusal.contains("round_robin"), "{refusal}");
}

/// A film without sound, one with, another without, and a sound of a second.
fn muxed(rig: &Rig, config: &str) -> Seen {
    let tone = "type: GENERATE, config: {kind: tone, duration: 1}";
    rig.see(&format!("type: MUX, config: {{{config}}}"), &["red.mp4", "steps.mkv", "blue.mp4", tone])
}

fn mux_video_stream(rig: &Rig) {
    near(muxed(rig, "").middle(0), RED, 8);
    near(muxed(rig, "video_stream: 2").middle(0), BLUE, 8);
    let refusal = rig.refusal("type: MUX, config: {video_stream: 2}", &["red.mp4", "steps.mkv"]);
    assert!(refusal.contains("inputs[2]"), "{refusal}");
}

fn mux_audio_stream(rig: &Rig) {
    about(muxed(rig, "").second(24_000).into(), 0.5, 1e-4);
    let toned = muxed(rig, "audio_stream: 3").sound;
    assert!(toned.iter().any(|sample| *sample < -0.12));
    let refusal = rig.refusal("type: MUX, config: {audio_stream: 0}", &["red.mp4", "steps.mkv"]);
    assert!(refusal.contains("has no sound"), "{refusal}");
}

fn mux_shortest(rig: &Rig) {
    for (config, frames) in [("", 25), ("shortest: true", 25), ("shortest: false", 50)] {
        let seen = muxed(rig, config);
        assert_eq!((seen.frames.len(), seen.samples()), (frames, frames * 1920), "{config}");
        near(seen.middle(frames - 1), RED, 8);
    }
    // Two seconds of picture and one of sound: silence follows.
    let longer = muxed(rig, "video_stream: 1, audio_stream: 3, shortest: false");
    assert_eq!((longer.frames.len(), longer.samples()), (50, 96_000));
    assert!(longer.sound[2 * 48_000..].iter().all(|sample| sample.abs() < 1e-9));
    assert_eq!(muxed(rig, "video_stream: 1, audio_stream: 3").frames.len(), 25);
}

/// The sound at one second, of the sounds of `steps.mkv` twice, as a part of it once.
fn mixed(rig: &Rig, config: &str) -> f64 {
    let seen = rig.see(&format!("type: AUDIO_MIX, config: {{{config}}}"), &["steps.mkv", "steps.mkv"]);
    assert_eq!((seen.kind, seen.samples()), (Kind::Audio, 96_000));
    seen.second(48_000).into()
}

fn mix_gains(rig: &Rig) {
    for (gains, expected) in [("[0.5, 0.25]", 0.75), ("[0, 2]", 2.0), ("[0.5]", 1.5), ("[]", 2.0)] {
        about(mixed(rig, &format!("normalize: false, gains: {gains}")), expected, 1e-4);
    }
    let refusal = rig.refusal("type: AUDIO_MIX, config: {gains: [1, 1]}", &["steps.mkv"]);
    assert!(refusal.contains("gains[1]"), "{refusal}");
}

fn mix_normalize(rig: &Rig) {
    for (config, expected) in [("", 1.0), ("normalize: true", 1.0), ("normalize: false", 2.0)] {
        about(mixed(rig, config), expected, 1e-4);
    }
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn analyze_feature(rig: &Rig) {
    let of =
        |feature: &str, source: &str| rig.told(&format!("type: ANALYZE, config: {{feature: {feature}}}"), &[source]);
    let metadata = of("metadata", "steps.mkv");
    for (name, expected) in [
        ("width", "32"),
        ("height", "32"),
        ("frames", "50"),
        ("frame_rate", "\"25/1\""),
        ("sound", "true"),
        ("codec", "\"ffv1\""),
    ] {
        assert_eq!(metadata[name].to_string(), expected, "{metadata}");
    }
    about(number(&metadata["duration"]), 2.0, 1e-9);
    assert_eq!(of("duration", "steps.mkv").to_string(), "{\"duration\":2}");

    // An eighth of full scale in both channels is as many LUFS as dBFS (EBU Tech 3341).
    let tone = |frequency: u32| format!("type: GENERATE, config: {{kind: tone, frequency: {frequency}, duration: 5}}");
    about(number(&of("loudness", &tone(1000))["integrated_lufs"]), -18.06, 0.1);
    let spectrum = |frequency: u32| {
        let told = of("spectrum", &tone(frequency));
        let middle = |band: &str| told[band].as_array().map_or(0.0, |values| number(&values[values.len() / 2]));
        ["bass", "mid", "high"].map(middle)
    };
    let [bass, mid, high] = [60, 1000, 8000].map(spectrum);
    assert!(bass[0] > 0.5 && bass[1] < 0.1, "{bass:?}");
    assert!(mid[0] < 0.1 && mid[1] > 0.5 && mid[2] < 0.1, "{mid:?}");
    assert!(high[1] < 0.1 && high[2] > 0.5, "{high:?}");

    let told = of("silence", "gap.wav");
    let gap = &told["silence"][0];
    about(number(&gap[0]), 1.0, 0.01);
    about(number(&gap[1]), 2.0, 0.01);
    let energy = of("energy", "gap.wav");
    about(number(&energy["values"][10]), 1.0, 0.05);
    about(number(&energy["values"][30]), 0.0, 1e-9);
    assert_eq!(energy["window_ms"], 50);

    about(number(&of("tempo", "clicks.wav")["tempo"]), 120.0, 2.4);
    let beats = of("beats", "clicks.wav");
    about(number(&beats["beat_times"][5]) - number(&beats["beat_times"][4]), 0.5, 0.02);
    let onsets = of("onsets", "clicks.wav");
    let onsets = onsets["onsets"].as_array().expect("a list");
    assert!(
        onsets.iter().enumerate().all(|(at, onset)| (number(onset) - at as f64 * 0.5).abs() < 0.02)
            && onsets.len() == 16,
        "{onsets:?}"
    );

    changes_of_pictures(rig);
    let all = of("all", "steps.mkv");
    for name in [
        "width",
        "duration",
        "loudness",
        "silence",
        "scene_changes",
        "beats",
        "onsets",
        "energy",
        "spectrum",
        "motion_tempo",
    ] {
        assert!(all.get(name).is_some(), "{name}: {all}");
    }
    assert_eq!(rig.told("type: ANALYZE", &["steps.mkv"]), all);
}

fn changes_of_pictures(rig: &Rig) {
    // Another picture each half second.
    let turns: Vec<String> = (0..=12).map(|half| (f64::from(half) / 2.0).to_string()).collect();
    let turns = format!("type: SEGMENT_AT, config: {{times: [{}]}}", turns.join(", "));
    let long = |colour: &str| film(colour).replace("0.4", "6");
    let moving = |feature: &str| {
        let yaml_nodes = [turns.as_str(), &format!("type: ANALYZE, config: {{feature: {feature}}}, inputs: [n0]")]
            .map(str::to_owned);
        rig.told_last(&yaml_nodes.each_ref().map(String::as_str), &[&long("red"), &long("white")])
    };
    about(number(&moving("motion_tempo")["motion_tempo"]), 120.0, 2.0);
    let scenes = moving("scene_changes");
    let scenes: Vec<f64> = scenes["scene_changes"].as_array().expect("a list").iter().map(number).collect();
    assert!(
        scenes.len() == 11 && scenes.iter().enumerate().all(|(at, time)| (time - (at + 1) as f64 / 2.0).abs() < 0.021),
        "{scenes:?}"
    );
}
