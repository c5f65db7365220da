//! The release archive: whole, the same each time, told what it is made of; what is unpacked
//! serves and renders where nothing else is; and it is built where there is no network.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Home, Server, long_case, program};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn pack(home: &Home, directory: &str) -> PathBuf {
    let script = root().join("docs/deploy/release.sh");
    let packed = Command::new(script).arg(home.dir().join(directory)).arg(program()).output().unwrap();
    assert!(packed.status.success(), "{}", String::from_utf8_lossy(&packed.stderr));
    String::from_utf8(packed.stdout).unwrap().trim_end().into()
}

fn sh(home: &Home, directory: &Path, script: &str) -> String {
    let ran = Command::new("sh").args(["-euc", script]).current_dir(directory).env("ARTDAG_HOME", home.path()).output();
    let ran = ran.unwrap();
    assert!(ran.status.success(), "{script}\n{}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap()
}

/// Checks an archive by its sums, and unpacks it beside itself.
fn unpack(home: &Home, archive: &Path) -> PathBuf {
    sh(home, archive.parent().unwrap(), "sha256sum -c SHA256SUMS");
    sh(home, archive.parent().unwrap(), &format!("tar -xf {}", archive.display()));
    let unpacked = archive.with_extension("").with_extension("");
    sh(home, &unpacked, "sha256sum --quiet -c SHA256SUMS");
    unpacked
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
    let unpacked = unpack(&home, &archive);
    let listed = sh(&home, &unpacked, "find . -type f | sort");
    for file in [
        "./artdag",
        "./artdag.cdx.json",
        "./artdag.service",
        "./completions/artdag.zsh",
        "./man/man1/artdag.1",
        "./man/man1/artdag-bundle-import.1",
    ] {
        assert!(listed.lines().any(|line| line == file), "{file} is not in\n{listed}");
    }
    let path = sh(&home, &unpacked, "./artdag render dog cat --sync");
    assert!(Path::new(path.trim_end()).is_file(), "{path}");
}

#[test]
fn the_bill_of_materials_is_valid_and_names_what_is_linked() {
    let home = Home::new();
    let unpacked = unpack(&home, &pack(&home, "dist"));
    let file = unpacked.join("artdag.cdx.json");
    let python = root().join("target/python/bin/python");
    assert!(python.exists(), "python is missing: ./tests/run.sh installs it (python3 with venv is needed)");
    let checked = Command::new(&python).arg(root().join("tests/tools/sbom_check.py")).arg(&file).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));

    let told: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let sum = sh(&home, &unpacked, "sha256sum artdag");
    let program = &told["metadata"]["component"];
    assert_eq!(program["hashes"][0]["content"].as_str(), sum.split(' ').next());
    let components = told["components"].as_array().unwrap();
    let said = |of: &dyn Fn(&Value) -> bool| -> BTreeSet<String> {
        let kept = components.iter().filter(|part| of(part));
        kept.map(|part| format!("{} {}", part["name"].as_str().unwrap(), part["version"].as_str().unwrap())).collect()
    };
    let (linked, all) = (said(&|part| part["scope"] == "required"), said(&|_| true));
    let has = |list: &BTreeSet<String>, name: &str| list.iter().any(|part| part.starts_with(&format!("{name} ")));
    for (name, is_linked, is_needed) in [
        ("redb", true, true),
        ("blake3", true, true),
        ("syn", false, true),
        ("cc", false, true),
        ("utoipa-swagger-ui-vendored", true, true),
        ("proptest", false, false),
    ] {
        assert_eq!((has(&linked, name), has(&all, name)), (is_linked, is_needed), "{name}");
    }
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    for part in components {
        let sum = part["hashes"][0]["content"].as_str().unwrap_or_else(|| panic!("{part}"));
        assert!(lock.contains(sum) && part["licenses"][0]["expression"].is_string(), "{part}");
    }
}

/// A root directory that holds what was unpacked and what is put there, and nothing else of the system.
struct Bare<'a>(&'a Home);

