//! All processes that descend from the launcher: counted, and ended.

use std::collections::HashMap;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitOptions, WaitStatus, getpgrp, getpid, getppid, kill_process, kill_process_group,
    set_child_subreaper, setpgid, wait,
};

use super::itself::again;
use super::spec;

/// How long the killed have to vanish before they are looked at again: at first, and at most.
const PAUSE: (Duration, Duration) = (Duration::from_micros(500), Duration::from_millis(20));

/// The descendants of this process, which has one thread and is the reaper of them all.
pub(super) struct Family {
    me: Pid,
    /// Groups of the session, besides its own, that this process may move to.
    elsewhere: Vec<Pid>,
    /// Its number in `/proc`, which may be mounted for another namespace; `None` where there is no `/proc`.
    seen: Option<Pid>,
    /// Whether the kernel lists the children of a thread.
    listed: bool,
}

/// How many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Census {
    /// Processes.
    pub(super) processes: usize,
    /// Threads of all of them.
    pub(super) threads: usize,
}

/// What has happened to the children.
pub(super) enum Reaped {
    /// Some live.
    Living,
    /// None is left.
    Nobody,
}

impl Family {
    /// Makes this process the reaper of all that it will start, and the leader of its group.
    pub(super) fn found() -> Family {
        let me = getpid();
        let _ = set_child_subreaper(Some(me));
        let _ = setpgid(None, Some(me));
        let seen = fs::read_link("/proc/self").ok().and_then(|name| pid(name.to_str()?));
        // Asked of `/proc`, which has words for groups that began outside of this namespace; the calls have none.
        let of = |process| stat(process).filter(|_| seen == Some(me));
        let groups = [getppid().and_then(of).and_then(|stat| stat.group), of(me).and_then(|stat| stat.session)];
        let elsewhere = groups.into_iter().flatten().filter(|group| *group != me).collect();
        let listed = seen.is_some_and(|seen| fs::exists(format!("/proc/{seen}/task/{seen}/children")).unwrap_or(false));
        Family { me, elsewhere, seen, listed }
    }

    /// Takes the ended children off the kernel's list.
    pub(super) fn reap(mut ended: impl FnMut(Pid, WaitStatus)) -> Reaped {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) => ended(pid, status),
                Ok(None) => return Reaped::Living,
                Err(Errno::INTR) => {}
                Err(_) => return Reaped::Nobody,
            }
        }
    }

    /// Kills every descendant, and returns when none is left.
    ///
    /// The kernel kills a group at one stroke, forks or not, so the launcher leaves its own group and has the rest of
    /// it killed. Where it cannot leave, and for those outside of the group, its children are killed one by one: the
    /// children of the dead become its own. Only its own children are killed by number, since nobody but it can free
    /// theirs.
    pub(super) fn end(&self) {
        let mut pause = PAUSE.0;
        while let Reaped::Living = Family::reap(|_, _| {}) {
            if self.leave_group() {
                let _ = kill_process_group(self.me, Signal::KILL);
            }
            for child in self.children_of_me().into_iter().filter_map(|child| self.number_of(child)) {
                let _ = kill_process(child, Signal::KILL);
            }
            std::thread::sleep(pause);
            pause = PAUSE.1.min(pause * 2);
        }
    }

    fn leave_group(&self) -> bool {
        getpgrp() != self.me || self.elsewhere.iter().any(|group| join(*group)) || join_new()
    }

    /// Counts, up to one process more than `most`.
    pub(super) fn census(&self, most: usize) -> Census {
        if self.listed { self.census_listed(most) } else { self.census_scanned() }
    }

    fn census_listed(&self, most: usize) -> Census {
        let mut census = Census::default();
        let mut open = self.children_of_me();
        while let Some(pid) = open.pop() {
            census.processes += 1;
            if census.processes > most {
                break;
            }
            for thread in numbers_in(&format!("/proc/{pid}/task")) {
                census.threads += 1;
                open.extend(listed_children(pid, thread));
            }
        }
        census
    }

    fn census_scanned(&self) -> Census {
        let mut census = Census::default();
        let by_parent = scan();
        let mut open = Vec::from_iter(self.seen);
        while let Some(pid) = open.pop() {
            for (child, threads) in by_parent.get(&pid).into_iter().flatten() {
                census.processes += 1;
                census.threads += threads;
                open.push(*child);
            }
        }
        census
    }

    fn children_of_me(&self) -> Vec<Pid> {
        let Some(seen) = self.seen else { return Vec::new() };
        if self.listed {
            return listed_children(seen, seen);
        }
        scan().remove(&seen).into_iter().flatten().map(|(child, _)| child).collect()
    }

    /// The number by which a process of `/proc` goes in this namespace.
    fn number_of(&self, process: Pid) -> Option<Pid> {
        if self.seen == Some(self.me) {
            return Some(process);
        }
        // From the namespace of `/proc` inwards; a child may have gone further in than this process.
        let numbers = |of: &str| -> Option<Vec<String>> {
            let status = fs::read_to_string(format!("/proc/{of}/status")).ok()?;
            let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"))?;
            Some(numbers.split_ascii_whitespace().map(str::to_owned).collect())
        };
        let depth = numbers("self")?.len();
        pid(numbers(&process.to_string())?.get(depth.checked_sub(1)?)?)
    }
}

