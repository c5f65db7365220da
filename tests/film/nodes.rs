//! Each node type for films and sounds: lengths to the frame and the sample, order by colour,
//! loudness, and what is refused.

use std::path::PathBuf;

use super::{clip, decoded_frames, decoded_sound, mean, samples, streams};
use crate::support::Home;

/// Renders a node over sources, whose names are clips; the output's file.
fn render(home: &Home, node: &str, sources: &[&str], output: &str) -> PathBuf {
    PathBuf::from(
        home.ok(&words(&config(home, node, sources, output), sources).iter().map(String::as_str).collect::<Vec<_>>()),
    )
}

fn config(home: &Home, node: &str, sources: &[&str], output: &str) -> PathBuf {
    let mut yaml = String::from("name: sample\ndag:\n  nodes:\n");
    for index in 0..sources.len() {
        yaml += &format!("    - {{id: s{index}, type: SOURCE, config: {{input: true}}}}\n");
    }
    let inputs: Vec<String> = (0..sources.len()).map(|index| format!("s{index}")).collect();
    yaml += &format!("    - {{id: x, {node}, inputs: [{}]}}\n  output: {output}\n", inputs.join(", "));
    home.write("sample.yaml", yaml)
}

fn words(config: &std::path::Path, sources: &[&str]) -> Vec<String> {
    let mut words = vec!["run".to_owned(), config.display().to_string()];
    for (index, source) in sources.iter().enumerate() {
        words.extend(["-i".to_owned(), format!("s{index}={}", clip(source).display())]);
    }
    words
}

/// Exit code and error of what is refused.
fn refusal(home: &Home, node: &str, sources: &[&str]) -> (i32, String) {
    let words = words(&config(home, node, sources, "x"), sources);
    let ran = home.run(&words.iter().map(String::as_str).collect::<Vec<_>>());
    (ran.code, ran.err)
}

/// The loudest sample.
fn peak(sound: &[f32]) -> f32 {
    sound.iter().fold(0.0, |peak, sample| peak.max(sample.abs()))
}

#[test]
fn segment_cuts_to_the_frame_and_the_sample() {
    let home = Home::new();
    let whole = render(&home, "type: SEGMENT", &["ntsc.mp4"], "{node: x, format: mkv}");
    let all = decoded_frames(&whole, 96, 64);
    assert_eq!(all.len(), 180);
    let cut = "type: SEGMENT, config: {offset: 4.004, duration: 1}";
    let file = render(&home, cut, &["ntsc.mp4"], "{node: x, format: mkv}");
    // Frames 120 to 149, counted from the stream's start, though reading began in the middle.
    let frames = decoded_frames(&file, 96, 64);
    assert_eq!(frames.len(), 30);
    let near =
        |a: &[u8], b: &[u8]| a.iter().zip(b).map(|(a, b)| u64::from(a.abs_diff(*b))).sum::<u64>() / a.len() as u64;
    for (index, frame) in frames.iter().enumerate() {
        let distances: Vec<u64> = (115..155).map(|other| near(frame, &all[other])).collect();
        let best = 115 + (0..40).min_by_key(|at| distances[*at]).unwrap_or_default();
        assert_eq!(best, 120 + index, "{distances:?}");
    }
    let wav =
        render(&home, "type: SEGMENT, config: {offset: 1, duration: 0.5}", &["stereo.flac"], "{node: x, format: wav}");
    assert_eq!(samples(&wav), 24_000);
    let (code, err) = refusal(&home, "type: SEGMENT, config: {offset: 60}", &["ntsc.mp4"]);
    assert!(code == 3 && err.contains("ends at 6.006 s") && err.contains("earlier offset"), "{code} {err}");
}

#[test]
fn segment_that_is_not_precise_begins_at_a_keyframe() {
    let home = Home::new();
    let file = render(
        &home,
        "type: SEGMENT, config: {offset: 2.2, end: 3, precise: false}",
        &["ntsc.mp4"],
        "{node: x, format: mkv}",
    );
    // Frame 66 is asked for; 60 is a keyframe; 3 s is frame 90.
    assert_eq!(decoded_frames(&file, 96, 64).len(), 30);
}

