//! What a person wrote, against the schema of the place.
//!
//! The result is complete (defaults filled in) and canonical (one form for one value), or there
//! are problems, all of them, each at the position of what is wrong.

use serde_json::{Map as Object, Value};

use crate::base::schema::{Default, Kind, Param};
use crate::nodes;
use crate::recipe::leaf::{Written, expected, wrong_type};
use crate::recipe::place::Place;
use crate::recipe::problem::Mark;
use crate::recipe::problems::Problems;
use crate::recipe::words::{counted, did_you_mean, listed};
use crate::recipe::yaml::{Entry, Map, Node, View};

/// The entries of a map by their schema, or `None` when there was a problem. `mark` is where
/// what is missing is reported.
pub(crate) fn entries(
    map: &Map,
    mark: Mark,
    params: &[Param],
    place: &Place<'_>,
    problems: &mut Problems,
) -> Option<Object<String, Value>> {
    let names: Vec<&str> = params.iter().map(|param| param.name).collect();
    let meant = unknown_keys(map, &names, place, problems);
    let mut complete = meant.is_none();
    let meant = meant.unwrap_or_default();
    let mut values = Object::new();
    for param in params {
        let place = place.key(param.name);
        let node = map.get(param.name).map(|entry| &entry.node);
        let written = node.filter(|node| !node.is_null());
        let result = match (param.kind, written) {
            (Kind::EffectParams, written) => {
                let of = |map: &Map| nodes::effect_params(&map.get("effect")?.node.scalar()?.text);
                own_params(of(map), written, mark, &place, problems).map(Some)
            }
            // An operation that there is not is told of with the rest of the node.
            (Kind::NodeParams, written) => {
                let of = |map: &Map| nodes::node_params(&map.get("operation")?.node.scalar()?.text);
                own_params(Some(of(map).unwrap_or_default()), written, mark, &place, problems).map(Some)
            }
            (_, Some(node)) => value(node, param, &place, problems).map(Some),
            (Kind::Colour, None) if node.is_some_and(Node::is_empty) => {
                let message = format!("{} is empty; a colour that begins with \"#\" needs quotes", place.label());
                problems.error("bad_value", &place, node.map_or(mark, |node| node.mark), message);
                None
            }
            // A misspelt key is one slip, not two.
            (_, None) if meant.contains(&param.name) => None,
            (_, None) if param.default == Default::Required => {
                problems.error("missing", &place, mark, format!("{} is missing", place.label()));
                None
            }
            (_, None) => Some(param.default_value()),
        };
        match result {
            Some(Some(value)) => drop(values.insert(param.name.to_owned(), value)),
            Some(None) => {}
            None => complete = false,
        }
    }
    complete.then_some(values)
}

/// One value by its parameter's schema, or `None` when there was a problem.
pub(crate) fn value(node: &Node, param: &Param, place: &Place<'_>, problems: &mut Problems) -> Option<Value> {
    of_kind(Written { node, unit: param.unit, place, problems }, &param.kind)
}

/// Reports the keys of a map that are none of `names`; keys that begin with `x-` are left to
/// their writer. Gives those of the names that were
/// probably meant, or `None` if all is well.
pub(crate) fn unknown_keys<'a>(
    map: &Map,
    names: &[&'a str],
    place: &Place<'_>,
    problems: &mut Problems,
) -> Option<Vec<&'a str>> {
    let known = |key: &str| names.contains(&key) || key.starts_with("x-");
    let mut meant = None;
    for Entry { key, mark, .. } in map.entries().into_iter().filter(|entry| !known(&entry.key)) {
        let meant = meant.get_or_insert_with(Vec::new);
        if problems.is_one_too_many() {
            continue;
        }
        let place = place.key(key);
        let nearest = problems.nearest(key, names.iter().copied());
        let rest = match nearest {
            Some(nearest) => did_you_mean(nearest),
            None if names.is_empty() => "; nothing can be set here".to_owned(),
            None => format!("; there is {}", listed(names.iter().copied())),
        };
        problems.error("unknown_key", &place, *mark, format!("{} is unknown{rest}", place.label()));
        meant.extend(nearest);
    }
    meant
}

/// The parameters of the effect or the operation that the same map names, with its defaults.
fn own_params(
    params: Option<&'static [Param]>,
    written: Option<&Node>,
    mark: Mark,
    place: &Place<'_>,
    problems: &mut Problems,
) -> Option<Value> {
    // An unknown effect has been reported, and what its parameters were is anybody's guess.
    let params = params?;
    let nothing = Map::default();
    let (map, mark) = match written {
        None => (&nothing, mark),
        Some(node) => match node.map() {
            Some(map) => (map, node.mark),
            None => return wrong_type(node, "a map", place, problems),
        },
    };
    entries(map, mark, params, place, problems).map(Value::Object)
}

fn of_kind(mut written: Written<'_>, kind: &Kind) -> Option<Value> {
    let node = written.node;
    match (kind, node.view()) {
        (Kind::List { of, min, max }, View::Seq(items)) => of_items(written, items, of, (*min, *max)),
        (Kind::Nodes, View::Seq(_)) => Some(Value::Bool(true)),
        (Kind::Map(params), View::Map(map)) => of_entries(written, map, params),
        // An item of a list that is left out.
        (Kind::Map(params), View::Scalar(_)) if node.is_null() => of_entries(written, &Map::default(), params),
        (_, View::Scalar(scalar)) if !node.is_null() => written.of_scalar(scalar, kind),
        (kind, _) => written.wrong_type(expected(kind)),
    }
}

fn of_entries(written: Written<'_>, map: &Map, params: &[Param]) -> Option<Value> {
    let Written { node, place, problems, .. } = written;
    entries(map, node.mark, params, place, problems).map(Value::Object)
}

fn of_items(mut written: Written<'_>, items: &[Node], kind: &Kind, (min, max): (usize, usize)) -> Option<Value> {
    let fits = (min..=max).contains(&items.len());
    if !fits {
        let wanted = match (min, max) {
            _ if min == max => format!("{min}"),
            _ if items.len() < min => format!("at least {min}"),
            _ => format!("at most {max}"),
        };
        let count = counted(items.len(), "item");
        written.error::<()>("item_count", &format!("has {count}; it must have {wanted}"));
    }
    let Written { unit, place, problems, .. } = written;
    let mut item = |(index, node)| of_kind(Written { node, unit, place: &place.index(index), problems }, kind);
    // All of them, not up to the first that is wrong.
    let values: Vec<Option<Value>> = items.iter().enumerate().map(&mut item).collect();
    values.into_iter().collect::<Option<Vec<Value>>>().filter(|_| fits).map(Value::Array)
}
