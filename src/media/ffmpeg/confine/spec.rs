//! What the launcher is told on its command line.
//!
//! `<stage> <parent> <memory> <cpu> <file> <wall> <processes> <dir> <reads> <read>… -- <program> <arg>…`

use std::ffi::{OsStr, OsString};
use std::str::FromStr;

use super::{Confined, Limits};

/// The stage that watches.
pub(super) const RUN: &str = "run";
/// The stage that becomes the program.
pub(super) const EXEC: &str = "exec";
/// The stage that does nothing.
pub(super) const IDLE: &str = "idle";
/// The stage that restricts itself and says how.
pub(super) const CHECK: &str = "check";

/// The arguments after the flag.
pub(super) fn words(stage: &str, parent: u32, confined: &Confined) -> Vec<OsString> {
    let Limits { memory, cpu_seconds, file_bytes, wall_seconds, processes } = confined.limits;
    let numbers = [u64::from(parent), memory, cpu_seconds, file_bytes, wall_seconds, u64::from(processes)];
    let mut words = vec![OsString::from(stage)];
    words.extend(numbers.map(|number| number.to_string().into()));
    words.push(confined.dir.clone().into());
    words.push(confined.reads.len().to_string().into());
    words.extend(confined.reads.iter().map(|path| path.clone().into_os_string()));
    words.push("--".into());
    words.push(confined.program.clone().into());
    words.extend(confined.args.iter().cloned());
    words
}

/// The parent and the program, of the arguments after the stage.
pub(super) fn parse(mut words: impl Iterator<Item = OsString>) -> Option<(u32, Confined)> {
    let words = &mut words;
    let parent = number(words)?;
    let limits = Limits {
        memory: number(words)?,
        cpu_seconds: number(words)?,
        file_bytes: number(words)?,
        wall_seconds: number(words)?,
        processes: number(words)?,
    };
    let dir = words.next()?.into();
    let reads: usize = number(words)?;
    let reads: Vec<_> = words.take(reads).map(Into::into).collect();
    if words.next()? != OsStr::new("--") {
        return None;
    }
    let program = words.next()?.into();
    Some((parent, Confined { program, args: words.collect(), dir, reads, limits }))
}

fn number<N: FromStr>(words: &mut impl Iterator<Item = OsString>) -> Option<N> {
    words.next()?.to_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt as _;

    use super::*;

    #[test]
    fn r31_spec_survives_the_command_line() {
        let odd = OsString::from_vec(vec![b'a', 0xff, b' ', b'-']);
        let limits = Limits { memory: u64::MAX, cpu_seconds: 1, file_bytes: 2, wall_seconds: 3, processes: 4 };
        let confined = Confined {
            program: odd.clone().into(),
            args: vec!["--".into(), odd.clone(), "".into()],
            dir: odd.clone().into(),
            reads: vec!["--".into(), odd.into()],
            limits,
        };
        let words = words(RUN, 77, &confined);
        assert_eq!(words[0], RUN);
        assert_eq!(parse(words.into_iter().skip(1)), Some((77, confined)));
    }

    #[test]
    fn r31_spec_cut_short_is_refused() {
        let limits = Limits { memory: 1, cpu_seconds: 1, file_bytes: 2, wall_seconds: 3, processes: 4 };
        let confined =
            Confined { program: "p".into(), args: Vec::new(), dir: "d".into(), reads: vec!["r".into()], limits };
        let words: Vec<_> = words(RUN, 77, &confined).into_iter().skip(1).collect();
        for len in 0..words.len() {
            assert_eq!(parse(words[..len].iter().cloned()), None, "{len}");
        }
    }
}