fn join(group: Pid) -> bool {
    setpgid(None, Some(group)).is_ok()
}

/// Joins the group of a process that is started for that alone. The group outlives it.
fn join_new() -> bool {
    let idle = |command: &mut Command| command.arg(spec::IDLE).process_group(0).spawn();
    again(idle).is_ok_and(|idle| join(Pid::from_child(&idle)))
}

/// Every visible process's children, with the number of their threads.
fn scan() -> HashMap<Pid, Vec<(Pid, usize)>> {
    let mut by_parent: HashMap<Pid, Vec<(Pid, usize)>> = HashMap::new();
    for process in numbers_in("/proc") {
        let Some(Stat { parent: Some(parent), threads, .. }) = stat(process) else { continue };
        by_parent.entry(parent).or_default().push((process, threads));
    }
    by_parent
}

/// What `/proc` says of a process. Who is outside of this namespace has no number.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    parent: Option<Pid>,
    group: Option<Pid>,
    session: Option<Pid>,
    threads: usize,
}

fn stat(process: Pid) -> Option<Stat> {
    fs::read(format!("/proc/{process}/stat")).ok().and_then(|stat| Stat::parse(&stat))
}

impl Stat {
    /// Of a `stat` file. The name in it may hold anything.
    fn parse(stat: &[u8]) -> Option<Stat> {
        let after_name = stat.iter().rposition(|byte| *byte == b')')? + 1;
        let fields: Vec<_> = std::str::from_utf8(&stat[after_name..]).ok()?.split_ascii_whitespace().collect();
        let threads = fields.get(17)?.parse().ok()?;
        Some(Stat { parent: pid(fields[1]), group: pid(fields[2]), session: pid(fields[3]), threads })
    }
}

fn numbers_in(dir: &str) -> impl Iterator<Item = Pid> + use<> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter_map(|entry| pid(entry.file_name().to_str()?))
}

fn listed_children(process: Pid, thread: Pid) -> Vec<Pid> {
    let list = fs::read_to_string(format!("/proc/{process}/task/{thread}/children")).unwrap_or_default();
    list.split_ascii_whitespace().filter_map(pid).collect()
}

fn pid(text: &str) -> Option<Pid> {
    Pid::from_raw(text.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r31_stat_with_an_odd_name_is_read() {
        let stat = b"12 (a) R 1 (\xff) S 7 8 9 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 3 0 99";
        assert_eq!(Stat::parse(stat), Some(Stat { parent: pid("7"), group: pid("8"), session: pid("9"), threads: 3 }));
        assert_eq!(Stat::parse(b"12 (a"), None);
        assert_eq!(Stat::parse(b"12 (a) S 7"), None);
    }

    #[test]
    fn r31_groups_from_outside_of_the_namespace_have_no_number() {
        let stat = Stat::parse(b"2 (a) S 1 0 0 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 99").unwrap();
        assert_eq!((stat.parent, stat.group, stat.session), (pid("1"), None, None));
    }

    #[test]
    fn r31_both_ways_of_counting_agree() {
        let script = "sleep 30 & sh -c 'sleep 30 & sleep 30 & wait' & wait";
        let mut child = std::process::Command::new("sh").args(["-c", script]).process_group(0).spawn().unwrap();
        let me = Pid::from_child(&child);
        let family = |listed| Family { me, elsewhere: Vec::new(), seen: Some(me), listed };
        let all = Census { processes: 4, threads: 4 };
        let start = std::time::Instant::now();
        while family(false).census(10) != all {
            assert!(start.elapsed() < Duration::from_secs(10));
        }
        if fs::exists(format!("/proc/{me}/task/{me}/children")).unwrap() {
            assert_eq!(family(true).census(10), all);
            assert_eq!(family(true).census(2).processes, 3);
            let sorted = |mut pids: Vec<Pid>| {
                pids.sort_by_key(|pid| pid.as_raw_nonzero());
                pids
            };
            assert_eq!(sorted(family(true).children_of_me()), sorted(family(false).children_of_me()));
        }
        kill_process_group(me, Signal::KILL).unwrap();
        child.wait().unwrap();
    }
}
