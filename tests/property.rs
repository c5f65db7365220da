//! The property that everything leans on: the output's bytes do not depend on how it was
//! computed. Random graphs of all node types are run fused and unfused, cold, warm and half
//! evicted, by one, two and eight threads, and each run's counts are checked.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::Mutex;

use artdag::base::ContentHash;
use artdag::engine::work::{self, Blobs};
use artdag::engine::{Engine, EngineError, Inputs, RecipeRef, Request};
use artdag::media::encode::Format;
use artdag::plan::{Plan, State};
use artdag::records::{RunOptions, RunRow, RunStatus};

use crate::support::{self, Home, Random, options, run_config};

/// A random config: its text, and what is known of it.
struct Sample {
    yaml: String,
    /// Ids of all nodes but sources.
    nodes: Vec<String>,
}

/// Writes a random graph over these sources. Every node's output is used: the last node joins
/// whatever nobody has taken.
fn sample(random: &mut Random, sources: &[ContentHash]) -> Sample {
    let mut yaml = String::from("name: sample\ndag:\n  nodes:\n");
    let mut values: Vec<String> = Vec::new();
    let mut unused: Vec<String> = Vec::new();
    for index in 0..=random.below(3) {
        let hash = random.one_of(sources);
        let _ = writeln!(yaml, "    - {{id: s{index}, type: SOURCE, config: {{hash: \"{hash}\"}}}}");
        values.push(format!("s{index}"));
        unused.push(format!("s{index}"));
    }
    let mut nodes = Vec::new();
    for index in 0..=random.below(9) {
        let (node_type, config, inputs) = node(random, values.len());
        let mut names = Vec::new();
        for _ in 0..inputs {
            // Half of the time something that nobody has taken yet, so that graphs are connected.
            let fresh = !unused.is_empty() && random.below(2) == 0;
            let name = if fresh { random.one_of(&unused).clone() } else { random.one_of(&values).clone() };
            unused.retain(|other| *other != name);
            names.push(name);
        }
        let _ = writeln!(
            yaml,
            "    - {{id: n{index}, type: {node_type}, config: {config}, inputs: [{}]}}",
            names.join(", ")
        );
        values.push(format!("n{index}"));
        unused.push(format!("n{index}"));
        nodes.push(format!("n{index}"));
    }
    let _ = writeln!(yaml, "    - {{id: last, type: LAYER, inputs: [{}]}}", unused.join(", "));
    nodes.push("last".to_owned());
    let output = random.one_of(&["last", "{node: last, format: webp}", "{node: last, format: jpeg, quality: 80}"]);
    let _ = writeln!(yaml, "  output: {output}");
    Sample { yaml, nodes }
}

/// Type, config and number of inputs of a random node.
fn node(random: &mut Random, available: usize) -> (&'static str, String, usize) {
    match random.below(6) {
        0 | 1 => ("EFFECT", effect(random), 1),
        2 => {
            let mode = random.one_of(&["fit", "fill", "stretch", "pad"]);
            let background = random.one_of(&["black", "white", "'#12345680'", "transparent"]);
            let (width, height) = (1 + random.below(48), 1 + random.below(48));
            let config = format!("{{width: {width}, height: {height}, mode: {mode}, background: {background}}}");
            ("RESIZE", config, 1)
        }
        3 => {
            let config = format!(
                "{{effects: {{saturation: {}, contrast: {}, brightness: {}, gamma: {}, hue: {}, blur: {}, sharpen: {}}}}}",
                random.unit() * 2.0,
                random.unit() * 2.0,
                random.unit() * 2.0 - 1.0,
                0.1 + random.unit() * 3.0,
                random.below(360),
                random.below(4),
                random.unit() * 2.0
            );
            ("TRANSFORM", config, 1)
        }
        4 => {
            let inputs = 1 + random.below(available.min(4));
            let layers: Vec<String> = (0..inputs)
                .map(|layer| match layer {
                    0 => "{}".to_owned(),
                    _ => format!(
                        "{{position: [{}, {}], opacity: {}, scale: {}}}",
                        random.below(40) as i64 - 10,
                        random.below(40) as i64 - 10,
                        random.unit(),
                        random.one_of(&["1", "0.5", "1.7"])
                    ),
                })
                .collect();
            ("LAYER", format!("{{inputs: [{}]}}", layers.join(", ")), inputs)
        }
        _ => {
            let modes =
                ["multiply", "screen", "overlay", "add", "subtract", "average", "difference", "lighten", "darken"];
            let config = format!("{{mode: {}, opacity: {}}}", random.one_of(&modes), random.unit());
            ("BLEND", config, 2)
        }
    }
}

