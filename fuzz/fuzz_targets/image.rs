//! Any bytes as a file: what it is, what a look at its header says, and its pixels agree; no
//! panic, and no memory before the size is known.

#![no_main]

use artdag::media::decode::{decode, decode_stored};
use artdag::media::encode::encode_stored;
use artdag::media::probe::probe;
use artdag::media::sniff::sniff;
use libfuzzer_sys::fuzz_target;

/// Pixels that are decoded: more cost time and memory, and show nothing new.
const PIXELS: u64 = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    let media_type = sniff(bytes);
    let (facts, error) = probe(bytes);
    assert_eq!(facts.media_type, media_type);
    assert!(facts.size.is_none() || error.is_none());
    assert!(error.is_none_or(|error| !error.to_string().is_empty()));
    let pixels = facts.size.map(|(width, height)| u64::from(width) * u64::from(height));
    if pixels.is_none_or(|pixels| pixels <= PIXELS) {
        match decode(bytes) {
            Ok(image) => {
                assert_eq!(facts.size, Some((image.width(), image.height())));
                let again = decode_stored(&encode_stored(&image)).expect("a stored picture can be read");
                assert!(again == image);
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    // A PNG's width and height stand at a fixed place.
    let side = |at: usize| bytes.get(at..at + 4).and_then(<[u8]>::first_chunk).map(|side| u32::from_be_bytes(*side));
    if let (Some(width), Some(height)) = (side(16), side(20))
        && u64::from(width) * u64::from(height) <= PIXELS
        && let Ok(image) = decode_stored(bytes)
    {
        assert_eq!((image.width(), image.height()), (width, height));
    }
});
