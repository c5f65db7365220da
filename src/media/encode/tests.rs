//! What comes back, and that the same bytes come out.

use super::*;
use crate::media::decode::{decode, decode_stored};
use crate::media::{Kind, sniff};

/// Gradients, edges, noise and, where asked for, every kind of alpha; from integers alone.
fn picture(width: u32, height: u32, with_alpha: bool) -> Image {
    let mut noise = 0x2545_f491_u32;
    let mut pixels = Vec::new();
    for y in 0..height {
        for x in 0..width {
            noise ^= noise << 13;
            noise ^= noise >> 17;
            noise ^= noise << 5;
            let edge = if (x / 11 + y / 7) % 2 == 0 { 60 } else { 0 };
            let alpha = match (x + y) % 16 {
                0 => 0,
                1..=3 => (noise >> 24) as u8,
                _ => 255,
            };
            let grain = (noise >> 8) as u8 % 8;
            let rgb = [(x * 190 / width) as u8 + grain, (y * 180 / height) as u8 + edge, 40 + edge + grain];
            pixels.extend([rgb[0], rgb[1], rgb[2], if with_alpha { alpha } else { 255 }]);
        }
    }
    Image::new(width, height, pixels)
}

/// Mean squared error of the colours.
fn error(a: &Image, b: &Image) -> f64 {
    let squares = a.pixels().iter().zip(b.pixels()).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2));
    squares.sum::<f64>() / (a.pixels().len() / 4 * 3) as f64
}

fn cases() -> Vec<(Format, Option<u8>)> {
    let mut cases: Vec<_> =
        Format::ALL.iter().filter(|format| format.holds(Kind::Image)).map(|format| (*format, None)).collect();
    cases.extend([(Format::Jpeg, Some(75)), (Format::Jpeg, Some(1)), (Format::Webp, Some(80))]);
    cases
}

#[test]
fn lossless_formats_come_back() {
    let (opaque, clear) = (picture(61, 47, false), picture(61, 47, true));
    for format in [Format::Png, Format::Webp, Format::Tiff] {
        for image in [&opaque, &clear, &Image::filled(1, 1, [1, 2, 3, 4]), &picture(1, 300, true)] {
            assert!(decode(&encode(image, format, None).unwrap()).unwrap() == *image, "{format:?} {image:?}");
        }
    }
    assert!(decode(&encode(&opaque, Format::Bmp, None).unwrap()).unwrap() == opaque);
    let black = decode(&encode(&clear, Format::Bmp, None).unwrap()).unwrap();
    assert!(black == *colours::over_black(&clear));
    for image in [opaque, clear, picture(1000, 700, true)] {
        assert!(decode_stored(&encode_stored(&image)).unwrap() == image);
    }
}

#[test]
fn every_channel_layout_of_png_comes_back() {
    let grey = |a| Image::new(3, 1, vec![0, 0, 0, a, 128, 128, 128, 255, 255, 255, 255, a]);
    for image in [grey(255), grey(7), Image::filled(40, 40, [9, 8, 7, 255]), Image::filled(40, 40, [9, 8, 7, 6])] {
        assert!(decode(&encode(&image, Format::Png, None).unwrap()).unwrap() == image);
    }
    let size = |image: &Image| encode(image, Format::Png, None).unwrap().len();
    let noise = picture(200, 200, false);
    let without_colour = Image::new(200, 200, noise.pixels().chunks(4).flat_map(|p| [p[0], p[0], p[0], 255]).collect());
    assert!(size(&without_colour) * 2 < size(&noise));
}

/// Mean squared error of luma, which halved chroma does not touch.
fn luma_error(a: &Image, b: &Image) -> f64 {
    let luma = |p: &[u8]| 0.299 * f64::from(p[0]) + 0.587 * f64::from(p[1]) + 0.114 * f64::from(p[2]);
    let squares = a.pixels().chunks(4).zip(b.pixels().chunks(4)).map(|(a, b)| (luma(a) - luma(b)).powi(2));
    squares.sum::<f64>() / (a.pixels().len() / 4) as f64
}

/// The `image` crate's encoder is the measure: it has the same tables and never halves chroma.
#[test]
fn jpeg_loses_no_more_than_it_must() {
    for (width, height) in [(61, 47), (16, 16), (1, 1), (17, 5), (8, 33), (300, 200)] {
        let image = picture(width, height, false);
        for quality in [100, 90, 89, 75, 30] {
            let mut theirs = Vec::new();
            let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut theirs, quality);
            let rgb = colours::rgb(&image);
            image::ImageEncoder::write_image(encoder, &rgb, width, height, image::ExtendedColorType::Rgb8).unwrap();
            let ours = encode(&image, Format::Jpeg, Some(quality)).unwrap();
            let what = format!("{width}x{height} at {quality}");
            assert!(ours.len() <= theirs.len() * 11 / 10 + 16, "{what}: {} and not {}", ours.len(), theirs.len());
            let (ours, theirs) = (decode(&ours).unwrap(), decode(&theirs).unwrap());
            let (our, their) = (luma_error(&image, &ours), luma_error(&image, &theirs));
            assert!(our <= their * 1.1 + 1.0, "{what}: {our} and not {their}");
            if quality >= 90 {
                let (our, their) = (error(&image, &ours), error(&image, &theirs));
                assert!(our <= their * 1.05 + 1.0, "{what}: {our} and not {their}");
            }
        }
    }
    let grey = Image::new(40, 3, (0..120).flat_map(|n| [n as u8 * 2, n as u8 * 2, n as u8 * 2, 255]).collect());
    let back = decode(&encode(&grey, Format::Jpeg, Some(100)).unwrap()).unwrap();
    assert!(error(&grey, &back) < 1.0);
}