fn effect(random: &mut Random) -> String {
    let params = match random.below(8) {
        0 => return "{effect: identity}".to_owned(),
        1 => return "{effect: invert}".to_owned(),
        2 => return "{effect: grayscale}".to_owned(),
        3 => return format!("{{effect: sepia, params: {{amount: {}}}}}", random.unit()),
        4 => ("blur", format!("sigma: {}", random.unit() * 4.0)),
        5 => ("sharpen", format!("amount: {}", random.unit() * 3.0)),
        6 => ("pixelate", format!("size: {}", 1 + random.below(9))),
        _ => ("dog", format!("sigma: {}, phi: {}", 0.5 + random.unit(), 1 + random.below(20))),
    };
    format!("{{effect: {}, params: {{{}}}}}", params.0, params.1)
}

fn sources(engine: &Engine) -> Vec<ContentHash> {
    let opaque = support::picture(33, 21, 1, true);
    let clear = support::picture(20, 31, 2, false);
    let small = support::picture(1, 1, 3, true);
    [
        (&opaque, Format::Png),
        (&opaque, Format::Jpeg),
        (&clear, Format::Png),
        (&clear, Format::Webp),
        (&small, Format::Bmp),
    ]
    .map(|(image, format)| support::add_picture(engine, image, format))
    .to_vec()
}

pub fn request(yaml: &str, options: RunOptions) -> Request {
    Request {
        recipe: RecipeRef::Bytes(yaml.as_bytes().to_vec()),
        inputs: Inputs::Named(Vec::new()),
        params: serde_json::Map::new(),
        output_name: None,
        format: None,
        options,
        priority: 0,
        username: None,
        fixed: Vec::new(),
    }
}

pub fn output(row: &RunRow, yaml: &str) -> ContentHash {
    assert_eq!(row.status, RunStatus::Completed, "{:?}\n{yaml}", row.error);
    row.output.expect("a completed run has an output")
}

#[test]
fn the_output_does_not_depend_on_how_it_is_computed() {
    let mut random = Random::seeded(20_261_123);
    let cases = if support::long_case("4,000 random graphs instead of 400") { 4000 } else { 400 };
    let home = Home::new();
    let mut engine = home.open(1);
    let pictures = sources(&engine);
    for case in 0..cases {
        // The same home by another number of threads.
        if case % 100 == 50 {
            engine.close().expect("the home closes");
            engine = home.open([1, 2, 8][case / 100 % 3]);
        }
        check(&engine, &mut random, &pictures, case);
    }
    engine.close().expect("the home closes");
}

