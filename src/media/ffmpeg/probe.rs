//! The one look at a film or a sound: ffprobe's, turned into data by integer arithmetic.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::base::limits;
use crate::media::ffmpeg::allowed::{CODECS, demuxer, is_seekable};
use crate::media::ffmpeg::child::{Process, link, watched};
use crate::media::ffmpeg::packets::Packets;
use crate::media::ffmpeg::told::{Format, Stream, Told};
use crate::media::ffmpeg::toolkit::Toolkit;
use crate::media::sniff::MediaType;
use crate::media::source_clip::{Matrix, SourceClip, SourcePicture, SourceSound, Transfer};
use crate::media::time::{Rate, SAMPLE_RATE};

/// Why a file is no film or sound that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// It is of a type that ffmpeg is not given.
    #[error("a file of type {0} is not read as a film or a sound")]
    NotMedia(MediaType),
    /// ffprobe refuses it.
    #[error("{0}")]
    Refused(String),
    /// It holds neither picture nor sound.
    #[error("it has no picture and no sound")]
    Empty,
    /// ffprobe could not be run: nothing is known of the file.
    #[error("ffprobe cannot be run: {0}")]
    Tool(String),
    /// Whoever asked does not wait any longer.
    #[error("cancelled")]
    Stopped,
}

/// Looks at a file. `dir` is a directory for this alone.
pub fn probe(
    toolkit: &Toolkit,
    file: &Path,
    media_type: MediaType,
    dir: &Path,
    stopped: &(dyn Fn() -> bool + Sync),
) -> Result<SourceClip, ProbeError> {
    let demuxer = demuxer(media_type).ok_or(ProbeError::NotMedia(media_type))?;
    link(dir, "in0", file).map_err(tool)?;
    let look = Look { toolkit, file, dir, demuxer, stopped };
    let mut told = Vec::new();
    look.run(&["-show_format", "-show_streams", "-of", "json"], &mut |mut output| {
        output.by_ref().take(limits::PROBE_BYTES).read_to_end(&mut told).map(drop)
    })?;
    let told: Told = serde_json::from_slice(&told).map_err(|error| ProbeError::Refused(error.to_string()))?;
    let picture = told.streams.iter().find(|s| s.codec_type == "video" && s.disposition.attached_pic == 0);
    let sound = told.streams.iter().find(|s| s.codec_type == "audio" && s.channels > 0);
    let of_picture = picture.map(|stream| look.packets(stream.index)).transpose()?;
    let of_sound = sound.map(|stream| look.packets(stream.index)).transpose()?;
    for (stream, packets) in [picture.zip(of_picture.as_ref()), sound.zip(of_sound.as_ref())].into_iter().flatten() {
        one_clock(stream, packets)?;
    }
    let zero = Zero::new(&told.format, [picture.zip(of_picture.as_ref()), sound.zip(of_sound.as_ref())]);
    let picture =
        picture.zip(of_picture).map(|(stream, packets)| of_film(stream, &packets, &zero, media_type)).transpose()?;
    let sound = sound.zip(of_sound).and_then(|(stream, packets)| of_heard(stream, &packets, &zero));
    if picture.is_none() && sound.is_none() {
        return Err(ProbeError::Empty);
    }
    Ok(SourceClip { picture, sound })
}

/// Frames and bytes in packets of the first picture and the first sound of a file of ours.
pub fn count(
    toolkit: &Toolkit,
    file: &Path,
    demuxer: &'static str,
    dir: &Path,
    stopped: &(dyn Fn() -> bool + Sync),
) -> Result<(u64, u64), ProbeError> {
    let look = Look { toolkit, file, dir, demuxer, stopped };
    let (mut frames, mut bytes) = (0, 0);
    look.run_on(
        file.as_os_str().to_owned(),
        &["-show_entries", "packet=codec_type,size", "-of", "csv=p=0"],
        &mut |output| {
            for line in BufReader::new(output).lines() {
                let line = line?;
                let mut fields = line.split(',');
                match (fields.next(), fields.next().and_then(|size| size.parse::<u64>().ok())) {
                    (Some("video"), _) => frames += 1,
                    (Some("audio"), Some(size)) => bytes += size,
                    _ => {}
                }
            }
            Ok(())
        },
    )?;
    Ok((frames, bytes))
}

struct Look<'a> {
    toolkit: &'a Toolkit,
    file: &'a Path,
    dir: &'a Path,
    demuxer: &'static str,
    stopped: &'a (dyn Fn() -> bool + Sync),
}

type Reader<'a> = dyn FnMut(std::process::ChildStdout) -> std::io::Result<()> + 'a;

