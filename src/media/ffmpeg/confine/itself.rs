//! This process: started again, and its priority.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};

use rustix::process::{getpriority_process, setpriority_process};

use super::FLAG;

/// Steps of priority that the launcher is ahead of the program: it must get to run however many that becomes.
///
/// The launcher goes up before it starts the program's process, which goes down by as many. Where going up is not
/// permitted, the program runs below what is usual.
pub(super) const AHEAD: i32 = 10;

/// Changes the priority: up if less than zero, as far as is permitted.
pub(super) fn shift_priority(steps: i32) {
    if let Ok(usual) = getpriority_process(None) {
        let _ = setpriority_process(None, usual + steps);
    }
}

/// Starts this binary with the flag. `/proc/self/exe` is the same file even if another has taken its name by now.
pub(super) fn again(spawn: impl Fn(&mut Command) -> io::Result<Child>) -> io::Result<Child> {
    let name = std::env::args_os().next();
    let start = |binary| spawn(Command::new(binary).arg0("confine").arg(FLAG));
    start("/proc/self/exe".into()).or_else(|e| name.map_or(Err(e), start))
}
