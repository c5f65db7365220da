//! The one form of a picture between nodes.

use crate::base::limits;

/// A decoded picture: 8-bit RGBA, sRGB, straight alpha, upright, rows from the top without
/// padding; at least one pixel, at most [`limits::IMAGE_PIXELS`].
#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

/// Bytes of a pixel.
pub const CHANNELS: usize = 4;

impl Image {
    /// A picture from its pixels, `width · height · 4` bytes.
    pub fn new(width: u32, height: u32, pixels: Vec<u8>) -> Self {
        let expected = width as usize * height as usize * CHANNELS;
        assert!(expected > 0 && pixels.len() == expected, "BUG: {width}x{height} picture of {} bytes", pixels.len());
        Self { width, height, pixels }
    }

    /// A picture of one colour.
    pub fn filled(width: u32, height: u32, rgba: [u8; 4]) -> Self {
        Self::new(width, height, rgba.repeat(width as usize * height as usize))
    }

    /// Width in pixels.
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels.
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// Its bytes: RGBA, row by row.
    pub fn into_pixels(self) -> Vec<u8> {
        self.pixels
    }

    /// The bytes, RGBA, row by row.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The bytes, to be changed in place.
    pub fn pixels_mut(&mut self) -> &mut [u8] {
        &mut self.pixels
    }

    /// Bytes of a row.
    pub const fn stride(&self) -> usize {
        self.width as usize * CHANNELS
    }

    /// The pixel at column `x`, row `y`.
    pub fn pixel(&self, x: u32, y: u32) -> [u8; 4] {
        let at = y as usize * self.stride() + x as usize * CHANNELS;
        [self.pixels[at], self.pixels[at + 1], self.pixels[at + 2], self.pixels[at + 3]]
    }

    /// Is every pixel opaque?
    pub fn is_opaque(&self) -> bool {
        self.pixels.chunks_exact(CHANNELS).all(|p| p[3] == 255)
    }
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Image({}x{})", self.width, self.height)
    }
}

/// May a picture be this large?
pub fn size_is_allowed(width: u64, height: u64) -> bool {
    let side = u64::from(limits::IMAGE_SIDE);
    (1..=side).contains(&width) && (1..=side).contains(&height) && width * height <= limits::IMAGE_PIXELS
}
