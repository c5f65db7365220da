//! What a file's container does to time, and what it holds beside picture and sound.

use std::path::{Path, PathBuf};

use super::{clip, decoded_frames, decoded_sound, make, mean, streams};
use crate::support::Home;

/// Runs a config over a file.
fn rendered(home: &Home, yaml: &str, file: &Path, words: &[&str]) -> PathBuf {
    let config = home.write("config.yaml", yaml);
    let (config, input) = (config.display().to_string(), format!("s={}", file.display()));
    PathBuf::from(home.ok(&[&["run", &config, "-i", &input], words].concat()))
}

fn as_it_is(home: &Home, file: &Path) -> PathBuf {
    let yaml = "name: plain\ndag:\n  nodes:\n    - {id: s, type: SOURCE, config: {input: true}}\n    \
                - {id: x, type: SEGMENT, inputs: [s]}\n  output: {node: x, format: mkv}\n";
    rendered(home, yaml, file, &[])
}

/// Seconds at which a sound of samples for both sides becomes loud.
fn beeps_at(file: &Path) -> f64 {
    let heard = decoded_sound(file);
    let first = heard.iter().position(|sample| sample.abs() > 0.05).unwrap_or(usize::MAX / 2);
    first as f64 / 96_000.0
}

/// MEDIA.md: a source's start offset becomes frames and silence; picture and sound stay in step.
#[test]
fn picture_and_sound_begin_when_they_do_in_every_container() {
    let home = Home::new();
    let dir = tempfile::tempdir().unwrap();
    make(
        dir.path(),
        "base.mp4",
        "-f lavfi -i color=black:s=64x48:r=25:d=4,drawbox=c=white:t=fill:enable='eq(n,50)' -f lavfi -i \
         aevalsrc='0.5*sin(2*PI*880*t)*between(t,2,2.2)':s=44100:d=4 -c:v libx264 -pix_fmt yuv420p -c:a aac -b:a 192k",
    );
    for (name, args) in [
        ("copy.ts", "-c copy"),
        ("late.ts", "-c copy -output_ts_offset 100"),
        ("layer2.ts", "-c:v copy -c:a mp2 -output_ts_offset 10"),
        ("program.mpg", "-c:v mpeg2video -bf 0 -q:v 2 -c:a mp2"),
        ("between.mpg", "-c:v mpeg2video -bf 2 -q:v 2 -c:a mp2"),
        ("late.mkv", "-c copy -output_ts_offset 100"),
        ("copy.flv", "-c copy"),
        ("windows.wmv", "-c:v wmv2 -q:v 2 -c:a wmav2"),
        ("lame.mkv", "-c:v copy -c:a libmp3lame"),
    ] {
        make(dir.path(), name, &format!("-i base.mp4 {args}"));
        let file = as_it_is(&home, &dir.path().join(name));
        let frames = decoded_frames(&file, 64, 48);
        let flash = frames.iter().position(|frame| mean(frame)[0] > 128).map(|frame| frame as f64 / 25.0);
        let (flash, beep) = (flash.unwrap_or(f64::INFINITY), beeps_at(&file));
        assert!((flash - 2.0).abs() < 0.05 && (beep - 2.0).abs() < 0.05, "{name}: flash {flash}, beep {beep}");
    }
    for (name, args) in [("plain.mp3", "-vn -c:a libmp3lame"), ("plain.ogg", "-vn -c:a libvorbis")] {
        make(dir.path(), name, &format!("-i base.mp4 {args}"));
        let yaml = "name: plain\ndag:\n  nodes:\n    - {id: s, type: SOURCE, config: {input: true}}\n    \
                    - {id: x, type: SEGMENT, inputs: [s]}\n  output: {node: x, format: wav}\n";
        let beep = beeps_at(&rendered(&home, yaml, &dir.path().join(name), &[]));
        assert!((beep - 2.0).abs() < 0.05, "{name}: beep {beep}");
    }
}

#[test]
fn subtitles_are_left_out() {
    let home = Home::new();
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("words.srt"), "1\n00:00:00,200 --> 00:00:00,800\nwords\n").unwrap();
    let source = clip("upright.mp4");
    for (name, kind) in [("srt.mkv", "srt"), ("ass.mkv", "ass"), ("text.mp4", "mov_text")] {
        let args = format!("-i {} -i words.srt -map 0 -map 1 -c copy -c:s {kind}", source.display());
        make(dir.path(), name, &args);
        assert_eq!(streams(&as_it_is(&home, &dir.path().join(name))), ["video 64x32 25/1 25"], "{name}");
    }
}