#[test]
fn sequence_keeps_its_order_and_its_lengths() {
    let home = Home::new();
    let colours = ["red.mp4", "green.mp4", "blue.mp4"];
    let file = render(&home, "type: SEQUENCE", &colours, "{node: x, format: mp4}");
    assert_eq!(streams(&file), ["video 64x48 25/1 75"]);
    let frames = decoded_frames(&file, 64, 48);
    let strongest = |frame: &Vec<u8>| (0..3).max_by_key(|channel| mean(frame)[*channel]).unwrap_or_default();
    let order: Vec<usize> = frames.iter().step_by(25).map(strongest).collect();
    assert_eq!(order, [0, 1, 2]);
    let file = render(&home, "type: SEQUENCE", &["blue.mp4", "red.mp4"], "{node: x, format: mp4}");
    assert_eq!(strongest(&decoded_frames(&file, 64, 48)[0]), 2);

    let crossed = "type: SEQUENCE, config: {transition: {type: crossfade, duration: 0.4}}";
    let frames = decoded_frames(&render(&home, crossed, &colours, "{node: x, format: mp4}"), 64, 48);
    assert_eq!(frames.len(), 55);
    // The middle of the first overlap, frames 15 to 24, is half red and half green.
    let [red, green, _] = mean(&frames[19]);
    assert!(red.abs_diff(green) < 40 && red > 90, "{red} {green}");

    let faded = "type: SEQUENCE, config: {transition: {type: fade, duration: 0.2}}";
    let frames = decoded_frames(&render(&home, faded, &colours, "{node: x, format: mp4}"), 64, 48);
    assert_eq!(frames.len(), 75);
    assert!(mean(&frames[25]).iter().max() < Some(&20), "{:?}", mean(&frames[25]));
    assert!(mean(&frames[12])[0] > 200, "{:?}", mean(&frames[12]));
}

#[test]
fn sequence_takes_what_differs_in_everything() {
    let home = Home::new();
    let node = "type: SEQUENCE, config: {duration: 1}";
    let file = render(&home, node, &["ntsc.mp4", "odd.mkv", "still.png", "mono.avi"], "{node: x, format: mp4}");
    // 180 + 60 + 30 + 95 frames at the first one's rate; 365 frames have 584,584 samples.
    let frames = streams(&file);
    assert_eq!(frames[0], "video 96x64 30000/1001 365");
    assert!(frames[1].starts_with("audio 48000 2 "), "{frames:?}");
    let heard = decoded_sound(&file);
    assert!(heard.len().abs_diff(2 * 584_584) < 4096, "{}", heard.len());
    // The silent ones are silent, the others are not.
    let second = |at: f64| &heard[(at * 96_000.0) as usize..((at + 0.3) * 96_000.0) as usize];
    assert!(peak(second(1.0)) > 0.05 && peak(second(7.0)) < 0.001 && peak(second(10.0)) > 0.01);
}

#[test]
fn mux_ends_with_the_shorter_or_holds() {
    let home = Home::new();
    let file = render(&home, "type: MUX", &["odd.mkv", "stereo.flac"], "{node: x, format: mkv}");
    assert_eq!(streams(&file)[0], "video 64x48 25/1 50");
    let file =
        render(&home, "type: MUX, config: {shortest: false}", &["odd.mkv", "stereo.flac"], "{node: x, format: mkv}");
    assert_eq!(streams(&file)[0], "video 64x48 25/1 75");
    let file = render(&home, "type: MUX", &["still.png", "stereo.flac"], "{node: x, format: mkv}");
    assert_eq!(streams(&file)[0], "video 50x40 25/1 75");
    let (code, err) = refusal(&home, "type: MUX", &["ntsc.mp4", "odd.mkv"]);
    assert!(code == 3 && err.contains("has no sound"), "{code} {err}");
}

#[test]
fn audio_mix_weighs_its_inputs() {
    let home = Home::new();
    let mixed = |config: &str, format: &str| {
        let file =
            render(&home, &format!("type: AUDIO_MIX, config: {config}"), &["stereo.flac", "stereo.flac"], format);
        peak(&decoded_sound(&file))
    };
    // ffmpeg's sine is at an eighth of full scale.
    let wav = "{node: x, format: wav}";
    for (config, expected) in [
        ("{}", 0.125),
        ("{normalize: false}", 0.25),
        ("{gains: [2, 0], normalize: false}", 0.25),
        ("{gains: [0.5]}", 0.094),
    ] {
        let found = mixed(config, wav);
        assert!((found - expected).abs() < 0.006, "{config}: {found}");
    }
    let file = render(&home, "type: AUDIO_MIX", &["stereo.flac", "ntsc.mp4"], "{node: x, format: flac}");
    // As long as the longest: 180 frames of NTSC.
    assert_eq!(samples(&file), 288_288);
}

