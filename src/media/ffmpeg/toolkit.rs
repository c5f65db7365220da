//! Which ffmpeg there is, and its identity: the hashes of its binary and of every library that
//! it loads. Debian's is 300 kB and loads two hundred.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::base::Fingerprint;

/// The ffmpeg of this machine.
#[derive(Debug, Clone)]
pub struct Toolkit {
    /// ffmpeg.
    pub ffmpeg: PathBuf,
    /// ffprobe, which stands beside it.
    pub ffprobe: PathBuf,
    /// The version that it states.
    pub version: String,
    /// Its identity.
    pub hash: Fingerprint,
    /// Libraries that it loads from outside of the system's directories.
    pub libraries: Vec<PathBuf>,
}

/// A file as it was when it was hashed.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
struct Seen {
    inode: u64,
    size: u64,
    changed: (i64, i64),
    hash: Fingerprint,
}

/// What was found before: kept beside the home so that not every start hashes everything.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Known {
    program: PathBuf,
    version: String,
    files: BTreeMap<PathBuf, Seen>,
}

/// The version of how a file is looked at and read: raised where a source's value becomes another one. It is
/// part of the toolkit's hash, and sources that an earlier version looked at are looked at again.
pub const LOOK: u32 = 3;

impl Toolkit {
    /// Where the ffmpeg that is named, or else the first on the path, and its ffprobe are.
    pub fn locate(named: Option<&Path>) -> Option<(PathBuf, PathBuf)> {
        let ffmpeg = match named {
            Some(path) => path.to_owned(),
            None => on_path("ffmpeg")?,
        };
        let ffmpeg = std::path::absolute(ffmpeg).ok().filter(|path| path.is_file())?;
        let beside = ffmpeg.with_file_name("ffprobe");
        let ffprobe = if beside.is_file() { beside } else { on_path("ffprobe")? };
        Some((ffmpeg, ffprobe))
    }

    /// The ffmpeg that is named, or else the first on the path; `None` where there is none, or
    /// no ffprobe beside it. `cache` is a file in which what was found is remembered.
    pub fn find(named: Option<&Path>, cache: &Path) -> Option<Self> {
        let (ffmpeg, ffprobe) = Self::locate(named)?;
        let known = recall(cache).filter(|known| known.program == ffmpeg && is_unchanged(known));
        let known = known.or_else(|| look(&ffmpeg).inspect(|known| remember(cache, known)))?;
        let mut parts: Vec<&[u8]> = Vec::new();
        for (path, seen) in &known.files {
            let name = path.file_name().unwrap_or_default();
            parts.extend([std::os::unix::ffi::OsStrExt::as_bytes(name), seen.hash.as_bytes()]);
        }
        let hash = Fingerprint::of_parts(&format!("artdag.ffmpeg.v{LOOK}"), &parts);
        let is_elsewhere =
            |path: &&PathBuf| !path.starts_with("/usr") && !path.starts_with("/lib") && !path.starts_with("/lib64");
        let libraries = known.files.keys().filter(is_elsewhere).filter(|path| **path != ffmpeg).cloned().collect();
        Some(Self { ffmpeg, ffprobe, version: known.version, hash, libraries })
    }
}

fn on_path(program: &str) -> Option<PathBuf> {
    let directories = std::env::var_os("PATH")?;
    std::env::split_paths(&directories).map(|directory| directory.join(program)).find(|path| path.is_file())
}

fn recall(cache: &Path) -> Option<Known> {
    serde_json::from_slice(&std::fs::read(cache).ok()?).ok()
}

fn remember(cache: &Path, known: &Known) {
    // Without it the next start hashes again.
    let _ = serde_json::to_vec(known).map(|bytes| std::fs::write(cache, bytes));
}

fn is_unchanged(known: &Known) -> bool {
    let same = |(path, seen): (&PathBuf, &Seen)| {
        std::fs::metadata(path).is_ok_and(|metadata| {
            (metadata.ino(), metadata.size(), (metadata.mtime(), metadata.mtime_nsec()))
                == (seen.inode, seen.size, seen.changed)
        })
    };
    !known.files.is_empty() && known.files.iter().all(same)
}

