//! What of the sources is the product, and what its tests.

use std::collections::HashSet;
use std::path::PathBuf;

use super::source::{Source, Token, below, tokens};

const FOR_TESTS: [&str; 8] = ["#", "[", "cfg", "(", "test", ")", "]", "mod"];

/// Every file of `src` but those of modules that are compiled for tests alone.
pub(super) fn product() -> Vec<Source> {
    let mut sources = below("src", &[".rs"]);
    let tests: HashSet<PathBuf> = sources.iter().flat_map(test_files).collect();
    sources.retain(|source| !source.path.ancestors().any(|path| tests.contains(&path.with_extension(""))));
    sources
}

/// The files, or directories, of modules that are declared for tests; without an extension.
fn test_files(source: &Source) -> Vec<PathBuf> {
    let directory = match source.path.file_name().and_then(|name| name.to_str()) {
        Some("mod.rs" | "lib.rs" | "main.rs") => source.path.with_file_name(""),
        _ => source.path.with_extension(""),
    };
    let tokens = tokens(&source.code);
    let declared = tokens.windows(10).filter(|window| is_for_tests(window) && window[9].text == ";");
    declared.map(|window| directory.join(window[8].text)).collect()
}

/// The first and last line of each module of tests written within a file.
pub(super) fn test_modules(tokens: &[Token<'_>]) -> Vec<(usize, usize)> {
    let mut modules = Vec::new();
    for (at, window) in tokens.windows(10).enumerate() {
        if !is_for_tests(window) || window[9].text != "{" {
            continue;
        }
        let mut depth = 0;
        let end = tokens[at + 9..].iter().find(|token| {
            depth += i32::from(token.text == "{") - i32::from(token.text == "}");
            depth == 0
        });
        modules.extend(end.map(|end| (window[0].line, end.line)));
    }
    modules
}

fn is_for_tests(window: &[Token<'_>]) -> bool {
    window.iter().zip(FOR_TESTS).all(|(token, text)| token.text == text)
}

#[test]
fn modules_of_tests_are_found() {
    let code = "fn f() {}\n#[cfg(test)]\nmod tests {\n fn g() { if true {} }\n}\nfn h() {}";
    assert_eq!(test_modules(&tokens(code)), [(2, 5)]);
    let product = product();
    assert!(product.iter().any(|source| source.path.ends_with("cas/mod.rs")));
    assert!(!product.iter().any(|source| source.path.ends_with("cas/crash.rs")));
}
