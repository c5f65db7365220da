//! Odd inputs: each a right result or a clear error.

use std::path::{Path, PathBuf};

use super::{clip, decoded_frames, decoded_sound, make, mean, samples, streams};
use crate::support::Home;

/// A source as it comes out of a node that changes nothing.
fn as_it_is(home: &Home, file: &Path, output: &str) -> Result<PathBuf, (i32, String)> {
    let yaml = format!(
        "name: plain\ndag:\n  nodes:\n    - {{id: s, type: SOURCE, config: {{input: true}}}}\n    - {{id: x, type: SEGMENT, inputs: [s]}}\n  output: {output}\n"
    );
    let config = home.write("plain.yaml", yaml);
    let ran = home.run(&["run", &config.display().to_string(), "-i", &format!("s={}", file.display())]);
    if ran.code == 0 { Ok(PathBuf::from(ran.out.trim_end())) } else { Err((ran.code, ran.err)) }
}

#[test]
fn a_variable_rate_becomes_constant_and_lasts_as_long() {
    let home = Home::new();
    let file = as_it_is(&home, &clip("vfr.mp4"), "{node: x, format: mp4}").expect("it is rendered");
    let found = streams(&file);
    let frames: Vec<&str> = found[0].split(' ').collect();
    let (num, den) = frames[2].split_once('/').expect("a fraction");
    let seconds = frames[3].parse::<f64>().unwrap() * den.parse::<f64>().unwrap() / num.parse::<f64>().unwrap();
    assert!((seconds - 6.0).abs() < 0.1, "{found:?}");
}

#[test]
fn rotation_fields_and_ten_bits_are_settled() {
    let home = Home::new();
    let file = as_it_is(&home, &clip("turned.mp4"), "{node: x, format: mkv}").expect("it is rendered");
    assert_eq!(streams(&file), ["video 32x64 25/1 25"]);
    let file = as_it_is(&home, &clip("fields.mkv"), "{node: x, format: mkv}").expect("it is rendered");
    assert_eq!(streams(&file), ["video 64x48 25/1 25"]);
    let file = as_it_is(&home, &clip("hdr.mkv"), "{node: x, format: mkv}").expect("it is rendered");
    let found = mean(&decoded_frames(&file, 64, 48)[3]);
    assert!(found.iter().all(|channel| (20..235).contains(channel)), "neither black nor white: {found:?}");
}

#[test]
fn a_sound_that_begins_late_is_silent_before() {
    let home = Home::new();
    let file = as_it_is(&home, &clip("late.mkv"), "{node: x, format: mkv}").expect("it is rendered");
    let heard = decoded_sound(&file);
    let loud = |from: f64, to: f64| {
        heard[(from * 96_000.0) as usize..(to * 96_000.0) as usize].iter().fold(0.0_f32, |a, b| a.max(b.abs()))
    };
    assert!(
        loud(0.05, 0.45) < 0.002 && loud(0.6, 1.4) > 0.1 && loud(1.6, 1.9) < 0.002,
        "{} {} {}",
        loud(0.05, 0.45),
        loud(0.6, 1.4),
        loud(1.6, 1.9)
    );
}

#[test]
fn one_frame_six_channels_and_motion_in_a_gif() {
    let home = Home::new();
    let file = as_it_is(&home, &clip("one.mkv"), "{node: x, format: mkv}").expect("it is rendered");
    assert_eq!(streams(&file), ["video 64x48 25/1 1"]);
    let file = as_it_is(&home, &clip("six.wav"), "{node: x, format: wav}").expect("it is rendered");
    assert_eq!(streams(&file), ["audio 48000 2 48000"]);
    let file = as_it_is(&home, &clip("moving.gif"), "{node: x, format: mp4}").expect("it is rendered");
    assert_eq!(streams(&file), ["video 40x30 10/1 10"]);
}

