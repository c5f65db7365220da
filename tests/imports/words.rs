//! Words that do not belong into sources and docs.

use super::source::{Source, below, tokens};

/// Whatever is written for people or compiled.
const TEXTS: &[&str] = &[".rs", ".md", ".toml", ".yaml", ".yml", ".sh", ".html", ".js", ".css", ".ci/run"];

// Put together here, so that this file does not hold them.
/// Marks of what is unfinished.
const UNFINISHED: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
/// Code that is unfinished or hidden.
const UNFINISHED_CODE: &[&str] = &[concat!("to", "do"), concat!("unim", "plemented"), concat!("db", "g")];
/// Places that only one machine has.
const PLACES: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("../sha", "red")];
/// What is counted somewhere else.
const COUNTED: &[&str] = &[concat!("iss", "ue"), concat!("sess", "ion")];

#[test]
fn nothing_speaks_of_what_is_not_the_product() {
    let mut wrong = Vec::new();
    for source in below("", TEXTS) {
        let rust = source.path.extension().is_some_and(|extension| extension == "rs");
        let prose = if rust { &source.comments } else { &source.text };
        let mut report = |line: usize, what: &str| wrong.push(format!("{}:{line}: {what}", source.path.display()));
        for (index, line) in prose.lines().enumerate() {
            unfinished(line).iter().chain(&counted(line)).for_each(|what| report(index + 1, what));
        }
        for (index, line) in source.text.lines().enumerate() {
            PLACES.iter().filter(|place| line.contains(*place)).for_each(|place| report(index + 1, place));
        }
        if rust {
            for (line, what) in unfinished_code(&source) {
                report(line, &what);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn unfinished(line: &str) -> Vec<String> {
    let words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.filter(|word| UNFINISHED.contains(word)).map(str::to_owned).collect()
}

/// Numbers of tickets and their like: the word, perhaps `#`, and digits.
fn counted(line: &str) -> Vec<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let pairs = words.windows(2).filter(|pair| {
        let word = pair[0].trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        let number = pair[1].trim_start_matches('#').starts_with(|c: char| c.is_ascii_digit());
        number && COUNTED.iter().any(|counted| word == *counted)
    });
    pairs.map(|pair| pair.join(" ")).collect()
}

fn unfinished_code(source: &Source) -> Vec<(usize, String)> {
    let tokens = tokens(&source.code);
    let macros = tokens.windows(2).filter(|pair| UNFINISHED_CODE.contains(&pair[0].text) && pair[1].text == "!");
    let ignored = tokens.windows(3).filter(|three| {
        let texts = [three[0].text, three[1].text, three[2].text];
        texts == ["#", "[", "ignore"]
    });
    let macros = macros.map(|pair| (pair[0].line, format!("{}!", pair[0].text)));
    macros.chain(ignored.map(|three| (three[0].line, "an ignored test".to_owned()))).collect()
}

#[test]
fn the_words_are_found() {
    let unfinished_line = format!("// {}: later", UNFINISHED[0]);
    assert_eq!(unfinished(&unfinished_line).len(), 1);
    assert_eq!(unfinished("all fields"), Vec::<String>::new());
    assert_eq!(counted(&format!("see {} #12", COUNTED[0])).len(), 1);
    assert_eq!(counted(&format!("a {} is opened", COUNTED[1])), Vec::<String>::new());
}
