//! How values are stored between stages, and how outputs are encoded.

use crate::engine::film::words;
use crate::media::encode::Format;
use crate::media::time::{Rate, SAMPLE_RATE};
use crate::media::{Clip, Facts, Pixels};
use crate::nodes::Encoding;

/// Frames are written as they are numbered, nothing is told of who wrote them, and nothing of
/// the inputs is copied.
fn common(rate: Option<Rate>) -> Vec<String> {
    let mut args = words("-map_metadata -1 -map_chapters -1 -fflags +bitexact -flags:v +bitexact -flags:a +bitexact");
    if let Some(rate) = rate {
        args.extend(["-r".to_owned(), rate.to_string(), "-vsync".to_owned(), "cfr".to_owned()]);
    }
    args
}

/// The stored form of a film or a sound: FFV1 (RFC 9043) version 3 with every frame by itself,
/// and samples as they are, in Matroska.
pub fn stored(facts: &Facts) -> Vec<String> {
    let mut args = common(facts.clip.map(|clip| clip.rate));
    if let Some(clip) = facts.clip {
        let form = match clip.pixels {
            Pixels::Yuv420 => "yuv420p",
            Pixels::Rgba => "bgra",
        };
        let slices = slices(facts.width, facts.height);
        args.extend(words(&format!("-c:v ffv1 -level 3{slices} -g 1 -slicecrc 1 -pix_fmt {form}")));
    }
    if facts.has_sound() {
        args.extend(words("-c:a pcm_f32le"));
    }
    args.extend(words("-f matroska"));
    args
}

/// FFV1's slices, a part of its bytes: one of what is small, four of the rest; the encoder knows
/// four of odd sizes not always, and of large ones not at all (a slice has at most 8 · 2²⁴ bits of
/// nine to a sample), and then chooses by the size.
const fn slices(width: u32, height: u32) -> &'static str {
    if width <= 352 && height <= 288 {
        " -slices 1"
    } else if (width / 2) as u64 * (height / 2) as u64 * 9 * 4 > 8 << 24 {
        ""
    } else if width.is_multiple_of(2) && height.is_multiple_of(2) && width >= 16 && height >= 16 {
        " -slices 4"
    } else {
        ""
    }
}

/// A film's frames as the format tells them: browsers show a GIF of more than 50 a second slowly, as they take
/// the shortest of its delays, a hundredth, for a mistake.
pub fn shown(format: Format, clip: Clip) -> Clip {
    let most = Rate::GIF;
    let is_fast = u64::from(clip.rate.num()) > u64::from(most.num()) * u64::from(clip.rate.den());
    if format != Format::Gif || !is_fast {
        return clip;
    }
    Clip { rate: most, frames: most.frames_from(clip.frames, clip.rate), ..clip }
}

/// Filters between a film's value and its encoder.
pub fn picture_filters(format: Format, facts: &Facts) -> String {
    let (width, height) = (facts.width, facts.height);
    if format == Format::Gif {
        // Each frame has its own palette, so that no more than one waits.
        return "split[first][second];[first]palettegen=stats_mode=single[palette];\
                [second][palette]paletteuse=new=1:dither=sierra2_4a"
            .to_owned();
    }
    let (even_width, even_height) = (width.next_multiple_of(2), height.next_multiple_of(2));
    if (even_width, even_height) == (width, height) {
        return "null".to_owned();
    }
    // 4:2:0 has the chroma of the missing column or row already.
    let (right, bottom) = (even_width - width, even_height - height);
    format!(
        "extractplanes=y+u+v[luma][u][v];\
         [luma]pad=w={even_width}:h={even_height}:x=0:y=0,format=gray,fillborders=right={right}:bottom={bottom}:mode=smear[even];\
         [even][u][v]mergeplanes=0x001020:yuv420p"
    )
}

/// The arguments of an output file.
pub fn encoded(encoding: &Encoding, facts: &Facts) -> Vec<String> {
    let Encoding { format, crf, preset, audio_bitrate } = encoding;
    let rate = facts.clip.map(|clip| clip.rate);
    let mut args = common(rate);
    if let Some(rate) = rate {
        let keyframes = rate.frame_at(2.0).max(1);
        // Without loss it is another profile, which the encoder chooses.
        let profile = if *crf > 0 { " -profile:v high" } else { "" };
        match format {
            Format::Webm => args.extend(words(&format!(
                "-c:v libvpx-vp9 -crf {crf} -b:v 0 -deadline good -cpu-used 4 -row-mt 0 -tile-columns 2 -threads 4 \
                 -g {keyframes} -pix_fmt yuv420p"
            ))),
            Format::Gif => args.extend(words("-c:v gif")),
            // Frame threads give other bytes on a busy machine, and so do slices with one thread that
            // looks ahead (5 of 20 of a still picture with a moving one in it). Slices of a fixed
            // number with as many threads for the lookahead never did, in 1,650 of the same. Whoever
            // changes a word here raises the version of `codec::H264_ENCODER`.
            _ => args.extend(words(&format!(
                "-c:v libx264 -preset {preset} -crf {crf}{profile} -pix_fmt yuv420p -g {keyframes} -threads 4 \
                 -x264-params sliced-threads=1:threads=4:lookahead-threads=4:cpu-independent=1"
            ))),
        }
        args.extend(words(
            "-colorspace bt709 -color_primaries bt709 -color_trc bt709 -color_range tv -chroma_sample_location left",
        ));
    }
    if facts.has_sound() && *format != Format::Gif {
        args.extend(words(&match format {
            Format::Wav => "-c:a pcm_s24le -rf64 auto".to_owned(),
            Format::Flac => "-c:a flac -sample_fmt s32 -bits_per_raw_sample 24".to_owned(),
            Format::Mp3 => format!("-c:a libmp3lame -b:a {audio_bitrate}"),
            Format::Webm => format!("-c:a libopus -b:a {audio_bitrate}"),
            _ => format!("-c:a aac -b:a {audio_bitrate}"),
        }));
        args.extend(["-ar".to_owned(), SAMPLE_RATE.to_string()]);
    }
    args.extend(words(match format {
        Format::Mov => "-movflags +faststart -f mov",
        Format::Mkv => "-f matroska",
        Format::Webm => "-f webm",
        Format::Gif => "-f gif",
        Format::Wav => "-f wav",
        Format::Flac => "-f flac",
        Format::Mp3 => "-f mp3 -write_xing 1 -id3v2_version 0",
        Format::M4a => "-movflags +faststart -f ipod",
        _ => "-movflags +faststart -f mp4",
    }));
    args
}

/// Does the format hold a sound beside a picture?
pub fn holds_sound(format: Format) -> bool {
    format != Format::Gif
}
