//! Rules for bytes that are no text: numbers at the start of a file.

use crate::media::sniff::{MediaType, text};

/// Signatures long enough to be believed on their own.
const SIGNATURES: &[(&[u8], MediaType)] = &[
    (b"\x89PNG\r\n\x1a\n", MediaType::Png),
    (b"GIF87a", MediaType::Gif),
    (b"GIF89a", MediaType::Gif),
    (b"II*\0", MediaType::Tiff),
    (b"MM\0*", MediaType::Tiff),
    (b"II+\0\x08\0\0\0", MediaType::Tiff),
    (b"MM\0+\0\x08\0\0", MediaType::Tiff),
    (b"\0\0\0\x0cJXL \r\n\x87\n", MediaType::Jxl),
    (b"\0\0\0\x0cjP  \r\n\x87\n", MediaType::Jp2),
    (b"\xff\x4f\xff\x51", MediaType::Jp2),
    (b"8BPS\0\x01\0\0", MediaType::Psd),
    (b"8BPS\0\x02\0\0", MediaType::Psd),
    (b"\x76\x2f\x31\x01", MediaType::Exr),
    (b"#?RADIANCE\n", MediaType::Hdr),
    (b"#?RGBE\n", MediaType::Hdr),
    (b"\0\0\x01\xba", MediaType::MpegPs),
    (b"\0\0\x01\xb3", MediaType::MpegPs),
    (b"FLV\x01", MediaType::Flv),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c", MediaType::Asf),
    (b"fLaC", MediaType::Flac),
    (b"OggS\0", MediaType::Ogg),
    (b"MThd\0\0\0\x06", MediaType::Midi),
    (b"%PDF-", MediaType::Pdf),
    (b"PK\x03\x04", MediaType::Zip),
    (b"PK\x05\x06", MediaType::Zip),
    (b"\x1f\x8b\x08", MediaType::Gzip),
    (b"\0asm\x01\0\0\0", MediaType::Wasm),
    (b"OTTO\0", MediaType::Font),
    (b"\0\x01\0\0\0", MediaType::Font),
    (b"wOFF", MediaType::Font),
    (b"wOF2", MediaType::Font),
    (b"glTF\x02\0\0\0", MediaType::Glb),
];

/// What the first bytes say beyond doubt.
pub(super) fn strong(head: &[u8]) -> Option<MediaType> {
    let signature = SIGNATURES.iter().find(|(bytes, _)| head.starts_with(bytes));
    if let Some((_, media_type)) = signature {
        return Some(*media_type);
    }
    if let [0xff, 0xd8, 0xff, 0xc0..=0xfe, ..] = head {
        return Some(MediaType::Jpeg);
    }
    container(head).or_else(|| iso(head)).or_else(|| ebml(head)).or_else(|| id3(head))
}

/// What the first bytes say if the following ones agree.
pub(super) fn weak(head: &[u8]) -> Option<MediaType> {
    if is_bmp(head) {
        Some(MediaType::Bmp)
    } else if is_icon(head) {
        Some(MediaType::Ico)
    } else if head.starts_with(b"\xff\x0a") {
        Some(MediaType::Jxl)
    } else if is_transport_stream(head) {
        Some(MediaType::MpegTs)
    } else {
        sound_frames(head)
    }
}

/// RIFF and its kin: a name, a size, and what is in it.
fn container(head: &[u8]) -> Option<MediaType> {
    match (head.get(..4)?, head.get(8..12)?) {
        (b"RIFF", b"WEBP") => Some(MediaType::Webp),
        (b"RIFF", b"AVI ") => Some(MediaType::Avi),
        (b"RIFF" | b"RF64" | b"BW64", b"WAVE") => Some(MediaType::Wav),
        (b"FORM", b"AIFF" | b"AIFC") => Some(MediaType::Aiff),
        _ => None,
    }
}

