//! JPEG (ITU-T T.81): baseline, with the standard's tables.
//!
//! The picture is cut into bands of rows that are encoded in parallel; each is a restart
//! interval, so that no band needs to know another, and their height depends on the picture
//! alone. From quality 90 on chroma has the full resolution, below it half of it both ways,
//! as common programs do it.

mod block;
mod dct;
mod huffman;
mod tables;

use rayon::prelude::*;

use crate::media::encode::colours;
use crate::media::image::Image;
use block::Planes;
use huffman::{BitWriter, EntropyTables};
use tables::Quantiser;

/// The quality if none is chosen: hard to tell from the original.
pub(super) const DEFAULT_QUALITY: u8 = 90;
/// The least quality at which chroma keeps its resolution.
const FULL_CHROMA_QUALITY: u8 = 90;
/// Rows of units in a band, if the interval of restarts, a 16-bit number of units, allows it.
const BAND_UNITS: usize = 4;

/// What the parts of the file are made from.
struct Plan {
    width: usize,
    height: usize,
    is_grey: bool,
    /// Pixels of a unit's side: 8, or 16 if chroma is halved.
    unit: usize,
    units_across: usize,
    band_units: usize,
    luma: Quantiser,
    chroma: Quantiser,
}

/// The file of a picture over black, grey if all of it is, at a quality from 1 to 100.
pub(super) fn encode(image: &Image, quality: u8) -> Vec<u8> {
    let image = colours::over_black(image);
    let is_grey = colours::is_grey(&image);
    let unit = if is_grey || quality >= FULL_CHROMA_QUALITY { 8 } else { 16 };
    let units_across = (image.width() as usize).div_ceil(unit);
    let plan = Plan {
        width: image.width() as usize,
        height: image.height() as usize,
        is_grey,
        unit,
        units_across,
        band_units: BAND_UNITS.min(usize::from(u16::MAX) / units_across),
        luma: Quantiser::new(&tables::LUMA, quality),
        chroma: Quantiser::new(&tables::CHROMA, quality),
    };
    let entropy = EntropyTables::new();
    let bands: Vec<Vec<u8>> = (0..plan.bands()).into_par_iter().map(|band| plan.band(&image, &entropy, band)).collect();
    let mut bytes = plan.header();
    bytes.reserve(bands.iter().map(|band| band.len() + 2).sum::<usize>() + 2);
    for (n, band) in bands.iter().enumerate() {
        if n > 0 {
            bytes.extend([0xff, 0xd0 + ((n - 1) % 8) as u8]);
        }
        bytes.extend_from_slice(band);
    }
    bytes.extend([0xff, 0xd9]);
    bytes
}

impl Plan {
    fn unit_rows(&self) -> usize {
        self.height.div_ceil(self.unit)
    }

    fn bands(&self) -> usize {
        self.unit_rows().div_ceil(self.band_units)
    }

    /// The entropy-coded data of a band.
    fn band(&self, image: &Image, entropy: &EntropyTables, band: usize) -> Vec<u8> {
        let mut bits = BitWriter::default();
        let mut before = [0; 3];
        let rows = band * self.band_units..((band + 1) * self.band_units).min(self.unit_rows());
        for row in rows {
            for column in 0..self.units_across {
                let (x, y) = (column * self.unit, row * self.unit);
                if self.is_grey {
                    let grey = Planes::read(image, x, y).luma_only();
                    entropy.luma.block(&mut bits, &self.luma.apply(grey), &mut before[0]);
                    continue;
                }
                let (cb, cr) = if self.unit == 8 {
                    let Planes { luma, cb, cr } = Planes::read(image, x, y);
                    entropy.luma.block(&mut bits, &self.luma.apply(luma), &mut before[0]);
                    (cb, cr)
                } else {
                    let parts = [(0, 0), (8, 0), (0, 8), (8, 8)].map(|(dx, dy)| Planes::read(image, x + dx, y + dy));
                    let (cb, cr) = Planes::halved_chroma(&parts);
                    for part in parts {
                        entropy.luma.block(&mut bits, &self.luma.apply(part.luma), &mut before[0]);
                    }
                    (cb, cr)
                };
                entropy.chroma.block(&mut bits, &self.chroma.apply(cb), &mut before[1]);
                entropy.chroma.block(&mut bits, &self.chroma.apply(cr), &mut before[2]);
            }
        }
        bits.finish()
    }

    /// Everything before the data of the scan.
    fn header(&self) -> Vec<u8> {
        let mut bytes = vec![0xff, 0xd8];
        let mut segment = |marker: u8, content: &[u8]| {
            bytes.extend([0xff, marker]);
            bytes.extend((content.len() as u16 + 2).to_be_bytes());
            bytes.extend_from_slice(content);
        };
        // JFIF 1.1, square pixels.
        segment(0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
        let components: &[(u8, u8)] = if self.is_grey { &[(1, 0)] } else { &[(1, 0), (2, 1), (3, 1)] };
        for (id, quantiser) in [(0, &self.luma), (1, &self.chroma)].iter().take(components.len().min(2)) {
            segment(0xdb, &[&[*id][..], &quantiser.in_file_order()].concat());
        }
        let mut frame = vec![8];
        frame.extend((self.height as u16).to_be_bytes());
        frame.extend((self.width as u16).to_be_bytes());
        frame.push(components.len() as u8);
        for (id, table) in components {
            let sampling = if *id == 1 && self.unit == 16 { 0x22 } else { 0x11 };
            frame.extend([*id, sampling, *table]);
        }
        segment(0xc0, &frame);
        for (class_and_id, code) in huffman::CODES.iter().take(components.len().min(2) * 2) {
            segment(0xc4, &[&[*class_and_id][..], &code.counts, code.symbols].concat());
        }
        if self.bands() > 1 {
            segment(0xdd, &((self.units_across * self.band_units) as u16).to_be_bytes());
        }
        let mut scan = vec![components.len() as u8];
        scan.extend(components.iter().flat_map(|(id, table)| [*id, table << 4 | table]));
        scan.extend([0, 63, 0]);
        segment(0xda, &scan);
        bytes
    }
}
