//! Films and sounds, with the system's ffmpeg. Without it these tests fail and say so.

mod analyze;
mod commands;
mod containers;
mod later;
mod lists;
mod nodes;
mod params;
mod property;
mod sources;
mod tools;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Clips that ffmpeg draws, made once a process.
pub fn clip(name: &str) -> PathBuf {
    static CLIPS: OnceLock<tempfile::TempDir> = OnceLock::new();
    let clips = CLIPS.get_or_init(|| {
        let dir = tempfile::tempdir().expect("a directory");
        for (name, args) in ALL {
            make(dir.path(), name, args);
        }
        dir
    });
    let path = clips.path().join(name);
    assert!(path.is_file(), "there is no clip {name}");
    path
}

fn make(dir: &Path, name: &str, args: &str) {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-y"]).args(args.split(' ')).arg(name).current_dir(dir);
    let made = command.output().expect("these tests need ffmpeg: apt install ffmpeg");
    assert!(made.status.success(), "{name}: {}", String::from_utf8_lossy(&made.stderr));
}

/// Name and how it is made.
const ALL: &[(&str, &str)] = &[
    // NTSC's rate, B-frames, a keyframe each 10 frames, stereo.
    (
        "ntsc.mp4",
        "-f lavfi -i testsrc2=s=96x64:r=30000/1001:d=6 -f lavfi -i sine=f=440:r=44100:d=6 -shortest -c:v libx264 \
         -pix_fmt yuv420p -g 10 -bf 3 -c:a aac -ac 2",
    ),
    // An odd size, 4:4:4, silent, untagged.
    ("odd.mkv", "-f lavfi -i testsrc=s=63x47:r=25:d=2 -c:v ffv1 -pix_fmt yuv444p"),
    // 8 kHz, one channel.
    (
        "mono.avi",
        "-f lavfi -i mandelbrot=s=64x48:r=24:end_scale=0.1 -f lavfi -i sine=f=300:r=8000:d=3 -t 3 -c:v mpeg4 -q:v 4 \
         -c:a libmp3lame -ar 8000 -ac 1",
    ),
    // 30 frames a second, then 15.
    (
        "vfr.mp4",
        "-f lavfi -i testsrc2=s=48x36:r=30:d=4 -vf setpts='if(lt(N,60),N/30,2+(N-60)/15)/TB' -vsync vfr -c:v libx264 \
         -pix_fmt yuv420p -an",
    ),
    // Turned by a quarter, as a telephone writes it; made of upright.mp4 by its own command.
    ("upright.mp4", "-f lavfi -i testsrc=s=64x32:r=25:d=1 -c:v libx264 -pix_fmt yuv420p"),
    ("turned.mp4", "-i upright.mp4 -c copy -metadata:s:v:0 rotate=90"),
    // Fields, the upper first.
    (
        "fields.mkv",
        "-f lavfi -i testsrc=s=64x48:r=50:d=1 -vf tinterlace=interleave_top,fieldorder=tff -c:v ffv1 -field_order tt",
    ),
    // Ten bits of BT.2020 with PQ.
    (
        "hdr.mkv",
        "-f lavfi -i testsrc2=s=64x48:r=25:d=1 -pix_fmt yuv420p10le -c:v ffv1 -colorspace bt2020nc \
         -color_primaries bt2020 -color_trc smpte2084 -color_range tv",
    ),
    // A sound that begins half a second after its picture.
    (
        "late.mkv",
        "-f lavfi -i testsrc=s=64x48:r=25:d=2 -itsoffset 0.5 -f lavfi -i sine=f=500:r=48000:d=1 -c:v ffv1 -c:a pcm_s16le",
    ),
    ("stereo.flac", "-f lavfi -i sine=f=220:r=44100:d=3 -af pan=stereo|c0=c0|c1=c0"),
    ("six.wav", "-f lavfi -i anoisesrc=d=1:r=48000:seed=3:a=0.2 -af pan=5.1|c0=c0|c1=c0|c2=c0|c3=c0|c4=c0|c5=c0"),
    ("one.mkv", "-f lavfi -i testsrc=s=64x48:r=25 -frames:v 1 -c:v ffv1"),
    ("moving.gif", "-f lavfi -i testsrc2=s=40x30:r=10:d=1"),
    (
        "moving.webp",
        "-f lavfi -i nullsrc=s=40x30:r=10:d=1,geq=r='20*N':g='20*N':b='20*N' -c:v libwebp_anim -lossless 1",
    ),
    ("still.png", "-f lavfi -i testsrc2=s=50x40 -frames:v 1"),
    // Red for a quarter of its height, below it green beside blue; the same as a picture.
    (
        "flag.mkv",
        "-f lavfi -i color=lime:s=64x48:r=25:d=0.2,drawbox=32:0:32:48:blue:fill,drawbox=0:0:64:12:red:fill -c:v ffv1 \
         -pix_fmt yuv420p",
    ),
    ("flag.png", "-i flag.mkv -frames:v 1"),
    // Grey 64 beside grey 192; the same as a picture.
    (
        "edge.mkv",
        "-f lavfi -i color=0x404040:s=64x48:r=25:d=0.2,drawbox=32:0:32:48:0xc0c0c0:fill -c:v ffv1 -pix_fmt yuv420p",
    ),
    ("edge.png", "-i edge.mkv -frames:v 1"),
    // Luma is 16 and four times the frame's number; the sound is a quarter of the time.
    (
        "steps.mkv",
        "-f lavfi -i color=black:s=32x32:r=25:d=2,format=yuv420p,geq=lum='16+4*N':cb=128:cr=128 \
         -f lavfi -i aevalsrc='t/4|t/4':s=48000:d=2 -c:v ffv1 -c:a pcm_f32le",
    ),
    ("turns.gif", "-f lavfi -i color=red:s=64x48:r=10:d=1,hue=h=36*n"),
    // A click each half second, and a pause of a second.
    ("clicks.wav", "-f lavfi -i aevalsrc='0.8*sin(12000*t)*lt(mod(t\\,0.5)\\,0.01)':d=8:s=48000"),
    ("gap.wav", "-f lavfi -i aevalsrc='sin(2000*t)*(lt(t\\,1)+gt(t\\,2))':d=3:s=48000"),
    ("red.mp4", "-f lavfi -i color=red:s=64x48:r=25:d=1 -c:v libx264 -pix_fmt yuv420p -an"),
    ("green.mp4", "-f lavfi -i color=lime:s=64x48:r=25:d=1 -c:v libx264 -pix_fmt yuv420p -an"),
    ("blue.mp4", "-f lavfi -i color=blue:s=64x48:r=25:d=1 -c:v libx264 -pix_fmt yuv420p -an"),
];

