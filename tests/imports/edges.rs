//! Which module imports which.

use std::collections::{BTreeMap, BTreeSet};

use super::product::{product, test_modules};
use super::source::{Source, Token, below, tokens};

/// Every top-level module and what it may import. A row imports only modules of rows above it,
/// so that there can be no cycle.
const TABLE: &[(&str, &str)] = &[
    ("base", ""),
    ("media", "base"),
    ("effects", "base media"),
    ("nodes", "base media effects"),
    ("recipe", "base nodes media effects"),
    ("plan", "base nodes recipe media"),
    ("cas", "base"),
    ("db", "base"),
    ("records", "base db"),
    ("engine", "base media effects nodes recipe plan cas db records"),
    ("config", "base"),
    ("telemetry", ""),
    ("link", "base engine"),
    ("http", "base config telemetry recipe nodes effects engine link media plan records"),
    ("cli", "base http config telemetry recipe nodes effects engine link media plan records"),
    ("main", "cli"),
];

/// Edges of the table that one could wish away, each with the reason why it is there; it goes
/// from the table as soon as nothing uses it.
const DELIBERATE: &[(&str, &str, &str)] = &[
    ("recipe", "media", "a config names kinds and formats, and binding works on facts"),
    ("recipe", "effects", "pins are compared with what is installed, and a bare effect is a recipe"),
    ("plan", "media", "planning computes with facts, and versions of codecs enter keys"),
    ("cli", "media", "it names formats, and writes files of their types"),
    ("cli", "plan", "it prints plans and explanations in their own shapes"),
    ("cli", "records", "the engine answers with statuses and origins as they are stored"),
];

fn may_import(module: &str) -> Option<Vec<&'static str>> {
    let row = TABLE.iter().find(|(name, _)| *name == module);
    row.map(|(_, may)| may.split_whitespace().collect())
}

/// A module that names another, and where.
type Edges = BTreeMap<(String, String), String>;

fn edges() -> Edges {
    let mut edges = Edges::new();
    for source in below("src", &[".rs"]) {
        let modules = source.modules();
        let Some(from) = modules.first() else { continue };
        for (to, line) in references(&modules, &tokens(&source.code)) {
            if to != *from {
                let place = format!("{}:{line}", source.path.display());
                edges.entry((from.clone(), to)).or_insert(place);
            }
        }
    }
    edges
}

