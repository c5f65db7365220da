//! Analysis: a film's or sound's value decoded by ffmpeg, heard and seen by our own code.

use std::io::{BufReader, Read};
use std::process::Stdio;

use serde_json::{Map, Value, json};

use crate::base::canonical;
use crate::engine::film::pace::Pace;
use crate::engine::film::{Run, Trouble, judge, not_started, weave};
use crate::engine::work::WorkError;
use crate::media::analysis::{SceneAnalyser, Scenes, Sound, SoundAnalyser};
use crate::media::clip::SCALE_FLAGS;
use crate::media::ffmpeg::{self, Toolkit};
use crate::media::{Facts, Form, Kind, Loom as _, Pad, Pixels};
use crate::nodes::Analysis;

/// Width and height at which a film is looked at.
const SEEN: (usize, usize) = (64, 36);
/// Bytes read from a process at a time.
const PIECE: usize = 64 << 10;

/// What an analysis found, canonical JSON.
pub fn run(run: &Run<'_>, node: usize, analysis: Analysis) -> Result<String, Trouble> {
    let input = &run.plan.nodes[run.plan.nodes[node].inputs[0]].facts;
    let sound = if analysis.hears { Some(heard(run, node, input)?) } else { None };
    let scenes = if analysis.sees { Some(seen(run, node, input)?) } else { None };
    Ok(canonical::to_string(&told(analysis.feature, input, sound, scenes)))
}

fn told(feature: &str, input: &Facts, sound: Option<Sound>, scenes: Option<Scenes>) -> Value {
    let mut all = metadata(input);
    if let Some(Ok(Value::Object(sound))) = sound.map(serde_json::to_value) {
        all.extend(sound);
    }
    if let Some(scenes) = scenes {
        all.insert("scene_changes".to_owned(), json!(scenes.scene_changes));
        all.insert("motion_tempo".to_owned(), json!(scenes.motion_tempo));
    }
    match feature {
        "all" => Value::Object(all),
        "metadata" => Value::Object(metadata(input)),
        "tempo" => json!({"tempo": all["beats"]["tempo"], "confidence": all["beats"]["confidence"]}),
        // These are maps of their own.
        "beats" | "energy" | "spectrum" | "loudness" => all.remove(feature).unwrap_or_default(),
        other => json!({other: all.remove(other)}),
    }
}

/// What is known without decoding.
fn metadata(input: &Facts) -> Map<String, Value> {
    let mut told = Map::new();
    let mut put = |name: &str, value: Value| drop(told.insert(name.to_owned(), value));
    if input.has_time() {
        put("duration", json!((input.seconds() * 1000.0).round() / 1000.0));
    }
    if input.kind != Kind::Audio {
        put("width", json!(input.width));
        put("height", json!(input.height));
    }
    if let Some(clip) = input.clip {
        put("frame_rate", json!(clip.rate.to_string()));
        put("frames", json!(clip.frames));
    }
    put("sound", json!(input.has_sound()));
    if let Form::Blob(source) = &input.form {
        put("media_type", json!(source.media_type.mime()));
        let clip = source.clip.as_deref();
        if let Some(picture) = clip.and_then(|clip| clip.picture.as_ref()) {
            put("codec", json!(picture.codec));
        }
        if let Some(sound) = clip.and_then(|clip| clip.sound.as_ref()) {
            put("sound_codec", json!(sound.codec));
            put("channels", json!(sound.channels));
        }
    }
    told
}

fn heard(run: &Run<'_>, node: usize, input: &Facts) -> Result<Sound, Trouble> {
    let mut analyser = SoundAnalyser::new();
    let mut samples = Vec::with_capacity(PIECE / 4);
    let weave = |weave: &mut weave::Weave<'_>| weave.input(node).sound(0, 0, input.samples);
    let count = decode((run, node), "heard", &["-c:a", "pcm_f32le", "-f", "f32le"], weave, 8, &mut |bytes| {
        samples.clear();
        samples.extend(bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])));
        analyser.push(&samples);
    })?;
    expect(count / 8, input.samples, "samples")?;
    Ok(analyser.finish())
}

fn seen(run: &Run<'_>, node: usize, input: &Facts) -> Result<Scenes, Trouble> {
    let (width, height) = SEEN;
    let clip = input.clip.unwrap_or_else(|| panic!("BUG: frames of what is no film"));
    let mut analyser = SceneAnalyser::new(width, height);
    let weave = |weave: &mut weave::Weave<'_>| {
        let mut loom = weave.input(node);
        let pad = loom.picture(0, 0, clip.frames, Pixels::Yuv420);
        loom.link(&[pad], &format!("scale=w={width}:h={height}:flags={SCALE_FLAGS},format=gray"))
    };
    let args = ["-vsync", "passthrough", "-c:v", "rawvideo", "-pix_fmt", "gray", "-f", "rawvideo"];
    let count = decode((run, node), "seen", &args, weave, width * height, &mut |bytes| {
        bytes.chunks_exact(width * height).for_each(|frame| analyser.push(frame));
    })?;
    expect(count / (width * height) as u64, clip.frames, "frames")?;
    Ok(analyser.finish(clip.rate.num(), clip.rate.den()))
}

fn expect(found: u64, expected: u64, what: &str) -> Result<(), Trouble> {
    if found == expected {
        return Ok(());
    }
    Err(WorkError::Tool(format!("ffmpeg gave {found} {what}; the plan says {expected}")))
}

/// Runs a process that writes one stream to its standard output; each piece is a whole number of
/// `unit` bytes. How many bytes came.
fn decode(
    (run, node): (&Run<'_>, usize),
    name: &str,
    args: &[&str],
    weave: impl FnOnce(&mut weave::Weave<'_>) -> Pad,
    unit: usize,
    take: &mut dyn FnMut(&[u8]),
) -> Result<u64, Trouble> {
    let toolkit: std::sync::Arc<Toolkit> = run.toolkit()?;
    let scratch = run.studio.scratch().map_err(WorkError::Storage)?;
    let args: Vec<String> = args.iter().chain(&["pipe:1"]).map(|arg| (*arg).to_owned()).collect();
    let woven = run.weave_to_pipe(scratch.path(), name, weave, args)?;
    let mut child = run.start((&toolkit, scratch.path()), &woven, (Stdio::null(), Stdio::piped()))?;
    let output = child.stdout().ok_or_else(|| WorkError::Tool("its output cannot be read".to_owned()))?;
    let read = || pieces(output, unit, take);
    let pace = Pace::new(run, node, &child);
    let count = ffmpeg::watched(&[child.killer()], &|| pace.look(), read);
    if run.studio.cancelled() {
        return Err(WorkError::Cancelled);
    }
    judge(child.wait(&|| run.studio.cancelled()).map_err(not_started)?)?;
    count.map_err(|error| WorkError::Tool(error.to_string()))
}

/// Takes what comes in whole pieces; how many bytes came.
fn pieces(output: impl Read, unit: usize, take: &mut dyn FnMut(&[u8])) -> std::io::Result<u64> {
    let mut reader = BufReader::new(output);
    let mut piece = vec![0; (PIECE / unit).max(1) * unit];
    let mut count = 0;
    loop {
        let mut filled = 0;
        while filled < piece.len() {
            match reader.read(&mut piece[filled..])? {
                0 => break,
                read => filled += read,
            }
        }
        take(&piece[..filled / unit * unit]);
        count += filled as u64;
        if filled < piece.len() {
            return Ok(count);
        }
    }
}
