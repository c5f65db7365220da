//! Where an output came from: its record, back to the sources.

use maud::{Markup, html};
use serde_json::Value;

use crate::engine::views::RunView;
use crate::http::ui::words;

/// Nodes of the record that are written out.
const NODES: usize = 300;

/// The provenance of a run that has an output.
pub fn proof(run: &RunView, record: Option<&Value>) -> Markup {
    html! {
        section id="proof" data-live="" {
            @if let Some(record) = record {
                div.head {
                    h2 { "Provenance" }
                    span { a href={ "/runs/" (run.run_id) "/provenance" } { "The record" } @if let Some(hash) = &run.provenance_hash { " " (words::hash(hash)) } }
                }
                div.split {
                    ol.tree { (tree(record)) }
                    div.facts { (infrastructure(record)) }
                }
            }
        }
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// Is it a program of the machine? Parts of this program have a plain number as their version,
/// and are in the record.
fn is_program(tool: &Value) -> bool {
    !text(tool, "version").bytes().all(|byte| byte.is_ascii_digit())
}

/// Every node from the output back, each told once, under the first that reads it.
fn tree(record: &Value) -> Markup {
    let nodes = record["nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let shown = nodes.iter().rev().take(NODES);
    html! {
        @for node in shown {
            li {
                span.tree-name { (text(node, "id")) } " " span.muted { (text(node, "type")) }
                @if node["made_by"]["cached"].as_bool() == Some(true) { " " span.badge { "known" } }
                @if let Some(hash) = node["output_hash"].as_str() { " " a href={ "/media/" (hash) } { (words::within(hash, 12)) } }
                @if let Some(inputs) = node["inputs"].as_array().filter(|inputs| !inputs.is_empty()) {
                    span.muted { " from " @for (at, input) in inputs.iter().enumerate() { @if at > 0 { ", " } (input.as_str().unwrap_or_default()) } }
                }
            }
        }
        @if nodes.len() > NODES { li.muted { "and " (nodes.len() - NODES) " more in the record" } }
    }
}

fn infrastructure(record: &Value) -> Markup {
    let (software, hardware) = (&record["infrastructure"]["software"], &record["infrastructure"]["hardware"]);
    let tools = record["infrastructure"]["tools"].as_array().map(Vec::as_slice).unwrap_or_default();
    let inputs = record["inputs"].as_array().map(Vec::as_slice).unwrap_or_default();
    let effects = record["effects"].as_array().map(Vec::as_slice).unwrap_or_default();
    html! {
        dl {
            dt { "Made by" } dd { (text(record, "rendered_by")) }
            dt { "Program" } dd { (text(software, "name")) " " (text(software, "version")) " " (words::copied(text(software, "content_hash"))) }
            dt { "Machine" } dd { (text(hardware, "cpu")) ", " (hardware["cores"]) " cores" }
            @for tool in tools.iter().filter(|tool| is_program(tool)) { dt { (text(tool, "name")) } dd { (text(tool, "version")) } }
            @for effect in effects { dt { "Effect" } dd { (text(effect, "name")) " v" (text(effect, "version")) " " (words::copied(text(effect, "content_hash"))) } }
            @for input in inputs { dt { "Source" } dd { a href={ "/media/" (text(input, "content_hash")) } { (text(input, "name")) } } }
            dt { "Plan" } dd { (words::copied(text(record, "plan_hash"))) }
        }
    }
}
