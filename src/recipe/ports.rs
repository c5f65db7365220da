//! `inputs` of a node: the ids it names, in the order of its ports; and the ids that parameters name.

use crate::base::schema::Kind;
use crate::nodes::{NodeType, Ports};
use crate::recipe::check::unknown_keys;
use crate::recipe::leaf::wrong_type;
use crate::recipe::place::Place;
use crate::recipe::problem::Mark;
use crate::recipe::problems::Problems;
use crate::recipe::words::counted;
use crate::recipe::yaml::{Map, Node, View};

/// An id named as an input.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reference<'a> {
    pub(crate) id: &'a str,
    pub(crate) mark: Mark,
    slot: Slot<'a>,
}

/// Where it is named: in `inputs`, or in `config`.
#[derive(Debug, Clone, Copy)]
enum Slot<'a> {
    Alone,
    Item(usize),
    Port(&'a str),
    PortItem(&'a str, usize),
    Param(&'static str),
    ParamItem(&'static str, usize),
}

impl Reference<'_> {
    /// Reports an error about this input of the node at `place`.
    pub(crate) fn error(&self, kind: &'static str, message: &str, place: &Place<'_>, problems: &mut Problems) {
        let inputs = place.key("inputs");
        let config = place.key("config");
        let mut report = |place: &Place<'_>| {
            problems.error(kind, place, self.mark, format!("{}: {message}", place.label()));
        };
        match self.slot {
            Slot::Alone => report(&inputs),
            Slot::Item(index) => report(&inputs.index(index)),
            Slot::Port(port) => report(&inputs.key(port)),
            Slot::PortItem(port, index) => report(&inputs.key(port).index(index)),
            Slot::Param(name) => report(&config.key(name)),
            Slot::ParamItem(name, index) => report(&config.key(name).index(index)),
        }
    }
}

/// The inputs of a node, their number checked if the type is known. They are a list, a single
/// id, or a map from ports to ids; the last port of a type with any number of inputs takes a
/// list of ids. Some may be `elsewhere`, in parameters.
pub(crate) fn read<'a>(
    written: Option<&'a Node>,
    node_type: Option<&dyn NodeType>,
    (node_mark, elsewhere): (Mark, usize),
    place: &Place<'_>,
    problems: &mut Problems,
) -> Vec<Reference<'a>> {
    let inputs = place.key("inputs");
    let mut found = Vec::new();
    let ports = node_type.map(NodeType::ports).filter(|ports| ports.max > 0);
    let mut counted = false;
    match written.filter(|node| !node.is_null()).map(|node| (node, node.view())) {
        None => {}
        Some((_, View::Seq(items))) => {
            for (index, item) in items.iter().enumerate() {
                add(item, Slot::Item(index), &inputs.index(index), &mut found, problems);
            }
        }
        Some((node, View::Scalar(_))) => add(node, Slot::Alone, &inputs, &mut found, problems),
        Some((node, View::Map(map))) => {
            if let Some(ports) = ports {
                let ports = Ports { min: ports.min.saturating_sub(elsewhere), ..ports };
                add_ports(map, node.mark, ports, &inputs, &mut found, problems);
                counted = true;
            } else {
                for entry in map.entries() {
                    add_port(&entry.key, &entry.node, true, &inputs.key(&entry.key), &mut found, problems);
                }
            }
        }
    }
    if let Some(node_type) = node_type.filter(|_| !counted) {
        // What could not be read as an id was still meant as an input.
        let count = match written.map(Node::view) {
            Some(View::Seq(items)) => items.len(),
            _ => found.len(),
        } + elsewhere;
        check_count(count, node_type, written.map_or(node_mark, |node| node.mark), &inputs, problems);
    }
    found
}

/// The ids that parameters name: further inputs, and nodes whose data is read.
pub(crate) struct Named<'a> {
    pub(crate) inputs: Vec<Reference<'a>>,
    pub(crate) data: Vec<Reference<'a>>,
}

