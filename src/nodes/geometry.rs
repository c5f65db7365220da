//! Sizes and offsets of pictures brought to a size: whole numbers, the same on every machine.

/// Width and height.
pub(super) type Size = (u32, u32);

/// `side · to / from`, rounded half up, at least 1: the other side of a picture that keeps its
/// aspect ratio when its side `from` becomes `to`.
pub(super) fn proportional(side: u32, to: u32, from: u32) -> u64 {
    let (side, to, from) = (u64::from(side), u64::from(to), u64::from(from));
    ((2 * side * to + from) / (2 * from)).max(1)
}

/// The largest size of this aspect ratio that lies inside of `bounds`.
pub(super) fn inside((width, height): Size, bounds: Size) -> Size {
    let least = |bound: u32, other: u64| u64::from(bound).min(other) as u32;
    (least(bounds.0, proportional(width, bounds.1, height)), least(bounds.1, proportional(height, bounds.0, width)))
}

/// The smallest size of this aspect ratio that covers `bounds`; it may be larger than a picture
/// may be.
pub(super) fn covering((width, height): Size, bounds: Size) -> (u64, u64) {
    (
        u64::from(bounds.0).max(proportional(width, bounds.1, height)),
        u64::from(bounds.1).max(proportional(height, bounds.0, width)),
    )
}

/// Where `inner` starts in the middle of `outer` (or `outer` in the middle of a larger `inner`):
/// of an odd difference the smaller half comes first.
pub(super) fn centred(inner: Size, outer: Size) -> (u32, u32) {
    (inner.0.abs_diff(outer.0) / 2, inner.1.abs_diff(outer.1) / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_side_is_rounded_half_up() {
        assert_eq!(proportional(3, 500, 1000), 2);
        assert_eq!(proportional(3, 499, 1000), 1);
        assert_eq!(proportional(1, 1, 65_535), 1);
        assert_eq!(proportional(65_535, 65_535, 1), 65_535 * 65_535);
    }

    #[test]
    fn one_side_always_meets_the_bounds() {
        for size in [(1, 1), (3, 2), (2, 3), (640, 480), (65_535, 1), (1, 65_535), (4096, 4095)] {
            for bounds in [(1, 1), (7, 5), (100, 100), (1920, 1080), (1, 300)] {
                let (inner, outer) = (inside(size, bounds), covering(size, bounds));
                assert!(inner.0 == bounds.0 || inner.1 == bounds.1, "{size:?} in {bounds:?}: {inner:?}");
                assert!(inner.0 <= bounds.0 && inner.1 <= bounds.1, "{size:?} in {bounds:?}: {inner:?}");
                assert!(outer.0 == u64::from(bounds.0) || outer.1 == u64::from(bounds.1), "{outer:?}");
                assert!(outer.0 >= u64::from(bounds.0) && outer.1 >= u64::from(bounds.1), "{outer:?}");
            }
        }
        assert_eq!(inside((1000, 14), (100, 50)), (100, 1));
        assert_eq!(centred((3, 10), (8, 3)), (2, 3));
    }
}
