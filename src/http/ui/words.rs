//! Numbers, times and hashes as people read them.

use maud::{Markup, html};

use crate::base::{ContentHash, RunId, Timestamp};

/// Bytes with a unit, to three digits.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 6] = ["B", "kB", "MB", "GB", "TB", "PB"];
    let mut size = count as f64;
    let mut unit = 0;
    while size >= 999.5 && unit + 1 < UNITS.len() {
        size /= 1000.0;
        unit += 1;
    }
    let digits = usize::from(unit > 0 && size < 99.95) + usize::from(unit > 0 && size < 9.995);
    format!("{size:.digits$} {}", UNITS[unit])
}

/// A whole number with its thousands apart.
pub fn number(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// `3 runs`, `1 run`.
pub fn count(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(count), if count == 1 { one } else { many })
}

/// Seconds as people say them.
pub fn duration(seconds: f64) -> String {
    // The sum of nothing is minus zero.
    let seconds = seconds.max(0.0) + 0.0;
    let whole = seconds.round() as u64;
    match whole {
        _ if seconds < 0.0995 => format!("{:.0} ms", seconds * 1000.0),
        _ if seconds < 9.95 => format!("{seconds:.1} s"),
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        3600..172_800 => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
        _ => format!("{} d {} h", whole / 86400, whole % 86400 / 3600),
    }
}

/// How long ago something was, with the exact time on hover. A script keeps it up to date.
pub fn ago(time: Timestamp) -> Markup {
    let seconds = Timestamp::now().seconds_since(time);
    let text = match seconds as u64 {
        0..5 => "just now".to_owned(),
        whole @ 5..60 => format!("{whole} s ago"),
        whole @ 60..3600 => format!("{} min ago", whole / 60),
        whole @ 3600..86_400 => format!("{} h ago", whole / 3600),
        whole => format!("{} d ago", whole / 86_400),
    };
    html! { time datetime=(time) title=(exact(time)) data-ago="" { (text) } }
}

/// A time to the second, in UTC.
pub fn exact(time: Timestamp) -> String {
    let text = time.to_string();
    let seconds = text.get(..19).unwrap_or(&text).replace('T', " ");
    format!("{seconds} UTC")
}

/// The first digits of a hash, with all of them to be copied by a click.
pub fn hash(hash: &ContentHash) -> Markup {
    copied(&hash.to_string())
}

/// A long word: its beginning, and the whole to be copied by a click.
pub fn copied(word: &str) -> Markup {
    let short: String = word.chars().take(10).collect();
    html! {
        span.hash {
            code title=(word) { (short) }
            button.copy type="button" data-copy=(word) aria-label={ "Copy " (word) } hidden { (crate::http::ui::icons::icon("copy")) }
        }
    }
}

/// The digits of a run's id that tell it from others.
pub fn run_short(run: RunId) -> String {
    let text = run.to_string();
    text.chars().rev().take(8).collect::<Vec<_>>().into_iter().rev().collect()
}

/// At most this many letters, the middle left out.
pub fn within(text: &str, most: usize) -> String {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= most {
        return text.to_owned();
    }
    let tail = (most - 1) / 3;
    let head = most - 1 - tail;
    let (start, end) = (&letters[..head], &letters[letters.len() - tail..]);
    start.iter().chain(['…'].iter()).chain(end).collect()
}

/// A text that a shell reads as one word.
pub fn shell(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:@%+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(
            [0, 999, 1000, 1234, 12_345, 123_456, 999_999].map(bytes),
            ["0 B", "999 B", "1.00 kB", "1.23 kB", "12.3 kB", "123 kB", "1.00 MB"]
        );
        assert_eq!([7, 1234, 1_234_567].map(number), ["7", "1\u{202f}234", "1\u{202f}234\u{202f}567"]);
        assert_eq!(duration(-0.0), "0 ms");
        assert_eq!(
            [0.012, 1.26, 42.0, 61.0, 7320.0, 200_000.0].map(duration),
            ["12 ms", "1.3 s", "42 s", "1 min 01 s", "2 h 02 min", "2 d 7 h"]
        );
    }

    #[test]
    fn long_words_lose_their_middle() {
        assert_eq!(within("short", 10), "short");
        assert_eq!(within("a-very-long-name", 10), "a-very…ame");
    }

    #[test]
    fn a_shell_reads_one_word() {
        assert_eq!([shell("a.b"), shell("a b"), shell("it's")], ["a.b", "'a b'", "'it'\\''s'"]);
    }
}