impl Look<'_> {
    fn run(&self, args: &[&str], read: &mut Reader<'_>) -> Result<(), ProbeError> {
        self.run_on("in0".into(), args, read)
    }

    fn run_on(&self, name: OsString, args: &[&str], read: &mut Reader<'_>) -> Result<(), ProbeError> {
        let fixed = ["-v", "error", "-protocol_whitelist", "file", "-codec_whitelist", CODECS, "-f", self.demuxer];
        let mut all: Vec<OsString> = fixed.iter().chain(args).map(OsString::from).collect();
        all.push("-i".into());
        all.push(name);
        let process = Process {
            program: self.toolkit.ffprobe.clone(),
            args: all,
            dir: self.dir.to_owned(),
            reads: self.toolkit.libraries.iter().cloned().chain([self.file.to_owned()]).collect(),
            memory: limits::PROBE_MEMORY,
            file_bytes: 0,
        };
        let mut child = process.start(Stdio::null(), Stdio::piped()).map_err(tool)?;
        let output = child.stdout().ok_or_else(|| ProbeError::Tool("it has no output".to_owned()))?;
        let begun = Instant::now();
        let limit = Duration::from_secs(limits::PROBE_SECONDS);
        let stopped = || begun.elapsed() > limit || (self.stopped)();
        let done = watched(&[child.killer()], &stopped, || read(output));
        let ended = child.wait(&stopped).map_err(tool)?;
        if begun.elapsed() > limit {
            return Err(ProbeError::Tool(format!("it took longer than {} s", limits::PROBE_SECONDS)));
        }
        let ended = ended.filter(|_| !(self.stopped)()).ok_or(ProbeError::Stopped)?;
        if !ended.status.success() {
            let said = ended.said.lines().last().unwrap_or("it says nothing").replace("in0: ", "");
            return Err(ProbeError::Refused(format!("ffprobe cannot read it: {said}")));
        }
        // What the demuxer of MP4 and MOV says of a frame that the index promises and the file lacks.
        if ended.said.contains("partial file") {
            let what = "it is cut short: its index promises frames that are not there; take the whole file";
            return Err(ProbeError::Refused(what.to_owned()));
        }
        done.map_err(tool)
    }

    fn packets(&self, stream: u32) -> Result<Packets, ProbeError> {
        let select = stream.to_string();
        let args = ["-select_streams", &select, "-show_entries", ENTRIES, "-of", "csv=p=0"];
        let mut packets = Packets::default();
        self.run(&args, &mut |output| {
            for line in BufReader::new(output).lines() {
                packets.add(&line?);
                if packets.count > limits::CLIP_FRAMES {
                    return Err(std::io::Error::other(format!("it has more than {} frames", limits::CLIP_FRAMES)));
                }
            }
            Ok(())
        })?;
        packets.settle();
        Ok(packets)
    }
}

/// What is asked of each packet.
const ENTRIES: &str = "packet=pts,dts,duration,size,flags:packet_side_data=skip_samples,discard_padding";

/// Seconds by which the clock of a stream may step back: files that were cut do so by a few frames.
const BACK_SECONDS: f64 = 1.0;
/// Seconds by which it may step ahead: a gap, which becomes held frames and silence.
const AHEAD_SECONDS: f64 = 3600.0;

/// Has a stream one clock? Films of MPEG-TS that were put one behind the other have two.
fn one_clock(stream: &Stream, packets: &Packets) -> Result<(), ProbeError> {
    let Some((num, den)) = fraction(&stream.time_base) else { return Ok(()) };
    let seconds = |ticks: i64| ticks as f64 * f64::from(num) / f64::from(den);
    let steps = [packets.back.map(|step| (step, BACK_SECONDS)), packets.ahead.map(|step| (step, AHEAD_SECONDS))];
    let too_wide = steps.into_iter().flatten().find(|((from, to), most)| (seconds(*to) - seconds(*from)).abs() > *most);
    let Some(((from, to), _)) = too_wide else { return Ok(()) };
    Err(ProbeError::Refused(format!(
        "its clock steps from {:.1} s to {:.1} s, as if it were several films one behind the other; \
         give it one clock (`ffmpeg -i FILE -c copy NEW.mkv`), or take its parts one by one",
        seconds(from),
        seconds(to)
    )))
}

/// The longest run-up of a sound's encoder: two thousand samples at 22 kHz.
const RUN_UP_MICROS: i64 = 100_000;

/// Time 0 of the file: where its first stream begins.
struct Zero {
    /// In millionths of a second.
    micros: i64,
}

