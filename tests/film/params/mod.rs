//! Every parameter of every node type, by what it does to pixels, frames and samples. The cases
//! are a table, and the table has a case for each parameter that the program's own table has: a
//! new parameter without a case fails here.

mod colours;
mod lists;
mod pictures;
mod times;

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use artdag::base::ContentHash;
use artdag::base::schema::{Kind as Type, Param};
use artdag::engine::Engine;
use artdag::media::{Image, Kind};
use artdag::nodes::NODE_TYPES;
use artdag::records::RunOptions;

use super::{clip, decoded_frames, decoded_sound};
use crate::property::{output, request};
use crate::support::{Home, options, run_config};

/// A node type, one of its parameters as the docs name it, and what shows that it does what it says.
type Case = (&'static str, &'static str, fn(&Rig));

const ALL: [&[Case]; 4] = [pictures::CASES, colours::CASES, times::CASES, lists::CASES];

#[test]
fn every_parameter_of_every_node_type_has_a_case() {
    let mut cases = BTreeSet::new();
    for (node_type, param, _) in ALL.concat() {
        assert!(cases.insert((node_type.to_owned(), param.to_owned())), "{node_type} {param} has two cases");
    }
    let mut params = BTreeSet::new();
    for node_type in NODE_TYPES {
        let mut add = |name: String| params.insert((node_type.name().to_owned(), name));
        for name in names("", node_type.params()) {
            assert!(add(name));
        }
    }
    let without: Vec<_> = params.difference(&cases).collect();
    let of_none: Vec<_> = cases.difference(&params).collect();
    assert!(without.is_empty() && of_none.is_empty(), "without a case: {without:?}; cases of nothing: {of_none:?}");
}

/// The names as `docs/nodes.md` has them.
fn names(before: &str, params: &[Param]) -> Vec<String> {
    let mut all = Vec::new();
    for param in params {
        let name = format!("{before}{}", param.name);
        match param.kind {
            Type::Map(entries) => all.extend(names(&format!("{name}."), entries)),
            Type::List { of: Type::Map(entries), .. } => all.extend(names(&format!("{name}[n]."), entries)),
            _ => {}
        }
        all.push(name);
    }
    all
}