/// What ffprobe says of a file's streams, counted: `video 96x64 30000/1001 180` or `audio 48000 2 288000`
/// (samples by the stream's last packet).
pub fn streams(file: &Path) -> Vec<String> {
    let entries = "stream=codec_type,width,height,r_frame_rate,sample_rate,channels,nb_read_packets";
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-count_packets", "-show_entries", entries, "-of", "json"])
        .arg(file)
        .output()
        .expect("ffprobe starts");
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let text = |value: &serde_json::Value| value.to_string().trim_matches('"').to_owned();
    let streams = told["streams"].as_array().cloned().unwrap_or_default();
    let line = |stream: &serde_json::Value| match stream["codec_type"].as_str() {
        Some("video") => format!(
            "video {}x{} {} {}",
            stream["width"],
            stream["height"],
            text(&stream["r_frame_rate"]),
            text(&stream["nb_read_packets"])
        ),
        _ => format!("audio {} {} {}", text(&stream["sample_rate"]), stream["channels"], samples(file)),
    };
    streams.iter().map(line).collect()
}

/// Samples of a file's first sound, decoded.
pub fn samples(file: &Path) -> usize {
    decoded_sound(file).len() / 2
}

/// The first sound of a file as interleaved stereo.
pub fn decoded_sound(file: &Path) -> Vec<f32> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(file)
        .args(["-map", "0:a:0", "-f", "f32le", "-ac", "2", "-"])
        .output()
        .expect("ffmpeg starts");
    output.stdout.chunks_exact(4).map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])).collect()
}

/// The frames of a file's first picture as RGB, by ffmpeg with the file's own tags.
pub fn decoded_frames(file: &Path, width: usize, height: usize) -> Vec<Vec<u8>> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(file)
        .args(["-map", "0:v:0", "-vf", "scale=in_color_matrix=bt709:flags=bicubic+accurate_rnd", "-pix_fmt", "rgb24"])
        .args(["-vsync", "passthrough", "-f", "rawvideo", "-"])
        .output()
        .expect("ffmpeg starts");
    output.stdout.chunks(width * height * 3).map(<[u8]>::to_vec).collect()
}

/// The mean colour of a frame.
pub fn mean(frame: &[u8]) -> [u32; 3] {
    let sum = |channel: usize| frame.iter().skip(channel).step_by(3).map(|byte| u32::from(*byte)).sum::<u32>();
    std::array::from_fn(|channel| sum(channel) / (frame.len() / 3) as u32)
}