#[test]
fn transform_changes_speed_of_picture_and_sound() {
    let home = Home::new();
    let file = render(&home, "type: TRANSFORM, config: {effects: {speed: 2}}", &["ntsc.mp4"], "{node: x, format: mkv}");
    assert_eq!(streams(&file)[0], "video 96x64 30000/1001 90");
    let file =
        render(&home, "type: TRANSFORM, config: {effects: {speed: 0.25}}", &["stereo.flac"], "{node: x, format: wav}");
    assert_eq!(samples(&file), 576_000);
    let plain = decoded_frames(&render(&home, "type: TRANSFORM", &["red.mp4"], "{node: x, format: mp4}"), 64, 48);
    let grey =
        render(&home, "type: TRANSFORM, config: {effects: {saturation: 0}}", &["red.mp4"], "{node: x, format: mp4}");
    let [red, green, blue] = mean(&decoded_frames(&grey, 64, 48)[5]);
    assert!(mean(&plain[5])[0] > 240 && red.abs_diff(green) < 4 && green.abs_diff(blue) < 4);
}

#[test]
fn resize_frames_with_the_colour_that_is_written() {
    let home = Home::new();
    for (colour, expected) in [("'#ff8000'", [255, 128, 0]), ("white", [255, 255, 255]), ("black", [0, 0, 0])] {
        let node = format!("type: RESIZE, config: {{width: 128, height: 48, background: {colour}}}");
        let frames = decoded_frames(&render(&home, &node, &["green.mp4"], "{node: x, format: mkv, crf: 0}"), 128, 48);
        let at = |x: usize, y: usize| [0, 1, 2].map(|channel| u32::from(frames[3][(y * 128 + x) * 3 + channel]));
        let off = at(4, 20).iter().zip(expected).map(|(found, expected)| found.abs_diff(expected)).max();
        assert!(off < Some(4), "{colour}: {:?}", at(4, 20));
        assert!(at(64, 20)[1] > 240, "{:?}", at(64, 20));
    }
    let file = render(
        &home,
        "type: RESIZE, config: {width: 33, height: 21, mode: fill}",
        &["ntsc.mp4"],
        "{node: x, format: mp4}",
    );
    assert_eq!(streams(&file)[0], "video 34x22 30000/1001 180");
}

#[test]
fn blend_and_layer_go_by_the_first() {
    let home = Home::new();
    // The same figures as for pictures.
    let of = |mode: &str| {
        let node = format!("type: BLEND, config: {{mode: {mode}, opacity: 1}}");
        mean(
            &decoded_frames(&render(&home, &node, &["red.mp4", "green.mp4"], "{node: x, format: mkv, crf: 0}"), 64, 48)
                [3],
        )
    };
    for (mode, expected) in [
        ("add", [255, 255, 0]),
        ("multiply", [0, 0, 0]),
        ("average", [128, 128, 0]),
        ("subtract", [255, 0, 0]),
        ("overlay", [255, 0, 0]),
    ] {
        let found = of(mode);
        assert!(found.iter().zip(expected).all(|(found, expected)| found.abs_diff(expected) < 6), "{mode}: {found:?}");
    }
    let node = "type: LAYER, config: {inputs: [{}, {position: [32, 0], scale: 0.5}]}";
    let file = render(&home, node, &["red.mp4", "ntsc.mp4"], "{node: x, format: mkv}");
    assert_eq!(streams(&file), ["video 64x48 25/1 25"], "as long as the first, and as silent");
    let node = "type: LAYER, config: {inputs: [{}, {position: [32, 0], opacity: 0.5}]}";
    let frames =
        decoded_frames(&render(&home, node, &["red.mp4", "blue.mp4"], "{node: x, format: mkv, crf: 0}"), 64, 48);
    let at = |x: usize| [0, 1, 2].map(|channel| frames[9][(20 * 64 + x) * 3 + channel]);
    assert!(at(10)[0] > 248 && at(10)[2] < 8, "{:?}", at(10));
    assert!(at(50)[0].abs_diff(128) < 8 && at(50)[2].abs_diff(128) < 8, "{:?}", at(50));
}

