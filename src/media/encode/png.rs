//! PNG: outputs as small as quickly can be, and the stored form of kept pictures as quickly as
//! can be.

use png::{BitDepth, ColorType, DeflateCompression, Encoder, EncodingError, Filter};

use crate::media::encode::colours;
use crate::media::image::Image;

/// How rows are compressed.
#[derive(Debug, Clone, Copy)]
struct Method {
    deflate: DeflateCompression,
    filter: Filter,
}

/// Good for whatever has noise or gradients: one pass that looks for nothing but runs.
const PHOTO: Method = Method { deflate: DeflateCompression::FdeflateUltraFast, filter: Filter::Adaptive };
/// Good for what repeats itself, such as line drawings and flat colours.
const DRAWING: Method = Method { deflate: DeflateCompression::Level(1), filter: Filter::NoFilter };
/// For kept pictures. A fixed filter compresses nearly as well as the choice of one, and more quickly.
const STORED: Method = Method { deflate: DeflateCompression::FdeflateUltraFast, filter: Filter::Sub };

/// Bands of rows that are tried to see which method is the better one.
const SAMPLE_BANDS: usize = 8;
/// Rows of such a band.
const SAMPLE_ROWS: usize = 16;

/// The file of a picture, with as few channels as it needs.
pub(super) fn encode(image: &Image) -> Result<Vec<u8>, String> {
    let (is_grey, is_opaque) = (colours::is_grey(image), colours::is_opaque(image));
    let (color_type, packed) = match (is_grey, is_opaque) {
        (true, true) => (ColorType::Grayscale, colours::packed(image, |[v, ..]| [v])),
        (true, false) => (ColorType::GrayscaleAlpha, colours::packed(image, |[v, _, _, a]| [v, a])),
        (false, true) => (ColorType::Rgb, colours::rgb(image)),
        (false, false) => (ColorType::Rgba, Vec::new()),
    };
    let samples = if packed.is_empty() { image.pixels() } else { &packed };
    let picture = Samples { width: image.width(), color_type, bytes: samples };
    picture.written(picture.method()).map_err(|error| error.to_string())
}

/// The stored form of a kept picture: an 8-bit RGBA PNG, written for speed.
pub fn encode_stored(image: &Image) -> Vec<u8> {
    let picture = Samples { width: image.width(), color_type: ColorType::Rgba, bytes: image.pixels() };
    picture.written(STORED).unwrap_or_else(|error| panic!("BUG: a picture has no stored form: {error}"))
}

/// Rows of samples, as PNG has them.
#[derive(Clone, Copy)]
struct Samples<'a> {
    width: u32,
    color_type: ColorType,
    bytes: &'a [u8],
}

impl Samples<'_> {
    fn stride(&self) -> usize {
        self.width as usize * self.color_type.samples()
    }

    fn written(&self, method: Method) -> Result<Vec<u8>, EncodingError> {
        let mut bytes = Vec::new();
        let height = (self.bytes.len() / self.stride()) as u32;
        let mut encoder = Encoder::new(&mut bytes, self.width, height);
        encoder.set_color(self.color_type);
        encoder.set_depth(BitDepth::Eight);
        encoder.set_deflate_compression(method.deflate);
        encoder.set_filter(method.filter);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(self.bytes)?;
        writer.finish()?;
        Ok(bytes)
    }

    /// The method that makes less of some bands of the picture. Searching for repetitions costs
    /// time, and must be worth it.
    fn method(&self) -> Method {
        let band = SAMPLE_ROWS * self.stride();
        let bands: Vec<&[u8]> = self.bytes.chunks(band).collect();
        let step = bands.len().div_ceil(SAMPLE_BANDS);
        let sample: Vec<u8> = bands.iter().skip(step / 2).step_by(step).flat_map(|band| band.iter().copied()).collect();
        let sample = Samples { bytes: &sample, ..*self };
        let size = |method| sample.written(method).map_or(usize::MAX, |bytes| bytes.len());
        let (photo, drawing) = rayon::join(|| size(PHOTO), || size(DRAWING));
        if drawing < photo - photo / 4 { DRAWING } else { PHOTO }
    }
}
