//! GIF: at most 256 colours, which the `image` crate chooses with Dekker's neural network
//! (Network 5, 1994) if the picture has more.

use image::codecs::gif::GifEncoder;
use image::{Frame, RgbaImage};

use crate::media::encode::colours;
use crate::media::image::Image;

/// Of how many pixels the network looks at one, from 1 to 30. The choice of colours depends
/// on it and on nothing else.
const SPEED: i32 = 10;

/// The file of a picture. Alpha of 128 and more is opaque, less is nothing.
pub(super) fn encode(image: &Image) -> Result<Vec<u8>, String> {
    let pixels = colours::packed(image, |[r, g, b, a]| if a >= 128 { [r, g, b, 255] } else { [0; 4] });
    let Some(pixels) = RgbaImage::from_raw(image.width(), image.height(), pixels) else {
        return Err("the picture has another size than its pixels".to_owned());
    };
    let mut bytes = Vec::new();
    GifEncoder::new_with_speed(&mut bytes, SPEED)
        .encode_frame(Frame::new(pixels))
        .map_err(|error| error.to_string())?;
    Ok(bytes)
}
