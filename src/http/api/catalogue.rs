//! What can be put into a config: effects and node types, as their tables have them.

use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::base::Fingerprint;
use crate::base::schema::Param;
use crate::effects::{self, Effect};
use crate::http::accept::varied;
use crate::http::error::ApiResult;
use crate::http::paging::{List, Paging};
use crate::http::query::QueryWords;
use crate::media::Kind;
use crate::nodes::{self, Determinism, NodeType};

/// An effect.
#[derive(Serialize, ToSchema)]
pub struct EffectView {
    name: &'static str,
    version: String,
    /// Its identity, which is part of the key of every node that uses it.
    hash: Fingerprint,
    description: &'static str,
    params: Vec<Param>,
    /// Kinds of media that it takes; `any` for bytes of any kind.
    kinds_in: Vec<&'static str>,
    kinds_out: Vec<&'static str>,
    /// Where the same bits come out.
    determinism: Determinism,
}

/// A node type.
#[derive(Serialize, ToSchema)]
pub struct NodeTypeView {
    name: &'static str,
    version: String,
    /// Its identity in keys: the hash of name and version.
    hash: Fingerprint,
    description: &'static str,
    params: Vec<Param>,
    inputs: PortsView,
    /// Kinds of media that it takes; `any` for bytes of any kind.
    kinds_in: Vec<&'static str>,
    kinds_out: Vec<&'static str>,
    /// Where the same bits come out.
    determinism: Determinism,
}

/// How many inputs a node type takes.
#[derive(Serialize, ToSchema)]
pub struct PortsView {
    min: usize,
    max: usize,
    /// Names of the first ones, for `inputs` written as a map.
    names: Vec<&'static str>,
}

/// All effects.
#[utoipa::path(
    get, path = "/effects", operation_id = "list_effects", tag = "catalogue",
    params(
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000, description = "Most effects of the page"),
        ("cursor" = Option<String>, Query, pattern = "^e[0-9a-f]{16}$", description = "From the `Link` of the page before"),
    ),
    responses((status = 200, body = Vec<EffectView>, headers(
        ("Link" = Option<String>, description = "The next page, with `rel=\"next\"`"),
        ("X-Total-Count" = u64, description = "How many there are"),
        ("Vary" = String, description = "`Accept`"),
    )))
)]
pub async fn effects(mut query: QueryWords) -> ApiResult<Response> {
    let paging = Paging::of(List::Effects, &mut query);
    let here = query.finish()?;
    Ok(varied(paging.cut(&here, &all_effects())))
}

/// All node types.
#[utoipa::path(
    get, path = "/node-types", operation_id = "list_node_types", tag = "catalogue",
    params(
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000, description = "Most node types of the page"),
        ("cursor" = Option<String>, Query, pattern = "^n[0-9a-f]{16}$", description = "From the `Link` of the page before"),
    ),
    responses((status = 200, body = Vec<NodeTypeView>, headers(
        ("Link" = Option<String>, description = "The next page, with `rel=\"next\"`"),
        ("X-Total-Count" = u64, description = "How many there are"),
    )))
)]
pub async fn node_types(mut query: QueryWords) -> ApiResult<Response> {
    let paging = Paging::of(List::NodeTypes, &mut query);
    let here = query.finish()?;
    Ok(paging.cut(&here, &all_node_types()))
}

/// Every effect.
pub fn all_effects() -> Vec<EffectView> {
    effects::EFFECTS.iter().map(|effect| effect_view(*effect)).collect()
}

/// Every node type.
pub fn all_node_types() -> Vec<NodeTypeView> {
    nodes::NODE_TYPES.iter().map(|node_type| node_type_view(*node_type)).collect()
}

fn effect_view(effect: &'static dyn Effect) -> EffectView {
    let kind = if effect.takes_bytes() { "any" } else { Kind::Image.word() };
    EffectView {
        name: effect.name(),
        version: effect.version().to_string(),
        hash: effects::hash(effect),
        description: effect.description(),
        params: effect.params().to_vec(),
        kinds_in: vec![kind],
        kinds_out: vec![kind],
        determinism: Determinism::Everywhere,
    }
}

fn node_type_view(node_type: &'static dyn NodeType) -> NodeTypeView {
    let ports = node_type.ports();
    let kinds: Vec<&str> = ports.kinds.iter().map(|kind| kind.word()).collect();
    let version = node_type.version().to_string();
    NodeTypeView {
        name: node_type.name(),
        hash: Fingerprint::of_parts("artdag.node-type.v1", &[node_type.name().as_bytes(), version.as_bytes()]),
        version,
        description: node_type.description(),
        params: node_type.params().to_vec(),
        inputs: PortsView { min: ports.min, max: ports.max, names: ports.names.to_vec() },
        kinds_in: if kinds.is_empty() && ports.max > 0 { vec!["any"] } else { kinds },
        kinds_out: vec![node_type.output().map_or("any", Kind::word)],
        determinism: node_type.determinism(),
    }
}
