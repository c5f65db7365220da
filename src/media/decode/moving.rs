//! An animated WebP as an animated PNG of whole frames, which ffmpeg reads: its own decoder of WebP
//! knows no animation. Frames are composited, in sRGB and upright as pictures are, one at a time.

use std::io::{Cursor, Write};

use image::AnimationDecoder as _;
use image::codecs::webp::WebPDecoder;

use crate::media::decode::raw::{Depth, Layout, Raw};
use crate::media::decode::source::riff_is_whole;
use crate::media::decode::{DecodeError, Source, orient};
use crate::media::icc::Profile;
use crate::media::probe::webp_frames;
use crate::media::sniff::MediaType;

/// Pixels of all frames, beyond which a file is better made a film by whoever has it: about a
/// thousand frames of 1080p.
const MOST_PIXELS: u64 = 1 << 31;
/// Milliseconds that are too few to be meant, and what every browser takes in their place.
const HURRIED: u32 = 10;
const UNHURRIED: u32 = 100;

/// Writes the animated PNG of an animated WebP.
pub fn write_moving_webp(bytes: &[u8], to: impl Write) -> Result<(), DecodeError> {
    let media_type = MediaType::Webp;
    let damaged = |what: &str| DecodeError::damaged(media_type, what);
    if !riff_is_whole(bytes) {
        return Err(damaged("it ends early"));
    }
    let mut source = Source::open(media_type, bytes)?;
    let (width, height) = source.upright_size();
    let count = webp_frames(bytes);
    if count == 0 || u64::from(count) * u64::from(width) * u64::from(height) > MOST_PIXELS {
        let what =
            format!("{count} frames of {width}x{height}; make a film of it (WebM or MP4), or take `media: image`");
        return Err(DecodeError::UnknownKind { media_type, what });
    }
    let profile = source.profile().and_then(|bytes| Profile::read(&bytes, Layout::Rgba.model()));
    let orientation = source.orientation();
    let failed = |error| DecodeError::of_decoder(media_type, error);
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(failed)?;
    // What no frame covers is clear, whatever colour the file hints at.
    decoder.set_background_color(image::Rgba([0; 4])).map_err(failed)?;
    let unwritten = |error: png::EncodingError| damaged(&format!("its frames cannot be written: {error}"));
    let mut encoder = png::Encoder::new(to, width, height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_deflate_compression(png::DeflateCompression::FdeflateUltraFast);
    encoder.set_filter(png::Filter::Sub);
    encoder.set_animated(count, 0).map_err(unwritten)?;
    let mut writer = encoder.write_header().map_err(unwritten)?;
    let mut written = 0;
    for frame in decoder.into_frames() {
        let frame = frame.map_err(failed)?;
        let (num, den) = delay(frame.delay().numer_denom_ms());
        let frame = frame.into_buffer();
        let (width, height) = frame.dimensions();
        let bytes = frame.into_raw();
        let raw = Raw { width, height, layout: Layout::Rgba, depth: Depth::Eight, associated: false, bytes };
        let image = orient::upright(orientation, raw.into_image(profile.as_ref()));
        writer.set_frame_delay(num, den).map_err(unwritten)?;
        writer.write_image_data(image.pixels()).map_err(unwritten)?;
        written += 1;
    }
    if written != count {
        return Err(damaged(&format!("it has {written} of {count} frames")));
    }
    writer.finish().map_err(unwritten)
}

/// How long a frame is seen, as a fraction of a second.
fn delay((num, den): (u32, u32)) -> (u16, u16) {
    let millis = num / den.max(1);
    let millis = if millis <= HURRIED { UNHURRIED } else { millis };
    let seconds = || u16::try_from(millis.div_ceil(1000)).unwrap_or(u16::MAX);
    u16::try_from(millis).map_or_else(|_| (seconds(), 1), |millis| (millis, 1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_those_of_browsers() {
        assert_eq!(delay((40, 1)), (40, 1000));
        assert_eq!([delay((0, 1)), delay((10, 1)), delay((11, 1))], [(100, 1000), (100, 1000), (11, 1000)]);
        assert_eq!([delay((65_535, 1)), delay((70_000, 1))], [(65_535, 1000), (70, 1)]);
    }

    #[test]
    fn all_frames_are_there_with_the_first_as_a_picture_has_it() {
        let bytes = include_bytes!("fixtures/animated.webp");
        let mut file = Vec::new();
        write_moving_webp(bytes, &mut file).unwrap();
        let decoder = png::Decoder::new(Cursor::new(&file[..]));
        let reader = decoder.read_info().unwrap();
        let control = reader.info().animation_control().unwrap();
        assert_eq!(control.num_frames, webp_frames(bytes));
        assert!(control.num_frames > 1);
        assert_eq!(crate::media::decode::decode(&file).unwrap(), crate::media::decode::decode(bytes).unwrap());
    }

    #[test]
    fn what_ends_early_is_damaged() {
        let bytes = include_bytes!("fixtures/animated.webp");
        let error = write_moving_webp(&bytes[..bytes.len() - 9], std::io::sink()).unwrap_err();
        assert!(error.to_string().contains("ends early"), "{error}");
    }
}