fn check(engine: &Engine, random: &mut Random, pictures: &[ContentHash], case: usize) {
    let Sample { yaml, nodes } = sample(random, pictures);
    let context = format!("case {case}\n{yaml}");
    // Cold and fused. Identities of sources, which earlier cases may share, are known at times.
    let fused = run_config(engine, &yaml, options(false, true));
    let hash = output(&fused, &context);
    let plan = engine.prepare(&request(&yaml, options(false, false))).expect("it was planned before").plan;
    let all = plan.misses() as u64;
    assert_eq!((fused.stats.hits, fused.stats.misses), (0, all), "{context}");
    assert!(fused.stats.stages <= all, "{context}");
    assert!(all < 3 || fused.stats.stages < all, "nothing was fused: {context}");

    // Warm: nothing runs, nothing is written.
    let warm = run_config(engine, &yaml, options(true, true));
    assert_eq!(output(&warm, &context), hash, "{context}");
    let stats = warm.stats;
    assert_eq!((stats.stages, stats.hits, stats.misses, stats.blobs_written), (0, 1, 0, 0), "{context}");

    // Unfused: every node is a stage, and its value goes to disk and back.
    let stepwise = run_config(engine, &yaml, options(false, false));
    assert_eq!(output(&stepwise, &context), hash, "{context}");
    assert_eq!(stepwise.stats.stages, all, "{context}");
    let values: HashSet<ContentHash> = values(engine, &plan);
    assert!(stepwise.stats.blobs_written <= values.len() as u64, "{context}");
    for key in plan.nodes.iter().filter(|node| node.state == State::Miss) {
        assert!(engine.known_value(&key.key).is_some(), "{} is not kept: {context}", key.id);
    }

    // Half evicted: what is still there is used, the rest is computed, the output is the same.
    let evicted = evict_half(engine, random, &plan);
    let half = run_config(engine, &yaml, RunOptions { force: vec![last(&plan)], ..options(true, false) });
    assert_eq!(output(&half, &context), hash, "{context}");
    assert_eq!(half.stats.misses, expected_misses(&plan, &evicted), "{context}");
    assert_eq!(half.stats.stages, half.stats.misses, "{context}");
    assert!(nodes.len() < plan.nodes.len(), "{context}");
}

/// The id of the last node before the `ENCODE`: forced, so that what is known before it is used.
pub fn last(plan: &Plan) -> artdag::base::NodeId {
    plan.nodes[plan.nodes[plan.output].inputs[0]].id.clone()
}

fn values(engine: &Engine, plan: &Plan) -> HashSet<ContentHash> {
    plan.nodes.iter().filter_map(|node| engine.known_value(&node.key)).collect()
}

/// Takes away half of the values that may go; the keys that are no longer known.
pub fn evict_half(engine: &Engine, random: &mut Random, plan: &Plan) -> HashSet<usize> {
    for hash in values(engine, plan) {
        let row = engine.describe(&hash).expect("a known value is described");
        let derived = row.origin == artdag::records::Origin::Derived;
        if derived && random.below(2) == 0 && engine.holders(&hash).expect("holders are listed").is_empty() {
            engine.remove_blob(&hash, false).expect("nothing holds it");
        }
    }
    let unknown = |(index, node): (usize, &artdag::plan::PlanNode)| {
        (node.state == State::Miss && engine.known_value(&node.key).is_none()).then_some(index)
    };
    plan.nodes.iter().enumerate().filter_map(unknown).collect()
}

/// From the output back: the last node and the `ENCODE` are forced, others run if unknown.
pub fn expected_misses(plan: &Plan, unknown: &HashSet<usize>) -> u64 {
    let forced = [plan.output, plan.nodes[plan.output].inputs[0]];
    let mut needed: HashSet<usize> = HashSet::from(forced);
    let mut misses = 0;
    for index in (0..plan.nodes.len()).rev() {
        if !needed.contains(&index) || plan.nodes[index].state == State::Source {
            continue;
        }
        if forced.contains(&index) || unknown.contains(&index) {
            misses += 1;
            needed.extend(plan.nodes[index].inputs.iter().copied());
        }
    }
    misses
}

/// Blobs in memory; values between nodes can be spoilt on their way.
#[derive(Default)]
struct Memory {
    blobs: Mutex<HashMap<ContentHash, Vec<u8>>>,
    /// Loses the lowest bit of every value that is written between nodes.
    lossy: bool,
}

impl Blobs for Memory {
    fn pool(&self) -> Option<&rayon::ThreadPool> {
        None
    }

