//! Sizes, places, layers and what is drawn.

use artdag::media::Kind;

use super::{BLACK, BLUE, Case, GREEN, RED, Rig, Seen, WHITE, film, near};

pub const CASES: &[Case] = &[
    ("RESIZE", "width", resize_width),
    ("RESIZE", "height", resize_height),
    ("RESIZE", "mode", resize_mode),
    ("RESIZE", "background", resize_background),
    ("LAYER", "inputs", layer_inputs),
    ("LAYER", "inputs[n].position", layer_position),
    ("LAYER", "inputs[n].opacity", layer_opacity),
    ("LAYER", "inputs[n].scale", layer_scale),
    ("EFFECT", "effect", effect_effect),
    ("EFFECT", "params", effect_params),
    ("GENERATE", "kind", generate_kind),
    ("GENERATE", "width", generate_width),
    ("GENERATE", "height", generate_height),
    ("GENERATE", "colour", generate_colour),
    ("GENERATE", "colour2", generate_colour2),
    ("GENERATE", "background", generate_background),
    ("GENERATE", "text", generate_text),
    ("GENERATE", "size", generate_size),
    ("GENERATE", "seed", generate_seed),
    ("GENERATE", "frequency", generate_frequency),
    ("GENERATE", "duration", generate_duration),
    ("THUMBNAIL", "width", thumbnail_width),
    ("THUMBNAIL", "height", thumbnail_height),
    ("THUMBNAIL", "time", thumbnail_time),
    ("FRAME", "time", frame_time),
    ("FRAME", "frame", frame_frame),
];

/// A film and a still of the same: red for a quarter of the height, below it green beside blue.
const FLAGS: [&str; 2] = ["flag.mkv", "flag.png"];

fn resize_width(rig: &Rig) {
    for flag in FLAGS {
        assert_eq!(rig.see("type: RESIZE, config: {width: 32}", &[flag]).size, (32, 24));
        assert_eq!(rig.see("type: RESIZE, config: {width: 128}", &[flag]).size, (128, 96));
        assert_eq!(rig.see("type: RESIZE, config: {width: 20, height: 48}", &[flag]).size, (20, 48));
    }
}

fn resize_height(rig: &Rig) {
    for flag in FLAGS {
        assert_eq!(rig.see("type: RESIZE, config: {height: 24}", &[flag]).size, (32, 24));
        assert_eq!(rig.see("type: RESIZE, config: {height: 96}", &[flag]).size, (128, 96));
        assert_eq!(rig.see("type: RESIZE, config: {width: 64, height: 30}", &[flag]).size, (64, 30));
    }
}

fn resize_mode(rig: &Rig) {
    for flag in FLAGS {
        let to = |width: u32, height: u32, mode: &str| {
            let node =
                format!("type: RESIZE, config: {{width: {width}, height: {height}, mode: {mode}, background: white}}");
            let seen = rig.see(&node, &[flag]);
            assert_eq!(seen.size, (width as usize, height as usize));
            seen
        };
        let fit = to(128, 48, "fit");
        near(fit.pixel(0, 10, 30), WHITE, 8);
        near(fit.pixel(0, 44, 5), RED, 8);
        near(fit.pixel(0, 44, 40), GREEN, 8);
        near(fit.pixel(0, 84, 40), BLUE, 8);
        let pad = to(128, 96, "pad");
        near(pad.pixel(0, 64, 20), WHITE, 8);
        near(pad.pixel(0, 64, 28), RED, 8);
        near(pad.pixel(0, 40, 60), GREEN, 8);
        near(pad.pixel(0, 64, 76), WHITE, 8);
        let small = to(40, 24, "pad");
        near(small.pixel(0, 1, 20), WHITE, 8);
        near(small.pixel(0, 8, 2), RED, 8);
        // Twice as large, of which the rows 24 to 71 are seen: no red.
        let fill = to(128, 48, "fill");
        near(fill.pixel(0, 10, 4), GREEN, 8);
        near(fill.pixel(0, 120, 4), BLUE, 8);
        let stretch = to(128, 48, "stretch");
        near(stretch.pixel(0, 10, 4), RED, 8);
        near(stretch.pixel(0, 10, 30), GREEN, 8);
        near(stretch.pixel(0, 120, 30), BLUE, 8);
    }
}

fn resize_background(rig: &Rig) {
    for flag in FLAGS {
        for (written, expected) in
            [(", background: \"#ff8000\"", [255, 128, 0]), (", background: white", WHITE), ("", BLACK)]
        {
            let seen = rig.see(&format!("type: RESIZE, config: {{width: 128, height: 48{written}}}"), &[flag]);
            near(seen.pixel(0, 4, 4), expected, 4);
            near(seen.pixel(0, 124, 44), expected, 4);
        }
    }
}

