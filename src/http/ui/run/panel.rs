//! One node of a run: what it read and gave, with which parameters, and why it was computed or
//! known.

use maud::{Markup, html};
use serde_json::Value;

use super::facts::player;
use super::nodes::Sight;
use super::{Seen, commands};
use crate::engine::views::{BlobInfo, PlanNodeView, RunView};
use crate::engine::{Engine, RecipeRef};
use crate::http::ui::icons::state;
use crate::http::ui::thumb::thumb;
use crate::http::ui::words;
use crate::plan::explain::Why;
use crate::records::CommandTrace;

/// What is shown of a node.
pub struct Panel {
    node: PlanNodeView,
    inputs: Vec<PlanNodeView>,
    output: Option<BlobInfo>,
    params: Vec<(String, Value)>,
    why: Option<Why>,
    commands: Vec<CommandTrace>,
}

impl Panel {
    /// A node of the run; none if it has no such node.
    pub fn of(engine: &Engine, seen: &Seen, id: &str) -> Option<Self> {
        let plan = seen.plan.as_ref().ok()?;
        let node = plan.nodes.iter().find(|node| node.id.as_str() == id)?.clone();
        let inputs = plan.nodes.iter().filter(|other| node.inputs.contains(&other.id)).cloned().collect();
        let run = &seen.run;
        let recipe = run.config_id.map_or_else(|| RecipeRef::Effect(run.recipe.clone()), RecipeRef::Config);
        let given = run.params.as_object().cloned().unwrap_or_default();
        let recipe = engine.read_recipe(&recipe, &given).ok();
        let params = recipe.and_then(|(recipe, _)| {
            let of = recipe.nodes.into_iter().find(|known| known.id == node.id)?;
            Some(of.params.entries().iter().map(|(name, value)| (name.clone(), value.clone())).collect())
        });
        Some(Self {
            output: node.output_hash.and_then(|hash| engine.blob_info(&hash).ok()),
            why: engine.why_of_run(run.run_id, id).ok(),
            params: params.unwrap_or_default(),
            commands: engine.commands_of(run.run_id, plan, id).unwrap_or_default(),
            inputs,
            node,
        })
    }

    /// The panel.
    pub fn show(&self, run: &RunView, sight: &Sight) -> Markup {
        let node = &self.node;
        html! {
            section.panel aria-label={ "Node " (node.id) } {
                div.head {
                    h2 { (node.id) " " span.muted { (node.node_type) } " " (state(&node.state)) }
                    a.button.quiet href=(sight.without_node(run)) data-close="" { "Close" }
                }
                div.split {
                    div {
                        @match &self.output {
                            Some(output) => (player(output)),
                            None => div.stage.none { p.muted { "Its value was not kept: it only passed through the memory." } },
                        }
                    }
                    div.facts {
                        dl {
                            dt { "Why" } dd { (node.why) }
                            @if let Some((width, height)) = node.size { dt { "Size" } dd { (width) " × " (height) } }
                            @if let Some((start, end)) = node.started_at.zip(node.completed_at) { dt { "Took" } dd {
                                (words::duration(end.seconds_since(start)))
                                span.muted {
                                    @if let Some(store) = node.store_seconds { ", " (words::duration(store)) " of it to store its value" }
                                    @if let Some(ready) = node.ready_at { ", after waiting " (words::duration(start.seconds_since(ready))) }
                                }
                            } }
                            @if let Some(hash) = &node.output_hash { dt { "Value" } dd { a href={ "/media/" (hash) } { "in the cache" } " " (words::hash(hash)) } }
                            @if let Some(key) = node.key { dt { "Key" } dd { (words::copied(&key.to_string())) } }
                            @for (name, value) in &self.params { dt { (name) } dd { code { (plain(value)) } } }
                        }
                        @if !self.inputs.is_empty() {
                            h3 { "Reads" }
                            ul.chips {
                                @for input in &self.inputs {
                                    li { a.chip href=(sight.to_node(run, input.id.as_str())) {
                                        (thumb(input.output_hash.as_ref().filter(|_| input.size.is_some()), Some("image/*"))) span { (input.id) }
                                    } }
                                }
                            }
                        }
                        @if let Some(why) = &self.why { (explained(why)) }
                    }
                }
                @if !self.commands.is_empty() { (commands::commands(&self.commands)) }
            }
        }
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The parts of the key, and where the nearest known one differs.
fn explained(why: &Why) -> Markup {
    html! {
        details.same open[!why.differences.is_empty()] {
            summary { @if why.differences.is_empty() { "What its key is made of" } @else { "What differs from the nearest known value" } }
            @if !why.differences.is_empty() {
                table {
                    thead { tr { th scope="col" { "Part" } th scope="col" { "Here" } th scope="col" { "Known" } } }
                    tbody {
                        @for difference in &why.differences {
                            tr { th scope="row" { (difference.part) } td { code { (difference.here.as_deref().unwrap_or("–")) } } td { code { (difference.known.as_deref().unwrap_or("–")) } } }
                        }
                    }
                }
            }
            dl { @for (name, value) in &why.parts { dt { (name) } dd { code { (words::within(value, 120)) } } } }
        }
    }
}
