//! The process that restricts itself for good and becomes the program.

use std::fs;
use std::io;
use std::os::unix::process::{CommandExt as _, parent_id};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use rustix::process::{Resource, Rlimit, Signal, getrlimit, set_parent_process_death_signal, setrlimit};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, remove_capability_from_bounding_set, set_capabilities,
};

use super::itself::{AHEAD, shift_priority};
use super::launcher::fail;
use super::{Confined, EXIT_LAUNCHER, EXIT_PROGRAM, EXIT_STOPPED, Limits, calls, files};

/// Where a program without a directory in its name is looked for.
const PATH: [&str; 2] = ["/usr/bin", "/bin"];
/// Files that a process may have open.
const OPEN_FILES: u64 = 512;

/// Becomes the program; returns only if that is impossible.
pub(super) fn become_program(parent: u32, confined: &Confined) -> ExitCode {
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
    // When memory runs out, this goes before the server does.
    let _ = fs::write("/proc/self/oom_score_adj", "1000");
    if parent_id() != parent {
        return ExitCode::from(EXIT_STOPPED);
    }
    shift_priority(AHEAD);
    match prepare(confined) {
        Ok((mut command, program)) => {
            limit(&confined.limits);
            let e = command.exec();
            fail(EXIT_PROGRAM, &format!("cannot start {}: {e}", program.display()))
        }
        Err(e) => fail(EXIT_LAUNCHER, &format!("cannot work in {}: {e}", confined.dir.display())),
    }
}

/// A frame's memory is used again for the next one. Left to itself glibc gives it back to the system and
/// asks for it anew, which is most of what the system does while frames go through pipes.
const KEEPS_MEMORY: [(&str, &str); 2] =
    [("MALLOC_MMAP_THRESHOLD_", "33554432"), ("MALLOC_TRIM_THRESHOLD_", "268435456")];

/// The command and the program's path, with all restrictions in force but those on memory.
fn prepare(confined: &Confined) -> io::Result<(Command, PathBuf)> {
    let dir = std::path::absolute(&confined.dir)?;
    let program = resolve(&confined.program)?;
    let allowed = files::Allowed { program: &program, dir: &dir, reads: &confined.reads };
    let rules = files::Rules::collect(&allowed);
    std::env::set_current_dir(&dir)?;
    drop_capabilities();
    rules.enforce();
    calls::deny();
    let mut command = Command::new(&program);
    command.arg0(&confined.program).args(&confined.args).env_clear();
    command.env("PATH", PATH.join(":")).env("LC_ALL", "C").env("HOME", &dir).env("TMPDIR", &dir);
    command.envs(KEEPS_MEMORY);
    Ok((command, program))
}

/// The program's path, absolute. Links are not followed: a program may go by its name.
fn resolve(program: &Path) -> io::Result<PathBuf> {
    if program.components().count() > 1 || program.is_absolute() {
        return std::path::absolute(program);
    }
    let found = PATH.iter().map(|dir| Path::new(dir).join(program)).find(|path| path.is_file());
    Ok(found.unwrap_or_else(|| program.to_owned()))
}

/// Gives up all that root may do besides opening files of others, of which few are left to it.
///
/// Above all, it could otherwise raise its limits again.
pub(super) fn drop_capabilities() -> bool {
    let kept = CapabilitySet::DAC_OVERRIDE;
    for capability in CapabilitySet::all().difference(kept).iter() {
        let _ = remove_capability_from_bounding_set(capability);
    }
    let Ok(had) = capabilities(None) else { return false };
    let left = had.permitted & kept;
    set_capabilities(None, CapabilitySets { effective: left, permitted: left, inheritable: CapabilitySet::empty() })
        .is_ok()
}

/// Sets the limits that the kernel watches over. The one on memory comes last: there may be less already.
pub(super) fn limit(limits: &Limits) -> bool {
    let hard = |resource, most| lower(resource, most, most);
    let all = [
        hard(Resource::Core, 0),
        hard(Resource::Nofile, OPEN_FILES),
        hard(Resource::Fsize, limits.file_bytes),
        lower(Resource::Cpu, limits.cpu_seconds, limits.cpu_seconds.saturating_add(1)),
        hard(Resource::As, limits.memory),
    ];
    all.into_iter().all(|done| done)
}

/// Lowers a limit, and never raises it.
fn lower(resource: Resource, soft: u64, hard: u64) -> bool {
    let had = getrlimit(resource);
    let under = |most: u64, limit: Option<u64>| Some(limit.map_or(most, |limit| limit.min(most)));
    let maximum = under(hard, had.maximum);
    setrlimit(resource, Rlimit { current: under(soft, maximum), maximum }).is_ok()
}