/// Asks the program its version and its loader what it loads, and hashes all of it.
fn look(program: &Path) -> Option<Known> {
    let said = Command::new(program).arg("-version").stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let first = String::from_utf8_lossy(&said.stdout).lines().next().unwrap_or_default().to_owned();
    let version = first.strip_prefix("ffmpeg version ")?.split(' ').next()?.to_owned();
    let mut files = BTreeMap::new();
    for path in libraries(program).into_iter().chain([program.to_owned()]) {
        let seen = seen(&path)?;
        files.insert(path, seen);
    }
    Some(Known { program: program.to_owned(), version, files })
}

/// The libraries that the dynamic loader resolves for a program (ld.so(8)); none for a script or
/// a static binary.
fn libraries(program: &Path) -> Vec<PathBuf> {
    let mut trace = Command::new(program);
    trace.env("LD_TRACE_LOADED_OBJECTS", "1").stdin(Stdio::null()).stderr(Stdio::null());
    let Ok(output) = trace.output() else { return Vec::new() };
    let path_of = |line: &str| {
        let path = line.split_once(" => ").map_or(line, |(_, path)| path).trim();
        let path = Path::new(path.split(" (0x").next()?);
        path.is_absolute().then(|| path.to_owned())
    };
    String::from_utf8_lossy(&output.stdout).lines().filter_map(path_of).collect()
}

fn seen(path: &Path) -> Option<Seen> {
    let metadata = std::fs::metadata(path).ok()?;
    let mut hasher = blake3::Hasher::new();
    hasher.update_mmap(path).ok()?;
    Some(Seen {
        inode: metadata.ino(),
        size: metadata.size(),
        changed: (metadata.mtime(), metadata.mtime_nsec()),
        hash: Fingerprint::from_bytes(*hasher.finalize().as_bytes()),
    })
}

/// What this CPU can do, of what ffmpeg chooses its code for sounds by.
pub fn cpu_features() -> String {
    const ASKED: &[&str] = &[
        "sse2",
        "pni",
        "ssse3",
        "sse4_1",
        "sse4_2",
        "avx",
        "xop",
        "fma4",
        "fma",
        "avx2",
        "bmi1",
        "bmi2",
        "avx512f",
        "avx512bw",
        "avx512vl",
        "avx512dq",
        "avx512cd",
        "avx512_vbmi",
        "asimd",
        "neon",
        "sve",
    ];
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = info.lines().find(|line| line.starts_with("flags") || line.starts_with("Features"));
    let has: std::collections::HashSet<&str> =
        line.and_then(|line| line.split_once(':')).map_or("", |(_, flags)| flags).split_whitespace().collect();
    let found: Vec<&str> = ASKED.iter().copied().filter(|feature| has.contains(feature)).collect();
    format!("{} {}", std::env::consts::ARCH, found.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_no_ffmpeg_is_none() {
        let home = tempfile::tempdir().unwrap();
        assert!(Toolkit::find(Some(Path::new("/bin/true")), &home.path().join("tools")).is_none());
        assert!(Toolkit::find(Some(&home.path().join("ffmpeg")), &home.path().join("tools")).is_none());
    }

    #[test]
    fn what_was_found_is_remembered_until_a_file_changes() {
        let home = tempfile::tempdir().unwrap();
        let (program, cache) = (home.path().join("ffmpeg"), home.path().join("tools"));
        let write = |text: &str| {
            std::fs::write(&program, format!("#!/bin/sh\n# {text}\necho 'ffmpeg version 9 of tests'\n")).unwrap();
            std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        };
        write("one");
        std::fs::copy(&program, home.path().join("ffprobe")).unwrap();
        let first = Toolkit::find(Some(&program), &cache).unwrap();
        assert_eq!(first.version, "9");
        assert_eq!(Toolkit::find(Some(&program), &cache).unwrap().hash, first.hash);
        assert!(is_unchanged(&recall(&cache).unwrap()));
        write("another");
        assert_ne!(Toolkit::find(Some(&program), &cache).unwrap().hash, first.hash);
    }
}
