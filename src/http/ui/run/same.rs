//! The same run, asked for by a program: the request and the command that ask for all that was asked for.

use maud::{Markup, html};
use serde_json::{Map, Value, json};

use super::facts::hashes;
use crate::engine::views::{OneOrMany, RunView};
use crate::http::ui::shell;
use crate::http::ui::words;
use crate::records::{RunOptions, RunRow};

/// The run as a request and as a command, to be copied.
pub fn same(run: &RunView, row: &RunRow) -> Markup {
    let body = Value::Object(body(run, row)).to_string();
    let curl = format!("curl -X POST \"$ARTDAG/runs\" -H 'Content-Type: application/json' -d {}", words::shell(&body));
    let command = command(run, row);
    html! {
        details.same {
            summary { "The same run from a shell" }
            dl {
                dt { "curl" } dd { code { (curl) } (shell::copy(&curl)) }
                dt { "Command" } dd { code { (command) } (shell::copy(&command)) }
            }
        }
    }
}

/// What `POST /runs` takes; what would be so by itself is left out.
fn body(run: &RunView, row: &RunRow) -> Map<String, Value> {
    let recipe = run.config_id.map_or_else(|| run.recipe.clone(), |id| id.to_string());
    let mut body = Map::new();
    let mut put = |name: &str, value: Value| body.insert(name.to_owned(), value);
    put("recipe", recipe.into());
    put("inputs", json!(run.bindings));
    put("params", run.params.clone());
    put("output_name", run.output_name.clone().into());
    if let Some(format) = &row.format {
        put("format", format.clone().into());
    }
    if let Some(quality) = row.quality {
        put("quality", quality.into());
    }
    if row.priority != 0 {
        put("priority", row.priority.into());
    }
    let RunOptions { cache, fuse, keep, force, checkpoint } = &row.options;
    let given = [
        ("cache", json!(cache), *cache),
        ("fuse", json!(fuse), *fuse),
        ("keep", json!(keep), keep.is_empty()),
        ("force", json!(force), force.is_empty()),
        ("checkpoint", json!(checkpoint), *checkpoint == RunOptions::default().checkpoint),
    ];
    let given = given.into_iter().filter(|(.., as_ever)| !as_ever);
    let options: Map<String, Value> = given.map(|(name, value, _)| (name.to_owned(), value)).collect();
    if !options.is_empty() {
        put("options", options.into());
    }
    body
}

/// The command that asks for the same.
fn command(run: &RunView, row: &RunRow) -> String {
    let mut line = match (run.config_id, run.bindings.values().next()) {
        (None, Some(bound)) => {
            let hash = hashes(bound).first().map(ToString::to_string).unwrap_or_default();
            format!("artdag render {} {hash}", words::shell(&run.recipe))
        }
        (config, _) => {
            let recipe = config.map_or_else(|| words::shell(&run.recipe), |id| id.to_string());
            format!("artdag run {recipe}{}", run.bindings.iter().map(input).collect::<String>())
        }
    };
    line += &params(&run.params);
    let mut add = |flag: &str, word: &str| {
        line.push_str(&format!(" {flag} {}", words::shell(word)));
    };
    if run.output_name != run.recipe {
        add("--name", &run.output_name);
    }
    if let Some(format) = &row.format {
        add("--format", format);
    }
    if let Some(quality) = row.quality {
        add("--quality", &quality.to_string());
    }
    if row.priority != 0 {
        add("--priority", &row.priority.to_string());
    }
    let RunOptions { cache, fuse, keep, force, checkpoint } = &row.options;
    for (flag, nodes) in [("--keep", keep), ("--force", force)] {
        if !nodes.is_empty() {
            add(flag, &nodes.iter().map(ToString::to_string).collect::<Vec<_>>().join(","));
        }
    }
    if *checkpoint != RunOptions::default().checkpoint {
        add("--checkpoint", checkpoint);
    }
    for (flag, as_ever) in [(" --no-cache", *cache), (" --no-fuse", *fuse)] {
        if !as_ever {
            line.push_str(flag);
        }
    }
    line
}

/// An input as the command line takes it.
fn input((node, bound): (&String, &OneOrMany)) -> String {
    let hashes: Vec<String> = hashes(bound).iter().map(ToString::to_string).collect();
    format!(" -i {}", words::shell(&format!("{node}={}", hashes.join(","))))
}

/// Parameters as the command line takes them.
fn params(params: &serde_json::Value) -> String {
    let mut text = String::new();
    for (name, value) in params.as_object().into_iter().flatten() {
        match value {
            serde_json::Value::Object(of_node) => {
                for (inner, value) in of_node {
                    text.push_str(&format!(" --param {}", words::shell(&format!("{name}.{inner}={}", plain(value)))));
                }
            }
            value => text.push_str(&format!(" --param {}", words::shell(&format!("{name}={}", plain(value))))),
        }
    }
    text
}

fn plain(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
