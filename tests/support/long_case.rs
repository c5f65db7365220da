//! Cases that take long: left out of a usual run, and counted.

use std::env;
use std::fs::OpenOptions;
use std::io::Write;

/// Shall the long case of this name be run? `ARTDAG_TESTS=full` says yes. One that is left out
/// is written into the file that `ARTDAG_TESTS_LEFT_OUT` names, which `tests/run.sh` counts.
pub fn long_case(name: &str) -> bool {
    if env::var_os("ARTDAG_TESTS").is_some_and(|tests| tests == "full") {
        return true;
    }
    if let Some(path) = env::var_os("ARTDAG_TESTS_LEFT_OUT") {
        // One write a line: appending ones of other threads do not mix with it.
        let line = format!("{name}\n");
        let file = OpenOptions::new().create(true).append(true).open(path);
        file.and_then(|mut file| file.write_all(line.as_bytes())).expect("the list of what is left out");
    }
    false
}
