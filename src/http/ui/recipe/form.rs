//! The form that runs a recipe: a field for each variable input and each parameter.

use maud::{Markup, html};
use serde_json::Value;

use super::Seen;
use super::fields::{Asked, asked, field_of};
use crate::base::schema::{Kind, Param};
use crate::http::ui::icons::icon;
use crate::http::ui::shell;
use crate::http::ui::thumb::thumb;
use crate::http::ui::visitor::Visitor;
use crate::recipe::{RecipeNode, SourceSpec};

/// Nodes whose parameters the form has; those of others are set in the text.
const NODES: usize = 40;
/// Steps of a slider; a parameter with a wider range gets a field.
const SLIDER: f64 = 10_000.0;

/// The form; `given` is written into the first input.
pub fn form(visitor: &Visitor, seen: &Seen, given: &str) -> Markup {
    let recipe = &seen.recipe;
    let inputs: Vec<&RecipeNode> = recipe.variable_inputs().map(|(_, node)| node).collect();
    let with_params: Vec<(&RecipeNode, Vec<Asked<'_>>)> =
        recipe.nodes.iter().map(|node| (node, asked(node))).filter(|(_, asked)| !asked.is_empty()).collect();
    html! {
        form.recipe-form method="post" action={ "/recipe/" (crate::http::query::path_part(&seen.word)) "/run" } data-recipe=(crate::http::query::path_part(&seen.word)) {
            (shell::token(visitor))
            div.recipe-side {
            section.card {
                h2 { "Inputs" }
                @for (at, node) in inputs.iter().enumerate() { (input(seen, node, if at == 0 { given } else { "" })) }
                @if inputs.is_empty() { p.muted { "None: all that it reads is named in its text." } }
                @for (_, node) in recipe.fixed_inputs() { (fixed(node)) }
            }
            @if visitor.runs { (preview()) }
            }
            section.card {
                h2 { "Parameters" }
                @if with_params.is_empty() { p.muted { "There are none to be set." } }
                @for (node, asked) in with_params.iter().take(NODES) {
                    @if recipe.bare { (fields(node, asked)) } @else {
                        details.params open[with_params.len() <= 2] {
                            summary { (node.id) " " span.muted { (node.params.optional_text("effect").unwrap_or(node.node_type.name())) } }
                            (fields(node, asked))
                        }
                    }
                }
                @if with_params.len() > NODES { p.muted { "Those of " (with_params.len() - NODES) " more nodes are set in the text." } }
            }
            div.go {
                label.out { span { "Output's name" } input type="text" name="output_name" placeholder=(recipe.name) maxlength="200"; }
                @if visitor.runs { button.button.main { (icon("play")) span { "Run" } } } @else { a.button href="/auth" { (icon("lock")) span { "Log in to run" } } }
                p.plan role="status" data-plan="" {}
            }
        }
        datalist id="media-names" { @for (name, _) in &seen.media.names { option value=(name) {} } }
    }
}

/// What comes out, where scripts run.
fn preview() -> Markup {
    html! {
        section.card.preview data-preview="" hidden {
            div.head {
                h2 { "What comes out" }
                div.actions {
                    label.check { input type="checkbox" data-preview-live=""; span { "as I change it" } }
                    button.button type="button" data-try-it="" { (icon("play")) span { "Try it" } }
                }
            }
            div.stage.none data-result="" { p.muted { "Try it, and it is shown here." } }
        }
    }
}

fn input(seen: &Seen, node: &RecipeNode, given: &str) -> Markup {
    let (name, about, media) = match &node.source {
        Some(SourceSpec::Variable { name, description, media }) => {
            (name.as_deref(), description.as_deref(), media.map(crate::media::Kind::word))
        }
        _ => (None, None, None),
    };
    let id = format!("input-{}", node.id);
    let kind = media.unwrap_or("image");
    let offered = seen.media.newest.iter().filter(|(of, ..)| media.is_none() || *of == kind);
    html! {
        div.field data-input=(node.id) data-list=[node.is_list().then_some("")] {
            label for=(id) { (name.unwrap_or(node.id.as_str())) @if let Some(media) = media { " " span.muted { (media) @if node.is_list() { ", several" } } } }
            @if let Some(about) = about { p.muted { (about) } }
            div.picked {
                span.pic data-picked="" { (thumb(None, None)) }
                input type="text" id=(id) name={ "input." (node.id) } value=(given) list="media-names" placeholder="A name, a hash, or drop a file here" autocomplete="off" spellcheck="false";
            }
            div.strip role="group" aria-label={ "Media for " (node.id) } data-strip="" hidden {
                @for (_, hash, media_type, named) in offered.take(12) {
                    button.pick-one type="button" data-pick=(named.clone().unwrap_or_else(|| hash.to_string())) data-hash=(hash) data-type=(media_type)
                        aria-label={ "Take " (named.clone().unwrap_or_else(|| hash.short())) } title=(named.clone().unwrap_or_else(|| hash.short())) {
                        (thumb(Some(hash), Some(media_type)))
                    }
                }
            }
        }
    }
}

fn fixed(node: &RecipeNode) -> Markup {
    let what = match &node.source {
        Some(SourceSpec::Asset { name, .. }) => name.to_string(),
        Some(SourceSpec::Hash(hash)) => hash.to_string(),
        Some(SourceSpec::Hashes(hashes)) => format!("{} media", hashes.len()),
        _ => String::new(),
    };
    html! { p.fixed { (icon("lock")) " " strong { (node.id) } " is always " code { (what) } } }
}

fn fields(node: &RecipeNode, asked: &[Asked<'_>]) -> Markup {
    html! { @for Asked { param, value } in asked { (field(node, param, *value)) } }
}

/// A value as a field holds it.
fn written(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn field(node: &RecipeNode, param: &'static Param, value: Option<&Value>) -> Markup {
    let (name, now) = (field_of(node, param), written(value));
    let id = format!("f-{name}");
    html! {
        div.field data-default=(now) {
            label for=(id) { (param.name) @if !param.unit.is_empty() { " " span.muted { (param.unit) } } }
            p.muted { (param.doc) }
            @match param.kind {
                Kind::Number { min, max } if value.is_some() && max - min <= SLIDER => (slider(&id, &name, &now, min, max, step(max - min))),
                Kind::Integer { min, max } if value.is_some() && (max - min) as f64 <= SLIDER => (slider(&id, &name, &now, min as f64, max as f64, 1.0)),
                Kind::Number { .. } => input type="number" id=(id) name=(name) value=(now) step="any";,
                Kind::Integer { min, max } => input type="number" id=(id) name=(name) value=(now) min=(min) max=(max) step="1";,
                Kind::Bool => select id=(id) name=(name) {
                    @for word in ["true", "false"] { option value=(word) selected[now == word] { @if word == "true" { "yes" } @else { "no" } } }
                },
                Kind::Choice(words) => select id=(id) name=(name) {
                    @if value.is_none() { option value="" selected {} }
                    @for word in words { option value=(word) selected[now == *word] { (word) } }
                },
                _ => input type="text" id=(id) name=(name) value=(now) spellcheck="false";,
            }
        }
    }
}

/// A slider. Its steps are a script's: by steps of its own a browser would move the value that a
/// recipe has to the nearest one, and send it as if somebody had.
fn slider(id: &str, name: &str, now: &str, min: f64, max: f64, step: f64) -> Markup {
    html! {
        div.slider {
            input type="range" id=(id) name=(name) value=(now) min=(min) max=(max) step="any" data-slider=(step);
            output for=(id) { (now) }
            span.range.muted { (min) " to " (max) }
        }
    }
}

/// A step that makes some hundreds of a range, and is a round number.
fn step(range: f64) -> f64 {
    let rough = range / 500.0;
    let power = 10_f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * power >= rough).unwrap_or(10.0);
    factor * power
}
