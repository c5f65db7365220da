//! The property, for films and sounds: fused and stepwise, cold, warm and half evicted, the same
//! bytes come out, and the counts are as the plan says.

use std::fmt::Write as _;

use artdag::engine::Engine;
use artdag::records::RunOptions;

use super::clip;
use crate::property::{evict_half, expected_misses, last, output, request};
use crate::support::{self, Home, Random, options, run_config};

/// A value of a graph being written: its name, and what it is.
#[derive(Clone)]
struct Value {
    name: String,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Film,
    Sound,
    Still,
}

const SOURCES: &[(&str, Kind)] = &[
    ("ntsc.mp4", Kind::Film),
    ("odd.mkv", Kind::Film),
    ("mono.avi", Kind::Film),
    ("vfr.mp4", Kind::Film),
    ("moving.gif", Kind::Film),
    ("stereo.flac", Kind::Sound),
    ("still.png", Kind::Still),
];

fn graph(random: &mut Random, hashes: &[String]) -> String {
    let mut yaml = String::from("name: sample\ndag:\n  nodes:\n");
    let mut values: Vec<Value> = Vec::new();
    for index in 0..2 + random.below(3) {
        let which = if index == 0 { random.below(4) } else { random.below(SOURCES.len()) };
        let _ = writeln!(yaml, "    - {{id: s{index}, type: SOURCE, config: {{hash: \"{}\"}}}}", hashes[which]);
        values.push(Value { name: format!("s{index}"), kind: SOURCES[which].1 });
    }
    let mut films = 0;
    for index in 0..2 + random.below(4) {
        let (node_type, config, inputs, kind) = node(random, &values);
        let names: Vec<&str> = inputs.iter().map(|value| value.name.as_str()).collect();
        let name = format!("n{index}");
        let _ =
            writeln!(yaml, "    - {{id: {name}, type: {node_type}, config: {config}, inputs: [{}]}}", names.join(", "));
        values.push(Value { name, kind });
        films += 1;
    }
    assert!(films > 0);
    let output = values.last().map(|value| value.name.clone()).unwrap_or_default();
    let _ = writeln!(yaml, "  output: {output}");
    yaml
}

/// Values of these kinds, of which there is at least one; later ones are taken more often.
fn some(random: &mut Random, values: &[Value], kinds: &[Kind], count: usize) -> Vec<Value> {
    let fit: Vec<&Value> = values.iter().filter(|value| kinds.contains(&value.kind)).collect();
    let mut taken = Vec::new();
    for index in 0..count {
        let late = index == 0 && random.below(3) > 0;
        let value = if late { fit[fit.len() - 1] } else { fit[random.below(fit.len())] };
        taken.push(value.clone());
    }
    taken
}

fn node(random: &mut Random, values: &[Value]) -> (&'static str, String, Vec<Value>, Kind) {
    use Kind::{Film, Sound, Still};
    let has_sound = values.iter().any(|value| value.kind == Sound);
    match random.below(13) {
        0 | 1 => {
            let mode = random.one_of(&["fit", "fill", "stretch", "pad"]);
            let background = random.one_of(&["black", "orange"]);
            let (width, height) = (8 + random.below(80), 8 + random.below(80));
            let config = format!("{{width: {width}, height: {height}, mode: {mode}, background: {background}}}");
            ("RESIZE", config, some(random, values, &[Film], 1), Film)
        }
        2 | 3 => {
            let config = format!(
                "{{effects: {{saturation: {}, contrast: {}, hue: {}, blur: {}, sharpen: {}, speed: {}}}}}",
                random.unit() * 2.0,
                0.5 + random.unit(),
                random.below(360),
                random.below(3),
                random.unit(),
                random.one_of(&["1", "1", "0.7", "1.9", "3"])
            );
            ("TRANSFORM", config, some(random, values, &[Film], 1), Film)
        }
        4 => {
            let (offset, duration) = (random.unit() * 2.5, 0.2 + random.unit() * 2.0);
            let config = format!("{{offset: {offset}, duration: {duration}}}");
            ("SEGMENT", config, some(random, values, &[Film], 1), Film)
        }
        5 | 6 => {
            let transition =
                random.one_of(&["{type: cut}", "{type: crossfade, duration: 0.2}", "{type: fade, duration: 0.15}"]);
            let size = random.one_of(&["first", "last", "largest"]);
            let config = format!("{{transition: {transition}, target_size: {size}, background: navy, duration: 0.7}}");
            let count = 1 + random.below(3);
            let mut inputs = some(random, values, &[Film], 1);
            inputs.extend(some(random, values, &[Film, Still, Film], count).into_iter().skip(1));
            ("SEQUENCE", config, inputs, Film)
        }
        7 => {
            let config = "{inputs: [{opacity: 0.9}, {position: [7, -3], opacity: 0.6, scale: 0.5}]}".to_owned();
            let mut inputs = some(random, values, &[Film], 1);
            inputs.extend(some(random, values, &[Film, Still], 1));
            ("LAYER", config, inputs, Film)
        }
        8 => {
            let mode = random.one_of(&["multiply", "overlay", "difference", "average"]);
            let config = format!("{{mode: {mode}, opacity: {}}}", random.unit());
            ("BLEND", config, some(random, values, &[Film], 2), Film)
        }
        9 if has_sound => {
            let mut inputs = some(random, values, &[Film], 1);
            inputs.extend(some(random, values, &[Sound], 1));
            let shortest = random.one_of(&["true", "false"]);
            ("MUX", format!("{{shortest: {shortest}}}"), inputs, Film)
        }
        10 if has_sound => {
            let inputs = some(random, values, &[Sound], 2);
            ("AUDIO_MIX", format!("{{gains: [{}], normalize: true}}", random.unit() * 2.0), inputs, Sound)
        }
        11 => {
            let effect = random.one_of(&["invert", "sepia", "grayscale"]);
            ("EFFECT", format!("{{effect: {effect}}}"), some(random, values, &[Film], 1), Film)
        }
        12 => {
            let config = format!("{{times: [{}]}}", 0.1 + random.unit());
            ("SWITCH", config, some(random, values, &[Film], 2), Film)
        }
        _ => ("FRAME", format!("{{time: {}}}", random.unit() * 2.0), some(random, values, &[Film], 1), Still),
    }
}

