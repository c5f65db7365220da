//! The release archive: whole, the same each time, and what is unpacked renders.

use std::process::Command;

use crate::support::{Home, program};

fn pack(home: &Home, directory: &str) -> std::path::PathBuf {
    let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/deploy/release.sh");
    let packed = Command::new(script).arg(home.dir().join(directory)).arg(program()).output().unwrap();
    assert!(packed.status.success(), "{}", String::from_utf8_lossy(&packed.stderr));
    String::from_utf8(packed.stdout).unwrap().trim_end().into()
}

fn sh(home: &Home, directory: &std::path::Path, script: &str) -> String {
    let ran = Command::new("sh").args(["-euc", script]).current_dir(directory).env("ARTDAG_HOME", home.path()).output();
    let ran = ran.unwrap();
    assert!(ran.status.success(), "{script}\n{}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap()
}

#[test]
fn the_archive_is_whole_and_what_is_unpacked_renders() {
    let home = Home::new();
    let archive = pack(&home, "one");
    assert_eq!(
        std::fs::read(&archive).unwrap(),
        std::fs::read(pack(&home, "two")).unwrap(),
        "the same binary, the same archive"
    );
    let directory = archive.parent().unwrap();
    sh(&home, directory, "sha256sum -c SHA256SUMS && tar -xf *.tar.gz");
    let unpacked = archive.with_extension("").with_extension("");
    let listed = sh(&home, &unpacked, "sha256sum --quiet -c SHA256SUMS; find . -type f | sort");
    for file in [
        "./artdag",
        "./artdag.service",
        "./completions/artdag.zsh",
        "./man/man1/artdag.1",
        "./man/man1/artdag-bundle-import.1",
    ] {
        assert!(listed.lines().any(|line| line == file), "{file} is not in\n{listed}");
    }
    let path = sh(&home, &unpacked, "./artdag render dog cat --sync");
    assert!(std::path::Path::new(path.trim_end()).is_file(), "{path}");
}
