//! What a profile says, read and checked.

use moxcms::{ColorProfile, DataColorSpace, ParsingOptions, ToneReprCurve};

use crate::base::limits;
use crate::media::icc::curve::Curve;
use crate::media::icc::srgb::{self, Matrix};
use crate::media::icc::table::Table;

/// The colour model of a picture's samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    /// One value a pixel.
    Grey,
    /// Red, green, blue.
    Rgb,
}

/// A profile that changes pixels.
#[derive(Debug, Clone)]
pub struct Profile(pub(super) Kind);

#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// Light by grey value.
    Grey(Curve),
    /// Light by value, then linear sRGB by light.
    Matrix(Box<[Curve; 3]>, Matrix),
    /// A table from device to connection space.
    Table(Box<Table>),
}

/// The tags that matter here: colorants, curves, and the tables from device to connection
/// space for the colorimetric and the perceptual intent.
const TAGS: [&[u8; 4]; 9] = [b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC", b"kTRC", b"A2B0", b"A2B1"];
/// Bytes of a profile's header, and of an entry of the table of tags behind it.
const HEADER_BYTES: usize = 128;
const ENTRY_BYTES: usize = 12;
/// How far the primaries may be off, as parts of linear light, for a profile to be sRGB.
/// Published sRGB profiles differ by some 0.0005 through their rounding.
const PRIMARIES_TOLERANCE: f64 = 0.002;

impl Profile {
    /// Reads a profile for pixels of this model; `None` if it is broken, of another model, or
    /// sRGB: then the samples are sRGB as they are.
    ///
    /// Curves and matrix are preferred to a table where a profile has both.
    pub fn read(bytes: &[u8], model: Model) -> Option<Self> {
        if bytes.len() > limits::ICC_BYTES {
            return None;
        }
        let bytes = with_few_tags(bytes)?;
        let options = ParsingOptions {
            max_profile_size: limits::ICC_BYTES + 1,
            max_allowed_clut_size: 10_000_000,
            max_allowed_trc_size: 65_536,
        };
        let profile = ColorProfile::new_from_slice_with_options(&bytes, options).ok()?;
        match (model, profile.color_space) {
            (Model::Grey, DataColorSpace::Gray) => grey(&profile),
            (Model::Rgb, DataColorSpace::Rgb) => match matrix(&profile) {
                Some((curves, matrix)) => {
                    let is_srgb = is_near_one(&matrix) && curves.iter().all(srgb::is_own_curve);
                    (!is_srgb).then(|| Kind::Matrix(Box::new(curves), matrix))
                }
                None => Table::new(&profile).filter(|table| !table.is_srgb()).map(|table| Kind::Table(Box::new(table))),
            },
            _ => None,
        }
        .map(Self)
    }
}

/// The profile with no tags but those that matter, each once. The others may hold anything: a
/// small text tag can name the same megabytes a hundred thousand times, and the reader would
/// copy them each time.
fn with_few_tags(bytes: &[u8]) -> Option<Vec<u8>> {
    let (header, rest) = bytes.split_at_checked(HEADER_BYTES)?;
    let (count, rest) = rest.split_first_chunk()?;
    let entries = rest.as_chunks::<ENTRY_BYTES>().0;
    let entries = entries.get(..u32::from_be_bytes(*count) as usize)?;
    let found = TAGS.iter().filter_map(|tag| entries.iter().find(|entry| entry.starts_with(*tag)));
    let found: Vec<[u8; ENTRY_BYTES]> = found.copied().collect();
    let mut reduced = [header, &(found.len() as u32).to_be_bytes(), found.as_flattened()].concat();
    // The entries say where the data are, counted from the start.
    reduced.extend_from_slice(bytes.get(reduced.len()..)?);
    Some(reduced)
}

fn grey(profile: &ColorProfile) -> Option<Kind> {
    let curve = Curve::new(profile.gray_trc.as_ref()?)?;
    // In a Lab connection space the curve gives lightness.
    let curve = match profile.pcs {
        DataColorSpace::Xyz => curve,
        DataColorSpace::Lab => lightness_to_light(&curve),
        _ => return None,
    };
    (!srgb::is_own_curve(&curve)).then_some(Kind::Grey(curve))
}

fn lightness_to_light(curve: &Curve) -> Curve {
    const STEPS: usize = 4096;
    let light = |step: usize| {
        let lightness = curve.at(step as f64 / STEPS as f64) * 100.0;
        crate::media::icc::table::lab_to_xyz([lightness, 0.0, 0.0])[1]
    };
    Curve::Sampled((0..=STEPS).map(light).collect())
}

/// The curves and the matrix to linear sRGB.
fn matrix(profile: &ColorProfile) -> Option<([Curve; 3], Matrix)> {
    if profile.pcs != DataColorSpace::Xyz {
        return None;
    }
    let (r, g, b) = (profile.red_colorant, profile.green_colorant, profile.blue_colorant);
    let colorants = [[r.x, g.x, b.x], [r.y, g.y, b.y], [r.z, g.z, b.z]];
    // White has the luminance 1; a profile that is far from it has lost its colorants.
    if !(0.5..=1.5).contains(&(r.y + g.y + b.y)) {
        return None;
    }
    let curve = |curve: &Option<ToneReprCurve>| Curve::new(curve.as_ref()?);
    let curves = [curve(&profile.red_trc)?, curve(&profile.green_trc)?, curve(&profile.blue_trc)?];
    Some((curves, srgb::product(&srgb::from_xyz(), &colorants)))
}

fn is_near_one(matrix: &Matrix) -> bool {
    matrix.iter().enumerate().all(|(r, row)| {
        row.iter().enumerate().all(|(c, value)| (value - f64::from(u8::from(r == c))).abs() <= PRIMARIES_TOLERANCE)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(profile: &ColorProfile) -> Vec<u8> {
        profile.encode().unwrap()
    }

    #[test]
    fn srgb_under_any_name_changes_nothing() {
        assert!(Profile::read(&encoded(&ColorProfile::new_srgb()), Model::Rgb).is_none());
        // As older profiles have it: a sampled curve.
        let mut sampled = ColorProfile::new_srgb();
        let decode = |x: f64| {
            if x <= 0.040_45 { x / 12.92 } else { ((x + 0.055) / 1.055).powf(2.4) }
        };
        let values = (0..1024).map(|n| (decode(f64::from(n) / 1023.0) * 65_535.0).round() as u16).collect();
        let curve = Some(ToneReprCurve::Lut(values));
        (sampled.red_trc, sampled.green_trc, sampled.blue_trc) = (curve.clone(), curve.clone(), curve);
        assert!(Profile::read(&encoded(&sampled), Model::Rgb).is_none());
    }

    #[test]
    fn other_profiles_do_something() {
        for profile in [
            ColorProfile::new_display_p3(),
            ColorProfile::new_adobe_rgb(),
            ColorProfile::new_pro_photo_rgb(),
            ColorProfile::new_bt2020(),
        ] {
            assert!(matches!(Profile::read(&encoded(&profile), Model::Rgb), Some(Profile(Kind::Matrix(..)))));
        }
        // A curve alone is enough, if it is off by more than half a step: that of gamma 2.2.
        let mut gamma = ColorProfile::new_srgb();
        let curve = Some(moxcms::curve_from_gamma(2.2));
        (gamma.red_trc, gamma.green_trc, gamma.blue_trc) = (curve.clone(), curve.clone(), curve);
        assert!(Profile::read(&encoded(&gamma), Model::Rgb).is_some());
        let grey = encoded(&ColorProfile::new_gray_with_gamma(1.8));
        assert!(matches!(Profile::read(&grey, Model::Grey), Some(Profile(Kind::Grey(_)))));
    }

    #[test]
    fn what_does_not_fit_is_ignored() {
        let p3 = encoded(&ColorProfile::new_display_p3());
        assert!(Profile::read(&p3, Model::Grey).is_none());
        assert!(Profile::read(&encoded(&ColorProfile::new_gray_with_gamma(1.8)), Model::Rgb).is_none());
        assert!(Profile::read(b"", Model::Rgb).is_none());
        assert!(Profile::read(&vec![0; limits::ICC_BYTES + 1], Model::Rgb).is_none());
        let mut dark = ColorProfile::new_display_p3();
        dark.green_colorant = moxcms::Xyzd::default();
        assert!(Profile::read(&encoded(&dark), Model::Rgb).is_none());
        let mut cut = p3;
        cut[128..132].copy_from_slice(&u32::MAX.to_be_bytes());
        assert!(Profile::read(&cut, Model::Rgb).is_none());
    }

    /// Two hundred thousand texts of four megabytes each, all the same.
    #[test]
    fn texts_are_not_read() {
        let mut profile = encoded(&ColorProfile::new_display_p3());
        let (at, records, text) = (profile.len() as u32, 200_000_u32, 4_u32 << 20);
        profile.extend(b"mluc\0\0\0\0");
        profile.extend(records.to_be_bytes());
        profile.extend(12_u32.to_be_bytes());
        for _ in 0..records {
            profile.extend(b"enUS");
            profile.extend(text.to_be_bytes());
            profile.extend(16_u32.to_be_bytes());
        }
        profile.resize(at as usize + text as usize + 16, b'x');
        let size = profile.len() as u32 - at;
        let entries = 132..132 + ENTRY_BYTES * u32::from_be_bytes(*profile[128..].first_chunk().unwrap()) as usize;
        for entry in profile[entries].chunks_exact_mut(ENTRY_BYTES).filter(|entry| entry.starts_with(b"desc")) {
            entry[4..8].copy_from_slice(&at.to_be_bytes());
            entry[8..].copy_from_slice(&size.to_be_bytes());
        }
        assert!(Profile::read(&profile, Model::Rgb).is_some());
    }

    #[test]
    fn damaged_profiles_do_not_panic() {
        let profiles = [ColorProfile::new_display_p3(), ColorProfile::new_gray_with_gamma(1.8)].map(|p| encoded(&p));
        let mut state = 0x1234_5678_u32;
        for profile in profiles {
            for length in 0..profile.len() {
                Profile::read(&profile[..length], Model::Rgb);
            }
            for _ in 0..5000 {
                let mut damaged = profile.clone();
                for _ in 0..4 {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let at = state as usize % damaged.len();
                    damaged[at] = (state >> 16) as u8;
                }
                Profile::read(&damaged, Model::Rgb);
                Profile::read(&damaged, Model::Grey);
            }
        }
    }
}
