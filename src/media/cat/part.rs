//! A furry part of the body: its solids, and what grows where on them.

use super::form::Form;
use super::palette::Colour;
use super::plane::Point;

/// How the hair lies at a point.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lay {
    /// Where it points; any length but 0.
    pub(super) flow: Point,
    /// Pixels; 0 where the skin is bare.
    pub(super) length: f32,
    /// Pixels.
    pub(super) width: f32,
    /// Painted earlier where this is larger: it should grow along the flow.
    pub(super) order: f32,
}

/// A furry part of the body; every function takes a point of the canvas.
pub(super) struct Part {
    pub(super) form: Form,
    /// The colour of the fur in white light.
    pub(super) coat: fn(Point) -> Colour,
    /// How the fur lies.
    pub(super) lay: fn(Point) -> Lay,
    /// What is left of the light where other parts stand before it: 0 to 1.
    pub(super) light: fn(Point) -> f32,
    /// Pixels between hairs.
    pub(super) spacing: f32,
    /// How much hairs differ in direction, 0 to 1.
    pub(super) ruffle: f32,
    pub(super) seed: u64,
}