#[test]
fn switch_goes_on_in_time() {
    let home = Home::new();
    let node = "type: SWITCH, config: {times: [0.4, 0.8]}";
    let frames = decoded_frames(&render(&home, node, &["red.mp4", "green.mp4", "blue.mp4"], "x"), 64, 48);
    let strongest = |frame: &Vec<u8>| (0..3).max_by_key(|channel| mean(frame)[*channel]).unwrap_or_default();
    let shown: Vec<usize> = frames.iter().map(strongest).collect();
    assert_eq!(shown, [vec![0; 10], vec![1; 10], vec![2; 5]].concat());
    let (code, err) = refusal(&home, "type: SWITCH, config: {times: [0.4]}", &["red.mp4", "green.mp4", "blue.mp4"]);
    assert!(code == 3 && err.contains("each but the first needs one"), "{code} {err}");
}

#[test]
fn generate_makes_pictures_films_and_sounds() {
    let home = Home::new();
    let file = render(&home, "type: GENERATE, config: {kind: tone, frequency: 1000, duration: 0.5}", &[], "x");
    assert_eq!((file.extension().and_then(|e| e.to_str()), samples(&file)), (Some("flac"), 24_000));
    let crossings = decoded_sound(&file)
        .iter()
        .step_by(2)
        .zip(decoded_sound(&file).iter().step_by(2).skip(1))
        .filter(|(a, b)| **a < 0.0 && **b >= 0.0)
        .count();
    assert!(crossings.abs_diff(500) < 2, "{crossings}");
    let file = render(&home, "type: GENERATE, config: {kind: silence, duration: 1}", &[], "{node: x, format: wav}");
    assert_eq!((samples(&file), peak(&decoded_sound(&file)).to_bits()), (48_000, 0));
    let text = "type: GENERATE, config: {kind: text, text: \"a':textfile=/etc/passwd,%{pts}[x];movie=y\", duration: 1, width: 320, height: 60, size: 12}";
    assert_eq!(streams(&render(&home, text, &[], "x")), ["video 320x60 25/1 25"]);
    let colour = render(
        &home,
        "type: GENERATE, config: {kind: colour, colour: '#2060c0', width: 64, height: 48, duration: 0.2}",
        &[],
        "{node: x, format: mkv, crf: 0}",
    );
    let found = mean(&decoded_frames(&colour, 64, 48)[0]);
    assert!(found.iter().zip([32, 96, 192]).all(|(a, b)| a.abs_diff(b) < 4), "{found:?}");
    let noise = |seed: u32| {
        home.ok(&[
            "run",
            &config(
                &home,
                &format!("type: GENERATE, config: {{kind: noise, seed: {seed}, width: 32, height: 32}}"),
                &[],
                "x",
            )
            .display()
            .to_string(),
        ])
    };
    assert_ne!(noise(1), noise(2));
}

#[test]
fn frames_and_thumbnails_are_pictures() {
    let home = Home::new();
    let frame = |node: &str, source: &str| {
        let file = render(&home, node, &[source], "x");
        image_of(&file)
    };
    let node = "type: SEQUENCE";
    let sequence = render(&home, node, &["red.mp4", "green.mp4"], "{node: x, format: mkv, crf: 0}");
    home.ok(&["cache", "add", &sequence.display().to_string(), "--name", "two"]);
    let yaml = "name: f\ndag:\n  nodes:\n    - {id: s, type: SOURCE, config: {asset: two}}\n    - {id: x, type: FRAME, config: {frame: 25}, inputs: [s]}\n  output: x\n";
    let file = home.write("frame.yaml", yaml);
    let (width, height, pixel) = image_of(&PathBuf::from(home.ok(&["run", &file.display().to_string()])));
    assert_eq!((width, height), (64, 48));
    assert!(pixel[1] > 250 && pixel[0] < 5, "the first green one: {pixel:?}");
    assert_eq!(frame("type: THUMBNAIL, config: {width: 24, time: 100}", "ntsc.mp4").0, 24);
    let (code, err) = refusal(&home, "type: FRAME, config: {frame: 180}", &["ntsc.mp4"]);
    assert!(code == 3 && err.contains("has 180 frames"), "{code} {err}");
}