#[test]
fn damaged_and_empty_files_are_refused_or_shorter() {
    let home = Home::new();
    let whole = std::fs::read(clip("odd.mkv")).expect("a clip");
    let half = home.write("half.mkv", &whole[..whole.len() / 2]);
    let file = as_it_is(&home, &half, "{node: x, format: mkv}").expect("what is there is rendered");
    let frames: u32 = streams(&file)[0].rsplit(' ').next().unwrap().parse().unwrap();
    assert!((10..50).contains(&frames), "{frames}");
    let head = home.write("head.mp4", &std::fs::read(clip("ntsc.mp4")).expect("a clip")[..200]);
    let (code, err) = as_it_is(&home, &head, "x").expect_err("there is nothing in it");
    assert!(code == 3 && err.contains("video/mp4"), "{code} {err}");
    // Its index stands in front and promises all of it.
    make(
        home.dir(),
        "front.mp4",
        "-f lavfi -i testsrc2=s=320x240:d=4 -c:v libx264 -pix_fmt yuv420p -movflags +faststart",
    );
    let whole = std::fs::read(home.dir().join("front.mp4")).expect("it was made");
    let cut = home.write("cut.mp4", &whole[..whole.len() * 6 / 10]);
    let (code, err) = as_it_is(&home, &cut, "x").expect_err("not all of it is there");
    assert!(code == 3 && err.contains("cut short") && err.contains("take the whole file"), "{code} {err}");
}

#[test]
fn covers_hlg_and_what_has_no_length() {
    let home = Home::new();
    // A picture that stands beside a sound is no film.
    make(
        home.dir(),
        "song.mp3",
        &format!(
            "-i {} -i {} -map 0:a -map 1:v -c:a libmp3lame -c:v mjpeg -id3v2_version 3 -disposition:v attached_pic",
            clip("stereo.flac").display(),
            clip("still.png").display()
        ),
    );
    let file = as_it_is(&home, &home.dir().join("song.mp3"), "{node: x, format: wav}").expect("it is rendered");
    assert!(streams(&file).len() == 1 && streams(&file)[0].starts_with("audio 48000 2 14"), "{:?}", streams(&file));
    make(
        home.dir(),
        "hlg.mkv",
        "-f lavfi -i testsrc2=s=64x48:r=50:d=1 -pix_fmt yuv420p10le -c:v ffv1 -colorspace bt2020nc -color_primaries bt2020 -color_trc arib-std-b67 -color_range tv",
    );
    let file = as_it_is(&home, &home.dir().join("hlg.mkv"), "{node: x, format: mkv}").expect("it is rendered");
    assert_eq!(streams(&file), ["video 64x48 50/1 50"]);
    let found = mean(&decoded_frames(&file, 64, 48)[3]);
    assert!(found.iter().all(|channel| (20..235).contains(channel)), "neither black nor white: {found:?}");
    // A WAVE file of no samples.
    make(home.dir(), "tone.wav", "-f lavfi -i sine=d=1 -c:a pcm_s16le");
    let mut bytes = std::fs::read(home.dir().join("tone.wav")).expect("a sound");
    let data = bytes.windows(4).position(|four| four == b"data").expect("its samples");
    bytes.truncate(data + 8);
    bytes[data + 4..].fill(0);
    let empty = home.write("empty.wav", &bytes);
    let (code, err) = as_it_is(&home, &empty, "x").expect_err("there is nothing in it");
    assert!(code == 3 && err.contains("audio/"), "{code} {err}");
    let nothing = home.write("nothing.mp4", "");
    let (code, err) = as_it_is(&home, &nothing, "x").expect_err("there is nothing in it");
    assert!(code == 3 && err.contains("empty"), "{code} {err}");
}

#[test]
fn four_hours_of_silence_are_four_hours() {
    if !crate::support::long_case("four hours of silence") {
        return;
    }
    let home = Home::new();
    make(home.dir(), "long.flac", "-f lavfi -i anullsrc=r=44100:cl=mono -t 14400 -c:a flac");
    let yaml = "name: x\ndag:\n  nodes:\n    - {id: s, type: SOURCE, config: {input: true}}\n    - {id: x, type: SEGMENT, config: {offset: 14390, duration: 5}, inputs: [s]}\n  output: {node: x, format: wav}\n";
    let config = home.write("long.yaml", yaml).display().to_string();
    let file = home.ok(&["run", &config, "-i", &format!("s={}", home.dir().join("long.flac").display())]);
    assert_eq!(streams(Path::new(&file)), ["audio 48000 2 240000"]);
    let whole = as_it_is(&home, &home.dir().join("long.flac"), "{node: x, format: flac}").expect("it is rendered");
    assert_eq!(streams(&whole), ["audio 48000 2 691200000"]);
}

