//! One home, one owner: the home's lock file, which names its holder.
//!
//! The lock is the kernel's (`flock`), so a killed process never leaves a stale one; the text
//! in the file only tells people and clients whom to talk to.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// Who holds a home.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Process id.
    pub pid: u32,
    /// What kind of process.
    pub role: Role,
    /// Its version: another one is not talked to.
    pub version: String,
    /// Where it answers, for a server.
    pub address: Option<String>,
}

/// The kinds of holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A command, gone in a moment.
    Command,
    /// A worker that finishes runs and answers commands on the home's socket.
    Worker,
    /// A server.
    Serve,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let role = match self.role {
            Role::Command => "a command",
            Role::Worker => "a worker",
            Role::Serve => "a server",
        };
        write!(f, "{role} with process id {}", self.pid)?;
        if let Some(address) = &self.address {
            write!(f, " at {address}")?;
        }
        Ok(())
    }
}

/// The lock, held until dropped.
#[derive(Debug)]
pub struct HomeLock {
    file: File,
}

/// What came of trying to take the lock.
#[derive(Debug)]
pub enum Taken {
    /// It is ours.
    Ours(HomeLock),
    /// Somebody else's; who, as far as the file tells.
    Theirs(Option<Holder>),
}

impl HomeLock {
    /// Tries to take the lock of a home; waits up to `wait` while a command holds it, but not
    /// for a worker or server, who will hold it for long.
    pub fn take(home: &Path, role: Role, wait: Duration) -> std::io::Result<Taken> {
        let path = home.join("lock");
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let deadline = Instant::now() + wait;
        loop {
            match file.try_lock() {
                Ok(()) => {
                    let mut lock = Self { file };
                    lock.name(&Holder {
                        pid: std::process::id(),
                        role,
                        version: env!("CARGO_PKG_VERSION").to_owned(),
                        address: None,
                    })?;
                    return Ok(Taken::Ours(lock));
                }
                Err(TryLockError::Error(error)) => return Err(error),
                Err(TryLockError::WouldBlock) => {}
            }
            let holder = read_holder(&file);
            let stays = holder.as_ref().is_some_and(|holder| holder.role != Role::Command);
            if stays || Instant::now() >= deadline {
                return Ok(Taken::Theirs(holder));
            }
            // `flock` has no wait with an end; a short nap costs nothing that anybody waits for.
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Writes who holds the lock into its file.
    pub fn name(&mut self, holder: &Holder) -> std::io::Result<()> {
        let text = serde_json::to_vec(holder)?;
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(&text)
    }
}

impl Holder {
    /// Who holds a home, as its lock file tells, if that process is alive.
    pub fn of_home(home: &Path) -> Option<Self> {
        let holder = read_holder(&File::open(home.join("lock")).ok()?)?;
        let pid = rustix::process::Pid::from_raw(i32::try_from(holder.pid).ok()?)?;
        rustix::process::test_kill_process(pid).is_ok().then_some(holder)
    }
}

fn read_holder(file: &File) -> Option<Holder> {
    let mut text = String::new();
    let mut file = file;
    file.rewind().ok()?;
    file.read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r27_a_second_owner_is_told_who_the_first_is() {
        let home = tempfile::tempdir().unwrap();
        let Taken::Ours(first) = HomeLock::take(home.path(), Role::Serve, Duration::ZERO).unwrap() else {
            panic!("a fresh home is free")
        };
        // Another open file of the same process is another owner to the kernel.
        let Taken::Theirs(holder) = HomeLock::take(home.path(), Role::Command, Duration::from_secs(60)).unwrap() else {
            panic!("the home is held")
        };
        assert_eq!(holder.map(|holder| (holder.pid, holder.role)), Some((std::process::id(), Role::Serve)));
        drop(first);
        assert!(matches!(HomeLock::take(home.path(), Role::Command, Duration::ZERO).unwrap(), Taken::Ours(_)));
    }

    #[test]
    fn a_command_is_waited_for() {
        let home = tempfile::tempdir().unwrap();
        let Taken::Ours(first) = HomeLock::take(home.path(), Role::Command, Duration::ZERO).unwrap() else {
            panic!("a fresh home is free")
        };
        let path = home.path().to_owned();
        let waiting =
            std::thread::spawn(move || HomeLock::take(&path, Role::Command, Duration::from_secs(60)).unwrap());
        drop(first);
        assert!(matches!(waiting.join().unwrap(), Taken::Ours(_)));
    }
}
