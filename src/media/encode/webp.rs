//! WebP: lossless through the `image` crate, which is quick and computes with integers alone;
//! lossy by libwebp.

use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder};
use webp::{Encoder, WebPConfig};

use crate::media::encode::colours;
use crate::media::image::Image;

/// How hard libwebp tries, from 0 to 6. Beyond this files hardly shrink, and take twice the time.
const METHOD: i32 = 2;

/// The file of a picture, without loss, also of colours under full transparency.
pub(super) fn lossless(image: &Image) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let encoder = WebPEncoder::new_lossless(&mut bytes);
    let (width, height) = (image.width(), image.height());
    let written = if colours::is_opaque(image) {
        encoder.write_image(&colours::rgb(image), width, height, ExtendedColorType::Rgb8)
    } else {
        encoder.write_image(image.pixels(), width, height, ExtendedColorType::Rgba8)
    };
    written.map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// The file of a picture with loss, at a quality from 1 to 100. Alpha is kept without loss.
pub(super) fn lossy(image: &Image, quality: u8) -> Result<Vec<u8>, String> {
    let mut config = WebPConfig::new().map_err(|()| "it is another version than was built".to_owned())?;
    config.quality = f32::from(quality);
    config.method = METHOD;
    let encoded = Encoder::from_rgba(image.pixels(), image.width(), image.height()).encode_advanced(&config);
    encoded.map(|bytes| bytes.to_vec()).map_err(|error| format!("{error:?}"))
}
