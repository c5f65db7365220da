//! The files that words name: a file is itself, a directory is all files below it.

use std::cmp::Ordering;
use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::error::CliError;
use crate::engine::EngineError;
use crate::engine::home::DATABASE;

/// Directories below each other that are followed.
const DEPTH: usize = 64;

/// The regular files below a directory, in the order in which people count: `a2` before `a10`.
///
/// What begins with a dot and whole homes are left out, and links are not followed: they may lead anywhere, and round
/// in circles.
pub fn below(directory: &Path) -> Result<Vec<PathBuf>, CliError> {
    let mut found = Vec::new();
    walk(directory, DEPTH, &mut found)?;
    Ok(found)
}

fn walk(directory: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), CliError> {
    let failed = |error: std::io::Error| CliError::Engine(EngineError::file(directory, &error));
    if directory.join(DATABASE).is_file() {
        return Ok(());
    }
    if depth == 0 {
        return Err(CliError::invalid(format!("{}: more than {DEPTH} directories deep", directory.display())));
    }
    let mut entries = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            entries.push((entry.file_name(), entry.file_type().map_err(failed)?));
        }
    }
    entries.sort_by(|(a, _), (b, _)| by_number(a.as_encoded_bytes(), b.as_encoded_bytes()));
    for (name, of_type) in entries {
        if of_type.is_dir() {
            walk(&directory.join(name), depth - 1, found)?;
        } else if of_type.is_file() {
            found.push(directory.join(name));
        }
    }
    Ok(())
}

/// Runs of digits are numbers, all else is bytes. Names that differ are never equal.
fn by_number(a: &[u8], b: &[u8]) -> Ordering {
    let (mut left, mut right) = (a, b);
    while let (Some(x), Some(y)) = (left.first(), right.first()) {
        if x.is_ascii_digit() && y.is_ascii_digit() {
            let ((m, after), (n, behind)) = (number(left), number(right));
            // Without leading zeros the longer one is the larger.
            let order = m.len().cmp(&n.len()).then_with(|| m.cmp(n));
            if order != Ordering::Equal {
                return order;
            }
            (left, right) = (after, behind);
        } else if x == y {
            (left, right) = (&left[1..], &right[1..]);
        } else {
            return x.cmp(y);
        }
    }
    left.len().cmp(&right.len()).then_with(|| a.cmp(b))
}

/// The digits at the beginning, without leading zeros, and what is after them.
fn number(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let zeros = text[..end].iter().take_while(|byte| **byte == b'0').count();
    (&text[zeros..end], &text[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_the_order_in_which_people_count() {
        let mut names =
            ["b", "a10.png", "a9.png", "a1", "a", "A2", "a010.png", "a99999999999999999999999", "a1-2", "a1-10"];
        names.sort_by(|a, b| by_number(a.as_bytes(), b.as_bytes()));
        let sorted =
            ["A2", "a", "a1", "a1-2", "a1-10", "a9.png", "a010.png", "a10.png", "a99999999999999999999999", "b"];
        assert_eq!(names, sorted);
    }

    #[test]
    fn s5_links_homes_and_what_is_hidden_are_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::create_dir_all(path("2/in")).unwrap();
        fs::create_dir(path("a home")).unwrap();
        for name in ["10.txt", "2/in/x.txt", "1.txt", ".hidden", "a home/artdag.redb", "a home/token"] {
            fs::write(path(name), b"x").unwrap();
        }
        std::os::unix::fs::symlink(dir.path(), path("round")).unwrap();
        std::os::unix::fs::symlink(path("1.txt"), path("link.txt")).unwrap();
        assert_eq!(below(dir.path()).unwrap(), ["1.txt", "2/in/x.txt", "10.txt"].map(path));
        assert!(below(&path("nothing")).is_err());
    }
}