/// ISO base media: the major brand decides, or else the first compatible one that is known.
fn iso(head: &[u8]) -> Option<MediaType> {
    let size = u32::from_be_bytes(*head.first_chunk()?) as usize;
    match head.get(4..8)? {
        b"ftyp" => {
            let boxed = head.get(8..size.clamp(8, head.len()))?;
            let brands = boxed.chunks_exact(4).enumerate().filter(|(place, _)| *place != 1);
            brands.into_iter().find_map(|(_, brand)| brand_type(brand))
        }
        // QuickTime from before there were brands.
        b"moov" | b"mdat" | b"wide" | b"pnot" if size >= 8 || size == 1 => Some(MediaType::Mov),
        _ => None,
    }
}

fn brand_type(brand: &[u8]) -> Option<MediaType> {
    match brand {
        b"avif" | b"avis" => Some(MediaType::Avif),
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"hevm" | b"hevs" => Some(MediaType::Heic),
        b"qt  " => Some(MediaType::Mov),
        b"M4A " | b"M4B " | b"M4P " => Some(MediaType::M4a),
        b"isom" | b"iso2" | b"iso3" | b"iso4" | b"iso5" | b"iso6" | b"iso7" | b"iso8" | b"iso9" | b"mp41" | b"mp42"
        | b"mp71" | b"avc1" | b"dash" | b"MSNV" | b"mmp4" | b"M4V " | b"M4VH" | b"M4VP" | b"f4v " | b"F4V " => {
            Some(MediaType::Mp4)
        }
        [b'3', b'g', b'p' | b'2', _] => Some(MediaType::Mp4),
        _ => None,
    }
}

/// Matroska, by the document type in its header.
fn ebml(head: &[u8]) -> Option<MediaType> {
    if !head.starts_with(b"\x1a\x45\xdf\xa3") {
        return None;
    }
    let header = &head[..head.len().min(64)];
    let at = header.windows(2).position(|id| id == b"\x42\x82")?;
    let (size, name) = header.get(at + 2..)?.split_first()?;
    match name.get(..usize::from(size & 0x7f))? {
        b"webm" => Some(MediaType::Webm),
        b"matroska" => Some(MediaType::Matroska),
        _ => None,
    }
}

/// An `ID3v2` tag says nothing of what follows it, and players skip it: so do we.
fn id3(head: &[u8]) -> Option<MediaType> {
    let [b'I', b'D', b'3', 2..=4, _, _, sizes @ ..] = head else {
        return None;
    };
    let size = sizes.first_chunk::<4>()?.iter().try_fold(0_usize, |size, byte| {
        let bits = usize::from(*byte);
        (bits < 0x80).then_some(size << 7 | bits)
    })?;
    let rest = head.get(10 + size..).unwrap_or_default();
    if rest.is_empty() {
        return Some(MediaType::Mp3);
    }
    match strong(rest).or_else(|| sound_frames(rest)).or_else(|| text::text(rest)) {
        // The last three are no sound at all, and not to be hidden.
        Some(
            found @ (MediaType::Flac
            | MediaType::Aac
            | MediaType::Mp3
            | MediaType::Playlist
            | MediaType::Html
            | MediaType::Svg),
        ) => Some(found),
        // Padding after the tag is common, and harmless.
        None if rest.iter().take(64).all(|byte| *byte == 0) => Some(MediaType::Mp3),
        _ => Some(MediaType::Octet),
    }
}

/// A bitmap: its own header is of a known size, one plane, and a depth that there is.
fn is_bmp(head: &[u8]) -> bool {
    let Some(header) = head.get(14..).filter(|_| head.starts_with(b"BM")) else {
        return false;
    };
    let Some(size) = header.first_chunk().map(|bytes| u32::from_le_bytes(*bytes)) else {
        return false;
    };
    let planes_and_depth = match size {
        12 => header.get(8..12),
        16 | 40 | 52 | 56 | 64 | 108 | 124 => header.get(12..16),
        _ => None,
    };
    matches!(planes_and_depth, Some([1, 0, 1 | 2 | 4 | 8 | 16 | 24 | 32, 0]))
}

