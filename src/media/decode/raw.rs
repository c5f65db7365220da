//! Samples as a decoder hands them over, and how they become 8-bit sRGB with straight alpha.
//!
//! The work is done in parallel in runs of pixels; samples of more than eight bits are
//! converted in their own memory, so that a deep picture is not held twice.

use rayon::prelude::*;

use crate::media::icc::{Converter, Model, Profile};
use crate::media::image::{CHANNELS, Image};

/// Pixels of one task, and of a picture that is converted on the spot.
const RUN: usize = 64 << 10;

/// What a pixel consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    Grey,
    GreyAlpha,
    Rgb,
    Rgba,
}

/// What a sample is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// 0..=255.
    Eight,
    /// 0..=65535 in native byte order.
    Sixteen,
    /// Floats from 0 to 1 in native byte order.
    Float,
}

/// A decoder's pixels: rows from the top without padding.
pub(super) struct Raw {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) layout: Layout,
    pub(super) depth: Depth,
    /// Have the colours been multiplied by alpha?
    pub(super) associated: bool,
    pub(super) bytes: Vec<u8>,
}

impl Layout {
    /// The model that a profile of such pixels must have.
    pub(super) fn model(self) -> Model {
        match self {
            Self::Grey | Self::GreyAlpha => Model::Grey,
            Self::Rgb | Self::Rgba => Model::Rgb,
        }
    }
}

impl Raw {
    /// The picture, its colours taken for what the profile says, or for sRGB.
    pub(super) fn into_image(self, profile: Option<&Profile>) -> Image {
        let (width, height) = (self.width, self.height);
        let pixels = match self.depth {
            Depth::Eight => self.convert::<u8>(profile),
            Depth::Sixteen => self.convert::<u16>(profile),
            Depth::Float => self.convert::<f32>(profile),
        };
        Image::new(width, height, pixels)
    }

    fn convert<S: Sample>(self, profile: Option<&Profile>) -> Vec<u8> {
        let Some(profile) = profile else {
            return self.arrange::<S>(&S::narrow, &|rgb| rgb.map(S::narrow));
        };
        let converter = Converter::new(profile, S::TOP);
        self.arrange::<S>(&|grey| converter.grey(grey), &|rgb| converter.rgb(rgb))
    }

    fn arrange<S: Sample>(
        self,
        grey: &(impl Fn(u32) -> u8 + Sync),
        rgb: &(impl Fn([u32; 3]) -> [u8; 3] + Sync),
    ) -> Vec<u8> {
        let alone = |value: u32| {
            let value = grey(value);
            [value, value, value]
        };
        match (self.layout, self.associated) {
            (Layout::Grey, _) => each::<S, 1>(self.bytes, &|[v]| with(alone(v), 255)),
            (Layout::Rgb, _) => each::<S, 3>(self.bytes, &|values| with(rgb(values), 255)),
            (Layout::GreyAlpha, false) => each::<S, 2>(self.bytes, &|[v, a]| with(alone(v), S::narrow(a))),
            (Layout::Rgba, false) => each::<S, 4>(self.bytes, &|[r, g, b, a]| with(rgb([r, g, b]), S::narrow(a))),
            (Layout::GreyAlpha, true) => {
                each::<S, 2>(self.bytes, &|[v, a]| with(alone(straight::<S>(v, a)), S::narrow(a)))
            }
            (Layout::Rgba, true) => each::<S, 4>(self.bytes, &|[r, g, b, a]| {
                with(rgb([r, g, b].map(|value| straight::<S>(value, a))), S::narrow(a))
            }),
        }
    }
}

fn with([r, g, b]: [u8; 3], a: u8) -> [u8; CHANNELS] {
    [r, g, b, a]
}

/// What was multiplied by alpha, divided by it and rounded.
fn straight<S: Sample>(value: u32, alpha: u32) -> u32 {
    let (value, alpha, top) = (u64::from(value), u64::from(alpha), u64::from(S::TOP));
    (value * top + alpha / 2).checked_div(alpha).map_or(0, |straight| straight.min(top) as u32)
}

/// A sample as a whole number.
trait Sample {
    /// Its bytes.
    const BYTES: usize;
    /// The largest.
    const TOP: u32;
    /// Reads one.
    fn read(bytes: &[u8]) -> u32;
    /// To the nearest of 8 bits.
    fn narrow(value: u32) -> u8;
}

impl Sample for u8 {
    const BYTES: usize = 1;
    const TOP: u32 = 255;

    fn read(bytes: &[u8]) -> u32 {
        u32::from(bytes[0])
    }

    fn narrow(value: u32) -> u8 {
        value as u8
    }
}

impl Sample for u16 {
    const BYTES: usize = 2;
    const TOP: u32 = 65_535;

    fn read(bytes: &[u8]) -> u32 {
        u32::from(u16::from_ne_bytes([bytes[0], bytes[1]]))
    }

    fn narrow(value: u32) -> u8 {
        ((value * 255 + 32_767) / 65_535) as u8
    }
}

/// Floats are read to 16 bits; what is no number is 0.
impl Sample for f32 {
    const BYTES: usize = 4;
    const TOP: u32 = 65_535;

    fn read(bytes: &[u8]) -> u32 {
        let value = f32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        (value.clamp(0.0, 1.0) * 65_535.0 + 0.5) as u32
    }

    fn narrow(value: u32) -> u8 {
        u16::narrow(value)
    }
}

