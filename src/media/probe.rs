//! One look at a file: what it is and how large, without its pixels.
//!
//! Only headers are read; however large a file claims to be, nothing is allocated for it. The
//! facts are kept as data beside the blob, so that planning never looks at a file. That a
//! header is sound does not promise that the pixels are.

use std::io::Cursor;

use crate::media::decode::{DecodeError, Source};
use crate::media::facts::SourceFacts;
use crate::media::sniff::{self, MediaType};

/// What a file is. The size is that of the upright picture, if the file is one that can be
/// decoded; the error says why a picture cannot be.
pub fn probe(bytes: &[u8]) -> (SourceFacts, Option<DecodeError>) {
    let media_type = sniff::sniff(bytes);
    let (size, error) = match Source::open_header(media_type, bytes) {
        Ok(source) => (Some(source.upright_size()), None),
        // That it is no picture is no fault.
        Err(DecodeError::NotAPicture(_)) => (None, None),
        Err(error) => (None, Some(error)),
    };
    (SourceFacts::of_bytes(media_type, size, size.is_some() && is_animated(media_type, bytes)), error)
}

/// Has it more than one frame? What is too damaged to tell has not. The further pages of a TIFF
/// are no frames.
fn is_animated(media_type: MediaType, bytes: &[u8]) -> bool {
    match media_type {
        MediaType::Png => png_frames(bytes) > 1,
        MediaType::Gif => gif_has_second_frame(bytes).unwrap_or(false),
        MediaType::Webp => webp_frames(bytes) > 1,
        _ => false,
    }
}

/// The frames that an animation control chunk announces.
fn png_frames(bytes: &[u8]) -> u32 {
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let reader = decoder.read_info().ok();
    reader.and_then(|reader| reader.info().animation_control().map(|control| control.num_frames)).unwrap_or(1)
}

/// Walks over the blocks (`GIF89a`, appendix A) to the second picture, decompressing nothing.
fn gif_has_second_frame(bytes: &[u8]) -> Option<bool> {
    let table = |flags: u8| {
        if flags & 0x80 != 0 { 3 << ((flags & 7) + 1) } else { 0_usize }
    };
    let mut at = 13 + table(*bytes.get(10)?);
    let mut frames = 0;
    loop {
        match *bytes.get(at)? {
            // A picture: its place and size, its colours, the first code size, then its data.
            0x2c => {
                frames += 1;
                if frames == 2 {
                    return Some(true);
                }
                at = skip_blocks(bytes, at + 11 + table(*bytes.get(at + 9)?))?;
            }
            // An extension: its kind, then its data.
            0x21 => at = skip_blocks(bytes, at + 2)?,
            _ => return Some(false),
        }
    }
}

/// Behind data in blocks of up to 255 bytes, which an empty one ends.
fn skip_blocks(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let size = usize::from(*bytes.get(at)?);
        at += 1 + size;
        if size == 0 {
            return Some(at);
        }
    }
}

/// The frames of a WebP, counted by walking over the chunks of its RIFF.
pub(in crate::media) fn webp_frames(bytes: &[u8]) -> u32 {
    let chunk = |at: usize| {
        let name = bytes.get(at..at + 4)?;
        let size = u32::from_le_bytes(*bytes.get(at + 4..at + 8)?.first_chunk()?) as usize;
        Some((name, at.checked_add(8 + size.checked_next_multiple_of(2)?)?))
    };
    let (mut at, mut frames) = (12, 0);
    while let Some((name, next)) = chunk(at) {
        frames += u32::from(name == b"ANMF");
        at = next;
    }
    frames
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A GIF of so many frames of one pixel; their data are never looked at.
    fn gif(frames: usize) -> Vec<u8> {
        let mut bytes = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff".to_vec();
        bytes.extend(b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0");
        for _ in 0..frames {
            bytes.extend(b"\x21\xf9\x04\0\x0a\0\0\0\x2c\0\0\0\0\x01\0\x01\0\x80\0\0\0\xff\xff\xff\x02\x02\x44\x01\0");
        }
        bytes.push(0x3b);
        bytes
    }

    #[test]
    fn frames_of_a_gif_are_counted_to_two() {
        assert_eq!(gif_has_second_frame(&gif(1)), Some(false));
        assert_eq!(gif_has_second_frame(&gif(2)), Some(true));
        assert_eq!(gif_has_second_frame(&gif(10_000)), Some(true));
        let facts = |frames| probe(&gif(frames)).0;
        assert_eq!(facts(1), SourceFacts::of_bytes(MediaType::Gif, Some((1, 1)), false));
        assert!(facts(3).animated);
        let whole = gif(1);
        for length in 0..whole.len() - 1 {
            assert_ne!(gif_has_second_frame(&whole[..length]), Some(true));
        }
    }

    #[test]
    fn frames_of_a_webp_are_counted() {
        let chunk = |name: &[u8], size: usize| {
            [name, &(size as u32).to_le_bytes(), &vec![0; size.next_multiple_of(2)]].concat()
        };
        let riff = |chunks: &[Vec<u8>]| [&b"RIFF\0\0\0\0WEBP"[..], &chunks.concat()].concat();
        let frame = chunk(b"ANMF", 33);
        assert_eq!(webp_frames(&riff(&[chunk(b"VP8X", 10), frame.clone()])), 1);
        assert_eq!(webp_frames(&riff(&[chunk(b"VP8X", 10), frame.clone(), frame])), 2);
        assert_eq!(webp_frames(b"RIFF\0\0\0\0WEBPXXXX\xff\xff\xff\xff"), 0);
    }

    #[test]
    fn other_files_have_a_type_and_nothing_else() {
        let (facts, error) = probe(b"{\"a\": 1}");
        assert_eq!(facts, SourceFacts::of_bytes(MediaType::Json, None, false));
        assert_eq!(error, None);
        let (facts, error) = probe(b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>");
        assert_eq!((facts.media_type, facts.size), (MediaType::Svg, None));
        assert_eq!(error, Some(DecodeError::UnknownFormat(MediaType::Svg)));
    }
}
