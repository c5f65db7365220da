//! Colours: linear light while painting, sRGB in the end.

use std::ops::{Add, Mul};
use std::sync::LazyLock;

/// A colour in linear light; 1 is the white of the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Colour(pub(super) [f32; 3]);

impl Add for Colour {
    type Output = Self;
    fn add(self, Self(b): Self) -> Self {
        let Self(a) = self;
        Self([a[0] + b[0], a[1] + b[1], a[2] + b[2]])
    }
}

impl Mul<f32> for Colour {
    type Output = Self;
    fn mul(self, factor: f32) -> Self {
        Self(self.0.map(|channel| channel * factor))
    }
}

impl Mul for Colour {
    type Output = Self;
    fn mul(self, Self(b): Self) -> Self {
        let Self(a) = self;
        Self([a[0] * b[0], a[1] * b[1], a[2] * b[2]])
    }
}

impl Colour {
    /// From this colour to `other` as `t` goes from 0 to 1.
    pub(super) fn mix(self, other: Self, t: f32) -> Self {
        self * (1.0 - t) + other * t
    }
}

/// sRGB to linear light (IEC 61966-2-1).
fn linear(srgb: f32) -> f32 {
    if srgb <= 0.040_45 { srgb / 12.92 } else { libm::powf((srgb + 0.055) / 1.055, 2.4) }
}

/// Linear light to sRGB.
fn encoded(linear: f32) -> f32 {
    if linear <= 0.003_130_8 { linear * 12.92 } else { 1.055 * libm::powf(linear, 1.0 / 2.4) - 0.055 }
}

/// Steps of the table of [`to_byte`]: neighbours differ by under a byte even near black.
const STEPS: usize = 8192;

static ENCODED: LazyLock<Vec<f32>> =
    LazyLock::new(|| (0..=STEPS + 1).map(|i| encoded(i as f32 / STEPS as f32) * 255.0).collect());

/// A channel in linear light as a byte of sRGB; `dither`, from 0 to 1, is the rounding.
pub(super) fn to_byte(channel: f32, dither: f32) -> u8 {
    let place = channel.clamp(0.0, 1.0) * STEPS as f32;
    let below = place as usize;
    let (a, b) = (ENCODED[below], ENCODED[below + 1]);
    (a + (b - a) * (place - below as f32) + dither) as u8
}

/// The colours of the picture.
#[derive(Debug)]
pub(super) struct Palette {
    pub(super) ink: Colour,
    pub(super) stripe: Colour,
    pub(super) brown: Colour,
    pub(super) gold: Colour,
    pub(super) buff: Colour,
    pub(super) cream: Colour,
    pub(super) rust: Colour,
    pub(super) nose: Colour,
    pub(super) ear: Colour,
    pub(super) ear_depth: Colour,
    pub(super) iris_rim: Colour,
    pub(super) iris: Colour,
    pub(super) iris_heart: Colour,
    pub(super) wall: Colour,
    pub(super) wall_shade: Colour,
    pub(super) sunlight: Colour,
    pub(super) sill: Colour,
    pub(super) sill_shade: Colour,
    pub(super) wool: Colour,
    pub(super) white: Colour,
}

fn srgb(rgb: u32) -> Colour {
    let channel = |shift: u32| linear(((rgb >> shift) & 255) as f32 / 255.0);
    Colour([channel(16), channel(8), channel(0)])
}

/// The palette, made once.
pub(super) static PALETTE: LazyLock<Palette> = LazyLock::new(|| Palette {
    ink: srgb(0x14_0c08),
    stripe: srgb(0x21_150e),
    brown: srgb(0x74_4f30),
    gold: srgb(0xbd_8f58),
    buff: srgb(0xdd_bf95),
    cream: srgb(0xfb_f0dc),
    rust: srgb(0xa8_6236),
    nose: srgb(0xc9_7d6c),
    ear: srgb(0xd8_a08c),
    ear_depth: srgb(0x6b_3b30),
    iris_rim: srgb(0x4a_4a1a),
    iris: srgb(0x9c_a648),
    iris_heart: srgb(0xe6_c55e),
    wall: srgb(0xe6_e0d0),
    wall_shade: srgb(0x8a_a4a2),
    sunlight: srgb(0xff_efcf),
    sill: srgb(0xe2_c29a),
    sill_shade: srgb(0xa7_7c50),
    wool: srgb(0xb5_3a45),
    white: srgb(0xff_ffff),
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives_the_way_to_linear_light_and_back() {
        for byte in 0..=255_u8 {
            assert_eq!(to_byte(linear(f32::from(byte) / 255.0), 0.5), byte);
        }
    }
}