fn image_of(file: &std::path::Path) -> (u32, u32, [u8; 4]) {
    let bytes = std::fs::read(file).expect("the picture is there");
    let image = artdag::media::decode::decode(&bytes).expect("it is a picture");
    (image.width(), image.height(), image.pixel(image.width() / 2, image.height() / 2))
}

#[test]
fn an_effect_goes_over_every_frame_and_keeps_the_sound() {
    let home = Home::new();
    let file = render(&home, "type: EFFECT, config: {effect: invert}", &["red.mp4"], "{node: x, format: mkv, crf: 0}");
    let found = mean(&decoded_frames(&file, 64, 48)[20]);
    assert!(found.iter().zip([0, 255, 255]).all(|(a, b)| a.abs_diff(b) < 6), "{found:?}");
    let file = render(&home, "type: EFFECT, config: {effect: sepia}", &["ntsc.mp4"], "x");
    let found = streams(&file);
    assert!(found[0] == "video 96x64 30000/1001 180" && found[1].starts_with("audio 48000 2"), "{found:?}");
}

#[test]
fn outputs_have_the_format_that_is_asked_for() {
    let home = Home::new();
    for (format, source, codecs) in [
        ("mp4", "ntsc.mp4", "h264 aac"),
        ("mov", "ntsc.mp4", "h264 aac"),
        ("mkv", "ntsc.mp4", "h264 aac"),
        ("webm", "ntsc.mp4", "vp9 opus"),
        ("gif", "ntsc.mp4", "gif"),
        ("wav", "stereo.flac", "pcm_s24le"),
        ("flac", "stereo.flac", "flac"),
        ("mp3", "stereo.flac", "mp3"),
        ("m4a", "stereo.flac", "aac"),
    ] {
        let file = render(
            &home,
            "type: SEGMENT, config: {duration: 0.5}",
            &[source],
            &format!("{{node: x, format: {format}}}"),
        );
        assert_eq!(file.extension().and_then(|e| e.to_str()), Some(format));
        let probed = std::process::Command::new("ffprobe")
            .args(["-v", "error", "-show_entries", "stream=codec_name", "-of", "csv=p=0"])
            .arg(&file)
            .output()
            .expect("ffprobe starts");
        let found: Vec<String> = String::from_utf8_lossy(&probed.stdout).lines().map(str::to_owned).collect();
        assert_eq!(found.join(" "), codecs, "{format}");
    }
    let words = words(&config(&home, "type: SEGMENT", &["ntsc.mp4"], "{node: x, format: flac}"), &["ntsc.mp4"]);
    let ran = home.run(&words.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(ran.code == 3 && ran.err.contains("EXTRACT_AUDIO"), "{}", ran.err);
}

#[test]
fn a_film_of_noise_is_another_in_each_frame() {
    let home = Home::new();
    let noise = |size: &str| {
        let node = format!("type: GENERATE, config: {{kind: noise, {size}, duration: 6}}");
        render(&home, &node, &[], "{node: x, format: mkv, crf: 0}")
    };
    let file = noise("width: 65, height: 33");
    assert_eq!(streams(&file), ["video 66x34 25/1 150"]);
    let frames = decoded_frames(&file, 66, 34);
    for (at, frame) in frames.iter().enumerate() {
        let repeated = frames[..at].iter().position(|before| before == frame);
        assert_eq!(repeated, None, "frame {at} is one of those before");
        assert!(mean(frame).iter().all(|grey| (100..156).contains(grey)), "{:?}", mean(frame));
    }
}

#[test]
fn a_film_tells_how_far_it_is() {
    let home = Home::new();
    let yaml = "name: x\ndag:\n  nodes:\n    - {id: a, type: GENERATE, config: {kind: noise, width: 1280, height: 720, duration: 12}}\n    - {id: b, type: TRANSFORM, config: {effects: {blur: 6, sharpen: 2}}, inputs: [a]}\n  output: b\n";
    let engine = home.open(2);
    let row = crate::support::run_config(&engine, yaml, crate::support::options(true, true));
    assert_eq!(row.status, artdag::records::RunStatus::Completed, "{:?}", row.error);
    let run = engine.find_run("latest").expect("the run");
    let mut events = engine.subscribe_to(run);
    let mut told = Vec::new();
    while let Some(event) = events.next_within(std::time::Duration::ZERO) {
        if let artdag::engine::events::What::Advance { node, frames, fraction, seconds_left, .. } = event.what {
            assert_eq!(node.as_str(), "b:encode");
            assert!((0.0..=1.0).contains(&fraction) && seconds_left >= 0.0, "{fraction} {seconds_left}");
            let (written, all) = frames.expect("frames");
            assert_eq!(all, 300);
            told.push(written);
        }
    }
    assert!(told.len() >= 3 && told.is_sorted() && told.last() > Some(&150), "{told:?}");
}

#[test]
fn a_frame_of_a_film_is_a_still_in_another() {
    let home = Home::new();
    let source = format!("a={}", clip("red.mp4").display());
    for last in [
        "type: LAYER, config: {inputs: [{opacity: 1}, {opacity: 1, scale: 0.5}]}, inputs: [b, f]",
        "type: SEQUENCE, inputs: [b, f]",
        "type: BLEND, config: {mode: average}, inputs: [b, t]",
        "type: SEQUENCE, inputs: [f, t]",
    ] {
        let yaml = format!(
            "name: x\ndag:\n  nodes:\n    - {{id: a, type: SOURCE, config: {{input: true}}}}\n    - {{id: b, type: TRANSFORM, config: {{effects: {{hue: 120}}}}, inputs: [a]}}\n    - {{id: f, type: FRAME, config: {{frame: 3}}, inputs: [b]}}\n    - {{id: t, type: THUMBNAIL, config: {{width: 24}}, inputs: [b]}}\n    - {{id: x, {last}}}\n  output: x\n"
        );
        let file = home.write("x.yaml", yaml).display().to_string();
        let run = |more: &[&str]| {
            let words = [&["run", &file, "-i", &source, "--output", "json"], more].concat();
            home.run(&words).json()["output_hash"].clone()
        };
        let fused = run(&["--no-cache"]);
        assert!(fused.is_string(), "{last}: {fused}");
        assert_eq!(run(&["--no-cache", "--no-fuse"]), fused, "{last}");
    }
}

#[test]
fn what_follows_an_effect_may_need_a_few_of_its_frames() {
    let home = Home::new();
    // Far more than pipes hold.
    let graph = |last: &str| {
        let yaml = format!(
            "name: x\ndag:\n  nodes:\n    - {{id: a, type: GENERATE, config: {{kind: gradient, colour: red, colour2: red, width: 640, height: 480, duration: 6}}}}\n    - {{id: b, type: TRANSFORM, config: {{effects: {{hue: 120}}}}, inputs: [a]}}\n    - {{id: c, type: EFFECT, config: {{effect: invert}}, inputs: [b]}}\n    - {{id: x, {last}, inputs: [c]}}\n  output: x\n"
        );
        home.write("x.yaml", yaml).display().to_string()
    };
    let picture = image_of(&PathBuf::from(home.ok(&["run", &graph("type: FRAME, config: {frame: 3}")])));
    // Turning a hue leaves its light: of red becomes a green of about 115 of 255.
    let inverse = picture.2[0] > 240 && (130..150).contains(&picture.2[1]) && picture.2[2] > 240;
    assert!(picture.0 == 640 && inverse, "the inverse of that green: {picture:?}");
    let cut = graph("type: SEGMENT, config: {offset: 0.4, duration: 0.2}");
    assert_eq!(streams(&PathBuf::from(home.ok(&["run", &cut]))), ["video 640x480 25/1 5"]);
    // What is kept of before the effect is whole.
    let kept = home.run(&["run", &cut, "--no-cache", "--keep", "b", "--output", "json"]).json();
    assert_eq!(kept["status"], "completed", "{kept}");
    let keys = home.run(&["plan", &cut, "--output", "json"]).json();
    let known =
        keys["nodes"].as_array().expect("nodes").iter().find(|node| node["id"] == "b").expect("b")["known"].clone();
    assert!(known == "hit" || known == "not needed", "{known}");
}