#[test]
fn s8_playlists_and_scripts_are_no_media() {
    let home = Home::new();
    let canary = clip("red.mp4");
    let m3u8 = format!("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n", canary.display());
    let concat = format!("ffconcat version 1.0\nfile '{}'\n", canary.display());
    for (name, text) in [("list.m3u8", m3u8.as_str()), ("list.mp4", &m3u8), ("list", &concat), ("script.mkv", &concat)]
    {
        let file = home.write(name, text);
        let (code, err) = as_it_is(&home, &file, "x").expect_err("it names other files");
        assert!(code == 3 && err.contains("playlist"), "{name}: {code} {err}");
    }
}

#[test]
fn without_ffmpeg_a_film_is_refused_at_planning_and_pictures_work() {
    let home = Home::new();
    let yaml =
        "name: plain\ndag:\n  nodes:\n    - {id: g, type: GENERATE, config: {kind: tone, duration: 1}}\n  output: g\n";
    let config = home.write("tone.yaml", yaml);
    let nowhere = home.write("ffmpeg", "");
    let ran = home
        .command(&["run", &config.display().to_string(), "--ffmpeg", &nowhere.display().to_string()])
        .output()
        .expect("it starts");
    let err = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.code() == Some(3) && err.contains("apt install ffmpeg"), "{err}");
    let ok = home
        .command(&["render", "invert", "cat", "--sync", "--ffmpeg", &nowhere.display().to_string()])
        .status()
        .expect("it starts");
    assert!(ok.success());
}

#[test]
fn pictures_over_black_are_those_of_ffmpeg() {
    let home = Home::new();
    // Every channel's value under every alpha.
    let pixels: Vec<u8> = (0..=255).flat_map(|a: u8| (0..=255).flat_map(move |c: u8| [c, 255 - c, c ^ a, a])).collect();
    let raw = home.write("in.rgba", &pixels);
    make(
        home.dir(),
        "out.gbr",
        &format!(
            "-f rawvideo -pixel_format rgba -video_size 256x256 -i {} -vf format=gbrap,premultiply=inplace=1,format=gbrp -f rawvideo",
            raw.display()
        ),
    );
    let image = artdag::media::Image::new(256, 256, pixels);
    let expected = std::fs::read(home.dir().join("out.gbr")).expect("its planes");
    let mut found = vec![0; expected.len()];
    artdag::media::planar::to_gbr_over_black(&image, &mut found);
    assert!(found == expected);
}

#[test]
fn a_film_has_a_small_picture_on_the_pages() {
    let home = Home::new();
    let server = crate::support::Server::start(&home, &[]);
    for (name, size) in [("blue.mp4", (64, 48)), ("turned.mp4", (32, 64)), ("hdr.mkv", (64, 48)), ("one.mkv", (64, 48))]
    {
        let hash = server.upload(&std::fs::read(clip(name)).expect("a clip"));
        let answer = server.get(&format!("/thumb/{hash}")).expect(200);
        let picture = artdag::media::decode::decode(&answer.body).expect("a picture");
        assert_eq!((picture.width(), picture.height()), size, "{name}");
        if name == "blue.mp4" {
            let pixel = picture.pixel(30, 20);
            assert!(pixel[2] > 240 && pixel[0] < 10, "{pixel:?}");
        }
    }
    let sound = server.upload(&std::fs::read(clip("stereo.flac")).expect("a clip"));
    server.get(&format!("/thumb/{sound}")).expect(404);
}

#[test]
fn an_animated_webp_is_a_film_of_all_its_frames() {
    let home = Home::new();
    let seen = |node: &str, output: &str, media: &str| {
        let yaml = format!(
            "name: plain\ndag:\n  nodes:\n    - {{id: s, type: SOURCE, config: {{input: true{media}}}}}\n    - {{id: x, {node}, inputs: [s]}}\n  output: {output}\n"
        );
        let config = home.write("moving.yaml", yaml).display().to_string();
        PathBuf::from(home.ok(&["run", &config, "-i", &format!("s={}", clip("moving.webp").display())]))
    };
    let file = seen("type: SEGMENT", "{node: x, format: mkv, crf: 0}", "");
    assert_eq!(streams(&file), ["video 40x30 10/1 10"]);
    let greys: Vec<u32> = decoded_frames(&file, 40, 30).iter().map(|frame| mean(frame)[0]).collect();
    // Frame n has the grey 20n.
    assert!(greys.iter().enumerate().all(|(n, grey)| grey.abs_diff(20 * n as u32) < 4), "{greys:?}");
    // The same through an effect of ours.
    let file = seen("type: EFFECT, config: {effect: invert}", "{node: x, format: mkv, crf: 0}", ", media: video");
    let turned: Vec<u32> = decoded_frames(&file, 40, 30).iter().map(|frame| 255 - mean(frame)[0]).collect();
    let right = turned.iter().enumerate().all(|(n, grey)| grey.abs_diff(20 * n as u32) < 4);
    assert!(right && turned.len() == greys.len(), "{turned:?}");
    let still = seen("type: RESIZE, config: {width: 20}", "{node: x, format: png}", ", media: image");
    let still = artdag::media::decode::decode(&std::fs::read(still).expect("a picture")).expect("a picture");
    assert_eq!((still.width(), still.pixel(3, 3)), (20, [0, 0, 0, 255]));
    // Half of a file is damaged, not shorter in silence.
    let whole = std::fs::read(clip("moving.webp")).expect("a clip");
    let half = home.write("half.webp", &whole[..whole.len() / 2]);
    let (code, err) = as_it_is(&home, &half, "{node: x, format: mkv}").expect_err("it ends early");
    assert!(code == 3 && err.contains("ends early"), "{code} {err}");
}