/// The top-level modules that a file's paths lead to, with their lines.
fn references(file: &[String], tokens: &[Token<'_>]) -> Vec<(String, usize)> {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
    let mut found = Vec::new();
    // Modules written within the file, and the depth of braces around each.
    let mut inline: Vec<usize> = Vec::new();
    let mut depth = 0;
    let mut at = 0;
    while at < tokens.len() {
        match text(at) {
            "{" => {
                depth += 1;
                if at >= 2 && text(at - 2) == "mod" {
                    inline.push(depth);
                }
            }
            "}" => {
                if inline.last() == Some(&depth) {
                    inline.pop();
                }
                depth -= 1;
            }
            "crate" | "artdag" if text(at + 1) == "::" && text(at.wrapping_sub(1)) != "::" => {
                found.extend(heads(tokens, at + 2));
            }
            "super" => {
                let mut steps = 1;
                while text(at + 1) == "::" && text(at + 2) == "super" {
                    (at, steps) = (at + 2, steps + 1);
                }
                let reaches_root = steps == file.len() + inline.len();
                if reaches_root && text(at + 1) == "::" {
                    found.extend(heads(tokens, at + 2));
                }
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// The first words of what a path from the crate's root names: one, or those of a group.
fn heads(tokens: &[Token<'_>], start: usize) -> Vec<(String, usize)> {
    let Some(first) = tokens.get(start) else {
        return Vec::new();
    };
    if first.text != "{" {
        return vec![(first.text.to_owned(), first.line)];
    }
    let mut heads = Vec::new();
    let (mut depth, mut at, mut wants_head) = (1, start + 1, true);
    while let Some(token) = tokens.get(at).filter(|_| depth > 0) {
        match token.text {
            "{" => depth += 1,
            "}" => depth -= 1,
            "," => wants_head = depth == 1,
            head if wants_head => {
                heads.push((head.to_owned(), token.line));
                wants_head = false;
            }
            _ => {}
        }
        at += 1;
    }
    heads
}

#[test]
fn modules_import_only_what_the_table_allows() {
    let allowed = |from: &str, to: &str| may_import(from).is_some_and(|may| may.contains(&to));
    let wrong: Vec<String> = edges()
        .into_iter()
        .filter(|((from, to), _)| !allowed(from, to))
        .map(|((from, to), place)| format!("{place}: {from} imports {to}"))
        .collect();
    assert!(wrong.is_empty(), "not in the table of {}:\n{}", file!(), wrong.join("\n"));
}

#[test]
fn the_table_has_every_module_and_no_cycle() {
    let library = below("src", &["src/lib.rs"]);
    let declared = tokens(&library[0].code);
    let declared: BTreeSet<&str> =
        declared.windows(2).filter(|pair| pair[0].text == "mod").map(|pair| pair[1].text).collect();
    let rows: BTreeSet<&str> = TABLE.iter().map(|(module, _)| *module).filter(|module| *module != "main").collect();
    assert_eq!(declared, rows);
    for (index, (module, _)) in TABLE.iter().enumerate() {
        let above: Vec<&str> = TABLE[..index].iter().map(|(above, _)| *above).collect();
        for to in may_import(module).unwrap_or_default() {
            assert!(above.contains(&to), "{module} may import {to}, which is not above it");
        }
    }
}

#[test]
fn deliberate_edges_are_used() {
    let used = edges();
    for (from, to, reason) in DELIBERATE {
        assert!(may_import(from).is_some_and(|may| may.contains(to)), "{from} may not import {to}");
        let edge = (String::from(*from), String::from(*to));
        assert!(used.contains_key(&edge), "{from} imports no {to} any more ({reason}): take it out");
    }
}

/// What does neither I/O nor asks the machine for anything, by the beginnings of paths.
const PURE: &[&str] = &["src/media/", "src/effects/", "src/nodes/", "src/recipe/", "src/plan/", "src/engine/machine/"];
/// The one part of them that starts processes.
const TOOLS: &str = "src/media/ffmpeg/";
/// The parts of the standard library that do.
const OUTSIDE: &[&str] = &["env", "fs", "net", "os", "process", "thread", "time"];

#[test]
fn pure_modules_do_no_io() {
    let is_pure =
        |source: &&Source| PURE.iter().any(|start| source.path.starts_with(start)) && !source.path.starts_with(TOOLS);
    let mut wrong = Vec::new();
    for source in product().iter().filter(is_pure) {
        let mut found = tokens(&source.code);
        for (first, last) in test_modules(&found) {
            found.retain(|token| !(first..=last).contains(&token.line));
        }
        for (at, token) in found.iter().enumerate() {
            let text = |offset: usize| found.get(at + offset).map_or("", |token| token.text);
            let named = match (token.text, text(1)) {
                ("std", "::") if text(2) == "{" => heads(&found, at + 2),
                ("std", "::") => vec![(text(2).to_owned(), token.line)],
                ("Timestamp", "::") if text(2) == "now" => vec![("time".to_owned(), token.line)],
                _ => Vec::new(),
            };
            for (module, line) in named.iter().filter(|(module, _)| OUTSIDE.contains(&module.as_str())) {
                wrong.push(format!("{}:{line}: std::{module}", source.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "not pure:\n{}", wrong.join("\n"));
}

#[test]
fn every_way_to_name_a_module_is_seen() {
    let file = ["plan".to_owned(), "key".to_owned()];
    let found = |code: &str| -> Vec<String> {
        references(&file, &tokens(code)).into_iter().map(|(module, _)| module).collect()
    };
    assert_eq!(found("use crate::db::{Db, codec::x};"), ["db"]);
    assert_eq!(found("use crate::{base::{A, B}, cas, records as r};"), ["base", "cas", "records"]);
    assert_eq!(found("fn f() -> crate::engine::Job {}"), ["engine"]);
    assert_eq!(found("use super::super::db;"), ["db"]);
    assert_eq!(found("use super::super::{db, cas::{a, b}};"), ["db", "cas"]);
    assert_eq!(found("use super::stage; pub(super) fn f() {} pub(crate) fn g() {}"), Vec::<String>::new());
    assert_eq!(found("mod tests { use super::super::super::db; use super::super::cost; }"), ["db"]);
    assert_eq!(found("mod a { mod b { fn f() { super::super::super::super::cas::x() } } }"), ["cas"]);
    assert_eq!(found("artdag::cli::main()"), ["cli"]);
}
