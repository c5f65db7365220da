//! Bringing frames to a size.
//!
//! In 4:2:0 a frame's offset is rounded down to even numbers.

use crate::media::clip::SCALE_FLAGS;
use crate::media::{ClipOp, Loom, Pad, Pixels};
use crate::nodes::film::Film;
use crate::nodes::geometry::{self, Size};

/// `RESIZE` of a film.
pub(in crate::nodes) struct ResizeFilm {
    pub film: Film,
    pub inner: Size,
    pub outer: Size,
    pub background: [u8; 4],
}

impl ClipOp for ResizeFilm {
    fn picture(&self, loom: &mut dyn Loom) -> Pad {
        let pad = self.film.take(loom, 0, (0, self.film.frames), Pixels::Yuv420);
        frame(loom, pad, self.film.size, self.inner, self.outer, self.background)
    }

    fn sound(&self, loom: &mut dyn Loom) -> Pad {
        self.film.take_sound(loom, 0, (0, self.film.frames))
    }

    fn cost(&self) -> f64 {
        8.0
    }
}

/// Scales frames to `inner`, and frames them to `outer` or cuts the middle out.
pub(in crate::nodes) fn frame(
    loom: &mut dyn Loom,
    pad: Pad,
    size: Size,
    inner: Size,
    outer: Size,
    background: [u8; 4],
) -> Pad {
    let mut filters = Vec::new();
    if size != inner {
        filters.push(format!("scale=w={}:h={}:flags={SCALE_FLAGS}", inner.0, inner.1));
        filters.push("setsar=1".to_owned());
    }
    let (x, y) = geometry::centred(inner, outer);
    let (x, y) = (x & !1, y & !1);
    let (width, height) = outer;
    if inner.0 > width || inner.1 > height {
        filters.push(format!("crop=w={width}:h={height}:x={x}:y={y}:exact=1"));
    } else if inner != outer {
        let over_black = background.map(|part| (u32::from(part) * u32::from(background[3]) + 127) / 255);
        let [red, green, blue, _] = over_black;
        // `pad` knows even sizes alone, and its colours are BT.601's, which of greys are the same.
        let is_plain = red == green && green == blue && width.is_multiple_of(2) && height.is_multiple_of(2);
        if is_plain {
            filters.push(format!("pad=w={width}:h={height}:x={x}:y={y}:color=0x{red:02x}{green:02x}{blue:02x}"));
        } else {
            let (luma, blueness, redness) = bt709([red, green, blue]);
            let scaled = link(loom, pad, &filters);
            let [inner, ground] = loom.split(scaled);
            let fill =
                format!("scale=w={width}:h={height}:flags=neighbor,lutyuv=y={luma}:u={blueness}:v={redness},setsar=1");
            let ground = loom.link(&[ground], &fill);
            return loom.link(&[ground, inner], &format!("overlay=x={x}:y={y}:format=yuv420"));
        }
    }
    link(loom, pad, &filters)
}

fn link(loom: &mut dyn Loom, pad: Pad, filters: &[String]) -> Pad {
    if filters.is_empty() { pad } else { loom.link(&[pad], &filters.join(",")) }
}

/// A colour as 8-bit YCbCr of limited range (ITU-R BT.709), rounded.
fn bt709([red, green, blue]: [u32; 3]) -> (i64, i64, i64) {
    let [red, green, blue] = [red, green, blue].map(i64::from);
    // Ten-thousandths of 8-bit steps for each step of the colour.
    let luma = (2126 * red + 7152 * green + 722 * blue) * 219;
    let of = |part: i64, scale: i64| {
        let grey = 2126 * red + 7152 * green + 722 * blue;
        let num = (part * 10_000 - grey) * 224;
        let den = scale * 255;
        128 + (2 * num + den).div_euclid(2 * den)
    };
    (16 + (2 * luma + 2_550_000).div_euclid(5_100_000), of(blue, 18_556), of(red, 15_748))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_those_of_bt709() {
        assert_eq!(bt709([0, 0, 0]), (16, 128, 128));
        assert_eq!(bt709([255, 255, 255]), (235, 128, 128));
        assert_eq!(bt709([255, 0, 0]), (63, 102, 240));
        assert_eq!(bt709([0, 255, 0]), (173, 42, 26));
        assert_eq!(bt709([0, 0, 255]), (32, 240, 118));
    }
}
