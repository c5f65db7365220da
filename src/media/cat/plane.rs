//! Points, curves and the few functions of one number that everything here is drawn with.

use std::ops::{Add, Mul, Sub};

/// A point or a direction: `x` to the right, `y` down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub(super) x: f32,
    pub(super) y: f32,
}

/// The point at `x`, `y`.
pub(super) const fn at(x: f32, y: f32) -> Point {
    Point { x, y }
}

impl Add for Point {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        at(self.x + other.x, self.y + other.y)
    }
}

impl Sub for Point {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        at(self.x - other.x, self.y - other.y)
    }
}

impl Mul<f32> for Point {
    type Output = Self;
    fn mul(self, factor: f32) -> Self {
        at(self.x * factor, self.y * factor)
    }
}

impl Point {
    pub(super) fn dot(self, other: Self) -> f32 {
        self.x * other.x + self.y * other.y
    }

    pub(super) fn length(self) -> f32 {
        self.dot(self).sqrt()
    }

    /// The same direction with length 1 (of no direction: none).
    pub(super) fn unit(self) -> Self {
        self * (1.0 / self.length().max(1e-6))
    }

    /// The point halfway to `other`.
    pub(super) fn mid(self, other: Self) -> Self {
        (self + other) * 0.5
    }

    /// Turned by the angle that turns the x axis onto `axis`, a unit vector.
    pub(super) fn turned(self, axis: Self) -> Self {
        at(self.x * axis.x - self.y * axis.y, self.x * axis.y + self.y * axis.x)
    }

    /// A quarter turn clockwise, as seen.
    pub(super) const fn across(self) -> Self {
        at(-self.y, self.x)
    }
}

/// The unit vector at so many degrees from the x axis, clockwise as seen.
pub(super) fn direction(degrees: f32) -> Point {
    let angle = degrees * (std::f32::consts::PI / 180.0);
    at(libm::cosf(angle), libm::sinf(angle))
}

/// From `a` to `b` as `t` goes from 0 to 1.
pub(super) fn lerp(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

/// 0 below `from`, 1 above `to`, smooth between; `from` may be the larger.
pub(super) fn step(from: f32, to: f32, value: f32) -> f32 {
    let t = ((value - from) / (to - from)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// 1 at `centre`, falling smoothly to 0 at `reach` to both sides.
pub(super) fn bump(centre: f32, reach: f32, value: f32) -> f32 {
    step(reach, 0.0, (value - centre).abs())
}

/// The smaller of both, rounded where they are nearer than `round`.
pub(super) fn soft_min(a: f32, b: f32, round: f32) -> f32 {
    let h = (round - (a - b).abs()).max(0.0) / round;
    a.min(b) - h * h * round * 0.25
}

/// The larger of both, rounded where they are nearer than `round`.
pub(super) fn soft_max(a: f32, b: f32, round: f32) -> f32 {
    -soft_min(-a, -b, round)
}

/// A quadratic Bézier curve.
#[derive(Debug, Clone, Copy)]
pub(super) struct Curve {
    pub(super) from: Point,
    pub(super) bend: Point,
    pub(super) to: Point,
}

/// The curve that leaves `from` towards `bend` and ends at `to`.
pub(super) const fn curve(from: Point, bend: Point, to: Point) -> Curve {
    Curve { from, bend, to }
}

impl Curve {
    pub(super) fn point(&self, t: f32) -> Point {
        let s = 1.0 - t;
        self.from * (s * s) + self.bend * (2.0 * s * t) + self.to * (t * t)
    }

    /// Distance of a point, and where on the curve (0 to 1) it is nearest, by way of `pieces`
    /// straight pieces.
    pub(super) fn nearest(&self, point: Point, pieces: u8) -> (f32, f32) {
        let mut best = (f32::MAX, 0.0);
        let mut a = self.from;
        for i in 1..=pieces {
            let b = self.point(f32::from(i) / f32::from(pieces));
            let (distance, along) = segment(point, a, b);
            if distance < best.0 {
                best = (distance, (f32::from(i - 1) + along) / f32::from(pieces));
            }
            a = b;
        }
        best
    }
}

/// Distance of a point from the segment `a` to `b`, and where on it (0 to 1) it is nearest.
pub(super) fn segment(point: Point, a: Point, b: Point) -> (f32, f32) {
    let (pa, ba) = (point - a, b - a);
    let along = (pa.dot(ba) / ba.dot(ba).max(1e-9)).clamp(0.0, 1.0);
    ((pa - ba * along).length(), along)
}

/// Signed distance (negative inside) of a point from a closed polygon.
pub(super) fn polygon(point: Point, corners: &[Point]) -> f32 {
    let mut nearest = f32::MAX;
    let mut inside = false;
    let mut a = corners[corners.len() - 1];
    for &b in corners {
        nearest = nearest.min(segment(point, a, b).0);
        let crosses = (a.y > point.y) != (b.y > point.y);
        if crosses && point.x < a.x + (b.x - a.x) * (point.y - a.y) / (b.y - a.y) {
            inside = !inside;
        }
        a = b;
    }
    if inside { -nearest } else { nearest }
}

/// A frame of its own for a part: `origin` on the canvas, `scale` pixels to a unit, turned.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) origin: Point,
    pub(super) scale: f32,
    pub(super) axis: Point,
}

impl Frame {
    /// A canvas point in this frame.
    pub(super) fn inward(&self, point: Point) -> Point {
        (point - self.origin).turned(at(self.axis.x, -self.axis.y)) * (1.0 / self.scale)
    }

    /// A direction of this frame on the canvas, unscaled.
    pub(super) fn outward_direction(&self, direction: Point) -> Point {
        direction.turned(self.axis)
    }

    /// A point of this frame on the canvas.
    pub(super) fn outward(&self, point: Point) -> Point {
        self.origin + point.turned(self.axis) * self.scale
    }

    /// A curve of this frame on the canvas.
    pub(super) fn outward_curve(&self, c: Curve) -> Curve {
        curve(self.outward(c.from), self.outward(c.bend), self.outward(c.to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_leads_in_and_out() {
        let frame = Frame { origin: at(30.0, -4.0), scale: 12.0, axis: direction(25.0) };
        let p = at(5.5, 17.0);
        assert!((frame.outward(frame.inward(p)) - p).length() < 1e-4);
    }

    #[test]
    fn distance_to_a_polygon_is_negative_inside() {
        let square = [at(0.0, 0.0), at(4.0, 0.0), at(4.0, 4.0), at(0.0, 4.0)];
        assert!((polygon(at(1.0, 2.0), &square) + 1.0).abs() < 1e-6);
        assert!((polygon(at(7.0, 8.0), &square) - 5.0).abs() < 1e-6);
    }

    #[test]
    fn a_curve_is_nearest_where_its_point_is() {
        let c = curve(at(0.0, 0.0), at(5.0, 8.0), at(10.0, 0.0));
        let (distance, along) = c.nearest(c.point(0.25), 32);
        assert!(distance < 0.05 && (along - 0.25).abs() < 0.01, "{distance} {along}");
    }
}
