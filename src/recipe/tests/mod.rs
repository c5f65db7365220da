//! Tests of the way from text to graph as a whole. A new test of a message goes into
//! `messages`, one of what a config may look like into `texts`; `hostile` and `large` hold
//! what must be refused or borne, `runs` what is given for a run.

// Tables of cases are long, their numbers are exact, and their texts small.
#![allow(clippy::too_many_lines, clippy::float_cmp, clippy::format_push_string)]

mod hostile;
mod large;
mod messages;
mod runs;
mod texts;

use std::time::{Duration, Instant};

use crate::recipe::Recipe;

/// Seconds within which a hostile config is refused.
const REFUSED_WITHIN: u64 = 1;

/// Seconds within which the largest graphs are judged.
const JUDGED_WITHIN: u64 = 5;

/// Does something within this many seconds; ten times as many in a debug build, which still
/// tells a bomb that goes off from one that does not.
fn in_time<T>(seconds: u64, work: impl Fn() -> T) -> T {
    let limit = Duration::from_secs(if cfg!(debug_assertions) { 10 * seconds } else { seconds });
    let start = Instant::now();
    let done = work();
    let took = start.elapsed();
    assert!(took < limit, "it took {took:?}, and {limit:?} is allowed");
    done
}

/// A config with one node, the variable input `a`, and then this.
fn config(rest: &str) -> String {
    "name: x\ndag:\n  nodes:\n    - id: a\n      type: SOURCE\n      config: {input: true}\n".to_owned() + rest
}

/// The problems of a config as a person sees them; of a good one its warnings.
fn lines(config: &str) -> Vec<String> {
    let problems = Recipe::parse(config.as_bytes()).map_or_else(|problems| problems, |recipe| recipe.warnings);
    problems.iter().map(ToString::to_string).collect()
}

/// The recipe of a config that is good.
fn good(config: &str) -> Recipe {
    Recipe::parse(config.as_bytes()).unwrap_or_else(|_| panic!("{:#?}\n{config}", lines(config)))
}
