//! The docs against the program: tables of parameters, names of tests, links.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use artdag::base::schema::{self, Default, Param};
use artdag::config::{Kind, SETTINGS, Setting};
use artdag::effects::{EFFECTS, Effect};
use artdag::nodes::{NODE_TYPES, NodeType};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// `ARTDAG_BLESS=1` writes the tables anew.
#[test]
fn tables_of_parameters_are_those_of_the_program() {
    let types: Vec<String> = NODE_TYPES.iter().map(|node_type| type_section(*node_type)).collect();
    let effects: Vec<String> = EFFECTS.iter().map(|effect| effect_section(*effect)).collect();
    compare("docs/nodes.md", &[("types", types.join("\n"))]);
    compare("docs/configs.md", &[("effects", effects.join("\n"))]);
}

#[test]
fn the_settings_are_those_of_the_program() {
    let row = |setting: &Setting| {
        let flag = match setting.kind {
            Kind::Switch => format!("`--{}`", setting.name),
            Kind::One(word) | Kind::Several(word) => format!("`--{}` *{}*", setting.name, word.to_lowercase()),
        };
        format!("| {flag} | `{}` | {} |", setting.variable, setting.doc.replace('|', "\\|"))
    };
    let rows: Vec<String> = SETTINGS.iter().map(|setting| row(setting)).collect();
    let table = format!("| flag | variable | |\n|---|---|---|\n{}", rows.join("\n"));
    compare("docs/server.md", &[("settings", table)]);
}

/// Each part of a document between its marks is this text; `ARTDAG_BLESS=1` writes it.
fn compare(document: &str, parts: &[(&str, String)]) {
    let mut text = read(document);
    for (name, part) in parts {
        let (start, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
        let from = text.find(&start).expect("the part begins") + start.len();
        let to = text.find(&end).expect("the part ends");
        text.replace_range(from..to, &format!("\n{part}\n"));
    }
    if std::env::var_os("ARTDAG_BLESS").is_some() {
        fs::write(root().join(document), &text).expect("the docs can be written");
    }
    assert!(text == read(document), "{document} is not what the program says; ARTDAG_BLESS=1 mends it");
}

fn type_section(node_type: &dyn NodeType) -> String {
    let ports = node_type.ports();
    let names = ports.names.join("`, `");
    let inputs = match (ports.min, ports.max) {
        (_, 0) => "Inputs: none.".to_owned(),
        (min, max) if min == max => format!("Inputs: `{names}`."),
        (min, _) => format!("Inputs: `{names}`; {min} or more, of which the last name takes the rest."),
    };
    let table = table(&rows("", node_type.params()));
    format!("### {}\n\n{} {inputs}\n{table}", node_type.name(), node_type.description())
}

fn effect_section(effect: &dyn Effect) -> String {
    format!("### {}\n\n{}\n{}", effect.name(), effect.description(), table(&rows("", effect.params())))
}

fn table(rows: &[String]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    format!("\n| parameter | value | default | |\n|---|---|---|---|\n{}\n", rows.join("\n"))
}

fn rows(before: &str, params: &[Param]) -> Vec<String> {
    let mut rows = Vec::new();
    for param in params {
        let name = format!("{before}{}", param.name);
        let default = default(param);
        rows.push(format!(
            "| `{name}` | {} | {default} | {} |",
            value(&param.kind, param.unit),
            param.doc.trim_end_matches('.')
        ));
        match param.kind {
            schema::Kind::Map(entries) => rows.extend(self::rows(&format!("{name}."), entries)),
            schema::Kind::List { of: schema::Kind::Map(entries), .. } => {
                rows.extend(self::rows(&format!("{name}[n]."), entries));
            }
            _ => {}
        }
    }
    rows
}

fn value(kind: &schema::Kind, unit: &str) -> String {
    let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
    match kind {
        schema::Kind::Number { min, max } => format!("{min} to {max}{unit}"),
        schema::Kind::Integer { min, max } => format!("whole, {min} to {max}{unit}"),
        schema::Kind::Bool => "true or false".to_owned(),
        schema::Kind::Choice(words) => format!("`{}`", words.join("`, `")),
        schema::Kind::List { of, min, max } if min == max => format!("{min} of: {}{unit}", value(of, "")),
        schema::Kind::List { .. } => "a list".to_owned(),
        schema::Kind::Map(_) => "a map".to_owned(),
        other => other.word().to_owned(),
    }
}

fn default(param: &Param) -> String {
    match param.default {
        Default::Required => "required".to_owned(),
        Default::Number(number) => format!("`{number}`"),
        Default::Absent | Default::Entries | Default::EmptyList => String::new(),
        _ => {
            param.default_value().map_or_else(String::new, |value| format!("`{}`", value.to_string().trim_matches('"')))
        }
    }
}

#[test]
fn every_test_that_the_guarantees_name_exists() {
    let mut tests = HashSet::new();
    for directory in ["src", "tests"] {
        collect(&root().join(directory), &mut |path, text| {
            let inside = path.strip_prefix(root().join(directory)).expect("it was found there").with_extension("");
            let module = inside.to_string_lossy().replace('/', "::");
            let module = module.trim_end_matches("::mod").to_owned();
            tests.extend(functions(text).map(|function| format!("{module}::{function}")));
        });
    }
    let text = read("docs/guarantees.md");
    let named: Vec<&str> = text.split('`').skip(1).step_by(2).filter(|word| word.contains("::")).collect();
    assert!(named.len() > 20, "only {} tests are named", named.len());
    let missing: Vec<&&str> = named.iter().filter(|name| !tests.contains(**name)).collect();
    assert!(missing.is_empty(), "docs/guarantees.md names tests that do not exist: {missing:#?}");
}

/// Names of functions behind `#[test]` (in `proptest!` too).
fn functions(text: &str) -> impl Iterator<Item = String> {
    let marked = |mark| text.split(mark).skip(1);
    marked("#[test]").chain(marked("#[tokio::test")).filter_map(|after| {
        let (_, name) = after.split_once("fn ")?;
        Some(name.split(['(', '<']).next()?.trim().to_owned())
    })
}

fn collect(directory: &Path, each: &mut dyn FnMut(&Path, &str)) {
    for entry in fs::read_dir(directory).expect("a directory of sources").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, each);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            each(&path, &fs::read_to_string(&path).expect("a source"));
        }
    }
}

#[test]
fn files_that_the_architecture_names_exist() {
    let mut files = Vec::new();
    for directory in ["src", "tests", "benches"] {
        collect(&root().join(directory), &mut |path, _| files.push(path.to_owned()));
    }
    let text = read("ARCHITECTURE.md");
    let named = text
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| std::path::Path::new(word).extension().is_some_and(|extension| extension == "rs"));
    let missing: Vec<&str> = named.filter(|name| !files.iter().any(|file| file.ends_with(name))).collect();
    assert!(missing.is_empty(), "ARCHITECTURE.md names files that do not exist: {missing:?}");
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut documents: Vec<PathBuf> = ["", "docs", "fuzz"]
        .iter()
        .flat_map(|directory| fs::read_dir(root().join(directory)).expect("a directory").flatten())
        .map(|entry| entry.path())
        .collect();
    documents.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    for document in documents {
        let text = fs::read_to_string(&document).expect("a document");
        for link in text.split("](").skip(1).filter_map(|after| after.split([')', '#', ' ']).next()) {
            let elsewhere = link.is_empty() || link.contains("://") || link.starts_with("mailto:");
            let target = document.parent().unwrap_or(root()).join(link);
            assert!(elsewhere || target.exists(), "{}: {link} does not exist", document.display());
        }
    }
}