/// Reads the ids that the parameters of `config` name.
pub(crate) fn named<'a>(
    node_type: Option<&dyn NodeType>,
    config: Option<&'a Node>,
    place: &Place<'_>,
    problems: &mut Problems,
) -> Named<'a> {
    let mut named = Named { inputs: Vec::new(), data: Vec::new() };
    let Some(map) = config.and_then(Node::map) else { return named };
    let place = place.key("config");
    for param in node_type.map(NodeType::params).unwrap_or_default() {
        let (Kind::Node | Kind::Nodes, Some(entry)) = (param.kind, map.get(param.name)) else { continue };
        let place = place.key(param.name);
        match (param.kind, entry.node.view()) {
            // A value of another type is reported with the other parameters.
            _ if entry.node.is_null() => {}
            (Kind::Node, View::Scalar(_)) => {
                add(&entry.node, Slot::Param(param.name), &place, &mut named.data, problems);
            }
            (Kind::Nodes, View::Scalar(_)) => {
                add(&entry.node, Slot::Param(param.name), &place, &mut named.inputs, problems);
            }
            (Kind::Nodes, View::Seq(items)) => {
                for (index, item) in items.iter().enumerate() {
                    let slot = Slot::ParamItem(param.name, index);
                    add(item, slot, &place.index(index), &mut named.inputs, problems);
                }
            }
            _ => {}
        }
    }
    named
}

fn add_ports<'a>(
    map: &'a Map,
    mark: Mark,
    ports: Ports,
    inputs: &Place<'_>,
    found: &mut Vec<Reference<'a>>,
    problems: &mut Problems,
) {
    let meant = unknown_keys(map, ports.names, inputs, problems).unwrap_or_default();
    for (index, name) in ports.names.iter().enumerate() {
        let place = inputs.key(name);
        let many = index + 1 == ports.names.len() && ports.max > ports.names.len();
        match map.get(name).filter(|entry| !entry.node.is_null()) {
            Some(entry) => add_port(&entry.key, &entry.node, many, &place, found, problems),
            None if index < ports.min && !meant.contains(name) => {
                problems.error("missing", &place, mark, format!("{} is missing", place.label()));
            }
            None => {}
        }
    }
}

fn add_port<'a>(
    name: &'a str,
    node: &'a Node,
    many: bool,
    place: &Place<'_>,
    found: &mut Vec<Reference<'a>>,
    problems: &mut Problems,
) {
    let View::Seq(items) = node.view() else {
        return add(node, Slot::Port(name), place, found, problems);
    };
    if !many && items.len() != 1 {
        let message = format!("{} takes 1 input, and {}", place.label(), are_written(items.len()));
        problems.error("input_count", place, node.mark, message);
    }
    for (index, item) in items.iter().enumerate() {
        add(item, Slot::PortItem(name, index), &place.index(index), found, problems);
    }
}

fn add<'a>(node: &'a Node, slot: Slot<'a>, place: &Place<'_>, found: &mut Vec<Reference<'a>>, problems: &mut Problems) {
    match node.scalar().filter(|_| !node.is_null()) {
        Some(scalar) => found.push(Reference { id: &scalar.text, mark: node.mark, slot }),
        None => drop(wrong_type::<()>(node, "a node's id", place, problems)),
    }
}

fn check_count(count: usize, node_type: &dyn NodeType, mark: Mark, inputs: &Place<'_>, problems: &mut Problems) {
    let Ports { min, max, names, .. } = node_type.ports();
    if (min..=max).contains(&count) {
        return;
    }
    let name = node_type.name();
    let article = if name.starts_with(['A', 'E', 'I', 'O', 'U']) { "an" } else { "a" };
    let wanted = match (min, max) {
        (_, 0) => "no inputs".to_owned(),
        _ if min == max && names.len() == max => format!("{} ({})", counted(max, "input"), names.join(", ")),
        _ if min == max => counted(max, "input"),
        _ if count < min => format!("at least {}", counted(min, "input")),
        _ => format!("at most {}", counted(max, "input")),
    };
    let message = format!("{article} {name} takes {wanted}, and {}", are_written(count));
    problems.error("input_count", inputs, mark, message);
}

fn are_written(count: usize) -> String {
    match count {
        0 => "none is written".to_owned(),
        1 => "1 is written".to_owned(),
        _ => format!("{count} are written"),
    }
}