/// An icon: one to 64 pictures, the first with a reserved zero and a place after the directory.
fn is_icon(head: &[u8]) -> bool {
    let [0, 0, 1, 0, count @ 1..=64, 0, _, _, _, 0, rest @ ..] = head else {
        return false;
    };
    let place = rest.get(8..12).and_then(|bytes| bytes.first_chunk()).map(|bytes| u32::from_le_bytes(*bytes));
    place.is_some_and(|place| place as usize >= 6 + 16 * usize::from(*count))
}

/// Packets of 188 bytes, also with four bytes of time before each.
fn is_transport_stream(head: &[u8]) -> bool {
    let synced = |first: usize, packet: usize| (0..3).all(|n| head.get(first + n * packet) == Some(&0x47));
    synced(0, 188) || synced(4, 192)
}

/// MPEG audio or AAC: a frame, and another where the first ends.
fn sound_frames(head: &[u8]) -> Option<MediaType> {
    let mpeg = mpeg_frame(head).and_then(|size| mpeg_frame(head.get(size..)?));
    let aac = || aac_frame(head).and_then(|size| aac_frame(head.get(size..)?));
    mpeg.map(|_| MediaType::Mp3).or_else(|| aac().map(|_| MediaType::Aac))
}

/// Bytes of the MPEG audio frame (layer II or III) that starts here.
fn mpeg_frame(head: &[u8]) -> Option<usize> {
    const LAYER_2: [usize; 15] = [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384];
    const LAYER_3: [usize; 15] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
    const LOW_RATES: [usize; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
    let [0xff, b, c, _, ..] = head else {
        return None;
    };
    let (version, layer) = ((b >> 3) & 3, (b >> 1) & 3);
    if b & 0xe0 != 0xe0 || version == 1 || !(1..=2).contains(&layer) {
        return None;
    }
    let rates = match (version, layer) {
        (3, 2) => &LAYER_2,
        (3, _) => &LAYER_3,
        _ => &LOW_RATES,
    };
    let kilobits = *rates.get(usize::from(c >> 4)).filter(|rate| **rate > 0)?;
    let hertz = [44_100, 48_000, 32_000].get(usize::from(c >> 2 & 3))? >> [2, 0, 1, 0][usize::from(version)];
    let samples = if version == 3 || layer == 2 { 144_000 } else { 72_000 };
    Some(samples * kilobits / hertz + usize::from(c >> 1 & 1))
}

/// Bytes of the AAC frame (ADTS) that starts here.
fn aac_frame(head: &[u8]) -> Option<usize> {
    let [0xff, 0xf0 | 0xf1 | 0xf8 | 0xf9, rate, c, d, e, _, ..] = head else {
        return None;
    };
    let size = usize::from(c & 3) << 11 | usize::from(*d) << 3 | usize::from(e >> 5);
    (rate >> 2 & 15 < 13 && size > 7).then_some(size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::sniff::sniff;

    fn frames(header: [u8; 4], size: usize) -> Vec<u8> {
        let mut frame = header.to_vec();
        frame.resize(size, 0);
        frame.repeat(3)
    }

    #[test]
    fn signatures_are_known() {
        for (bytes, media_type) in SIGNATURES {
            assert_eq!(sniff(&[bytes, &b"\0\0\0\0"[..]].concat()), *media_type, "{bytes:?}");
        }
        assert_eq!(sniff(b"\xff\xd8\xff\xe0\0\x10JFIF"), MediaType::Jpeg);
        assert_eq!(sniff(b"\xff\xd8\xff"), MediaType::Octet);
        assert_eq!(sniff(b"\x89PNG\r\n\x1a"), MediaType::Octet);
    }

    #[test]
    fn containers_are_told_by_what_is_in_them() {
        assert_eq!(sniff(b"RIFF\x24\0\0\0WEBPVP8 "), MediaType::Webp);
        assert_eq!(sniff(b"RIFF\x24\0\0\0AVI LIST"), MediaType::Avi);
        assert_eq!(sniff(b"RF64\xff\xff\xff\xffWAVEds64"), MediaType::Wav);
        assert_eq!(sniff(b"RIFF\x24\0\0\0CDXA...."), MediaType::Octet);
        assert_eq!(sniff(b"FORM\0\0\0\x24AIFFCOMM"), MediaType::Aiff);
        assert_eq!(sniff(b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webmB\x87"), MediaType::Webm);
        assert_eq!(sniff(b"\x1a\x45\xdf\xa3\xa3\x42\x82\x88matroskaB\x87\x81"), MediaType::Matroska);
        assert_eq!(sniff(b"\x1a\x45\xdf\xa3\xa3\x42\x82\xff"), MediaType::Octet);
    }

    #[test]
    fn brands_decide() {
        for (bytes, media_type) in [
            (&b"\0\0\0\x14ftypisom\0\0\x02\0avc1"[..], MediaType::Mp4),
            (b"\0\0\0\x14ftypqt  \0\0\x02\0qt  ", MediaType::Mov),
            (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", MediaType::Avif),
            (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", MediaType::Heic),
            (b"\0\0\0\x14ftypM4A \0\0\0\0isom", MediaType::M4a),
            (b"\0\0\0\x14ftypXXXX\0\0\0\0YYYY", MediaType::Octet),
            // A version that reads like a brand is none.
            (b"\0\0\0\x14ftypXXXXavifYYYY", MediaType::Octet),
            (b"\0\0\x04\0moov\0\0\0\x6cmvhd", MediaType::Mov),
        ] {
            assert_eq!(sniff(bytes), media_type, "{bytes:?}");
        }
    }

    #[test]
    fn weak_signatures_need_company() {
        let mut bmp = b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x02\0\0\0\x02\0\0\0\x01\0\x18\0".to_vec();
        assert_eq!(sniff(&bmp), MediaType::Bmp);
        bmp[14] = 0x29;
        assert_eq!(sniff(&bmp), MediaType::Octet);
        assert_eq!(sniff(b"BM is a fine pair of letters to begin with"), MediaType::Text);
        assert_eq!(sniff(b"\0\0\x01\0\x01\0\x10\x10\0\0\x01\0\x20\0\x68\x04\0\0\x16\0\0\0"), MediaType::Ico);
        assert_eq!(sniff(b"\0\0\x01\0\x01\0\x10\x10\0\0\x01\0\x20\0\x68\x04\0\0\x03\0\0\0"), MediaType::Octet);
        assert_eq!(sniff(&frames([0x47, 0, 0, 0], 188)), MediaType::MpegTs);
        assert_eq!(sniff(b"Good morning"), MediaType::Text);
    }

    #[test]
    fn sound_is_told_by_its_frames() {
        assert_eq!(sniff(&frames([0xff, 0xfb, 0x90, 0x64], 417)), MediaType::Mp3);
        assert_eq!(sniff(&frames([0xff, 0xf3, 0x40, 0xc4], 104)), MediaType::Mp3);
        assert_eq!(sniff(&frames([0xff, 0xfb, 0x90, 0x64], 400)), MediaType::Octet);
        let mut adts = b"\xff\xf1\x50\x80\x02\x1f\xfc".to_vec();
        adts.resize(16, 0);
        assert_eq!(sniff(&adts.repeat(3)), MediaType::Aac);
    }

    #[test]
    fn a_tag_hides_nothing() {
        let tag = b"ID3\x04\0\0\0\0\0\x0a0123456789";
        let tagged = |rest: &[u8]| sniff(&[&tag[..], rest].concat());
        assert_eq!(tagged(b""), MediaType::Mp3);
        assert_eq!(tagged(&frames([0xff, 0xfb, 0x90, 0x64], 417)), MediaType::Mp3);
        assert_eq!(tagged(b"fLaC\0\0\0\x22"), MediaType::Flac);
        assert_eq!(tagged(b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n"), MediaType::Playlist);
        assert_eq!(tagged(b"<html><script>"), MediaType::Html);
        assert_eq!(tagged(b"\x89PNG\r\n\x1a\n"), MediaType::Octet);
        assert_eq!(sniff(b"ID3\x04\0\0\x7f\x7f\x7f\x7f"), MediaType::Mp3);
    }
}