/// In floating point some numbers of samples, over their rate, times the rate, are a little less.
#[test]
fn a_long_sound_is_the_same_fused_and_step_by_step() {
    let home = Home::new();
    let dir = tempfile::tempdir().unwrap();
    make(dir.path(), "long.flac", "-f lavfi -i sine=r=48000:d=66");
    let yaml = "name: long\ndag:\n  nodes:\n    - {id: s, type: SOURCE, config: {input: true}}\n    \
                - {id: x, type: SEQUENCE, inputs: [s, s]}\n  output: {node: x, format: m4a}\n";
    let file = dir.path().join("long.flac");
    let fused = std::fs::read(rendered(&home, yaml, &file, &[])).unwrap();
    let apart = std::fs::read(rendered(&home, yaml, &file, &["--no-fuse", "--no-cache"])).unwrap();
    assert!(fused == apart);
}

#[test]
fn edges_of_sizes_and_times_are_rendered_and_the_same_each_time() {
    let home = Home::new();
    let of = |nodes: &str| {
        format!(
            "name: edge\ndag:\n  nodes:\n    - {{id: s, type: SOURCE, config: {{input: true}}}}\n{nodes}  \
             output: {{node: x, format: mkv}}\n"
        )
    };
    let file = clip("upright.mp4");
    // No window is longer than a side.
    for blur in [15, 16, 17, 32, 1000] {
        let yaml = of(&format!(
            "    - {{id: t, type: SEGMENT, config: {{duration: 0.12}}, inputs: [s]}}\n    \
             - {{id: x, type: TRANSFORM, config: {{effects: {{blur: {blur}}}}}, inputs: [t]}}\n"
        ));
        let first = std::fs::read(rendered(&home, &yaml, &file, &[])).unwrap();
        assert!(first == std::fs::read(rendered(&home, &yaml, &file, &["--no-cache"])).unwrap(), "blur {blur}");
    }
    // A value that is larger than four slices hold.
    let yaml = of("    - {id: t, type: SEGMENT, config: {duration: 0.04}, inputs: [s]}\n    \
                   - {id: l, type: RESIZE, config: {width: 7680, height: 4320, mode: stretch}, inputs: [t]}\n    \
                   - {id: x, type: RESIZE, config: {width: 64, height: 36, mode: stretch}, inputs: [l]}\n");
    assert_eq!(streams(&rendered(&home, &yaml, &file, &["--keep", "l"])), ["video 64x36 25/1 1"]);
    // Less than half a frame is one.
    let yaml = of("    - {id: t, type: SEGMENT, config: {duration: 0.4}, inputs: [s]}\n    \
                   - {id: x, type: TRANSFORM, config: {effects: {speed: 100}}, inputs: [t]}\n");
    assert_eq!(streams(&rendered(&home, &yaml, &file, &[])), ["video 64x32 25/1 1"]);
}

/// MEDIA.md: a source with alpha is RGBA. VP8 and VP9 have it in a second stream of pictures.
#[test]
fn the_alpha_of_a_webm_is_seen() {
    let home = Home::new();
    let dir = tempfile::tempdir().unwrap();
    for (codec, name) in [("libvpx", "eight.webm"), ("libvpx-vp9", "nine.webm")] {
        let args = format!(
            "-f lavfi -i color=red@0.5:s=64x64:r=10:d=1,format=yuva420p -c:v {codec} -auto-alt-ref 0 -pix_fmt yuva420p"
        );
        make(dir.path(), name, &args);
        let yaml = "name: over\ndag:\n  nodes:\n    - {id: s, type: SOURCE, config: {input: true}}\n    \
                    - {id: w, type: GENERATE, config: {kind: colour, colour: white, width: 64, height: 64, duration: 1}}\n    \
                    - {id: x, type: LAYER, inputs: [w, s]}\n  output: {node: x, format: mkv}\n";
        let file = rendered(&home, yaml, &dir.path().join(name), &[]);
        let [red, green, blue] = mean(&decoded_frames(&file, 64, 64)[3]);
        assert!(red > 240 && (110..145).contains(&green) && (110..145).contains(&blue), "{name}: {red} {green} {blue}");
    }
}
