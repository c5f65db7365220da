//! A file opened for decoding: its header read and checked, its pixels not yet touched.

use std::borrow::Cow;
use std::io::Cursor;

use image::codecs::{bmp, gif, jpeg as jpeg_codec, png as png_codec, tiff as tiff_codec, webp};
use image::metadata::Orientation;
use image::{ColorType, ImageDecoder, ImageResult, Limits};

use crate::base::limits;
use crate::media::codec;
use crate::media::decode::raw::{Depth, Layout, Raw};
use crate::media::decode::{DecodeError, jpeg, orient, tiff};
use crate::media::icc::Profile;
use crate::media::image::{CHANNELS, Image, size_is_allowed};
use crate::media::sniff::MediaType;

/// Bytes that the texts and the profile of a PNG may take, which are unpacked with its header.
const PNG_BYTES: u64 = 4 * limits::ICC_BYTES as u64;

/// A picture whose header has been read.
pub(in crate::media) struct Source<'a> {
    media_type: MediaType,
    bytes: &'a [u8],
    decoder: Box<dyn ImageDecoder + 'a>,
    packed: Option<tiff::Packed>,
    orientation: Orientation,
}

impl<'a> Source<'a> {
    /// Opens a file of this type. Its size is within the limits then.
    pub(in crate::media) fn open(media_type: MediaType, bytes: &'a [u8]) -> Result<Self, DecodeError> {
        Self::open_part(media_type, bytes, bytes)
    }

    /// Opens a file to look at its header alone; [`read`](Self::read) may find less than it needs.
    pub(in crate::media) fn open_header(media_type: MediaType, bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let part = if media_type == MediaType::Jpeg { jpeg::header(bytes) } else { bytes };
        Self::open_part(media_type, bytes, part)
    }

    fn open_part(media_type: MediaType, bytes: &'a [u8], part: &'a [u8]) -> Result<Self, DecodeError> {
        if codec::decoder(media_type).is_none() {
            return Err(if media_type.is_picture() {
                DecodeError::UnknownFormat(media_type)
            } else {
                DecodeError::NotAPicture(media_type)
            });
        }
        let (decoder, packed) = match media_type {
            MediaType::Tiff => {
                let (rewritten, packed) = tiff::open(part)?;
                (tiff_codec::TiffDecoder::new(rewritten).map(boxed), packed)
            }
            _ => (decoder(media_type, part), None),
        };
        let decoder = decoder.map_err(|error| DecodeError::of_decoder(media_type, error))?;
        let is_as_rewritten = |packed: &tiff::Packed| {
            decoder.dimensions().0 == packed.row_bytes() && decoder.color_type() == ColorType::L8
        };
        if !packed.as_ref().is_none_or(is_as_rewritten) {
            return Err(DecodeError::damaged(media_type, "its directory contradicts itself"));
        }
        let mut source = Self { media_type, bytes, decoder, packed, orientation: Orientation::NoTransforms };
        let (width, height) = source.size();
        if width == 0 || height == 0 {
            return Err(DecodeError::damaged(media_type, "it has no pixels"));
        }
        if !size_is_allowed(width.into(), height.into()) {
            return Err(DecodeError::TooLarge { width: width.into(), height: height.into() });
        }
        source.orientation = source.read_orientation();
        Ok(source)
    }

    /// Width and height as stored.
    fn size(&self) -> (u32, u32) {
        let (width, height) = self.decoder.dimensions();
        (self.packed.as_ref().map_or(width, tiff::Packed::width), height)
    }

    /// Width and height as it is to be seen.
    pub(in crate::media) fn upright_size(&self) -> (u32, u32) {
        orient::upright_size(self.orientation, self.size())
    }

    /// A broken EXIF block says nothing.
    fn read_orientation(&mut self) -> Orientation {
        let found = self.decoder.orientation().unwrap_or(Orientation::NoTransforms);
        if self.media_type != MediaType::Webp || found != Orientation::NoTransforms {
            return found;
        }
        // Some programs put JPEG's prefix in front of the block.
        let exif = self.decoder.exif_metadata().ok().flatten().unwrap_or_default();
        let block = exif.strip_prefix(b"Exif\0\0").unwrap_or(&exif);
        Orientation::from_exif_chunk(block).unwrap_or(Orientation::NoTransforms)
    }