/// Maps pixels of `N` samples to RGBA.
fn each<S: Sample, const N: usize>(mut bytes: Vec<u8>, map: &(impl Fn([u32; N]) -> [u8; CHANNELS] + Sync)) -> Vec<u8> {
    let size = S::BYTES * N;
    let pixel = |bytes: &[u8]| map(std::array::from_fn(|n| S::read(&bytes[n * S::BYTES..])));
    if size < CHANNELS {
        let mut pixels = vec![0; bytes.len() / size * CHANNELS];
        let fill = |(from, to): (&[u8], &mut [u8])| {
            for (from, to) in from.chunks_exact(size).zip(to.as_chunks_mut::<CHANNELS>().0) {
                *to = pixel(from);
            }
        };
        if pixels.len() <= RUN * CHANNELS {
            fill((&bytes, &mut pixels));
        } else {
            bytes.par_chunks(RUN * size).zip(pixels.par_chunks_mut(RUN * CHANNELS)).for_each(fill);
        }
        return pixels;
    }
    // A pixel is read before its place is written, and never written behind that place.
    let shrink = |run: &mut [u8]| {
        for n in 0..run.len() / size {
            let rgba = pixel(&run[n * size..(n + 1) * size]);
            run[n * CHANNELS..(n + 1) * CHANNELS].copy_from_slice(&rgba);
        }
    };
    if bytes.len() <= RUN * size {
        shrink(&mut bytes);
    } else {
        bytes.par_chunks_mut(RUN * size).for_each(shrink);
    }
    let length = bytes.len() / size * CHANNELS;
    if size > CHANNELS {
        for (run, start) in (0..length).step_by(RUN * CHANNELS).enumerate() {
            let end = (start + RUN * CHANNELS).min(length);
            bytes.copy_within(run * RUN * size..run * RUN * size + (end - start), start);
        }
        bytes.truncate(length);
        bytes.shrink_to_fit();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(layout: Layout, depth: Depth, associated: bool, bytes: Vec<u8>) -> Vec<u8> {
        let samples = match layout {
            Layout::Grey => 1,
            Layout::GreyAlpha => 2,
            Layout::Rgb => 3,
            Layout::Rgba => 4,
        };
        let size = samples * [1, 2, 4][depth as usize];
        let width = (bytes.len() / size) as u32;
        Raw { width, height: 1, layout, depth, associated, bytes }.into_image(None).pixels().to_vec()
    }

    fn words(values: &[u16]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_ne_bytes()).collect()
    }

    fn floats(values: &[f32]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_ne_bytes()).collect()
    }

    #[test]
    fn every_layout_becomes_rgba() {
        assert_eq!(image(Layout::Grey, Depth::Eight, false, vec![7, 8]), [7, 7, 7, 255, 8, 8, 8, 255]);
        assert_eq!(image(Layout::GreyAlpha, Depth::Eight, false, vec![7, 8]), [7, 7, 7, 8]);
        assert_eq!(image(Layout::Rgb, Depth::Eight, false, vec![1, 2, 3]), [1, 2, 3, 255]);
        assert_eq!(image(Layout::Rgba, Depth::Eight, false, vec![1, 2, 3, 4]), [1, 2, 3, 4]);
        assert_eq!(image(Layout::Rgb, Depth::Sixteen, false, words(&[0, 65_535, 32_768])), [0, 255, 128, 255]);
        assert_eq!(image(Layout::GreyAlpha, Depth::Sixteen, false, words(&[257, 514])), [1, 1, 1, 2]);
    }

    #[test]
    fn depths_are_rounded_to_the_nearest() {
        for value in 0..=65_535_u16 {
            let exact = f64::from(value) / 257.0;
            let found = u16::narrow(value.into());
            assert!((f64::from(found) - exact).abs() <= 0.5, "{value}");
        }
        let strange = [-1.0, 0.5, 2.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
        let found = image(Layout::Rgb, Depth::Float, false, floats(&strange));
        assert_eq!(found, [0, 128, 255, 255, 0, 255, 0, 255]);
    }

    #[test]
    fn associated_alpha_becomes_straight() {
        assert_eq!(image(Layout::Rgba, Depth::Eight, true, vec![64, 0, 200, 128]), [128, 0, 255, 128]);
        assert_eq!(image(Layout::GreyAlpha, Depth::Eight, true, vec![9, 0]), [0, 0, 0, 0]);
        assert_eq!(image(Layout::Rgba, Depth::Sixteen, true, words(&[100, 50, 0, 200])), [128, 64, 0, 1]);
    }

    #[test]
    fn runs_meet() {
        let count = 3 * RUN + 17;
        let expected: Vec<u8> = (0..count).flat_map(|n| [n as u8, (n >> 8) as u8, 3, (n >> 16) as u8]).collect();
        let deep = |values: &[u8]| words(&values.iter().map(|value| u16::from(*value) * 257).collect::<Vec<_>>());
        assert_eq!(image(Layout::Rgba, Depth::Sixteen, false, deep(&expected)), expected);
        let mut opaque = expected;
        opaque.as_chunks_mut::<4>().0.iter_mut().for_each(|pixel| pixel[3] = 255);
        let rgb: Vec<u8> = opaque.as_chunks::<4>().0.iter().flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
        assert_eq!(image(Layout::Rgb, Depth::Sixteen, false, deep(&rgb)), opaque);
        assert_eq!(image(Layout::Rgb, Depth::Eight, false, rgb), opaque);
    }
}
