//! The `Range` header (RFC 9110, section 14): which parts of how many bytes are wanted.
//!
//! Knows nothing of blobs. Parts that overlap or touch become one, so that no byte is sent
//! twice however often it is asked for.

use std::ops::Range;

use crate::base::limits::RANGES;

/// What a `Range` header asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Everything: no header, or one that is to be ignored.
    Whole,
    /// These parts, in order, without overlap; at least one.
    Parts(Vec<Range<u64>>),
    /// Nothing that is there.
    Unsatisfiable,
}

/// Reads the header's value for `size` bytes. A header of another unit, one that makes no
/// sense and one with more than [`RANGES`] parts are ignored.
pub fn wanted(value: &str, size: u64) -> Wanted {
    let Some((unit, list)) = value.split_once('=') else { return Wanted::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Wanted::Whole;
    }
    let mut parts = Vec::new();
    for (index, text) in list.split(',').map(str::trim).filter(|text| !text.is_empty()).enumerate() {
        let Some(part) = part(text, size).filter(|_| index < RANGES) else { return Wanted::Whole };
        parts.extend(Some(part).filter(|part| !part.is_empty()));
    }
    if list.split(',').all(|text| text.trim().is_empty()) {
        return Wanted::Whole;
    }
    if parts.is_empty() { Wanted::Unsatisfiable } else { Wanted::Parts(joined(parts)) }
}

/// One part; empty if nothing of it is there, `None` if it makes no sense.
fn part(text: &str, size: u64) -> Option<Range<u64>> {
    let (first, last) = text.split_once('-')?;
    match (first.trim(), last.trim()) {
        ("", "") => None,
        ("", length) => Some(size.saturating_sub(number(length)?)..size),
        (first, "") => {
            let first = number(first)?;
            Some(first.min(size)..size)
        }
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            if last < first {
                return None;
            }
            Some(first.min(size)..last.saturating_add(1).min(size))
        }
    }
}

/// A number of digits alone; one that is too large counts as the largest.
fn number(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u64::MAX))
}

fn joined(mut parts: Vec<Range<u64>>) -> Vec<Range<u64>> {
    parts.sort_unstable_by_key(|part| part.start);
    let mut joined: Vec<Range<u64>> = Vec::with_capacity(parts.len());
    for part in parts {
        match joined.last_mut() {
            Some(before) if part.start <= before.end => before.end = before.end.max(part.end),
            _ => joined.push(part),
        }
    }
    joined
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init)] // Lists of ranges are what this is about.
mod tests {
    use super::*;

    fn check(value: &str, size: u64, expected: &[Range<u64>]) {
        assert_eq!(wanted(value, size), Wanted::Parts(expected.to_vec()), "{value}");
    }

    #[test]
    fn parts_are_read_as_the_standard_says() {
        check("bytes=0-0", 10, &[0..1]);
        check("bytes=2-5", 10, &[2..6]);
        check("bytes=5-", 10, &[5..10]);
        check("bytes=-3", 10, &[7..10]);
        check("bytes=-30", 10, &[0..10]);
        check("bytes=5-99", 10, &[5..10]);
        check("Bytes = 1-2 , 4-5", 10, &[1..3, 4..6]);
        check("bytes=0-18446744073709551615", 10, &[0..10]);
        check("bytes=0-99999999999999999999999", 10, &[0..10]);
        check("bytes=0-1,,20-30", 10, &[0..2]);
    }

    #[test]
    fn parts_that_overlap_or_touch_become_one() {
        check("bytes=0-3,2-5", 10, &[0..6]);
        check("bytes=4-5,0-3", 10, &[0..6]);
        check("bytes=6-7,0-1,-1", 10, &[0..2, 6..8, 9..10]);
        check(&format!("bytes={}", ["0-"; RANGES].join(",")), 10, &[0..10]);
    }

    #[test]
    fn what_is_not_there_is_unsatisfiable() {
        for value in ["bytes=10-", "bytes=10-12", "bytes=-0", "bytes=99999999999999999999999-"] {
            assert_eq!(wanted(value, 10), Wanted::Unsatisfiable, "{value}");
        }
        assert_eq!(wanted("bytes=0-", 0), Wanted::Unsatisfiable);
        assert_eq!(wanted("bytes=-5", 0), Wanted::Unsatisfiable);
    }

    #[test]
    fn what_makes_no_sense_is_ignored() {
        let many = format!("bytes={}", ["0-0"; RANGES + 1].join(","));
        let senseless = [
            "",
            "bytes",
            "bytes=",
            "bytes=,",
            "bytes=-",
            "bytes=5-2",
            "bytes=a-b",
            "bytes=+1-2",
            "bytes=1-2,x",
            "bytes=0x1-2",
            "seconds=1-2",
            "bytes=1",
            "bytes=--1",
            &many,
        ];
        for value in senseless {
            assert_eq!(wanted(value, 10), Wanted::Whole, "{value}");
        }
    }
}
