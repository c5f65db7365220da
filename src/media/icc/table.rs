//! Profiles that are a table: from red, green, blue to the connection space through curves, a
//! grid and more curves (ICC.1:2022, 10.10 to 10.12: `lut8Type`, `lut16Type`, `lutAToBType`).

use moxcms::{ColorProfile, DataColorSpace, LutDataType, LutMultidimensionalType, LutStore, LutType, LutWarehouse};

use crate::media::icc::curve::Curve;
use crate::media::icc::srgb::{self, Matrix, Triple};

/// How the last curves' 0..=1 stand for the connection space.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Space {
    /// XYZ, 1 being 1 + 32767/32768.
    Xyz,
    /// Lightness to 100, a and b from -128 to 127.
    Lab,
    /// The same in the 16 bits of older profiles, where 0xff00 is 100.
    OldLab,
}

/// The stages that values pass; those a profile has not are left out.
#[derive(Debug, Clone)]
pub(super) struct Table {
    first: Option<[Curve; 3]>,
    grid: Option<Grid>,
    middle: Option<[Curve; 3]>,
    matrix: Option<(Matrix, Triple)>,
    last: Option<[Curve; 3]>,
    space: Space,
    from_xyz: Matrix,
}

/// Values at the corners of a lattice, the blue axis being the nearest in memory.
#[derive(Debug, Clone)]
struct Grid {
    points: [usize; 3],
    values: Vec<Triple>,
}

impl Table {
    /// The profile's table: the colorimetric one, else the perceptual one.
    pub(super) fn new(profile: &ColorProfile) -> Option<Self> {
        let table = profile.lut_a_to_b_colorimetric.as_ref().or(profile.lut_a_to_b_perceptual.as_ref())?;
        match table {
            LutWarehouse::Lut(lut) => Self::from_lut(lut, profile.pcs),
            LutWarehouse::Multidimensional(lut) => Self::from_stages(lut, profile.pcs),
        }
    }

    fn from_lut(lut: &LutDataType, pcs: DataColorSpace) -> Option<Self> {
        if (lut.num_input_channels, lut.num_output_channels) != (3, 3) {
            return None;
        }
        let space = match (pcs, lut.lut_type) {
            (DataColorSpace::Xyz, _) => Space::Xyz,
            (DataColorSpace::Lab, LutType::Lut8) => Space::Lab,
            (DataColorSpace::Lab, LutType::Lut16) => Space::OldLab,
            _ => return None,
        };
        Some(Self {
            first: Some(sampled_curves(&lut.input_table, usize::from(lut.num_input_table_entries))?),
            grid: Some(Grid::new([lut.num_clut_grid_points; 3], &lut.clut_table)?),
            middle: None,
            matrix: None,
            last: Some(sampled_curves(&lut.output_table, usize::from(lut.num_output_table_entries))?),
            space,
            from_xyz: srgb::from_xyz(),
        })
    }

    fn from_stages(lut: &LutMultidimensionalType, pcs: DataColorSpace) -> Option<Self> {
        if (lut.num_input_channels, lut.num_output_channels) != (3, 3) {
            return None;
        }
        let space = match pcs {
            DataColorSpace::Xyz => Space::Xyz,
            DataColorSpace::Lab => Space::Lab,
            _ => return None,
        };
        let curves = |curves: &[moxcms::ToneReprCurve]| match curves {
            [] => Some(None),
            [a, b, c] => Some(Some([Curve::new(a)?, Curve::new(b)?, Curve::new(c)?])),
            _ => None,
        };
        let grid = match &lut.clut {
            Some(values) => Some(Grid::new([lut.grid_points[0], lut.grid_points[1], lut.grid_points[2]], values)?),
            None => None,
        };
        let matrix = (lut.matrix.v, lut.bias.v);
        let is_finite = matrix.0.iter().flatten().chain(&matrix.1).all(|value| value.is_finite());
        Some(Self {
            first: curves(&lut.a_curves)?,
            grid,
            middle: curves(&lut.m_curves)?,
            matrix: is_finite.then_some(matrix),
            last: curves(&lut.b_curves)?,
            space,
            from_xyz: srgb::from_xyz(),
        })
    }