/// Runs the cases of a table, all of them though some fail; which did.
fn check(cases: &[Case]) {
    let rig = Rig::new();
    let holds = |(_, _, shows): &&Case| catch_unwind(AssertUnwindSafe(|| shows(&rig))).is_ok();
    let failed: Vec<String> =
        cases.iter().filter(|case| !holds(case)).map(|(node_type, param, _)| format!("{node_type} {param}")).collect();
    rig.engine.close().expect("the home closes");
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn parameters_of_pictures() {
    check(pictures::CASES);
}

#[test]
fn parameters_of_colours() {
    check(colours::CASES);
}

#[test]
fn parameters_of_times() {
    check(times::CASES);
}

#[test]
fn parameters_of_lists() {
    check(lists::CASES);
}

/// A home in this process, in which nodes are made and their values looked at.
struct Rig {
    engine: Engine,
    hashes: Mutex<HashMap<String, ContentHash>>,
    home: Home,
}

/// A node's value as it lies between nodes, so without a lossy codec on the way.
#[derive(Debug, PartialEq)]
struct Seen {
    kind: Kind,
    size: (usize, usize),
    /// Frames a second, as a fraction; of a film.
    rate: String,
    /// Three bytes a pixel; of a still there is one frame.
    frames: Vec<Vec<u8>>,
    /// Interleaved stereo at 48 kHz.
    sound: Vec<f32>,
}

impl Rig {
    fn new() -> Self {
        let home = Home::new();
        Self { engine: home.open(2), hashes: Mutex::default(), home }
    }

    /// The hash of a clip, added when it is first asked for.
    fn hash(&self, name: &str) -> ContentHash {
        let mut hashes = self.hashes.lock().unwrap_or_else(PoisonError::into_inner);
        *hashes.entry(name.to_owned()).or_insert_with(|| {
            let bytes = std::fs::read(clip(name)).expect("a clip can be read");
            self.engine.add_bytes(&bytes, None).expect("a clip can be added").content_hash
        })
    }

    /// A config of these sources `s0…` (clips, or nodes without inputs) and nodes `n0…`, of which
    /// the last one is the output. Nodes without inputs of their own take all sources.
    fn yaml(&self, nodes: &[&str], sources: &[&str]) -> String {
        let mut yaml = String::from("name: sample\ndag:\n  nodes:\n");
        let mut line = |id: String, node: &str| writeln!(yaml, "    - {{id: {id}, {node}}}").expect("a string");
        for (index, source) in sources.iter().enumerate() {
            if source.starts_with("type: ") {
                line(format!("s{index}"), source);
            } else {
                line(format!("s{index}"), &format!("type: SOURCE, config: {{hash: \"{}\"}}", self.hash(source)));
            }
        }
        let inputs: Vec<String> = (0..sources.len()).map(|index| format!("s{index}")).collect();
        for (index, node) in nodes.iter().enumerate() {
            let own = ["inputs: [s", "inputs: [n", "items: [s"].iter().any(|own| node.contains(own));
            let own = if own || inputs.is_empty() {
                (*node).to_owned()
            } else {
                format!("{node}, inputs: [{}]", inputs.join(", "))
            };
            line(format!("n{index}"), &own);
        }
        writeln!(yaml, "  output: n{}", nodes.len() - 1).expect("a string");
        yaml
    }

    /// The value of a node over sources.
    fn see(&self, node: &str, sources: &[&str]) -> Seen {
        self.see_last(&[node], sources)
    }

    /// The value of the last of these nodes.
    fn see_last(&self, nodes: &[&str], sources: &[&str]) -> Seen {
        let yaml = self.yaml(nodes, sources);
        let last = artdag::base::NodeId::new(format!("n{}", nodes.len() - 1));
        let row = run_config(&self.engine, &yaml, RunOptions { keep: vec![last], ..options(true, true) });
        output(&row, &yaml);
        let plan = self.engine.prepare(&request(&yaml, options(true, true))).expect("it was planned before").plan;
        let node = &plan.nodes[plan.nodes[plan.output].inputs[0]];
        let value = self.engine.known_value(&node.key).unwrap_or_else(|| panic!("{} is not kept\n{yaml}", node.id));
        let file = self.home.dir().join("value");
        self.engine.export(&value, &file).expect("a value can be written");
        let facts = &node.facts;
        if facts.kind == Kind::Image {
            return Seen::still(&std::fs::read(&file).expect("the value"));
        }
        let size = (facts.width as usize, facts.height as usize);
        let is_film = facts.kind == Kind::Video;
        Seen {
            kind: facts.kind,
            size,
            rate: facts.clip.map_or_else(String::new, |clip| clip.rate.to_string()),
            frames: if is_film { decoded_frames(&file, size.0, size.1) } else { Vec::new() },
            sound: if facts.has_sound() { decoded_sound(&file) } else { Vec::new() },
        }
    }

    /// What an analysis or another node of data says.
    fn told(&self, node: &str, sources: &[&str]) -> serde_json::Value {
        self.told_last(&[node], sources)
    }

    /// What the last of these nodes says.
    fn told_last(&self, nodes: &[&str], sources: &[&str]) -> serde_json::Value {
        let yaml = self.yaml(nodes, sources);
        let row = run_config(&self.engine, &yaml, options(true, true));
        let bytes = self.engine.read_blob(&output(&row, &yaml)).expect("the output");
        serde_json::from_slice(bytes.as_ref()).expect("JSON")
    }

    /// Why a node over sources is refused.
    fn refusal(&self, node: &str, sources: &[&str]) -> String {
        let yaml = self.yaml(&[node], sources);
        match self.engine.prepare(&request(&yaml, options(true, true))) {
            Ok(_) => panic!("it is not refused\n{yaml}"),
            Err(error) => error.to_string(),
        }
    }
}

impl Seen {
    fn still(bytes: &[u8]) -> Self {
        let image: Image = artdag::media::decode::decode(bytes).expect("a picture");
        let pixels = image.pixels().chunks(4).flat_map(|pixel| pixel[..3].to_vec()).collect();
        Self {
            kind: Kind::Image,
            size: (image.width() as usize, image.height() as usize),
            rate: String::new(),
            frames: vec![pixels],
            sound: Vec::new(),
        }
    }

    fn pixel(&self, frame: usize, x: usize, y: usize) -> [u8; 3] {
        let at = (y * self.size.0 + x) * 3;
        self.frames[frame][at..at + 3].try_into().expect("a pixel")
    }

    /// The pixel in the middle of a frame.
    fn middle(&self, frame: usize) -> [u8; 3] {
        self.pixel(frame, self.size.0 / 2, self.size.1 / 2)
    }

    /// Samples of the sound, of one side.
    fn samples(&self) -> usize {
        self.sound.len() / 2
    }

    /// Which frames of `steps.mkv` these are.
    fn steps(&self) -> Vec<usize> {
        (0..self.frames.len())
            .map(|frame| (f64::from(self.middle(frame)[0]) * 219.0 / 255.0 / 4.0).round() as usize)
            .collect()
    }

    /// The second of the sound of `steps.mkv` that is heard at a sample.
    fn second(&self, sample: usize) -> f32 {
        self.sound[2 * sample] * 4.0
    }
}

/// A film of one colour, 64 by 48, of 10 frames.
fn film(colour: &str) -> String {
    format!("type: GENERATE, config: {{kind: colour, colour: \"{colour}\", width: 64, height: 48, duration: 0.4}}")
}

#[track_caller]
fn near(found: [u8; 3], expected: [u8; 3], most: u8) {
    let is_near = found.iter().zip(expected).all(|(found, expected)| found.abs_diff(expected) <= most);
    assert!(is_near, "{found:?} is not {expected:?}");
}

#[track_caller]
fn about(found: f64, expected: f64, most: f64) {
    assert!((found - expected).abs() <= most, "{found} is not {expected}");
}

const RED: [u8; 3] = [255, 0, 0];
const GREEN: [u8; 3] = [0, 255, 0];
const BLUE: [u8; 3] = [0, 0, 255];
const BLACK: [u8; 3] = [0, 0, 0];
const WHITE: [u8; 3] = [255, 255, 255];
