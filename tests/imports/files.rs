//! How long files are, and that none is forgotten.

use std::collections::HashSet;
use std::path::PathBuf;

use super::product::{product, test_modules};
use super::source::{Source, below, tokens};

/// Lines of a source file, its tests not counted: 60 to 250 are usual, and nobody finds their
/// way in more than this.
const LONGEST: usize = 450;

#[test]
fn source_files_are_short() {
    let long: Vec<String> = product()
        .iter()
        .map(|source| (lines(source), source.path.display()))
        .filter(|(lines, _)| *lines >= LONGEST)
        .map(|(lines, path)| format!("{path}: {lines} lines"))
        .collect();
    assert!(long.is_empty(), "split by topic:\n{}", long.join("\n"));
}

fn lines(source: &Source) -> usize {
    let tests = test_modules(&tokens(&source.code)).into_iter();
    source.text.lines().count() - tests.map(|(first, last)| last + 1 - first).sum::<usize>()
}

#[test]
fn no_test_and_no_bench_is_forgotten() {
    for directory in ["tests", "benches"] {
        let files = below(directory, &[".rs"]);
        let main = files.iter().find(|file| file.path.ends_with("main.rs") && file.path.iter().count() == 2);
        let main = main.unwrap_or_else(|| panic!("{directory}/main.rs is missing"));
        let listed = tokens(&main.code);
        let listed: HashSet<&str> =
            listed.windows(2).filter(|pair| pair[0].text == "mod").map(|pair| pair[1].text).collect();
        for file in &files {
            let module = file.path.iter().nth(1).map(|name| PathBuf::from(name).with_extension(""));
            let module = module.unwrap_or_default().to_string_lossy().into_owned();
            let is_listed = module == "main" || listed.contains(module.as_str());
            assert!(is_listed, "{} is not listed in {directory}/main.rs", file.path.display());
        }
    }
}

#[test]
fn every_fuzz_target_is_declared() {
    let manifest = below("fuzz", &["fuzz/Cargo.toml"]);
    for target in below("fuzz/fuzz_targets", &[".rs"]) {
        let path = target.path.strip_prefix("fuzz").unwrap_or(&target.path).display().to_string();
        assert!(manifest[0].text.contains(&path), "{path} is not in fuzz/Cargo.toml");
    }
}
