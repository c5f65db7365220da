//! What of a TIFF (Adobe's TIFF 6.0, and `BigTIFF`) the decoder leaves to others: palettes,
//! greys of 2 and 4 bits, associated alpha and the profile.
//!
//! The decoder knows greys of 8 bits. Rows are padded to whole bytes, so that a row of packed
//! samples is also a shorter row of 8-bit ones, whatever compression is around it: the decoder
//! is shown a header that says so, and the samples are taken apart afterwards.

use crate::media::decode::DecodeError;
use crate::media::decode::patched::{Patch, Patched};
use crate::media::decode::raw::{Depth, Layout, Raw};
use crate::media::sniff::MediaType;

const IMAGE_WIDTH: u16 = 256;
const BITS_PER_SAMPLE: u16 = 258;
const COMPRESSION: u16 = 259;
const PHOTOMETRIC: u16 = 262;
const FILL_ORDER: u16 = 266;
const SAMPLES_PER_PIXEL: u16 = 277;
const PREDICTOR: u16 = 317;
const COLOR_MAP: u16 = 320;
const TILE_WIDTH: u16 = 322;
const EXTRA_SAMPLES: u16 = 338;
const ICC_PROFILE: u16 = 34_675;

const BLACK_IS_ZERO: u64 = 1;
const PALETTE: u64 = 3;
/// None, LZW, both numbers of deflate, and `PackBits`.
const BYTE_COMPRESSIONS: &[u64] = &[1, 5, 8, 32_946, 32_773];

/// The first directory of a file.
struct Directory<'a> {
    bytes: &'a [u8],
    is_big_endian: bool,
    is_wide: bool,
    /// Where the entries begin, and how many there are.
    entries: (usize, usize),
}

/// Where the values of an entry are.
struct Entry {
    kind: u16,
    count: usize,
    at: usize,
}

impl<'a> Directory<'a> {
    fn new(bytes: &'a [u8]) -> Option<Self> {
        let is_big_endian = bytes.starts_with(b"MM");
        let mut directory = Self { bytes, is_big_endian, is_wide: false, entries: (0, 0) };
        directory.is_wide = directory.number(2, 2)? == 43;
        let at = usize::try_from(if directory.is_wide { directory.number(8, 8)? } else { directory.number(4, 4)? });
        let at = at.ok()?;
        let width = if directory.is_wide { 8 } else { 2 };
        let count = usize::try_from(directory.number(at, width)?).ok()?;
        directory.entries = (at.checked_add(width)?, count);
        Some(directory)
    }

    /// A whole number of 1, 2, 4 or 8 bytes.
    fn number(&self, at: usize, size: usize) -> Option<u64> {
        let bytes = self.bytes.get(at..at.checked_add(size)?)?;
        let fold = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        Some(if self.is_big_endian { bytes.iter().fold(0, fold) } else { bytes.iter().rev().fold(0, fold) })
    }

    fn entry(&self, tag: u16) -> Option<Entry> {
        let (size, width) = if self.is_wide { (20, 8) } else { (12, 4) };
        for n in 0..self.entries.1 {
            let at = self.entries.0.checked_add(n.checked_mul(size)?)?;
            if self.number(at, 2)? == u64::from(tag) {
                let kind = self.number(at + 2, 2)? as u16;
                let count = usize::try_from(self.number(at + 4, width)?).ok()?;
                let value = at + 4 + width;
                let inside = count.checked_mul(kind_size(kind)?)? <= width;
                let at = if inside { value } else { usize::try_from(self.number(value, width)?).ok()? };
                return Some(Entry { kind, count, at });
            }
        }
        None
    }

    /// The numbers of an entry.
    fn numbers(&self, tag: u16) -> Option<Vec<u64>> {
        let entry = self.entry(tag)?;
        let size = kind_size(entry.kind)?;
        // No list read here is longer than a palette.
        let count = entry.count.min(3 << 16);
        (0..count).map(|n| self.number(entry.at.checked_add(n * size)?, size)).collect()
    }

    fn first(&self, tag: u16) -> Option<u64> {
        self.numbers(tag)?.first().copied()
    }

    /// Other bytes for the one number of an entry.
    fn patch(&self, tag: u16, value: u64) -> Option<Patch> {
        let entry = self.entry(tag).filter(|entry| entry.count == 1)?;
        let size = kind_size(entry.kind)?;
        let mut bytes = value.to_be_bytes()[8 - size..].to_vec();
        if !self.is_big_endian {
            bytes.reverse();
        }
        Some(Patch { at: entry.at, bytes })
    }
}

/// Bytes of a value, for the kinds that are whole numbers.
fn kind_size(kind: u16) -> Option<usize> {
    match kind {
        1 | 7 => Some(1),
        3 => Some(2),
        4 | 13 => Some(4),
        16 => Some(8),
        _ => None,
    }
}

/// The embedded profile.
pub(super) fn profile(bytes: &[u8]) -> Option<&[u8]> {
    let directory = Directory::new(bytes)?;
    let entry = directory.entry(ICC_PROFILE).filter(|entry| kind_size(entry.kind) == Some(1))?;
    bytes.get(entry.at..entry.at.checked_add(entry.count)?)
}

/// Have the colours been multiplied by alpha?
pub(super) fn is_associated(bytes: &[u8]) -> bool {
    Directory::new(bytes).and_then(|directory| directory.first(EXTRA_SAMPLES)) == Some(1)
}