fn laid(rig: &Rig, entries: &str) -> [Seen; 2] {
    let still =
        |colour: &str| format!("type: GENERATE, config: {{kind: colour, colour: {colour}, width: 64, height: 48}}");
    let node = format!("type: LAYER{entries}");
    [rig.see(&node, &[&film("red"), &still("blue")]), rig.see(&node, &[&still("red"), &still("blue")])]
}

fn layer_inputs(rig: &Rig) {
    for seen in laid(rig, "") {
        near(seen.pixel(0, 2, 2), BLUE, 4);
    }
    // The second entry is the second input's.
    for seen in laid(rig, ", config: {inputs: [{}, {position: [32, 0]}]}") {
        near(seen.pixel(0, 2, 2), RED, 4);
        near(seen.pixel(0, 60, 2), BLUE, 4);
    }
    let refusal = rig.refusal("type: LAYER, config: {inputs: [{position: [1, 0]}]}", &["still.png", "still.png"]);
    assert!(refusal.contains("inputs[0].position"), "{refusal}");
}

fn layer_position(rig: &Rig) {
    for (at, corners) in [
        ("[20, 10]", [RED, RED, RED, BLUE]),
        ("[-20, 10]", [RED, RED, BLUE, RED]),
        ("[-20, -10]", [BLUE, RED, RED, RED]),
        ("[64, 0]", [RED, RED, RED, RED]),
    ] {
        for seen in laid(rig, &format!(", config: {{inputs: [{{}}, {{position: {at}}}]}}")) {
            let found = [(2, 2), (61, 2), (2, 45), (61, 45)].map(|(x, y)| seen.pixel(0, x, y));
            found.into_iter().zip(corners).for_each(|(found, expected)| near(found, expected, 4));
        }
    }
    // The edge is between columns 19 and 20.
    let [film, still] = laid(rig, ", config: {inputs: [{}, {position: [20, 10]}]}");
    near(film.pixel(0, 17, 30), RED, 8);
    near(film.pixel(0, 22, 30), BLUE, 8);
    assert_eq!((still.pixel(0, 19, 30), still.pixel(0, 20, 30)), (RED, BLUE));
    assert_eq!((still.pixel(0, 30, 9), still.pixel(0, 30, 10)), (RED, BLUE));
}

fn layer_opacity(rig: &Rig) {
    for (opacity, expected) in [(0.0, RED), (0.25, [191, 0, 64]), (0.5, [128, 0, 128]), (1.0, BLUE)] {
        for seen in laid(rig, &format!(", config: {{inputs: [{{}}, {{opacity: {opacity}}}]}}")) {
            near(seen.middle(0), expected, 5);
        }
    }
    // Of the ground it is its own alpha: over black in a film.
    let [film, _] = laid(rig, ", config: {inputs: [{opacity: 0.5}, {position: [60, 0]}]}");
    near(film.middle(0), [128, 0, 0], 5);
}

fn layer_scale(rig: &Rig) {
    for seen in laid(rig, ", config: {inputs: [{}, {scale: 0.5}]}") {
        near(seen.pixel(0, 28, 20), BLUE, 6);
        near(seen.pixel(0, 36, 20), RED, 6);
        near(seen.pixel(0, 28, 28), RED, 6);
    }
    for seen in laid(rig, ", config: {inputs: [{}, {scale: 2, position: [-100, 0]}]}") {
        near(seen.pixel(0, 24, 46), BLUE, 6);
        near(seen.pixel(0, 32, 46), RED, 6);
    }
}

fn effect_effect(rig: &Rig) {
    for source in [film("#204060"), film("#204060").replace(", duration: 0.4", "")] {
        let with = |effect: &str| rig.see(&format!("type: EFFECT, config: {{effect: {effect}}}"), &[&source]).middle(0);
        near(with("invert"), [223, 191, 159], 4);
        let [r, g, b] = with("grayscale");
        assert!(r == g && g == b && (40..90).contains(&r), "{r} {g} {b}");
        let [r, g, b] = with("sepia");
        assert!(r > g && g > b, "{r} {g} {b}");
    }
}