#[test]
fn lossy_webp_comes_close() {
    let image = picture(300, 200, true);
    let back = decode(&encode(&image, Format::Webp, Some(90)).unwrap()).unwrap();
    for (before, after) in image.pixels().chunks(4).zip(back.pixels().chunks(4)) {
        assert_eq!(before[3], after[3]);
    }
    let opaque = picture(300, 200, false);
    let error = error(&opaque, &decode(&encode(&opaque, Format::Webp, Some(90)).unwrap()).unwrap());
    assert!(error < 90.0, "{error}");
}

/// Halved chroma moves nothing: a picture of one colour a unit comes back as it was.
#[test]
fn chroma_stays_in_its_place() {
    let mut image = Image::filled(64, 48, [0, 0, 0, 255]);
    let colours = [[200, 30, 30], [30, 200, 30], [30, 30, 200], [120, 120, 0], [90, 0, 90]];
    for (n, pixel) in image.pixels_mut().as_chunks_mut::<4>().0.iter_mut().enumerate() {
        let unit = n / 64 / 16 * 4 + n % 64 / 16;
        pixel[..3].copy_from_slice(&colours[unit % 5]);
    }
    for quality in [89, 100] {
        let back = decode(&encode(&image, Format::Jpeg, Some(quality)).unwrap()).unwrap();
        for n in 0..12_u32 {
            let (x, y) = (n % 4 * 16 + 8, n / 4 * 16 + 8);
            for (a, b) in image.pixel(x, y).iter().zip(back.pixel(x, y)) {
                assert!(a.abs_diff(b) <= 4, "{quality}: {:?} {:?}", image.pixel(x, y), back.pixel(x, y));
            }
        }
    }
}

#[test]
fn gif_keeps_few_colours_and_clear_pixels() {
    let image = Image::new(4, 1, vec![1, 2, 3, 255, 4, 5, 6, 128, 7, 8, 9, 127, 9, 9, 9, 0]);
    let back = decode(&encode(&image, Format::Gif, None).unwrap()).unwrap();
    assert_eq!(back.pixels()[..8], [1, 2, 3, 255, 4, 5, 6, 255]);
    assert_eq!((back.pixel(2, 0)[3], back.pixel(3, 0)[3]), (0, 0));
    let many = picture(200, 100, true);
    let back = decode(&encode(&many, Format::Gif, None).unwrap()).unwrap();
    for (before, after) in many.pixels().chunks(4).zip(back.pixels().chunks(4)) {
        assert_eq!(after[3], if before[3] >= 128 { 255 } else { 0 });
    }
}

#[test]
fn files_are_what_they_are_called() {
    for (format, quality) in cases() {
        let bytes = encode(&picture(20, 10, true), format, quality).unwrap();
        assert_eq!(sniff::sniff(&bytes), format.media_type());
    }
}

#[test]
fn what_a_format_cannot_is_refused() {
    let long = Image::filled(16_384, 1, [0; 4]);
    assert_eq!(
        encode(&long, Format::Webp, None).unwrap_err().to_string(),
        "a WebP has no side over 16383 pixels, and this picture is 16384x1; scale it down or choose another format"
    );
    assert!(encode(&long, Format::Jpeg, None).is_ok());
    let dot = Image::filled(1, 1, [0; 4]);
    assert_eq!(encode(&dot, Format::Png, Some(80)), Err(EncodeError::NoQuality(Format::Png)));
    assert_eq!(encode(&dot, Format::Jpeg, Some(0)), Err(EncodeError::Quality(0)));
    assert_eq!(encode(&dot, Format::Webp, Some(101)), Err(EncodeError::Quality(101)));
}

fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

#[test]
fn threads_do_not_change_bytes() {
    let image = picture(700, 500, true);
    for (format, quality) in cases() {
        let of = |threads| on_threads(threads, || encode(&image, format, quality).unwrap());
        let one = of(1);
        assert!(one == of(2) && one == of(8) && one == of(1), "{format:?} {quality:?}");
    }
    assert!(on_threads(1, || encode_stored(&image)) == on_threads(8, || encode_stored(&image)));
}

/// If one of these fails, an encoder makes other bytes: raise its version in
/// `media::codec`, then replace the hash.
#[test]
fn golden_files() {
    let golden = [
        ("Png", None, "7e23fa5e11504efb"),
        ("Jpeg", None, "1f50e91bd0a467f3"),
        ("Webp", None, "205e607038c8fe77"),
        ("Gif", None, "d145ccd8ef615d0d"),
        ("Tiff", None, "a48eca91f297108f"),
        ("Bmp", None, "542c596385e994cc"),
        ("Jpeg", Some(75), "66d642c67dcd872c"),
        ("Jpeg", Some(1), "82bb363983311ea5"),
        ("Webp", Some(80), "43c1c5b2ea5c2e4b"),
    ];
    let pictures = [picture(61, 47, false), picture(61, 47, true), Image::filled(300, 200, [7, 7, 7, 255])];
    let hash = |encode: &dyn Fn(&Image) -> Vec<u8>| {
        let mut hasher = blake3::Hasher::new();
        for picture in &pictures {
            hasher.update(&encode(picture));
        }
        hasher.finalize().to_hex()[..16].to_owned()
    };
    let now: Vec<(String, Option<u8>, String)> = cases()
        .into_iter()
        .map(|(format, quality)| {
            (format!("{format:?}"), quality, hash(&|picture| encode(picture, format, quality).unwrap()))
        })
        .collect();
    let golden: Vec<(String, Option<u8>, String)> =
        golden.into_iter().map(|(name, quality, hash)| (name.to_owned(), quality, hash.to_owned())).collect();
    assert_eq!(now, golden);
    assert_eq!(hash(&encode_stored), "45c7add67d5555e9", "the stored form");
}
