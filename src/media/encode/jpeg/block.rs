//! Eight by eight pixels, taken apart into luma and chroma.

use crate::media::image::{CHANNELS, Image};

/// Samples of a block, row by row.
pub(super) type Block = [[f32; 8]; 8];

/// The three planes of a block (ITU-T T.871), moved to lie around zero.
pub(super) struct Planes {
    pub(super) luma: Block,
    pub(super) cb: Block,
    pub(super) cr: Block,
}

impl Planes {
    /// The block whose first pixel is at `x`, `y`. Beyond the edges the picture goes on with
    /// the pixels of the edge.
    pub(super) fn read(image: &Image, x: usize, y: usize) -> Self {
        let (width, height) = (image.width() as usize, image.height() as usize);
        let mut planes = Self { luma: [[0.0; 8]; 8], cb: [[0.0; 8]; 8], cr: [[0.0; 8]; 8] };
        for row in 0..8 {
            let start = (y + row).min(height - 1) * image.stride();
            let pixels = image.pixels()[start..start + image.stride()].as_chunks::<CHANNELS>().0;
            let line: [[u8; CHANNELS]; 8] = match pixels.get(x..x + 8).and_then(|line| line.first_chunk()) {
                Some(line) => *line,
                None => std::array::from_fn(|n| pixels[(x + n).min(width - 1)]),
            };
            planes.fill_row(row, &line);
        }
        planes
    }

    #[inline]
    fn fill_row(&mut self, row: usize, line: &[[u8; CHANNELS]; 8]) {
        let r: [f32; 8] = std::array::from_fn(|n| f32::from(line[n][0]));
        let g: [f32; 8] = std::array::from_fn(|n| f32::from(line[n][1]));
        let b: [f32; 8] = std::array::from_fn(|n| f32::from(line[n][2]));
        for n in 0..8 {
            self.luma[row][n] = 0.299 * r[n] + 0.587 * g[n] + 0.114 * b[n] - 128.0;
            self.cb[row][n] = -0.168_735_9 * r[n] - 0.331_264_1 * g[n] + 0.5 * b[n];
            self.cr[row][n] = 0.5 * r[n] - 0.418_687_6 * g[n] - 0.081_312_41 * b[n];
        }
    }

    /// The luma of a grey block, for which it is the grey itself.
    pub(super) fn luma_only(self) -> Block {
        self.luma
    }

    /// One block of each chroma from four blocks (left and right above, left and right below),
    /// each value the mean of four.
    pub(super) fn halved_chroma(parts: &[Self; 4]) -> (Block, Block) {
        let halved = |plane: fn(&Self) -> &Block| {
            let mut block = [[0.0; 8]; 8];
            for (y, row) in block.iter_mut().enumerate() {
                for (x, value) in row.iter_mut().enumerate() {
                    let part = plane(&parts[y / 4 * 2 + x / 4]);
                    let (x, y) = (x % 4 * 2, y % 4 * 2);
                    *value = (part[y][x] + part[y][x + 1] + part[y + 1][x] + part[y + 1][x + 1]) * 0.25;
                }
            }
            block
        };
        (halved(|part| &part.cb), halved(|part| &part.cr))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_go_on() {
        let image = Image::new(2, 1, vec![10, 10, 10, 255, 30, 30, 30, 255]);
        let planes = Planes::read(&image, 0, 0);
        for row in planes.luma {
            assert!((row[0] + 118.0).abs() < 1e-4 && row[1..].iter().all(|value| (value + 98.0).abs() < 1e-4));
        }
        assert!(planes.cb.iter().chain(&planes.cr).flatten().all(|value| value.abs() < 1e-4));
    }

    #[test]
    fn chroma_is_averaged_over_four() {
        let mut image = Image::filled(16, 16, [0, 0, 0, 255]);
        // One blue pixel in the last of the four blocks.
        let at = 15 * image.stride() + 15 * CHANNELS;
        image.pixels_mut()[at + 2] = 200;
        let parts = [(0, 0), (8, 0), (0, 8), (8, 8)].map(|(x, y)| Planes::read(&image, x, y));
        let (cb, _) = Planes::halved_chroma(&parts);
        assert!((cb[7][7] - 25.0).abs() < 1e-3);
        assert!(cb.iter().flatten().take(63).all(|value| value.abs() < 1e-3));
    }
}