    /// The 8-bit sRGB pixel of a device colour, each value in 0..=1.
    pub(super) fn pixel(&self, device: Triple) -> [u8; 3] {
        let mut value = through(self.first.as_ref(), device);
        if let Some(grid) = &self.grid {
            value = grid.at(value);
        }
        value = through(self.middle.as_ref(), value);
        if let Some((matrix, offset)) = &self.matrix {
            let turned = srgb::apply(matrix, value);
            value = [0, 1, 2].map(|n| (turned[n] + offset[n]).clamp(0.0, 1.0));
        }
        value = through(self.last.as_ref(), value);
        let xyz = match self.space {
            Space::Xyz => value.map(|part| part * (65_535.0 / 32_768.0)),
            Space::Lab => lab_to_xyz([value[0] * 100.0, value[1] * 255.0 - 128.0, value[2] * 255.0 - 128.0]),
            Space::OldLab => {
                let [l, a, b] = value.map(|part| part * 65_535.0 / 256.0);
                lab_to_xyz([l / 2.55, a - 128.0, b - 128.0])
            }
        };
        srgb::apply(&self.from_xyz, xyz).map(srgb::encode8)
    }

    /// Do the colours of a lattice stay what they are?
    pub(super) fn is_srgb(&self) -> bool {
        const STEPS: u8 = 15;
        let axis = || (0..=STEPS).map(|step| step * (255 / STEPS));
        axis().all(|r| {
            axis().all(|g| axis().all(|b| self.pixel([r, g, b].map(|value| f64::from(value) / 255.0)) == [r, g, b]))
        })
    }
}

fn through(curves: Option<&[Curve; 3]>, value: Triple) -> Triple {
    match curves {
        Some([a, b, c]) => [a.at(value[0]), b.at(value[1]), c.at(value[2])],
        None => value,
    }
}

fn sampled_curves(store: &LutStore, entries: usize) -> Option<[Curve; 3]> {
    let curve = |n: usize| {
        let range = n * entries..(n + 1) * entries;
        match store {
            LutStore::Store8(values) => values.get(range).map(Curve::sampled8),
            LutStore::Store16(values) => values.get(range).map(Curve::sampled16),
        }
    };
    (entries >= 2).then_some([curve(0)?, curve(1)?, curve(2)?])
}

impl Grid {
    fn new(points: [u8; 3], store: &LutStore) -> Option<Self> {
        let points = points.map(usize::from);
        let values: Vec<Triple> = match store {
            LutStore::Store8(values) => {
                values.as_chunks::<3>().0.iter().map(|v| v.map(|part| f64::from(part) / 255.0)).collect()
            }
            LutStore::Store16(values) => {
                values.as_chunks::<3>().0.iter().map(|v| v.map(|part| f64::from(part) / 65_535.0)).collect()
            }
        };
        let is_whole = points.iter().all(|count| *count >= 2) && values.len() == points[0] * points[1] * points[2];
        is_whole.then_some(Self { points, values })
    }

    /// Between the eight nearest corners, in proportion to the distances.
    fn at(&self, value: Triple) -> Triple {
        let position = [0, 1, 2].map(|n| value[n] * (self.points[n] - 1) as f64);
        let below = [0, 1, 2].map(|n| (position[n] as usize).min(self.points[n] - 2));
        let share = [0, 1, 2].map(|n| position[n] - below[n] as f64);
        let mut sum = [0.0; 3];
        for corner in 0..8_usize {
            let step = [corner >> 2, corner >> 1 & 1, corner & 1];
            let weight = |n: usize| if step[n] == 1 { share[n] } else { 1.0 - share[n] };
            let weight = weight(0) * weight(1) * weight(2);
            let [r, g, b] = [0, 1, 2].map(|n| below[n] + step[n]);
            let found = self.values[(r * self.points[1] + g) * self.points[2] + b];
            for (total, part) in sum.iter_mut().zip(found) {
                *total += weight * part;
            }
        }
        sum
    }
}