#[test]
fn the_output_of_films_does_not_depend_on_how_it_is_computed() {
    let seed = Random::seeded(20_261_125);
    let cases = if support::long_case("300 random graphs of films instead of 14") { 300 } else { 14 };
    // Most of the time goes to starting processes, one after another: homes beside each other use all cores.
    std::thread::scope(|scope| {
        for home in 0..HOMES {
            let random = Random(seed.0.wrapping_add(home as u64));
            scope.spawn(move || graphs_of_one_home(random, cases / HOMES));
        }
    });
}

/// Homes whose graphs are run at the same time.
const HOMES: usize = 2;

fn graphs_of_one_home(mut random: Random, cases: usize) {
    let home = Home::new();
    let mut engine = home.open(2);
    let add = |(name, _): &(&str, Kind)| {
        let bytes = std::fs::read(clip(name)).expect("a clip can be read");
        engine.add_bytes(&bytes, None).expect("a clip can be added").content_hash.to_string()
    };
    let hashes: Vec<String> = SOURCES.iter().map(add).collect();
    let (mut done, mut refused) = (0, 0);
    while done < cases {
        let yaml = graph(&mut random, &hashes);
        // A piece behind the end of what it is cut from, a transition longer than a clip.
        if engine.prepare(&request(&yaml, options(false, true))).is_err() {
            refused += 1;
            assert!(refused < 40 + 4 * cases, "nearly all graphs are refused: {yaml}");
            continue;
        }
        if done % 25 == 12 {
            engine.close().expect("the home closes");
            engine = home.open(1 + done / 25 % 3);
        }
        check(&engine, &mut random, &yaml, done);
        done += 1;
    }
    engine.close().expect("the home closes");
}

fn check(engine: &Engine, random: &mut Random, yaml: &str, case: usize) {
    let context = format!("case {case}\n{yaml}");
    let fused = run_config(engine, yaml, options(false, true));
    let hash = output(&fused, &context);
    let plan = engine.prepare(&request(yaml, options(false, false))).expect("it was planned before").plan;
    let all = plan.misses() as u64;
    assert_eq!((fused.stats.hits, fused.stats.misses), (0, all), "{context}");
    assert!(fused.stats.stages <= all, "{context}");

    let warm = run_config(engine, yaml, options(true, true));
    assert_eq!(output(&warm, &context), hash, "{context}");
    assert_eq!((warm.stats.stages, warm.stats.misses, warm.stats.blobs_written), (0, 0, 0), "{context}");

    let stepwise = run_config(engine, yaml, options(false, false));
    assert_eq!(output(&stepwise, &context), hash, "stepwise: {context}");
    assert_eq!(stepwise.stats.stages, all, "{context}");
    for node in plan.nodes.iter().filter(|node| node.state == artdag::plan::State::Miss) {
        assert!(engine.known_value(&node.key).is_some(), "{} is not kept: {context}", node.id);
    }

    let evicted = evict_half(engine, random, &plan);
    let half = run_config(engine, yaml, RunOptions { force: vec![last(&plan)], ..options(true, false) });
    assert_eq!(output(&half, &context), hash, "half evicted: {context}");
    assert_eq!(half.stats.misses, expected_misses(&plan, &evicted), "{context}");
}

/// A picture that stands still around one that moves: where threads of the encoder race, it shows here.
const HALF_STILL: &str = "
name: half-still
dag:
  nodes:
    - {id: a, type: GENERATE, config: {kind: pattern, width: 160, height: 120, duration: 2}}
    - {id: f, type: FRAME, config: {time: 0.5}, inputs: [a]}
    - {id: l, type: LAYER, config: {inputs: [{}, {position: [7, -3], opacity: 0.6, scale: 0.5}]}, inputs: [a, f]}
  output: l
";

#[test]
fn the_encoder_writes_a_film_the_same_each_time() {
    let (home, times) =
        (Home::new(), if support::long_case("200 encodings of a film instead of 12") { 200 } else { 12 });
    let engine = home.open(4);
    let first = output(&run_config(&engine, HALF_STILL, options(false, true)), "the first time");
    for time in 0..times {
        // Other bytes under the same key would fail the run.
        let again = run_config(
            &engine,
            HALF_STILL,
            RunOptions { checkpoint: "never".to_owned(), ..options(false, time % 2 == 0) },
        );
        assert_eq!(output(&again, &format!("time {time}")), first);
    }
    engine.close().expect("the home closes");
}
