//! Numbers and truths as they are written.

use crate::recipe::yaml::{Scalar, Style};

/// The number that a scalar is: YAML 1.2's decimal, `0x` and `0o` forms. Infinities and what is
/// no number (`.inf`, `.nan`, `1e999`) come back as such, for the caller to refuse.
pub(crate) fn number(scalar: &Scalar) -> Option<f64> {
    if scalar.style == Style::Quoted {
        return None;
    }
    let text = scalar.text.as_str();
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if let Some(integer) = prefixed(text) {
        return Some(integer as f64);
    }
    match unsigned {
        ".inf" | ".Inf" | ".INF" => {
            return Some(if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY });
        }
        ".nan" | ".NaN" | ".NAN" => return Some(f64::NAN),
        _ => {}
    }
    // Rust's own parser also takes `inf`, `nan` and `infinity`, which are texts here.
    let decimal = |b: u8| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-');
    let begins = unsigned.strip_prefix('.').unwrap_or(unsigned).starts_with(|c: char| c.is_ascii_digit());
    if begins && text.bytes().all(decimal) { text.parse().ok() } else { None }
}

/// The whole number that a scalar is; `10.0` and `1e3` are whole.
pub(crate) fn integer(scalar: &Scalar) -> Option<i64> {
    /// Up to here every whole number is a float of its own.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if scalar.style == Style::Quoted {
        return None;
    }
    scalar.text.parse().ok().or_else(|| prefixed(&scalar.text)).or_else(|| {
        let number = number(scalar)?;
        (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
    })
}

fn prefixed(text: &str) -> Option<i64> {
    let radix = |prefix, radix| {
        let digits: &str = text.strip_prefix(prefix)?;
        let unsigned = digits.starts_with(|c: char| c.is_ascii_hexdigit());
        unsigned.then(|| i64::from_str_radix(digits, radix).ok()).flatten()
    };
    radix("0x", 16).or_else(|| radix("0o", 8))
}

/// The truth that a scalar is: YAML 1.2's words and those of 1.1, which people still write.
pub(crate) fn truth(scalar: &Scalar) -> Option<bool> {
    if scalar.style == Style::Quoted {
        return None;
    }
    match scalar.text.as_str() {
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Scalar {
        Scalar { text: text.to_owned(), style: Style::Plain }
    }

    #[test]
    fn numbers_are_yamls() {
        for (text, expected) in [
            ("1.4", 1.4),
            ("-.5", -0.5),
            ("+3", 3.0),
            ("5.", 5.0),
            ("1e3", 1000.0),
            ("0x1F", 31.0),
            ("0o17", 15.0),
            ("007", 7.0),
            ("-.inf", f64::NEG_INFINITY),
            ("1e999", f64::INFINITY),
        ] {
            assert_eq!(number(&plain(text)), Some(expected), "{text}");
        }
        assert!(number(&plain(".nan")).unwrap().is_nan());
        for text in
            ["", ".", "-", "inf", "nan", "infinity", "1_000", "1,5", "1e", "e1", "0x", "0x-1", "1.2.3", "--1", "12px"]
        {
            assert_eq!(number(&plain(text)), None, "{text}");
        }
        assert_eq!(number(&Scalar { text: "1".to_owned(), style: Style::Quoted }), None);
        assert_eq!(number(&Scalar { text: "1".to_owned(), style: Style::Given }), Some(1.0));
    }

    #[test]
    fn whole_numbers_may_be_written_as_floats() {
        for (text, expected) in [("10", 10), ("10.0", 10), ("1e3", 1000), ("-0", 0), ("9223372036854775807", i64::MAX)]
        {
            assert_eq!(integer(&plain(text)), Some(expected), "{text}");
        }
        for text in ["10.5", "9223372036854775808", "1e30", ".inf", ".nan", "ten"] {
            assert_eq!(integer(&plain(text)), None, "{text}");
        }
    }
}