/// Samples of fewer bits than the decoder knows, or numbers of colours.
pub(super) struct Packed {
    width: u32,
    bits: u32,
    palette: Option<Vec<[u8; 3]>>,
}

/// The file as the decoder is to see it, and what to do with the samples then, if anything. What
/// is too damaged is left to the decoder to refuse.
pub(super) fn open(bytes: &[u8]) -> Result<(Patched<'_>, Option<Packed>), DecodeError> {
    let plain = Patched::new(bytes, Vec::new());
    let Some(directory) = Directory::new(bytes) else {
        return Ok((plain, None));
    };
    let bits = directory.first(BITS_PER_SAMPLE).unwrap_or(1);
    let has_palette = directory.first(PHOTOMETRIC) == Some(PALETTE);
    let is_grey = directory.first(PHOTOMETRIC).is_some_and(|photometric| photometric <= BLACK_IS_ZERO);
    let is_packed = matches!(bits, 2 | 4) && is_grey || matches!(bits, 1 | 2 | 4 | 8) && has_palette;
    if !is_packed || directory.first(SAMPLES_PER_PIXEL).unwrap_or(1) != 1 {
        return Ok((plain, None));
    }
    let unknown = |what: &str| DecodeError::UnknownKind { media_type: MediaType::Tiff, what: what.to_owned() };
    if !BYTE_COMPRESSIONS.contains(&directory.first(COMPRESSION).unwrap_or(1)) {
        return Err(unknown("compressed samples of few bits or with a palette"));
    }
    if bits < 8 && (directory.first(PREDICTOR).unwrap_or(1), directory.first(FILL_ORDER).unwrap_or(1)) != (1, 1) {
        return Err(unknown("a predictor or bit order for samples of few bits"));
    }
    let damaged = |what: &str| DecodeError::damaged(MediaType::Tiff, what);
    let palette = if has_palette {
        let map = directory.numbers(COLOR_MAP).and_then(|values| palette(&values, 1 << bits));
        Some(map.ok_or_else(|| damaged("its palette is missing or too short"))?)
    } else {
        None
    };
    let width = directory.first(IMAGE_WIDTH).and_then(|width| u32::try_from(width).ok());
    let width = width.ok_or_else(|| damaged("it has no width"))?;
    let packed = Packed { width, bits: bits as u32, palette };
    let patches = patches(&directory, &packed).ok_or_else(|| damaged("its directory makes no sense"))?;
    Ok((Patched::new(bytes, patches), Some(packed)))
}

/// What makes the header one of an 8-bit grey picture with the same rows.
fn patches(directory: &Directory<'_>, packed: &Packed) -> Option<Vec<Patch>> {
    let mut patches = Vec::new();
    if packed.palette.is_some() {
        patches.push(directory.patch(PHOTOMETRIC, BLACK_IS_ZERO)?);
    }
    if packed.bits < 8 {
        patches.push(directory.patch(BITS_PER_SAMPLE, 8)?);
        patches.push(directory.patch(IMAGE_WIDTH, u64::from(packed.row_bytes()))?);
        if let Some(tile) = directory.first(TILE_WIDTH) {
            // Tiles are multiples of 16 wide, which is whole bytes in any depth.
            patches.push(directory.patch(TILE_WIDTH, tile.checked_mul(u64::from(packed.bits))? / 8)?);
        }
    }
    Some(patches)
}

/// All reds, then all greens, then all blues, in 16 bits; some old programs wrote 8.
fn palette(values: &[u64], colours: usize) -> Option<Vec<[u8; 3]>> {
    let values = values.get(..3 * colours)?;
    let is_narrow = values.iter().all(|value| *value < 256);
    let narrow = |value: u64| {
        if is_narrow { value as u8 } else { ((value.min(65_535) * 255 + 32_767) / 65_535) as u8 }
    };
    Some((0..colours).map(|n| [0, 1, 2].map(|part| narrow(values[part * colours + n]))).collect())
}

impl Packed {
    /// Width of the picture in pixels.
    pub(super) fn width(&self) -> u32 {
        self.width
    }

    /// Bytes of a row, which are as many 8-bit greys for the decoder.
    pub(super) fn row_bytes(&self) -> u32 {
        (u64::from(self.width) * u64::from(self.bits)).div_ceil(8) as u32
    }

    /// Takes the 8-bit greys that were decoded, [`row_bytes`](Self::row_bytes) a row, for what
    /// they are.
    pub(super) fn unpack(&self, raw: &Raw) -> Raw {
        let top = (1_u32 << self.bits) - 1;
        let stride = raw.width as usize;
        let samples = raw.bytes.chunks_exact(stride).flat_map(|row| {
            (0..self.width).map(move |x| {
                let at = x * self.bits;
                (u32::from(row[at as usize / 8]) >> (8 - self.bits - at % 8)) & top
            })
        });
        let (layout, bytes) = match &self.palette {
            Some(palette) => (Layout::Rgb, samples.flat_map(|sample| palette[sample as usize]).collect()),
            None => (Layout::Grey, samples.map(|sample| (sample * 255 / top) as u8).collect()),
        };
        Raw { width: self.width, height: raw.height, layout, depth: Depth::Eight, associated: false, bytes }
    }
}
