//! Odd pictures through a whole run: each a clear error or a right result.

use artdag::media::decode::decode;
use artdag::media::encode::{Format, encode};

use crate::support::{Home, picture};

#[test]
fn s16_bombs_are_refused_before_they_are_decoded() {
    let home = Home::new();
    // A PNG that says it has 50,000 × 50,000 pixels, and a BMP that lies about 60,000 × 60,000.
    let mut png = encode(&picture(2, 2, 1, true), Format::Png, None).unwrap();
    png[16..20].copy_from_slice(&50_000_u32.to_be_bytes());
    png[20..24].copy_from_slice(&50_000_u32.to_be_bytes());
    let crc = crc32(&png[12..29]);
    png[29..33].copy_from_slice(&crc.to_be_bytes());
    let mut bmp = encode(&picture(2, 2, 1, true), Format::Bmp, None).unwrap();
    bmp[18..22].copy_from_slice(&60_000_u32.to_le_bytes());
    bmp[22..26].copy_from_slice(&60_000_u32.to_le_bytes());
    for (name, bytes) in [("bomb.png", png), ("bomb.bmp", bmp)] {
        home.write(name, bytes);
        let ran = home.run(&["render", "dog", name, "--sync"]);
        assert_eq!(ran.code, 3, "{name}: {}", ran.err);
        assert!(ran.err.contains("pixels") || ran.err.contains("large"), "{name}: {}", ran.err);
    }
}

/// CRC-32 of PNG (ISO 3309), bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

#[test]
fn the_same_picture_in_any_lossless_file_gives_the_same_drawing() {
    let home = Home::new();
    let image = picture(64, 48, 3, true);
    let mut outputs = Vec::new();
    for format in [Format::Png, Format::Webp, Format::Tiff, Format::Bmp] {
        let name = format!("in.{}", format.extension());
        home.write(&name, encode(&image, format, None).unwrap());
        let path = home.ok(&["render", "dog", &name, "--sync"]);
        outputs.push(decode(&std::fs::read(path).unwrap()).unwrap());
    }
    assert!(outputs.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn what_is_no_picture_is_refused_with_what_it_is() {
    let home = Home::new();
    for (name, bytes, says) in [
        ("page.html", &b"<!doctype html><p>hello"[..], "text/html"),
        ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "svg"),
        ("empty.png", b"", "image"),
        ("list.m3u8", b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n/etc/passwd\n", "image"),
    ] {
        home.write(name, bytes);
        let ran = home.run(&["render", "dog", name, "--sync"]);
        assert_eq!(ran.code, 3, "{name}: {}", ran.err);
        assert!(ran.err.contains(says), "{name}: {}", ran.err);
    }
}

#[test]
fn the_checks_of_a_resize_reach_from_config_to_pixels() {
    let home = Home::new();
    home.write("in.png", encode(&picture(40, 20, 4, true), Format::Png, None).unwrap());
    let yaml = |mode: &str| {
        format!(
            "name: r\ndag:\n  nodes:\n    - {{id: s, type: SOURCE, config: {{input: true}}}}\n    - {{id: r, type: RESIZE, config: {{width: 30, height: 30, mode: {mode}, background: red}}, inputs: [s]}}\n  output: r\n"
        )
    };
    for (mode, top) in [("fit", true), ("pad", true), ("fill", false), ("stretch", false)] {
        home.write("r.yaml", yaml(mode));
        let path = home.ok(&["run", "r.yaml", "-i", "s=in.png"]);
        let image = decode(&std::fs::read(path).unwrap()).unwrap();
        assert_eq!((image.width(), image.height()), (30, 30), "{mode}");
        assert_eq!(image.pixel(15, 0) == [255, 0, 0, 255], top, "{mode}");
    }
}