    fn read(&self, hash: &ContentHash) -> Result<Box<dyn std::ops::Deref<Target = [u8]> + '_>, EngineError> {
        let bytes = self.blobs.lock().expect("no holder panics")[hash].clone();
        Ok(Box::new(bytes))
    }

    fn write(&self, _node: usize, bytes: &[u8]) -> Result<(ContentHash, bool), EngineError> {
        let bytes = if self.lossy { spoilt(bytes) } else { bytes.to_vec() };
        let hash = ContentHash::of(&bytes);
        let new = self.blobs.lock().expect("no holder panics").insert(hash, bytes).is_none();
        Ok((hash, new))
    }

    fn cancelled(&self) -> bool {
        false
    }

    fn done(&self, _node: usize) {}
}

/// A stored value whose pixels have lost their lowest bit: what a boundary that rounds
/// otherwise than the fused chain would do.
fn spoilt(bytes: &[u8]) -> Vec<u8> {
    let Ok(mut image) = artdag::media::decode::decode_stored(bytes) else { return bytes.to_vec() };
    for pixel in image.pixels_mut().chunks_exact_mut(4) {
        pixel[0] &= 0xfe;
    }
    artdag::media::encode::encode_stored(&image)
}

/// Carries out a plan stage by stage over these blobs; the hash of the value before `ENCODE`.
fn carry_out(plan: &Plan, blobs: &Memory) -> ContentHash {
    let mut values: HashMap<usize, ContentHash> =
        plan.nodes.iter().enumerate().filter_map(|(index, node)| Some((index, node.source?))).collect();
    for stage in 0..plan.stages.len() {
        let inputs = values.iter().map(|(node, hash)| (*node, *hash)).collect();
        let outcome = work::run_stage(plan, stage, &inputs, blobs);
        assert!(outcome.failure.is_none(), "{:?}", outcome.failure);
        values.extend(outcome.kept);
    }
    values[&plan.output]
}

#[test]
fn a_broken_boundary_is_caught() {
    let mut random = Random::seeded(7);
    let home = Home::new();
    let engine = home.open(2);
    let pictures = sources(&engine);
    let (mut caught, cases) = (0, 60);
    for case in 0..cases {
        let Sample { yaml, .. } = sample(&mut random, &pictures);
        let plan = |fuse| engine.prepare(&request(&yaml, options(false, fuse))).expect("a sample can be planned").plan;
        let hash = |fuse, lossy| {
            let blobs = Memory { lossy, ..Memory::default() };
            for picture in &pictures {
                let bytes = engine.read_blob(picture).expect("a source is there").to_vec();
                blobs.blobs.lock().expect("no holder panics").insert(*picture, bytes);
            }
            carry_out(&plan(fuse), &blobs)
        };
        assert_eq!(hash(true, false), hash(false, false), "case {case}\n{yaml}");
        caught += usize::from(hash(true, false) != hash(false, true));
    }
    assert!(caught > cases / 2, "a boundary that loses a bit was seen in only {caught} of {cases} graphs");
    engine.close().expect("the home closes");
}

#[test]
fn swapped_inputs_are_another_node() {
    let home = Home::new();
    let engine = home.open(2);
    let pictures = sources(&engine);
    let yaml = |inputs: &str| {
        format!(
            "name: swap\ndag:\n  nodes:\n    - {{id: a, type: SOURCE, config: {{hash: \"{}\"}}}}\n    - {{id: b, type: SOURCE, config: {{hash: \"{}\"}}}}\n    - {{id: mix, type: BLEND, config: {{mode: subtract}}, inputs: [{inputs}]}}\n  output: mix\n",
            pictures[0], pictures[1]
        )
    };
    let key = |yaml: &str| {
        let plan = engine.prepare(&request(yaml, options(true, true))).expect("it can be planned").plan;
        plan.nodes[plan.find("mix").expect("mix is needed")].key
    };
    assert_ne!(key(&yaml("a, b")), key(&yaml("b, a")));
    let outputs = ["a, b", "b, a"].map(|inputs| run_config(&engine, &yaml(inputs), options(true, true)).output);
    assert_ne!(outputs[0], outputs[1]);
    engine.close().expect("the home closes");
}