fn effect_params(rig: &Rig) {
    for edge in ["edge.mkv", "edge.png"] {
        let columns = |size: u32| {
            let node = format!("type: EFFECT, config: {{effect: pixelate, params: {{size: {size}}}}}");
            let seen = rig.see(&node, &[edge]);
            // The edge is at column 32: squares that it cuts have its mean.
            (0..64).filter(|x| (100..156).contains(&seen.pixel(0, *x, 24)[0])).count()
        };
        assert_eq!((columns(8), columns(64)), (0, 64));
    }
}

fn generated(rig: &Rig, config: &str) -> Seen {
    rig.see(&format!("type: GENERATE, config: {{{config}}}"), &[])
}

fn generate_kind(rig: &Rig) {
    let shown = |kind: &str| {
        let still = generated(rig, &format!("kind: {kind}, width: 80, height: 60"));
        let film = generated(rig, &format!("kind: {kind}, width: 80, height: 60, duration: 0.2"));
        assert_eq!((still.kind, film.kind, film.frames.len()), (Kind::Image, Kind::Video, 5), "{kind}");
        [still, film]
    };
    for seen in shown("colour, colour: blue") {
        near(seen.middle(0), BLUE, 4);
    }
    for seen in shown("gradient, colour: red, colour2: blue") {
        near(seen.pixel(0, 40, 0), RED, 8);
        near(seen.middle(0), [126, 0, 129], 8);
        near(seen.pixel(0, 40, 59), BLUE, 8);
    }
    for seen in shown("text, text: I, size: 50") {
        near(seen.middle(0), WHITE, 16);
        near(seen.pixel(0, 2, 30), BLACK, 4);
    }
    for seen in shown("pattern") {
        near(seen.pixel(0, 5, 5), WHITE, 8);
        near(seen.pixel(0, 15, 5), [255, 255, 0], 8);
        near(seen.pixel(0, 55, 5), RED, 8);
    }
    for seen in shown("noise") {
        let distinct: std::collections::HashSet<u8> = seen.frames[0].iter().copied().collect();
        assert!(distinct.len() > 150, "{}", distinct.len());
    }
    let heard = |kind: &str| generated(rig, &format!("kind: {kind}, duration: 0.5"));
    let (silence, tone) = (heard("silence"), heard("tone"));
    assert!(silence.kind == Kind::Audio && silence.samples() == 24_000 && silence.sound.iter().all(|s| s.abs() < 1e-9));
    let peak = tone.sound.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
    assert!(tone.samples() == 24_000 && (peak - 0.125).abs() < 0.001, "{peak}");
}

fn generate_width(rig: &Rig) {
    for duration in ["", ", duration: 0.2"] {
        assert_eq!(generated(rig, &format!("kind: colour, width: 33{duration}")).size, (33, 720));
        assert_eq!(generated(rig, &format!("kind: pattern, height: 2{duration}")).size, (1280, 2));
    }
}

fn generate_height(rig: &Rig) {
    for duration in ["", ", duration: 0.2"] {
        assert_eq!(generated(rig, &format!("kind: colour, width: 8, height: 21{duration}")).size, (8, 21));
    }
}

fn generate_colour(rig: &Rig) {
    for duration in ["", ", duration: 0.2"] {
        let colour = |config: &str| generated(rig, &format!("kind: {config}, width: 64, height: 48{duration}"));
        near(colour("colour, colour: \"#2060c0\"").middle(0), [32, 96, 192], 4);
        near(colour("colour").middle(0), BLACK, 4);
        near(colour("text, text: I, size: 60, colour: red").middle(0), RED, 24);
        near(colour("text, text: I, size: 60").middle(0), WHITE, 24);
        near(colour("gradient, colour: lime").pixel(0, 9, 0), GREEN, 16);
    }
}

fn generate_colour2(rig: &Rig) {
    for duration in ["", ", duration: 0.2"] {
        let last = |config: &str| {
            generated(rig, &format!("kind: gradient, width: 64, height: 48{config}{duration}")).pixel(0, 9, 47)
        };
        near(last(", colour2: lime"), GREEN, 16);
        near(last(""), WHITE, 8);
    }
}

fn generate_background(rig: &Rig) {
    for duration in ["", ", duration: 0.2"] {
        let node = format!("kind: text, text: x, size: 8, background: blue, width: 64, height: 48{duration}");
        near(generated(rig, &node).pixel(0, 2, 2), BLUE, 4);
    }
}

/// Columns and rows in which there is ink.
fn ink(seen: &Seen) -> (usize, usize) {
    let is_ink = |x: usize, y: usize| seen.pixel(0, x, y)[0] > 60;
    let (width, height) = seen.size;
    let columns = (0..width).filter(|x| (0..height).any(|y| is_ink(*x, y))).count();
    (columns, (0..height).filter(|y| (0..width).any(|x| is_ink(x, *y))).count())
}

