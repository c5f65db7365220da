//! Pictures that are drawn out of nothing, on one thread, the same everywhere.

mod text;

pub use text::Text;

use crate::media::image::Image;

/// What can be drawn.
pub trait Drawing: Send + Sync {
    /// The picture.
    fn draw(&self) -> Image;
}

/// One colour.
pub struct Colour {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// The colour, straight alpha.
    pub rgba: [u8; 4],
}

impl Drawing for Colour {
    fn draw(&self) -> Image {
        Image::filled(self.width, self.height, self.rgba)
    }
}

/// From one colour at the top to another at the bottom, row by row, rounded.
pub struct Gradient {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// The colour of the first row.
    pub top: [u8; 4],
    /// The colour of the last row.
    pub bottom: [u8; 4],
}

impl Drawing for Gradient {
    fn draw(&self) -> Image {
        let last = u64::from(self.height.max(2) - 1);
        rows(self.width, self.height, |_, y| {
            std::array::from_fn(|channel| {
                let (top, bottom) = (u64::from(self.top[channel]), u64::from(self.bottom[channel]));
                ((top * (last - u64::from(y)) + bottom * u64::from(y) + last / 2) / last) as u8
            })
        })
    }
}

/// A test pattern: bars of eight colours, under them a ramp of greys and a board of squares.
pub struct Pattern {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

const BARS: [[u8; 4]; 8] = [
    [255, 255, 255, 255],
    [255, 255, 0, 255],
    [0, 255, 255, 255],
    [0, 255, 0, 255],
    [255, 0, 255, 255],
    [255, 0, 0, 255],
    [0, 0, 255, 255],
    [0, 0, 0, 255],
];

impl Drawing for Pattern {
    fn draw(&self) -> Image {
        let (width, height) = (u64::from(self.width), u64::from(self.height));
        rows(self.width, self.height, |x, y| {
            let (x, y) = (u64::from(x), u64::from(y));
            if y * 3 < height * 2 {
                BARS[(x * 8 / width) as usize]
            } else if y * 6 < height * 5 {
                let grey = (x * 255 / width.max(2).saturating_sub(1)).min(255) as u8;
                [grey, grey, grey, 255]
            } else {
                let side = (width / 32).max(1);
                let light = (x / side + y / side).is_multiple_of(2);
                if light { [191, 191, 191, 255] } else { [64, 64, 64, 255] }
            }
        })
    }
}

/// Grey noise, each pixel by itself (xorshift64*, Vigna 2016).
pub struct Noise {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Another seed gives other noise.
    pub seed: u64,
}

impl Drawing for Noise {
    fn draw(&self) -> Image {
        // The generator must not start at 0; splitmix spreads near seeds apart.
        let mut state = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9) | 1;
        rows(self.width, self.height, |_, _| {
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            let grey = (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 56) as u8;
            [grey, grey, grey, 255]
        })
    }
}

fn rows(width: u32, height: u32, mut pixel: impl FnMut(u32, u32) -> [u8; 4]) -> Image {
    let mut pixels = Vec::with_capacity(width as usize * height as usize * 4);
    for y in 0..height {
        for x in 0..width {
            pixels.extend(pixel(x, y));
        }
    }
    Image::new(width, height, pixels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_begin_and_end_with_their_colours() {
        let (top, bottom) = ([0, 10, 255, 255], [255, 20, 0, 0]);
        let image = Gradient { width: 2, height: 101, top, bottom }.draw();
        assert_eq!((image.pixel(1, 0), image.pixel(0, 50), image.pixel(0, 100)), (top, [128, 15, 128, 128], bottom));
        assert_eq!(Gradient { width: 1, height: 1, top, bottom }.draw().pixel(0, 0), top);
    }

    #[test]
    fn noise_follows_its_seed() {
        let noise = |seed| Noise { width: 64, height: 64, seed }.draw();
        assert_eq!(noise(1), noise(1));
        assert_ne!(noise(1), noise(2));
        let mean = noise(0).pixels().iter().step_by(4).map(|grey| u64::from(*grey)).sum::<u64>() / 4096;
        assert!((118..138).contains(&mean), "{mean}");
    }

    #[test]
    fn patterns_hold_at_any_size() {
        for (width, height) in [(1, 1), (7, 3), (640, 480)] {
            let image = Pattern { width, height }.draw();
            assert_eq!(image.pixel(0, 0), BARS[0]);
        }
        assert_eq!(Pattern { width: 80, height: 60 }.draw().pixel(55, 0), BARS[5]);
    }
}