impl Zero {
    fn new(format: &Format, streams: [Option<(&Stream, &Packets)>; 2]) -> Self {
        let told = format.start_time.as_deref().and_then(micros);
        let first = |(stream, packets): (&Stream, &Packets)| {
            let (num, den) = fraction(&stream.time_base)?;
            let ticks = i128::from(packets.first?);
            i64::try_from(ticks * i128::from(num) * 1_000_000 / i128::from(den)).ok()
        };
        let [picture, sound] = streams.map(|stream| stream.and_then(first));
        // What a sound has before its picture is its encoder's run-up, if it is no longer.
        if let Some(picture) = picture
            && sound.is_some_and(|sound| (0..=RUN_UP_MICROS).contains(&(picture - sound)))
        {
            return Self { micros: picture };
        }
        let of_packets = picture.into_iter().chain(sound).min();
        let micros = told.or(of_packets).unwrap_or_default();
        // Without a picture, so is what a sound has before 0.
        let is_run_up = picture.is_none() && (-RUN_UP_MICROS..0).contains(&micros);
        Self { micros: if is_run_up { 0 } else { micros } }
    }

    /// The same as a timestamp of ticks.
    fn ticks(&self, (num, den): (u32, u32)) -> i64 {
        let by = 1_000_000 * i128::from(num);
        let ticks = i128::from(self.micros) * i128::from(den);
        ((2 * ticks + by).div_euclid(2 * by)) as i64
    }
}

/// A decimal of seconds as millionths.
fn micros(text: &str) -> Option<i64> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part: String = part.chars().chain(std::iter::repeat('0')).take(6).collect();
    let micros = whole.parse::<i64>().ok()?.checked_mul(1_000_000)?.checked_add(part.parse().ok()?)?;
    Some(if negative { -micros } else { micros })
}

/// `num/den` or `num:den`, both above 0.
fn fraction(text: &str) -> Option<(u32, u32)> {
    let (num, den) = text.split_once(['/', ':'])?;
    let pair = (num.parse().ok()?, den.parse().ok()?);
    (pair.0 > 0 && pair.1 > 0).then_some(pair)
}

fn of_film(
    stream: &Stream,
    packets: &Packets,
    zero: &Zero,
    media_type: MediaType,
) -> Result<SourcePicture, ProbeError> {
    let refused = |what: &str| ProbeError::Refused(what.to_owned());
    let tick = fraction(&stream.time_base).ok_or_else(|| refused("its picture has no time base"))?;
    let zero = zero.ticks(tick);
    let (first, end) = packets.first.zip(packets.end).ok_or_else(|| refused("its picture has no frames"))?;
    let rate = rate_of(stream, packets, tick).ok_or_else(|| refused("its picture has no frame rate"))?;
    let in_frames = |ticks: i64| {
        let num = i128::from(ticks) * i128::from(tick.0) * i128::from(rate.num());
        let den = i128::from(tick.1) * i128::from(rate.den());
        u64::try_from((2 * num + den).div_euclid(2 * den)).unwrap_or(0)
    };
    let is_constant = packets.are_constant(rate, tick);
    let frames = if is_constant { in_frames(first - zero) + packets.count } else { in_frames(end - zero) };
    let turns = turns(stream);
    let (width, height, stretched) = upright(stream, turns).ok_or_else(|| refused("its picture has no size"))?;
    if !crate::media::image::size_is_allowed(u64::from(width), u64::from(height)) {
        return Err(refused(&format!("its picture of {width}x{height} is larger than a picture may be")));
    }
    Ok(SourcePicture {
        stream: stream.index,
        codec: stream.codec_name.clone(),
        pixel_format: stream.pix_fmt.clone(),
        width,
        height,
        rate,
        frames: frames.max(1),
        tick,
        zero,
        turns,
        stretched,
        matrix: matrix(stream),
        full_range: stream.color_range == "pc" || stream.pix_fmt.starts_with("yuvj"),
        transfer: match stream.color_transfer.as_str() {
            "smpte2084" => Transfer::Pq,
            "arib-std-b67" => Transfer::Hlg,
            _ => Transfer::Sdr,
        },
        interlaced: matches!(stream.field_order.as_str(), "tt" | "bb" | "tb" | "bt"),
        alpha: has_alpha(&stream.pix_fmt)
            || (stream.tags.alpha_mode == "1" && alpha_decoder(&stream.codec_name).is_some()),
        keyframes: packets.keyframes.clone(),
        seekable: is_seekable(media_type),
    })
}

