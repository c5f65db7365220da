//! Every kind of file, against what it was made from; and what damaged and hostile files do.

use super::*;
use crate::media::codec;
use crate::media::probe::probe;

macro_rules! fixtures {
    ($($name:literal)+) => {
        /// Small files of every kind, written by other programs.
        const FIXTURES: &[(&str, &[u8])] = &[$(($name, include_bytes!(concat!("fixtures/", $name)))),+];
    };
}

fixtures! {
    "420.jpg" "animated.gif" "animated.png" "animated.webp" "associated.tiff" "cmyk.jpg" "cmyk.tiff"
    "deflate_tiled.tiff" "float.tiff" "grey.jpg" "grey1.png" "grey1.tiff" "grey16.png" "grey16.tiff" "grey2.png"
    "grey2.tiff" "grey4.png" "grey4.tiff" "grey8.png" "greya8.png" "interlaced.png" "lossless.webp" "lossy.webp"
    "lossy_alpha.webp" "lzw.tiff" "orient6.png" "orient8.tiff" "packbits_big.tiff" "palette1.tiff" "palette2.tiff"
    "palette4.bmp" "palette4.png" "palette4.tiff" "palette8.bmp" "palette8.tiff" "palette8t.png" "progressive.jpg"
    "restart.jpg" "rgb16.png" "rgb24.bmp" "rgb8.png" "rgba16.png" "rgba32.bmp" "rgba8.png" "rgbt.png" "still.gif"
    "white1.tiff" "white2.tiff" "white4.tiff" "ycc.tiff"
}

const WIDTH: u32 = 19;
const HEIGHT: u32 = 13;

fn file(name: &str) -> &'static [u8] {
    FIXTURES.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("no {name}")).1
}

/// The colours that the files were made from.
fn rgb(x: u32, y: u32) -> [u8; 3] {
    [(x * 13) as u8, (y * 19) as u8, (x * 7 + y * 11) as u8]
}

fn rgb16(x: u32, y: u32) -> [u32; 3] {
    [x * 3449 % 65_536, y * 5041 % 65_536, (x * 977 + y * 2311) % 65_536]
}

fn palette(n: u32) -> [u8; 3] {
    [(n * 17) as u8, (255 - n * 16) as u8, (n * 40) as u8]
}

/// To the nearest, ties down.
fn narrow(value: u32) -> u8 {
    (f64::from(value) / 257.0 + 0.499).floor() as u8
}

fn opaque([r, g, b]: [u8; 3]) -> [u8; 4] {
    [r, g, b, 255]
}

fn grey(value: u8) -> [u8; 4] {
    [value, value, value, 255]
}

fn check(name: &str, expected: impl Fn(u32, u32) -> [u8; 4]) {
    let image = decode(file(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!((image.width(), image.height()), (WIDTH, HEIGHT), "{name}");
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            assert_eq!(image.pixel(x, y), expected(x, y), "{name} at {x}, {y}");
        }
    }
}

#[test]
fn colours_of_eight_bits_are_exact() {
    for name in ["rgb8.png", "animated.png", "lzw.tiff", "packbits_big.tiff", "rgb24.bmp"] {
        check(name, |x, y| opaque(rgb(x, y)));
    }
    let with_alpha = |x, y| {
        let [r, g, b] = rgb(x, y);
        [r, g, b, (x * y) as u8]
    };
    for name in ["rgba8.png", "interlaced.png", "deflate_tiled.tiff", "rgba32.bmp"] {
        check(name, with_alpha);
    }
    // Its writer gave up the colours of clear pixels.
    let image = decode(file("lossless.webp")).unwrap();
    for (x, y) in (1..HEIGHT).flat_map(|y| (1..WIDTH).map(move |x| (x, y))) {
        assert!(x * y % 256 == 0 || image.pixel(x, y) == with_alpha(x, y), "{x} {y}");
    }
    let clear = rgb(3, 4);
    check("rgbt.png", |x, y| if rgb(x, y) == clear { [clear[0], clear[1], clear[2], 0] } else { opaque(rgb(x, y)) });
}