/// `MEDIA.md`: gaps become frames.
#[test]
fn a_gap_in_a_film_of_constant_rate_is_filled_with_the_frame_before() {
    let home = Home::new();
    for name in ["gap.mp4", "gap.mkv"] {
        make(
            home.dir(),
            name,
            "-f lavfi -i testsrc=s=64x48:r=25:d=4 -vf select='lt(n\\,30)+gte(n\\,60)' -vsync vfr -c:v libx264 -pix_fmt yuv420p",
        );
        let file = as_it_is(&home, &home.dir().join(name), "{node: x, format: mkv, crf: 1}").expect("it is rendered");
        assert_eq!(streams(&file), ["video 64x48 25/1 100"], "{name}");
        let frames = decoded_frames(&file, 64, 48);
        let differ = |a: usize, b: usize| {
            frames[a].iter().zip(&frames[b]).map(|(a, b)| u32::from(a.abs_diff(*b))).sum::<u32>() / 9216
        };
        // `testsrc` shows the second in large digits.
        assert!(differ(30, 59) < 2 && differ(40, 29) < 2 && differ(59, 61) > 2, "{name}: {}", differ(59, 61));
    }
}

#[test]
fn what_an_encoder_put_around_a_sound_is_not_counted() {
    let home = Home::new();
    let ways = [
        ("a.mp3", "-c:a libmp3lame -ar 44100"),
        ("a.ogg", "-c:a libopus"),
        ("a.webm", "-c:a libopus"),
        ("a.m4a", "-c:a aac -ar 44100"),
        ("v.ogg", "-c:a libvorbis -ar 44100"),
    ];
    for (name, args) in ways {
        make(home.dir(), name, &format!("-f lavfi -i sine=f=500:r=48000:d=3.123 {args}"));
        let file = as_it_is(&home, &home.dir().join(name), "{node: x, format: wav}").expect("it is rendered");
        // WebM counts in milliseconds.
        let found = samples(&file);
        assert!(found.abs_diff(149_904) <= 48, "{name}: {found} samples");
        let heard = decoded_sound(&file);
        let loud = |samples: std::ops::Range<usize>| heard[samples].iter().fold(0.0_f32, |a, b| a.max(b.abs()));
        let end = heard.len();
        assert!(
            loud(0..480) > 0.05 && loud(end - 480..end) > 0.05,
            "{name}: {} {}",
            loud(0..480),
            loud(end - 480..end)
        );
    }
}

#[test]
fn sizes_that_no_film_has_are_refused_when_it_is_planned() {
    let home = Home::new();
    let refused = |width: u32, height: u32, format: &str| {
        let yaml = format!(
            "name: sized\ndag:\n  nodes:\n    - {{id: s, type: SOURCE, config: {{input: true}}}}\n    - {{id: x, type: RESIZE, config: {{width: {width}, height: {height}, mode: stretch}}, inputs: [s]}}\n  output: {{node: x, format: {format}}}\n"
        );
        let config = home.write("sized.yaml", yaml);
        home.run(&["plan", &config.display().to_string(), "-i", &format!("s={}", clip("one.mkv").display())])
    };
    for (width, height) in [(1, 64), (64, 1), (16_384, 16_384), (65_535, 4096)] {
        let said = refused(width, height, "mkv");
        assert!(said.code == 3 && said.err.contains(&format!("its film would be {width}x{height}; ")), "{}", said.err);
    }
    for (format, title) in [("mp4", "an MP4"), ("webm", "a WebM")] {
        let said = refused(16_386, 64, format);
        assert!(said.code == 3 && said.err.contains("no side over 16384 pixels"), "{title}: {}", said.err);
    }
    assert_eq!(refused(2, 2, "mkv").code, 0);
    assert_eq!(refused(16_384, 16, "mp4").code, 0);
}