impl Bare<'_> {
    /// Makes the root of an unpacked archive. A program that is not static gets the libraries that it names.
    fn new<'a>(home: &'a Home, archive: &Path, is_static: bool) -> Bare<'a> {
        let unpacked = unpack(home, archive);
        sh(home, home.dir(), &format!("mkdir proc tmp etc; mv {} artdag", unpacked.display()));
        if !is_static {
            let copy = "ldd artdag/artdag | grep -o '/[^ ]*' | while read -r it; do cp -L --parents \"$it\" .; done";
            sh(home, home.dir(), copy);
        }
        Bare(home)
    }

    /// The program in there, where it sees no other files and no other processes.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("unshare");
        let script = "mount -t proc proc proc; exec chroot . /artdag/artdag \"$@\"";
        command.args(["--mount", "--pid", "--fork", "--kill-child", "sh", "-euc", script, "sh"]).args(words);
        command
            .current_dir(self.0.dir())
            .env_clear()
            .env("ARTDAG_HOME", "/home")
            .env("PATH", std::env::var("PATH").unwrap());
        command
    }

    /// Renders, serves, is asked over HTTP, and finds another server by its name.
    fn renders_and_serves(&self) {
        let rendered = self.command(&["render", "dog", "cat", "--sync"]).output().expect("unshare starts");
        assert!(rendered.status.success(), "{}", String::from_utf8_lossy(&rendered.stderr));
        let path = String::from_utf8(rendered.stdout).unwrap();
        let bytes = std::fs::read(self.0.dir().join(path.trim().trim_start_matches('/'))).unwrap();
        assert!(bytes.starts_with(b"\x89PNG"), "{path}");

        // A name that only the files of this root know, and a source of names that nobody has here.
        std::fs::write(self.0.dir().join("etc/hosts"), "127.0.0.1 l2.test\n").unwrap();
        std::fs::write(self.0.dir().join("etc/nsswitch.conf"), "hosts: mymachines files dns\n").unwrap();
        std::fs::copy(root().join("tests/support/tls/ca.pem"), self.0.dir().join("ca.pem")).unwrap();
        let l2 = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://l2.test:{}", l2.local_addr().unwrap().port());
        let words = ["serve", "--listen", "127.0.0.1:0", "--l2-url", &url, "--l2-cacert", "/ca.pem"];
        let server = Server::of(self.0, self.command(&words));
        server.get("/readyz").expect(200);
        let asked = json!({"recipe": "dog", "inputs": ["cat"], "options": {"cache": false}});
        let run = server.post("/runs", &asked).expect(201).json();
        let run = server.run_ended(run["run_id"].as_str().unwrap());
        assert_eq!(run["status"], "completed", "{run}");
        let hash = run["output_hash"].as_str().unwrap();
        assert_eq!(server.get(&format!("/cache/{hash}")).expect(200).body, bytes, "served as it was rendered");
        server.admin("POST", &format!("/runs/{}/publish", run["run_id"].as_str().unwrap())).expect(202);
        let (mut called, _) = l2.accept().unwrap();
        let mut hello = [0; 512];
        let read = std::io::Read::read(&mut called, &mut hello).unwrap();
        assert!(hello[..read].windows(7).any(|part| part == b"l2.test"), "a TLS greeting to that name");
    }
}

#[test]
fn what_is_unpacked_serves_and_renders_where_nothing_is_but_the_c_library() {
    let (packing, home) = (Home::empty(), Home::empty());
    let archive = pack(&packing, "dist");
    sh(&home, home.dir(), &format!("cp -r {}/. .", archive.parent().unwrap().display()));
    Bare::new(&home, &home.dir().join(archive.file_name().unwrap()), false).renders_and_serves();
}

#[test]
fn built_from_its_sources_without_a_network_it_serves_and_renders_where_nothing_is_at_all() {
    if !long_case("release::built_from_its_sources") {
        return;
    }
    let (packing, home) = (Home::empty(), Home::empty());
    let script = root().join("docs/deploy/release.sh");
    let mut packing_it = Command::new(script);
    packing_it.arg("--sources").arg(packing.dir().join("dist")).arg(program());
    let packed = packing_it.output().unwrap();
    assert!(packed.status.success(), "{}", String::from_utf8_lossy(&packed.stderr));
    let lines = String::from_utf8(packed.stdout).unwrap();
    let sources = lines.lines().find(|line| line.ends_with("-sources.tar.gz")).unwrap_or_else(|| panic!("{lines}"));
    sh(&packing, &packing.dir().join("dist"), "sha256sum -c SHA256SUMS");

    // What others wrote is compiled once for all runs of this; ours, unpacked as new, each time.
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("from-sources");
    std::fs::create_dir_all(&place).unwrap();
    let build = format!(
        "rm -rf artdag-*-sources; tar -xmf {sources}; cd artdag-*-sources
         unshare --map-root-user --net -- env -u CARGO_HOME CARGO_TARGET_DIR={place}/target \\
             HOME=$(mktemp -d) RUSTUP_HOME=${{RUSTUP_HOME:-$HOME/.rustup}} docs/deploy/release.sh {place}/dist",
        place = place.display()
    );
    let archive = sh(&home, &place, &build);
    let archive = Path::new(archive.trim());
    let moved = home.dir().join(archive.file_name().unwrap());
    std::fs::copy(archive, &moved).unwrap();
    std::fs::copy(archive.with_file_name("SHA256SUMS"), home.dir().join("SHA256SUMS")).unwrap();
    let bare = Bare::new(&home, &moved, true);
    let headers = sh(&home, home.dir(), "readelf -lW artdag/artdag; readelf -dW artdag/artdag");
    assert!(!headers.contains("INTERP") && !headers.contains("NEEDED"), "{headers}");
    assert!(sh(&home, home.dir(), "file artdag/artdag").contains("static-pie linked"));
    bare.renders_and_serves();
}
