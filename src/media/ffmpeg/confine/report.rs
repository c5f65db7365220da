//! What this system can enforce.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use super::{FLAG, Limits, calls, files, program, spec};

/// What confines a child process on this system, in a line for the log.
///
/// The launcher tries it on itself; the caller stays as it is.
pub fn protections(launcher: &Path) -> String {
    let output = Command::new(launcher).arg(FLAG).arg(spec::CHECK).env_clear().stdin(Stdio::null()).output();
    match output {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        Ok(output) => format!("unknown: the launcher ended with {}", output.status),
        Err(e) => format!("unknown: the launcher cannot be started: {e}"),
    }
}

/// Restricts this process and prints what has come of it.
pub(super) fn print() -> ExitCode {
    let counted = std::fs::exists("/proc/self/stat").unwrap_or(false);
    let nothing: [PathBuf; 0] = [];
    let allowed = files::Allowed { program: Path::new("/bin/sh"), dir: Path::new("/usr/bin"), reads: &nothing };
    let rules = files::Rules::collect(&allowed);
    let privileges = program::drop_capabilities();
    let landlock = rules.enforce();
    let seccomp = calls::deny();
    let most = u64::MAX / 2;
    let limited =
        program::limit(&Limits { memory: most, cpu_seconds: most, file_bytes: most, wall_seconds: 0, processes: 0 });

    let files = landlock.map(|landlock| format!("landlock v{}", landlock.abi));
    let by_landlock = |yes: fn(files::Enforced) -> bool| landlock.is_some_and(yes).then_some("landlock");
    let seccomp = seccomp.then_some("seccomp");
    let network: Vec<_> = by_landlock(|landlock| landlock.network).into_iter().chain(seccomp).collect();
    let signals: Vec<_> = by_landlock(|landlock| landlock.signals).into_iter().collect();
    let limits = [limited.then_some("memory, processor, file size, open files"), counted.then_some("processes")];
    let limits: Vec<_> = limits.into_iter().flatten().collect();
    println!(
        "files: {}; network: {}; calls: {}; signals: {}; privileges: {}; limits: {}",
        files.as_deref().unwrap_or("none"),
        or_none(&network),
        seccomp.unwrap_or("none"),
        or_none(&signals),
        if privileges { "dropped" } else { "kept" },
        or_none(&limits),
    );
    ExitCode::SUCCESS
}

fn or_none(words: &[&str]) -> String {
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}