#[test]
fn a_gif_is_as_fast_as_browsers_show_it() {
    let home = Home::new();
    make(home.dir(), "fast.mkv", "-f lavfi -i testsrc=s=64x48:r=60000/1001:d=2 -c:v ffv1 -pix_fmt yuv420p");
    let file = as_it_is(&home, &home.dir().join("fast.mkv"), "{node: x, format: gif}").expect("it is rendered");
    let bytes = std::fs::read(&file).expect("a file");
    // Each picture's graphic control extension: 21 f9 04, flags, then the delay in hundredths.
    let delays: Vec<u16> = bytes
        .windows(6)
        .filter(|six| six[..3] == [0x21, 0xf9, 0x04])
        .map(|six| u16::from_le_bytes([six[4], six[5]]))
        .collect();
    assert!(delays.len() == 100 && delays.iter().all(|delay| *delay == 2), "{} {delays:?}", delays.len());
}

/// Films of MPEG-TS can be put one behind the other byte by byte, and then have two clocks.
#[test]
fn a_clock_that_steps_back_is_told_of_and_a_gap_of_any_length_is_filled() {
    let home = Home::new();
    let both = "-f lavfi -i testsrc2=s=64x48:r=25:d=2 -f lavfi -i sine=d=2 -c:v libx264 -pix_fmt yuv420p -c:a aac";
    make(home.dir(), "one.ts", both);
    make(home.dir(), "later.ts", &format!("{both} -output_ts_offset 7.013"));
    make(home.dir(), "far.ts", &format!("{both} -output_ts_offset 500"));
    let bytes = |name: &str| std::fs::read(home.dir().join(name)).expect("a file");
    let joined = |first: &str, second: &str| home.write("joined.ts", [bytes(first), bytes(second)].concat());
    for (first, second) in [("one.ts", "one.ts"), ("far.ts", "one.ts")] {
        let (code, err) = as_it_is(&home, &joined(first, second), "x").expect_err("it has two clocks");
        assert!(code == 3 && err.contains("its clock steps from ") && err.contains("-c copy NEW.mkv"), "{code} {err}");
    }
    // What is proposed helps.
    let file = joined("one.ts", "one.ts");
    make(home.dir(), "new.mkv", &format!("-i {} -c copy", file.display()));
    let file = as_it_is(&home, &home.dir().join("new.mkv"), "{node: x, format: mkv}").expect("it is rendered");
    assert!(streams(&file)[0].starts_with("video 64x48 25/1 10"), "{:?}", streams(&file));
    let file = as_it_is(&home, &joined("one.ts", "later.ts"), "{node: x, format: mkv}").expect("it is rendered");
    assert!(streams(&file)[0].starts_with("video 64x48 25/1 22"), "nine seconds: {:?}", streams(&file));
}

#[test]
fn short_frames_of_program_streams_are_all_there_at_their_rate() {
    let home = Home::new();
    for seconds in [1, 4, 8] {
        let name = format!("{seconds}.mpg");
        let last = seconds * 25 - 1;
        make(
            home.dir(),
            &name,
            &format!(
                "-f lavfi -i color=black:s=64x48:r=25:d={seconds} -f lavfi -i sine=d={seconds} \
                 -vf drawbox=t=fill:c=white:enable='eq(n\\,{last})' -c:v mpeg2video -c:a mp2"
            ),
        );
        let file = as_it_is(&home, &home.dir().join(&name), "{node: x, format: mkv}").expect("it is rendered");
        assert_eq!(streams(&file)[0], format!("video 64x48 25/1 {}", seconds * 25));
        let frames = decoded_frames(&file, 64, 48);
        let light = |frame: &[u8]| mean(frame)[0];
        let [.., before, end] = frames.as_slice() else { panic!("{} frames", frames.len()) };
        assert!(light(end) > 200 && light(before) < 50, "{name}: {} {}", light(before), light(end));
    }
}
