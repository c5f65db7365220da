//! The solids that the body is built of, seen from the front: where they are, and how near.

use super::painter::Area;
use super::plane::{Point, at, lerp, polygon, segment, soft_max, soft_min};

/// A solid. Lengths are pixels; heights grow towards the viewer.
pub(super) enum Solid {
    /// An ellipsoid: half axes across, down and towards the viewer.
    Ball { centre: Point, radii: [f32; 3], lift: f32, axis: Point },
    /// A swelling without an edge: a ball that fades into what is around it.
    Mound { centre: Point, radii: [f32; 3], lift: f32, axis: Point },
    /// A round limb through points with a radius each.
    Limb { joints: Vec<(Point, f32)>, lift: f32 },
    /// A flat outline, leaning by `slope`.
    Sheet { corners: Vec<Point>, slope: Point },
}

/// An ellipsoid, upright, at height 0.
pub(super) const fn ball(x: f32, y: f32, radii: [f32; 3]) -> Solid {
    Solid::Ball { centre: at(x, y), radii, lift: 0.0, axis: at(1.0, 0.0) }
}

/// The height of a dome of height 1 at so many radii from its middle; outside it falls on.
fn dome(k: f32) -> f32 {
    if k < 1.0 { (1.0 - k * k).sqrt() } else { 1.5 * (1.0 - k) }
}

impl Solid {
    /// Signed distance in the plane, and height; outside, the height falls off.
    fn measure(&self, p: Point) -> (f32, f32) {
        match self {
            Self::Ball { centre, radii: [rx, ry, rz], lift, axis }
            | Self::Mound { centre, radii: [rx, ry, rz], lift, axis } => {
                let q = (p - *centre).turned(at(axis.x, -axis.y));
                let (n, m) = (at(q.x / rx, q.y / ry), at(q.x / (rx * rx), q.y / (ry * ry)));
                let k = n.length();
                let distance = if k < 1e-3 { -rx.min(*ry) } else { k * (k - 1.0) / m.length() };
                let rise = if matches!(self, Self::Mound { .. }) { 1.0 - k * k } else { dome(k) };
                (distance, lift + rz * rise)
            }
            Self::Limb { joints, lift } => {
                let mut best = (f32::MAX, 0.0);
                for pair in joints.windows(2) {
                    let (distance, along) = segment(p, pair[0].0, pair[1].0);
                    let radius = lerp(pair[0].1, pair[1].1, along);
                    if distance - radius < best.0 {
                        best = (distance - radius, radius);
                    }
                }
                let k = 1.0 + best.0 / best.1;
                (best.0, lift + best.1 * dome(k))
            }
            Self::Sheet { corners, slope } => (polygon(p, corners), p.dot(*slope)),
        }
    }

    fn bounds(&self) -> (Point, Point) {
        let around = |points: &mut dyn Iterator<Item = (Point, f32)>| {
            points.fold((at(f32::MAX, f32::MAX), at(f32::MIN, f32::MIN)), |(low, high), (p, r)| {
                (at(low.x.min(p.x - r), low.y.min(p.y - r)), at(high.x.max(p.x + r), high.y.max(p.y + r)))
            })
        };
        match self {
            Self::Ball { centre, radii, .. } | Self::Mound { centre, radii, .. } => {
                around(&mut std::iter::once((*centre, radii[0].max(radii[1]))))
            }
            Self::Limb { joints, .. } => around(&mut joints.iter().copied()),
            Self::Sheet { corners, .. } => around(&mut corners.iter().map(|&p| (p, 0.0))),
        }
    }
}

/// Solids grown together.
pub(super) struct Form {
    pub(super) solids: Vec<Solid>,
    /// Pixels over which they flow into one another.
    pub(super) round: f32,
}

impl Form {
    /// Signed distance in the plane (negative inside), and height.
    pub(super) fn measure(&self, p: Point) -> (f32, f32) {
        let mut solids = self.solids.iter().map(|solid| solid.measure(p));
        let first = solids.next().unwrap_or((f32::MAX, 0.0));
        solids.fold(first, |(distance, height), (d, h)| {
            (soft_min(distance, d, self.round), soft_max(height, h, self.round))
        })
    }

    /// The pixels it may cover, with a margin.
    pub(super) fn area(&self, margin: f32) -> Area {
        let mut bounds = self.solids.iter().map(Solid::bounds);
        let first = bounds.next().unwrap_or((at(0.0, 0.0), at(0.0, 0.0)));
        let (low, high) =
            bounds.fold(first, |(a, b), (c, d)| (at(a.x.min(c.x), a.y.min(c.y)), at(b.x.max(d.x), b.y.max(d.y))));
        Area {
            from: ((low.x - margin).max(0.0) as usize, (low.y - margin).max(0.0) as usize),
            to: ((high.x + margin).max(0.0) as usize, (high.y + margin).max(0.0) as usize),
        }
    }
}