/// The constant rate that a stream has, or the one that its average is taken for.
fn rate_of(stream: &Stream, packets: &Packets, tick: (u32, u32)) -> Option<Rate> {
    let told = [&stream.r_frame_rate, &stream.avg_frame_rate];
    let told = told.into_iter().filter_map(|text| fraction(text));
    let constant = told.filter_map(|(num, den)| Rate::new(num.into(), den.into()));
    let usual =
        [(24_000, 1001), (30_000, 1001), (60_000, 1001)].into_iter().filter_map(|(num, den)| Rate::new(num, den));
    let rates: Vec<Rate> = constant.chain(usual).collect();
    let whole = rates.iter().find(|rate| packets.count > 1 && packets.are_constant(**rate, tick));
    if let Some(rate) = whole.or_else(|| rates.iter().find(|rate| packets.are_constant_with_gaps(**rate, tick))) {
        return Some(*rate);
    }
    match (packets.first, packets.end) {
        (Some(first), Some(end)) if packets.count > 1 && end > first => {
            Rate::of_average(packets.count, (end - first).cast_unsigned(), tick)
        }
        _ => fraction(&stream.avg_frame_rate)
            .or_else(|| fraction(&stream.r_frame_rate))
            .and_then(|(num, den)| Rate::new(num.into(), den.into()))
            .or(Some(Rate::STILL)),
    }
}

fn turns(stream: &Stream) -> u8 {
    let rotation = stream.side_data_list.iter().find_map(|side| side.rotation).unwrap_or(0.0);
    // Counter-clockwise degrees.
    ((-rotation / 90.0).round() as i64).rem_euclid(4) as u8
}

/// Width and height of the upright picture of square pixels, and whether it must be scaled.
fn upright(stream: &Stream, turns: u8) -> Option<(u32, u32, bool)> {
    if stream.width == 0 || stream.height == 0 {
        return None;
    }
    let (num, den) = fraction(&stream.sample_aspect_ratio).unwrap_or((1, 1));
    let width = (2 * u64::from(stream.width) * u64::from(num) + u64::from(den)) / (2 * u64::from(den));
    let (width, height) = (u32::try_from(width.max(1)).ok()?, stream.height);
    let stretched = width != stream.width;
    Some(if turns % 2 == 1 { (height, width, stretched) } else { (width, height, stretched) })
}

fn matrix(stream: &Stream) -> Matrix {
    if stream.pix_fmt.starts_with("gbr") || is_rgb(&stream.pix_fmt) {
        return Matrix::Rgb;
    }
    match stream.color_space.as_str() {
        "bt709" => Matrix::Bt709,
        "bt470bg" | "smpte170m" => Matrix::Bt601,
        "bt2020nc" | "bt2020c" => Matrix::Bt2020,
        "smpte240m" => Matrix::Smpte240,
        "fcc" => Matrix::Fcc,
        _ if stream.height < 720 => Matrix::Bt601,
        _ => Matrix::Bt709,
    }
}

fn is_rgb(pix_fmt: &str) -> bool {
    ["rgb", "bgr", "argb", "abgr", "0rgb", "0bgr", "pal8", "x2rgb", "x2bgr"]
        .iter()
        .any(|start| pix_fmt.starts_with(start))
}

/// The decoder of a codec whose usual one leaves alpha out.
pub fn alpha_decoder(codec: &str) -> Option<&'static str> {
    match codec {
        "vp8" => Some("libvpx"),
        "vp9" => Some("libvpx-vp9"),
        _ => None,
    }
}

fn has_alpha(pix_fmt: &str) -> bool {
    ["yuva", "rgba", "bgra", "argb", "abgr", "gbrap", "ya8", "ya16", "pal8"]
        .iter()
        .any(|start| pix_fmt.starts_with(start))
}

fn of_heard(stream: &Stream, packets: &Packets, zero: &Zero) -> Option<SourceSound> {
    let tick = fraction(&stream.time_base)?;
    let zero = zero.ticks(tick);
    let end = packets.end?;
    let num = i128::from(end - zero) * i128::from(tick.0) * i128::from(SAMPLE_RATE);
    let samples = u64::try_from((2 * num + i128::from(tick.1)).div_euclid(2 * i128::from(tick.1))).ok()?;
    let sampled = stream.sample_rate.parse().ok().filter(|rate| *rate > 0).unwrap_or(SAMPLE_RATE);
    let padding = (packets.padding.saturating_mul(SAMPLE_RATE) + sampled / 2) / sampled;
    let samples = samples.saturating_sub(padding);
    (samples > 0).then(|| SourceSound {
        stream: stream.index,
        codec: stream.codec_name.clone(),
        channels: stream.channels,
        tick,
        zero,
        samples,
    })
}

#[expect(clippy::needless_pass_by_value, reason = "map_err hands it over")]
fn tool(error: std::io::Error) -> ProbeError {
    ProbeError::Tool(error.to_string())
}