    /// Decodes the pixels and makes a picture of them.
    pub(in crate::media) fn read(mut self) -> Result<Image, DecodeError> {
        // Their decoders make up what is missing.
        let is_whole = match self.media_type {
            MediaType::Jpeg => jpeg::has_end(self.bytes),
            MediaType::Webp => riff_is_whole(self.bytes),
            _ => true,
        };
        if !is_whole {
            return Err(DecodeError::damaged(self.media_type, "it ends early"));
        }
        let profile = self.profile();
        let orientation = self.orientation;
        let raw = self.samples()?;
        let profile = profile.and_then(|bytes| Profile::read(&bytes, raw.layout.model()));
        Ok(orient::upright(orientation, raw.into_image(profile.as_ref())))
    }

    /// How it must be turned.
    pub(super) const fn orientation(&self) -> Orientation {
        self.orientation
    }

    /// The embedded profile; one that cannot be read is none.
    pub(super) fn profile(&mut self) -> Option<Cow<'a, [u8]>> {
        let profile = match self.media_type {
            MediaType::Tiff => tiff::profile(self.bytes).map(Cow::Borrowed),
            _ => self.decoder.icc_profile().ok().flatten().map(Cow::Owned),
        };
        profile.filter(|bytes| bytes.len() <= limits::ICC_BYTES)
    }

    fn samples(mut self) -> Result<Raw, DecodeError> {
        let media_type = self.media_type;
        let failed = |error| DecodeError::of_decoder(media_type, error);
        let color_type = self.decoder.color_type();
        let Some((layout, depth)) = arrangement(color_type) else {
            return Err(DecodeError::UnknownKind { media_type, what: format!("{color_type:?} samples") });
        };
        let (width, height) = self.decoder.dimensions();
        let size = self.decoder.total_bytes();
        let picture = u64::from(width) * u64::from(height) * CHANNELS as u64;
        let left =
            (limits::DECODER_BYTES + picture).checked_sub(size).ok_or(DecodeError::TooMuchMemory { media_type })?;
        self.decoder.set_limits(allocations(left)).map_err(failed)?;
        let mut bytes = vec![0; size as usize];
        self.decoder.read_image(&mut bytes).map_err(failed)?;
        let associated = media_type == MediaType::Tiff && tiff::is_associated(self.bytes);
        let raw = Raw { width, height, layout, depth, associated, bytes };
        Ok(match self.packed {
            Some(packed) => packed.unpack(&raw),
            None => raw,
        })
    }
}

/// Is a file as long as its header says?
pub(super) fn riff_is_whole(bytes: &[u8]) -> bool {
    let size = bytes.get(4..8).and_then(|size| size.first_chunk()).map(|size| u32::from_le_bytes(*size));
    size.is_some_and(|size| bytes.len() as u64 >= 8 + u64::from(size))
}

fn arrangement(color_type: ColorType) -> Option<(Layout, Depth)> {
    match color_type {
        ColorType::L8 => Some((Layout::Grey, Depth::Eight)),
        ColorType::La8 => Some((Layout::GreyAlpha, Depth::Eight)),
        ColorType::Rgb8 => Some((Layout::Rgb, Depth::Eight)),
        ColorType::Rgba8 => Some((Layout::Rgba, Depth::Eight)),
        ColorType::L16 => Some((Layout::Grey, Depth::Sixteen)),
        ColorType::La16 => Some((Layout::GreyAlpha, Depth::Sixteen)),
        ColorType::Rgb16 => Some((Layout::Rgb, Depth::Sixteen)),
        ColorType::Rgba16 => Some((Layout::Rgba, Depth::Sixteen)),
        ColorType::Rgb32F => Some((Layout::Rgb, Depth::Float)),
        ColorType::Rgba32F => Some((Layout::Rgba, Depth::Float)),
        _ => None,
    }
}

/// Sizes are checked before: a decoder's own limit could not say what the size was.
fn allocations(bytes: u64) -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(bytes);
    limits
}

/// The header, read by the decoder of any format but TIFF.
fn decoder(media_type: MediaType, bytes: &[u8]) -> ImageResult<Box<dyn ImageDecoder + '_>> {
    let input = Cursor::new(bytes);
    match media_type {
        MediaType::Png => png_codec::PngDecoder::with_limits(input, allocations(PNG_BYTES)).map(boxed),
        MediaType::Jpeg => jpeg_codec::JpegDecoder::new(input).map(boxed),
        MediaType::Gif => gif::GifDecoder::new(input).map(boxed),
        MediaType::Webp => webp::WebPDecoder::new(input).map(boxed),
        MediaType::Bmp => bmp::BmpDecoder::new(input).map(boxed),
        other => unreachable!("BUG: {other} has a codec but no decoder"),
    }
}

fn boxed<'a>(decoder: impl ImageDecoder + 'a) -> Box<dyn ImageDecoder + 'a> {
    Box::new(decoder)
}