/// CIE 1976 lightness, a and b to XYZ under D50.
pub(super) fn lab_to_xyz([l, a, b]: Triple) -> Triple {
    let y = (l + 16.0) / 116.0;
    let cube = |t: f64| {
        if t > 6.0 / 29.0 { t * t * t } else { (t - 4.0 / 29.0) * (108.0 / 841.0) }
    };
    [cube(y + a / 500.0) * srgb::D50[0], cube(y) * srgb::D50[1], cube(y - b / 200.0) * srgb::D50[2]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::icc::{Converter, Model, Profile};
    use moxcms::{Matrix3d, ToneReprCurve, Vector3d};

    const POINTS: usize = 17;

    fn xyz_to_lab(xyz: Triple) -> Triple {
        let f = |t: f64| {
            if t > 216.0 / 24_389.0 { t.cbrt() } else { t * 841.0 / 108.0 + 4.0 / 29.0 }
        };
        let [x, y, z] = [0, 1, 2].map(|n| f(xyz[n] / srgb::D50[n]));
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    /// XYZ of an encoded sRGB colour, from the numbers of the standard.
    fn srgb_to_xyz(rgb: Triple) -> Triple {
        let [r, g, b] = rgb.map(|x| if x <= 0.040_45 { x / 12.92 } else { ((x + 0.055) / 1.055).powf(2.4) });
        [
            0.436_07 * r + 0.385_15 * g + 0.143_07 * b,
            0.222_49 * r + 0.716_87 * g + 0.060_61 * b,
            0.013_92 * r + 0.097_08 * g + 0.714_10 * b,
        ]
    }

    fn lattice(value: impl Fn(Triple) -> Triple) -> LutStore {
        let axis = || (0..POINTS).map(|n| n as f64 / (POINTS - 1) as f64);
        let colours = axis().flat_map(|r| axis().flat_map(move |g| axis().map(move |b| [r, g, b])));
        LutStore::Store16(colours.flat_map(value).map(|part| (part * 65_535.0).round() as u16).collect())
    }

    /// A device whose green and blue are sRGB's, and whose red is its opposite.
    fn lut16() -> LutDataType {
        let identity = LutStore::Store16([0, 65_535].repeat(3));
        let old_lab = |[r, g, b]: Triple| {
            let [l, a, b] = xyz_to_lab(srgb_to_xyz([1.0 - r, g, b]));
            [l / 100.0 * 65_280.0 / 65_535.0, (a + 128.0) * 256.0 / 65_535.0, (b + 128.0) * 256.0 / 65_535.0]
        };
        LutDataType {
            num_input_channels: 3,
            num_output_channels: 3,
            num_clut_grid_points: POINTS as u8,
            matrix: Matrix3d::IDENTITY,
            num_input_table_entries: 2,
            num_output_table_entries: 2,
            input_table: identity.clone(),
            clut_table: lattice(old_lab),
            output_table: identity,
            lut_type: LutType::Lut16,
        }
    }

    fn profile(table: LutWarehouse, pcs: DataColorSpace) -> Vec<u8> {
        let mut profile = ColorProfile::new_srgb();
        (profile.red_trc, profile.green_trc, profile.blue_trc, profile.cicp) = (None, None, None, None);
        profile.pcs = pcs;
        profile.lut_a_to_b_perceptual = Some(table);
        profile.encode().unwrap()
    }

    /// Bytes of a `lut16Type` in a profile made by hand, for the writer turns it into another.
    fn old_profile(lut: &LutDataType) -> Vec<u8> {
        let mut tag = b"mft2\0\0\0\0\x03\x03".to_vec();
        tag.extend([POINTS as u8, 0]);
        for n in 0..9 {
            tag.extend(if n % 4 == 0 { 65_536_u32 } else { 0 }.to_be_bytes());
        }
        tag.extend([0, 2, 0, 2]);
        for store in [&lut.input_table, &lut.clut_table, &lut.output_table] {
            let LutStore::Store16(values) = store else { unreachable!("made above") };
            tag.extend(values.iter().flat_map(|value| value.to_be_bytes()));
        }
        let mut bytes = profile(LutWarehouse::Lut(lut.clone()), DataColorSpace::Lab)[..128].to_vec();
        bytes.extend(1_u32.to_be_bytes());
        bytes.extend(b"A2B0");
        bytes.extend(144_u32.to_be_bytes());
        bytes.extend((tag.len() as u32).to_be_bytes());
        bytes.extend(tag);
        bytes
    }

    fn check(bytes: &[u8], expected: impl Fn([u8; 3]) -> [u8; 3], tolerance: u8) {
        let profile = Profile::read(bytes, Model::Rgb).expect("it is read and is not sRGB");
        let converter = Converter::new(&profile, 255);
        for n in 0..2000_u32 {
            let device = [n * 7 % 256, n * 31 % 256, n * 101 % 256];
            let (found, wanted) = (converter.rgb(device), expected(device.map(|value| value as u8)));
            let off = found.iter().zip(wanted).map(|(a, b)| a.abs_diff(b)).max().unwrap();
            assert!(off <= tolerance, "{device:?}: {found:?} and not {wanted:?}");
        }
    }

    #[test]
    fn a_table_in_old_lab_is_followed() {
        // Between its points the grid bends what sRGB bends otherwise.
        check(&old_profile(&lut16()), |[r, g, b]| [255 - r, g, b], 6);
    }

    #[test]
    fn stages_are_followed_in_order() {
        // Exchanges red and blue in its grid, squares in its middle curves, and ends in XYZ.
        let square = ToneReprCurve::Lut(vec![512]);
        let line = ToneReprCurve::Lut(vec![]);
        let m = [[0.436_07, 0.385_15, 0.143_07], [0.222_49, 0.716_87, 0.060_61], [0.013_92, 0.097_08, 0.714_10]];
        let table = LutMultidimensionalType {
            num_input_channels: 3,
            num_output_channels: 3,
            grid_points: [17, 17, 17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            clut: Some(lattice(|[r, g, b]| [b, g, r])),
            a_curves: vec![line.clone(); 3],
            m_curves: vec![square; 3],
            b_curves: vec![line; 3],
            matrix: Matrix3d { v: m.map(|row| row.map(|value| value * 32_768.0 / 65_535.0)) },
            bias: Vector3d { v: [0.0; 3] },
        };
        let bytes = profile(LutWarehouse::Multidimensional(table), DataColorSpace::Xyz);
        let encode = |light: f64| {
            if light <= 0.003_130_8 { 12.92 * light } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 }
        };
        let expected = |[r, g, b]: [u8; 3]| {
            [b, g, r].map(|value| (encode((f64::from(value) / 255.0).powi(2)) * 255.0).round() as u8)
        };
        check(&bytes, expected, 1);
    }

    #[test]
    fn a_table_that_is_srgb_changes_nothing() {
        let mut lut = lut16();
        let LutStore::Store16(values) = lut.clut_table else { unreachable!("made above") };
        // Turns the red axis round.
        let mut slices: Vec<&[u16]> = values.chunks(POINTS * POINTS * 3).collect();
        slices.reverse();
        lut.clut_table = LutStore::Store16(slices.concat());
        let table = Table::from_lut(&lut, DataColorSpace::Lab).unwrap();
        let off = |colour: [u8; 3]| {
            let found = table.pixel(colour.map(|value| f64::from(value) / 255.0));
            found.iter().zip(colour).map(|(a, b)| a.abs_diff(b)).max().unwrap()
        };
        assert_eq!((off([0, 0, 0]), off([255, 255, 255]), off([255, 0, 0])), (0, 0, 0));
        assert!(!table.is_srgb(), "too coarse between its points");
    }

    #[test]
    fn damaged_tables_do_not_panic() {
        let whole = old_profile(&lut16());
        let mut state = 77_u32;
        for _ in 0..500 {
            let mut damaged = whole.clone();
            for _ in 0..3 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                damaged[(state >> 8) as usize % 220] = state as u8;
            }
            if let Some(profile) = Profile::read(&damaged, Model::Rgb) {
                Converter::new(&profile, 255).rgb([1, 128, 255]);
            }
        }
    }
}