#[test]
fn greys_of_every_depth_are_exact() {
    let value = |x: u32, y: u32| (x * 13 + y * 5) as u8;
    check("grey8.png", |x, y| grey(value(x, y)));
    check("greya8.png", |x, y| [value(x, y), value(x, y), value(x, y), (x * y) as u8]);
    for bits in [1_u32, 2, 4] {
        let expected = |x, y| grey(((x + y) % (1 << bits) * 255 / ((1 << bits) - 1)) as u8);
        for name in ["grey#.png", "grey#.tiff", "white#.tiff"] {
            check(&name.replace('#', &bits.to_string()), expected);
        }
    }
}

#[test]
fn palettes_are_looked_up() {
    for (name, colours) in [
        ("palette4.png", 16),
        ("palette4.bmp", 16),
        ("palette8.bmp", 16),
        ("palette1.tiff", 2),
        ("palette2.tiff", 4),
        ("palette4.tiff", 16),
        ("palette8.tiff", 16),
    ] {
        check(name, |x, y| opaque(palette((x + y * 3) % colours)));
    }
    check("palette8t.png", |x, y| {
        let number = (x + y * 3) % 16;
        let [r, g, b] = palette(number);
        [r, g, b, *[0, 128, 255, 40].get(number as usize).unwrap_or(&255)]
    });
}

#[test]
fn deep_samples_are_rounded() {
    check("rgb16.png", |x, y| opaque(rgb16(x, y).map(narrow)));
    check("rgba16.png", |x, y| {
        let [r, g, b] = rgb16(x, y).map(narrow);
        [r, g, b, narrow(x * y * 293 % 65_536)]
    });
    for name in ["grey16.png", "grey16.tiff"] {
        check(name, |x, y| grey(narrow(rgb16(x, y)[0] ^ y)));
    }
    check("float.tiff", |x, y| {
        opaque(rgb(x, y).map(|value| ((f64::from(value) / 255.0 * 1.1 - 0.05).clamp(0.0, 1.0) * 255.0).round() as u8))
    });
}

#[test]
fn associated_alpha_is_divided_out() {
    check("associated.tiff", |x, y| {
        let alpha = x * y;
        let [r, g, b] = rgb(x, y).map(|value| {
            let multiplied = (u32::from(value) * alpha + 127) / 255;
            (multiplied * 255 + alpha / 2).checked_div(alpha).map_or(0, |value| value.min(255) as u8)
        });
        [r, g, b, alpha as u8]
    });
}

#[test]
fn pictures_are_turned_upright() {
    let turned = decode(file("orient6.png")).unwrap();
    assert_eq!((turned.width(), turned.height()), (HEIGHT, WIDTH));
    for (x, y) in (0..HEIGHT).flat_map(|x| (0..WIDTH).map(move |y| (x, y))) {
        assert_eq!(turned.pixel(x, y), opaque(rgb(y, HEIGHT - 1 - x)));
    }
    let turned = decode(file("orient8.tiff")).unwrap();
    assert_eq!(turned.pixel(0, 0), opaque(rgb(WIDTH - 1, 0)));
    for name in ["orient6.png", "orient8.tiff"] {
        assert_eq!(probe(file(name)).0.size, Some((HEIGHT, WIDTH)), "{name}");
    }
}