fn generate_text(rig: &Rig) {
    for duration in ["", ", duration: 0.2"] {
        let text = |text: &str| {
            ink(&generated(rig, &format!("kind: text, text: \"{text}\", size: 30, width: 160, height: 96{duration}")))
        };
        let (one, three, lines) = (text("H"), text("HHH"), text("H\\nH"));
        assert!(three.0 > 2 * one.0 && three.1 == one.1, "{one:?} {three:?}");
        assert!(lines.0 == one.0 && lines.1 >= 2 * one.1, "{one:?} {lines:?}");
    }
}

fn generate_size(rig: &Rig) {
    for duration in ["", ", duration: 0.2"] {
        let of = |size: u32| {
            ink(&generated(rig, &format!("kind: text, text: H, size: {size}, width: 160, height: 160{duration}"))).1
        };
        let (small, large) = (of(40), of(80));
        assert!((20..40).contains(&small) && large.abs_diff(2 * small) <= 2, "{small} {large}");
    }
}

fn generate_seed(rig: &Rig) {
    for duration in ["", ", duration: 0.2"] {
        let noise = |seed: &str| generated(rig, &format!("kind: noise, width: 32, height: 32{seed}{duration}")).frames;
        assert_ne!(noise(", seed: 1"), noise(", seed: 2"));
        assert_eq!(noise(", seed: 0"), noise(""));
    }
}

fn generate_frequency(rig: &Rig) {
    let crossings = |config: &str| {
        let sound = generated(rig, &format!("kind: tone, duration: 1{config}")).sound;
        let one: Vec<f32> = sound.iter().step_by(2).copied().collect();
        one.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count()
    };
    for (config, expected) in [(", frequency: 1000", 1000), (", frequency: 50", 50), ("", 440)] {
        let found = crossings(config);
        assert!(found.abs_diff(expected) <= 1, "{config}: {found}");
    }
}

fn generate_duration(rig: &Rig) {
    let of =
        |kind: &str, seconds: f64| generated(rig, &format!("kind: {kind}, width: 8, height: 8, duration: {seconds}"));
    let film = of("colour", 1.0);
    assert_eq!((film.frames.len(), film.rate.as_str()), (25, "25/1"));
    assert_eq!(of("noise", 0.5).frames.len(), 13, "12.5 frames are 13");
    assert_eq!(of("silence", 0.3).samples(), 14_400);
    assert_eq!(generated(rig, "kind: colour, width: 8, height: 8").kind, Kind::Image);
}

fn thumbnail_width(rig: &Rig) {
    for flag in FLAGS {
        assert_eq!(rig.see("type: THUMBNAIL, config: {width: 24}", &[flag]).size, (24, 18));
        assert_eq!(rig.see("type: THUMBNAIL", &[flag]).size, (320, 240));
    }
}

fn thumbnail_height(rig: &Rig) {
    for flag in FLAGS {
        assert_eq!(rig.see("type: THUMBNAIL, config: {width: 24, height: 12}", &[flag]).size, (16, 12));
        assert_eq!(rig.see("type: THUMBNAIL, config: {width: 24, height: 90}", &[flag]).size, (24, 18));
    }
}

fn thumbnail_time(rig: &Rig) {
    for (time, expected) in [("", 0), (", time: 0.4", 10), (", time: 100", 49)] {
        assert_eq!(
            rig.see(&format!("type: THUMBNAIL, config: {{width: 16{time}}}"), &["steps.mkv"]).steps(),
            [expected]
        );
    }
}

fn frame_time(rig: &Rig) {
    // 0.41 s is nearest to frame 10, 0.43 s to frame 11.
    for (config, expected) in [("", 0), ("time: 0.41", 10), ("time: 0.43", 11), ("time: 100", 49)] {
        let seen = rig.see(&format!("type: FRAME, config: {{{config}}}"), &["steps.mkv"]);
        assert_eq!((seen.kind, seen.steps()), (Kind::Image, vec![expected]));
    }
}

fn frame_frame(rig: &Rig) {
    for frame in [0, 7, 49] {
        assert_eq!(rig.see(&format!("type: FRAME, config: {{frame: {frame}}}"), &["steps.mkv"]).steps(), [frame]);
    }
    let refusal = rig.refusal("type: FRAME, config: {frame: 50}", &["steps.mkv"]);
    assert!(refusal.contains("has 50 frames"), "{refusal}");
}
