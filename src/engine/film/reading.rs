//! How sources and stored values are read into the form of films and sounds (`docs/media.md`).

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use crate::engine::work::WorkError;
use crate::media::MediaType;
use crate::media::clip::SCALE_FLAGS;
use crate::media::decode;
use crate::media::ffmpeg::{CODECS, alpha_decoder, demuxer};
use crate::media::source_clip::{Matrix, SourcePicture, SourceSound, Transfer};

/// The arguments before a source's name.
pub fn source_args(media_type: MediaType) -> Vec<String> {
    let demuxer = demuxer(media_type).unwrap_or_else(|| panic!("BUG: {media_type} has no demuxer"));
    let mut args = Vec::new();
    for arg in ["-protocol_whitelist", "file", "-codec_whitelist", CODECS, "-noautorotate", "-f", demuxer] {
        args.push(arg.to_owned());
    }
    args
}

/// The arguments before a source's name that its picture needs beside those.
pub fn decoder_args(picture: &SourcePicture) -> Vec<String> {
    let decoder = alpha_decoder(&picture.codec).filter(|_| picture.alpha);
    decoder.into_iter().flat_map(|decoder| ["-c:v".to_owned(), decoder.to_owned()]).collect()
}

/// Writes what ffmpeg is given of an animated WebP.
pub fn write_moving(file: &Path, to: &Path) -> Result<(), WorkError> {
    let unread = |error: std::io::Error| WorkError::Tool(error.to_string());
    let bytes = std::fs::read(file).map_err(unread)?;
    let mut to = BufWriter::new(File::create(to).map_err(unread)?);
    decode::write_moving_webp(&bytes, &mut to)?;
    to.flush().map_err(unread)
}

/// The arguments before a stored value's name.
pub fn stored_args() -> Vec<String> {
    ["-protocol_whitelist", "file", "-codec_whitelist", "ffv1,pcm_f32le", "-f", "matroska"].map(str::to_owned).to_vec()
}

/// Seconds at which reading may begin so that frame `from` and all after it come out the same:
/// at least two seconds and one keyframe early. `None` to begin at the start.
pub fn seek(picture: &SourcePicture, from: u64) -> Option<String> {
    if !picture.seekable || picture.interlaced {
        return None;
    }
    let early = from.checked_sub(picture.rate.frame_at(2.0) + 1)?;
    let before = picture.keyframes.partition_point(|pts| picture.frame_of(*pts) <= early);
    // The last of these, and one more before it; the first is the start.
    let key = *picture.keyframes.get(before.checked_sub(2)?)?;
    if before == 2 {
        return None;
    }
    let micros = i128::from(key - picture.zero) * i128::from(picture.tick.0) * 1_000_000 / i128::from(picture.tick.1);
    let micros = u64::try_from(micros).ok()?;
    Some(format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000))
}

/// From a source's frames as they are decoded to frames `from..to` at its rate, upright, with
/// square pixels, in the form of films.
pub fn picture_filters(picture: &SourcePicture, (from, to): (u64, u64), is_sought: bool) -> String {
    let mut filters = vec![format!("setpts=PTS-({})", picture.zero)];
    if picture.interlaced {
        filters.push("bwdif=mode=send_frame:parity=auto:deint=all".to_owned());
    }
    let start = if is_sought { "" } else { ":start_time=0" };
    filters.push(format!("fps=fps={}{start}:round=near", picture.rate));
    // Their timestamps are their numbers now.
    filters.push(format!("trim=start_pts={from}:end_pts={to}"));
    match picture.turns {
        1 => filters.push("transpose=clock".to_owned()),
        2 => filters.push("hflip,vflip".to_owned()),
        3 => filters.push("transpose=cclock".to_owned()),
        _ => {}
    }
    filters.extend(colour(picture));
    filters.join(",")
}