/// A JPEG whose header says that it lies on its side, with a profile: colours come first.
#[test]
fn colour_comes_before_orientation() {
    let plain = file("420.jpg");
    let profile = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    let mut bytes = plain[..2].to_vec();
    let mut segment = |marker: u8, content: &[u8]| {
        bytes.extend([0xff, marker]);
        bytes.extend((content.len() as u16 + 2).to_be_bytes());
        bytes.extend(content);
    };
    segment(0xe1, b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0");
    segment(0xe2, &[b"ICC_PROFILE\0\x01\x01", profile.as_slice()].concat());
    bytes.extend(&plain[2..]);
    let (before, after) = (decode(plain).unwrap(), decode(&bytes).unwrap());
    assert_eq!((after.width(), after.height()), (HEIGHT, WIDTH));
    assert_eq!(probe(&bytes).0.size, Some((HEIGHT, WIDTH)));
    let profile = crate::media::icc::Profile::read(&profile, crate::media::icc::Model::Rgb).unwrap();
    let converter = crate::media::icc::Converter::new(&profile, 255);
    for (x, y) in (0..HEIGHT).flat_map(|x| (0..WIDTH).map(move |y| (x, y))) {
        let [r, g, b, _] = before.pixel(y, HEIGHT - 1 - x);
        assert_eq!(after.pixel(x, y), opaque(converter.rgb([r, g, b].map(u32::from))));
    }
}

#[test]
fn facts_are_found_in_headers() {
    for (name, bytes) in FIXTURES {
        let (facts, error) = probe(bytes);
        let is_unknown = *name == "ycc.tiff";
        assert_eq!(error.is_some(), is_unknown, "{name}: {error:?}");
        assert_eq!(facts.size.is_none(), is_unknown, "{name}");
        assert_eq!(facts.animated, name.starts_with("animated"), "{name}");
        assert!(codec::decoder(facts.media_type).is_some(), "{name}");
    }
}

#[test]
fn what_cannot_be_decoded_says_so() {
    assert_eq!(decode(b"once upon a time").unwrap_err().to_string(), "this is no picture but text");
    assert_eq!(probe(b"once upon a time").1, None);
    let avif = b"\0\0\0\x18ftypavif\0\0\0\0mif1avif";
    let says = "AVIF pictures cannot be decoded; convert it to PNG first";
    assert_eq!(decode(avif).unwrap_err().to_string(), says);
    assert_eq!(probe(avif).1.unwrap().to_string(), says);
    let unknown = decode(file("ycc.tiff")).unwrap_err();
    assert!(matches!(unknown, DecodeError::UnknownKind { .. }), "{unknown}");
    assert!(unknown.to_string().ends_with("; convert it to PNG first"), "{unknown}");
}

/// The sizes are refused from the header; nothing of that size is ever allocated.
#[test]
fn huge_claims_are_refused() {
    let mut png = file("rgb8.png").to_vec();
    png[16..24].copy_from_slice(&[0, 0, 0xc3, 0x50, 0, 0, 0xc3, 0x50]);
    let crc = crc(&png[12..29]);
    png[29..33].copy_from_slice(&crc.to_be_bytes());
    let mut tiff = file("orient8.tiff").to_vec();
    resize_tiff(&mut tiff, 50_000);
    let mut bmp = file("rgb24.bmp").to_vec();
    bmp[18..22].copy_from_slice(&50_000_u32.to_le_bytes());
    bmp[22..26].copy_from_slice(&50_000_u32.to_le_bytes());
    let mut gif = file("still.gif").to_vec();
    gif[6..10].copy_from_slice(&[0x50, 0xc3, 0x50, 0xc3]);
    for bytes in [png, tiff, bmp, gif] {
        let error = DecodeError::TooLarge { width: 50_000, height: 50_000 };
        assert_eq!(decode(&bytes).unwrap_err(), error);
        let (facts, found) = probe(&bytes);
        assert_eq!((facts.size, facts.animated, found), (None, false, Some(error)));
    }
}

/// Writes other sizes into width, height and rows of a strip: the first, second and ninth entry.
fn resize_tiff(bytes: &mut [u8], side: u16) {
    for (at, before) in [(18, WIDTH), (30, HEIGHT), (114, HEIGHT)] {
        assert_eq!(bytes[at..at + 2], (before as u16).to_be_bytes());
        bytes[at..at + 2].copy_from_slice(&side.to_be_bytes());
    }
}

/// The checksum of a PNG's chunk.
fn crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    };
    !bytes.iter().fold(!0, step)
}

/// Within the limits, but not in the file.
#[test]
fn lying_headers_fail_early() {
    let mut tiff = file("orient8.tiff").to_vec();
    resize_tiff(&mut tiff, 16_000);
    assert_eq!(probe(&tiff).0.size, Some((16_000, 16_000)));
    assert!(matches!(decode(&tiff), Err(DecodeError::Damaged { .. })));
    let mut png = file("rgb8.png").to_vec();
    png[16..24].copy_from_slice(&[0, 0, 0x3e, 0x80, 0, 0, 0x3e, 0x80]);
    let crc = crc(&png[12..29]);
    png[29..33].copy_from_slice(&crc.to_be_bytes());
    assert!(matches!(decode(&png), Err(DecodeError::Damaged { .. })));
}

