//! How the cat lies: the places that several parts must agree on.

use super::plane::{Frame, Point, at};

/// The frame of the head, tilted by a few degrees: the origin is between the eyes and the
/// nose, and 1 is half of the width across the cheeks.
pub(super) const HEAD: Frame = Frame { origin: at(640.0, 470.0), scale: 268.0, axis: at(0.998_63, -0.052_34) };

/// Centres of the paws: both front paws, and the hind paw.
pub(super) const PAWS: [Point; 3] = [at(487.0, 1040.0), at(783.0, 1046.0), at(1050.0, 1048.0)];
