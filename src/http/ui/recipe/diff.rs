//! How two versions of a text differ, line by line.

use maud::{Markup, html};

/// Pairs of lines that are compared; longer texts are looked at one by one.
const PAIRS: usize = 4_000_000;
/// Lines shown around a difference.
const AROUND: usize = 3;

/// A line of either text, or of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line<'a> {
    Both(&'a str),
    Old(&'a str),
    New(&'a str),
}

/// The lines of both texts in order, those that they share once.
fn lines<'a>(old: &'a str, new: &'a str) -> Option<Vec<Line<'a>>> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    if old.len() * new.len() > PAIRS {
        return None;
    }
    // Shared lines from each pair of positions to the ends.
    let width = new.len() + 1;
    let mut shared = vec![0_u32; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            shared[i * width + j] = if old[i] == new[j] {
                shared[(i + 1) * width + j + 1] + 1
            } else {
                shared[(i + 1) * width + j].max(shared[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            lines.push(Line::Both(old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && shared[(i + 1) * width + j] >= shared[i * width + j + 1]) {
            lines.push(Line::Old(old[i]));
            i += 1;
        } else {
            lines.push(Line::New(new[j]));
            j += 1;
        }
    }
    Some(lines)
}

/// What differs, with some lines around it.
pub fn diff(old: &str, new: &str) -> Markup {
    let Some(lines) = lines(old, new) else {
        return html! { p.muted { "The texts are too long to be compared here." } };
    };
    let differs: Vec<usize> =
        lines.iter().enumerate().filter(|(_, line)| !matches!(line, Line::Both(_))).map(|(at, _)| at).collect();
    let near = |at: usize| {
        let next = differs.partition_point(|place| *place + AROUND < at);
        differs.get(next).is_some_and(|place| *place <= at + AROUND)
    };
    html! {
        @if differs.is_empty() { p.muted { "The two say the same." } } @else {
            ol.code.diff tabindex="0" aria-label="What differs" {
                @for (at, line) in lines.iter().enumerate().filter(|(at, _)| near(*at)) {
                    @if at > 0 && !near(at - 1) { li.gap { span.gutter { "⋯" } } }
                    @match line {
                        Line::Both(text) => li { span.gutter {} code { (text) } },
                        Line::Old(text) => li.old { span.gutter { "−" } code { (text) } },
                        Line::New(text) => li.new { span.gutter { "+" } code { (text) } },
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_lines_come_once() {
        let found = lines("a\nb\nc\n", "a\nx\nc\nd\n").unwrap();
        assert_eq!(found, [Line::Both("a"), Line::Old("b"), Line::New("x"), Line::Both("c"), Line::New("d")]);
        assert_eq!(lines("", "").unwrap(), []);
        assert!(diff("a\n", "a\n").into_string().contains("say the same"));
        assert!(diff("a\nb", "a\n<b>").into_string().contains("&lt;b&gt;"));
        assert!(lines(&"x\n".repeat(3000), &"y\n".repeat(3000)).is_none());
    }
}