#[test]
fn ten_thousand_frames_are_only_counted_to_two() {
    let still = file("still.gif");
    let picture = still.len() - 1 - still.iter().rev().skip(1).position(|byte| *byte == 0x2c).unwrap_or(0) - 1;
    let mut bytes = still[..still.len() - 1].to_vec();
    for _ in 0..10_000 {
        bytes.extend(&still[picture..still.len() - 1]);
    }
    bytes.push(0x3b);
    let (facts, error) = probe(&bytes);
    assert_eq!((facts.size, facts.animated, error), (Some((WIDTH, HEIGHT)), true, None));
    assert!(decode(&bytes).unwrap() == decode(still).unwrap());
}

#[test]
fn what_ends_early_is_damaged() {
    for (name, bytes) in FIXTURES {
        let is_animated = name.starts_with("animated");
        for length in (0..bytes.len()).step_by(1 + bytes.len() / 60) {
            let (_, error) = probe(&bytes[..length]);
            let decoded = decode(&bytes[..length]);
            assert!(error.is_none() || decoded.is_err(), "{name} of {length} bytes: {error:?}");
            // The first frame may be whole, or the missing part without meaning.
            let may_do = is_animated || length * 10 > bytes.len() * 8;
            assert!(may_do || decoded.is_err(), "{name} of {length} bytes");
        }
    }
}

#[test]
fn damage_never_panics() {
    let mut state = 0x1357_9bdf_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize
    };
    for (_, bytes) in FIXTURES {
        for round in 0..400 {
            let mut damaged = bytes.to_vec();
            // Half of the time in the header, where it does most.
            let within = if round % 2 == 0 { damaged.len().min(160) } else { damaged.len() };
            for _ in 0..=round % 4 {
                let at = next() % within;
                damaged[at] = if round % 3 == 0 { damaged[at] ^ 1 << (next() % 8) } else { next() as u8 };
            }
            let (facts, _) = probe(&damaged);
            // Whole pictures of that size are slow to fill, and nothing new.
            if facts.size.is_some_and(|(width, height)| width * height <= 1 << 20) {
                decode(&damaged).ok();
            }
            decode_stored(&damaged).ok();
        }
    }
}

#[test]
fn only_the_stored_form_is_read_as_stored() {
    assert!(decode_stored(file("rgba8.png")).unwrap() == decode(file("rgba8.png")).unwrap());
    for name in ["rgb8.png", "rgba16.png", "interlaced.png", "420.jpg", "palette4.png"] {
        assert!(matches!(decode_stored(file(name)), Err(DecodeError::NotStored { .. })), "{name}");
    }
    let whole = file("rgba8.png");
    assert!(matches!(decode_stored(&whole[..whole.len() / 2]), Err(DecodeError::NotStored { .. })));
}

/// If one of these fails, decoding makes other bits: raise the version of that decoder in
/// `media::codec`, then replace the hash.
#[test]
fn golden_pictures() {
    let golden = [
        ("bmp", "681d3a9a80477621"),
        ("gif", "a64ed70ecc39af1f"),
        ("jpg", "94afcb8da6fb0be3"),
        ("png", "0119b1be9c08d28f"),
        ("tiff", "70d6ed9977ae32b3"),
        ("webp", "fe88230c6d51a901"),
    ];
    let now = golden.map(|(extension, _)| {
        let mut hasher = blake3::Hasher::new();
        for (_, bytes) in FIXTURES.iter().filter(|(name, _)| name.ends_with(extension)) {
            if let Ok(image) = decode(bytes) {
                hasher.update(image.pixels());
            }
        }
        (extension, hasher.finalize().to_hex()[..16].to_owned())
    });
    assert_eq!(now.each_ref().map(|(extension, hash)| (*extension, hash.as_str())), golden);
}