fn colour(picture: &SourcePicture) -> Option<String> {
    let SourcePicture { width, height, .. } = picture;
    let sized = format!("scale=w={width}:h={height}");
    if picture.transfer != Transfer::Sdr {
        let transfer = if picture.transfer == Transfer::Pq { "smpte2084" } else { "arib-std-b67" };
        let range = if picture.full_range { "pc" } else { "tv" };
        return Some(format!(
            "zscale=tin={transfer}:min=bt2020nc:pin=bt2020:rin={range}:t=linear:npl=100,format=gbrpf32le,\
             zscale=p=bt709,tonemap=tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=tv,format=yuv420p,\
             {sized}:in_color_matrix=bt709:out_color_matrix=bt709:in_range=tv:out_range=tv:flags={SCALE_FLAGS}"
        ));
    }
    if picture.alpha {
        let matrix = picture.matrix.word();
        let range = if picture.full_range || picture.matrix == Matrix::Rgb { "pc" } else { "tv" };
        return Some(format!(
            "{sized}:in_color_matrix={matrix}:in_range={range}:out_range=pc:flags={SCALE_FLAGS},format=rgba"
        ));
    }
    let is_full = picture.full_range || picture.matrix == Matrix::Rgb;
    let is_there =
        picture.pixel_format == "yuv420p" && picture.matrix == Matrix::Bt709 && !is_full && !picture.stretched;
    if is_there {
        return None;
    }
    let (matrix, range) = (picture.matrix.word(), if is_full { "pc" } else { "tv" });
    Some(format!(
        "{sized}:in_color_matrix={matrix}:in_range={range}:out_color_matrix=bt709:out_range=tv:flags={SCALE_FLAGS},format=yuv420p"
    ))
}

/// From a source's samples to 48 kHz stereo: gaps are silence, one channel goes to both sides.
///
/// Filters of sound count in samples, whatever the file counts in.
pub fn sound_filters(sound: &SourceSound) -> String {
    let (zero, second) = (i128::from(sound.zero) * i128::from(sound.tick.0), sound.tick.1);
    let both = if sound.channels == 1 { ",pan=stereo|c0=c0|c1=c0" } else { "" };
    format!(
        "asetpts=PTS-round({zero}/({second}*TB)),aresample=48000:async=1:min_hard_comp=0.1:first_pts=0{both},\
         aformat=sample_fmts=flt:sample_rates=48000:channel_layouts=stereo"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::time::Rate;

    fn picture() -> SourcePicture {
        SourcePicture {
            stream: 0,
            codec: "h264".to_owned(),
            pixel_format: "yuv420p".to_owned(),
            width: 640,
            height: 360,
            rate: Rate::STILL,
            frames: 1000,
            tick: (1, 12_800),
            zero: 0,
            turns: 0,
            stretched: false,
            matrix: Matrix::Bt601,
            full_range: false,
            transfer: Transfer::Sdr,
            interlaced: false,
            alpha: false,
            keyframes: (0..20).map(|key| key * 25_600).collect(),
            seekable: true,
        }
    }

    #[test]
    fn reading_begins_two_seconds_and_a_keyframe_early() {
        let picture = picture();
        assert_eq!(seek(&picture, 0), None);
        assert_eq!(seek(&picture, 100), None, "the start is as near");
        // Two seconds before frame 250 is frame 200, a keyframe at 16 s is before it: 14 s.
        assert_eq!(seek(&picture, 251), Some("6.000000".to_owned()));
        assert_eq!(seek(&SourcePicture { seekable: false, ..picture }, 251), None);
    }

    #[test]
    fn what_is_in_the_form_already_is_not_scaled() {
        let there = SourcePicture { matrix: Matrix::Bt709, ..picture() };
        assert_eq!(colour(&there), None);
        assert!(colour(&picture()).is_some_and(|filters| filters.contains("in_color_matrix=bt601")));
        let full = SourcePicture { full_range: true, ..there };
        assert!(colour(&full).is_some_and(|filters| filters.contains("in_range=pc")));
    }
}
