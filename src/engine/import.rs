//! Taking in files of the server's own disk, from below directories that its settings allow.
//!
//! A root is opened once a call as a directory handle, and the file beneath it with `openat2`:
//! the kernel refuses every step that leads out of the root or over a symbolic link, whatever
//! somebody swaps meanwhile. What is opened must be a regular file.

use std::fs::File;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};

use crate::base::AssetName;
use crate::engine::Engine;
use crate::engine::error::EngineError;
use crate::engine::uploads::Upload;

impl Engine {
    /// Takes in a copy of a file below one of the roots. A name that stands for another file is
    /// moved only if `repoint` says so.
    pub fn import(
        &self,
        roots: &[PathBuf],
        path: &Path,
        name: Option<AssetName>,
        repoint: bool,
    ) -> Result<Upload, EngineError> {
        let mut file = open_below(roots, path)?;
        let expected = file.metadata().map_err(|error| EngineError::file(path, &error))?.len();
        let mut uploader = self.uploader(Some(expected))?;
        let copied = std::io::copy(&mut file, &mut uploader);
        copied.map_err(|error| match error.downcast::<EngineError>() {
            Ok(refused) => refused,
            Err(error) => EngineError::file(path, &error),
        })?;
        uploader.finish(name, repoint)
    }
}

fn open_below(roots: &[PathBuf], path: &Path) -> Result<File, EngineError> {
    let refused = |reason: &str| EngineError::NotAllowed(format!("{}: {reason}", path.display()));
    let beneath = |root: &PathBuf| path.strip_prefix(root).ok().map(|rest| (root.clone(), rest.to_owned()));
    let Some((root, rest)) = roots.iter().find_map(beneath).filter(|_| path.is_absolute()) else {
        return Err(refused("it is below no import root; the server's setting import-root names them"));
    };
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let root = openat(CWD, &root, flags | OFlags::DIRECTORY, Mode::empty())
        .map_err(|error| EngineError::file(&root, &error.into()))?;
    // Opening a pipe would wait for a writer, and a terminal become ours.
    let flags = flags | OFlags::NONBLOCK | OFlags::NOCTTY;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let file = openat2(root, &rest, flags, Mode::empty(), resolve).map_err(|error| match error {
        rustix::io::Errno::LOOP | rustix::io::Errno::XDEV => {
            refused("it leads over a symbolic link or out of the import root")
        }
        error => EngineError::file(path, &error.into()),
    })?;
    let file = File::from(file);
    let metadata = file.metadata().map_err(|error| EngineError::file(path, &error))?;
    if metadata.is_file() { Ok(file) } else { Err(refused("it is not a regular file")) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn class(roots: &[PathBuf], path: &Path) -> crate::engine::Class {
        open_below(roots, path).expect_err("it is refused").class()
    }

    #[test]
    fn s5_only_regular_files_below_a_root_are_opened() {
        use crate::engine::Class::{NotAllowed, NotFound};
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        std::fs::create_dir_all(root.join("a")).unwrap();
        std::fs::write(root.join("a/file"), b"inside").unwrap();
        std::fs::write(dir.path().join("secret"), b"outside").unwrap();
        symlink(dir.path().join("secret"), root.join("link")).unwrap();
        symlink(dir.path(), root.join("up")).unwrap();
        symlink("a", root.join("sideways")).unwrap();
        let roots = [root.clone()];
        assert!(open_below(&roots, &root.join("a/file")).is_ok());
        for outside in ["link", "up/secret", "../secret", "a/../../secret", "sideways/file", "a"] {
            assert_eq!(class(&roots, &root.join(outside)), NotAllowed, "{outside}");
        }
        for absolute in ["/dev/zero", "/proc/self/environ", "/etc/passwd"] {
            assert_eq!(class(&roots, Path::new(absolute)), NotAllowed, "{absolute}");
        }
        assert_eq!(class(&[], &root.join("a/file")), NotAllowed);
        assert_eq!(class(&roots, Path::new("a/file")), NotAllowed);
        assert_eq!(class(&roots, &root.join("none")), NotFound);
        // The whole disk as a root: devices and pipes are refused all the same, and nobody waits.
        let pipe = root.join("pipe");
        rustix::fs::mknodat(CWD, &pipe, rustix::fs::FileType::Fifo, Mode::RUSR, 0).unwrap();
        assert_eq!(class(&roots, &pipe), NotAllowed);
        assert_eq!(class(&[PathBuf::from("/")], Path::new("/dev/zero")), NotAllowed);
    }

    #[test]
    fn s5_a_link_that_is_swapped_in_and_out_is_never_followed() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        std::fs::create_dir(&root).unwrap();
        let (secret, file, link) = (dir.path().join("secret"), root.join("file"), root.join("link"));
        std::fs::write(&secret, b"outside").unwrap();
        std::fs::write(root.join("plain"), b"inside").unwrap();
        let over = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(std::sync::atomic::Ordering::Relaxed) {
                    std::fs::hard_link(root.join("plain"), &link).unwrap();
                    std::fs::rename(&link, &file).unwrap();
                    // Two names of one file: a rename leaves the first.
                    std::fs::remove_file(&link).ok();
                    symlink(&secret, &link).unwrap();
                    std::fs::rename(&link, &file).unwrap();
                }
            });
            for _ in 0..2000 {
                if let Ok(mut opened) = open_below(std::slice::from_ref(&root), &file) {
                    let mut text = String::new();
                    std::io::Read::read_to_string(&mut opened, &mut text).unwrap();
                    assert_eq!(text, "inside");
                }
            }
            over.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    }
}
