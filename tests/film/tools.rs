//! A tool that hangs, forks, crashes or lies, and one that would reach what is not its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::clip;
use crate::support::{Home, Ran, Server};

/// A config over `s` that needs ffmpeg.
const CUT: &str = "name: cut\ndag:\n  nodes:\n    - {id: s, type: SOURCE, config: {input: true}}\n    - {id: x, type: SEGMENT, config: {duration: 0.5}, inputs: [s]}\n  output: x\n";

/// A tool that answers as ffmpeg does when it is asked what it is, and otherwise does this. The
/// ffprobe beside it is the real one.
fn fake(home: &Home, body: &str) -> PathBuf {
    let script = |name: &str, text: String| {
        let path = home.write(name, text);
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("a script");
        path
    };
    script("ffprobe", "#!/bin/sh\nexec /usr/bin/ffprobe \"$@\"\n".to_owned());
    script(
        "ffmpeg",
        format!("#!/bin/sh\n[ \"$1\" = -version ] && echo 'ffmpeg version 9 of tests' && exit 0\n{body}\n"),
    )
}

/// Runs the config with a tool: exit code and what was said.
fn run(home: &Home, tool: &Path) -> (i32, String) {
    let config = home.write("cut.yaml", CUT).display().to_string();
    let source = format!("s={}", clip("odd.mkv").display());
    let ran = home.run(&["run", &config, "-i", &source, "--ffmpeg", &tool.display().to_string()]);
    (ran.code, ran.err)
}

/// Processes whose command line names this.
fn processes_of(what: &str) -> Vec<i32> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").expect("there is /proc").flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        let words = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if String::from_utf8_lossy(&words).contains(what) {
            found.push(pid);
        }
    }
    found
}

/// Waits until this many or more (or, for none, not one) of such processes are there.
fn wait_for(what: &str, some: bool, most: Duration) {
    let begun = Instant::now();
    while processes_of(what).is_empty() == some {
        assert!(begun.elapsed() < most, "{:?} of {what}", processes_of(what));
    }
}

#[test]
fn r31_a_tool_that_lies_crashes_or_gives_up_fails_its_node_with_what_it_said() {
    let home = Home::new();
    for (body, wanted) in [
        ("exit 0", "cannot be read"),
        ("echo 'no such filter: foo' >&2; exit 7", "no such filter: foo"),
        ("kill -SEGV $$", "139"),
        // Half of what it should write, and it says that all is well.
        (
            "for last; do :; done; exec /usr/bin/ffmpeg -v error -f lavfi -i color=red:s=63x47:r=25 -frames:v 5 -y -f mp4 \"$last\"",
            "5 frames; the plan says 1",
        ),
    ] {
        let (code, err) = run(&home, &fake(&home, body));
        assert!(code == 1 && err.contains(wanted), "{body}: {code} {err}");
        assert!(home.path().join("out").read_dir().map_or(true, |mut out| out.next().is_none()), "{body}");
    }
    // The real one makes the same run work.
    let (code, err) = run(&home, Path::new("/usr/bin/ffmpeg"));
    assert_eq!(code, 0, "{err}");
}

#[test]
fn r31_what_a_tool_has_started_dies_with_whoever_started_it() {
    let home = Home::new();
    // A number that no other run has.
    let seconds = format!("1000{}", std::process::id());
    let tool = fake(&home, &format!("trap '' TERM; sleep {seconds} & sleep {seconds}"));
    let sleeping = format!("sleep\0{seconds}");
    let config = home.write("cut.yaml", CUT).display().to_string();
    let source = format!("s={}", clip("odd.mkv").display());
    let marker = tool.display().to_string();
    let mut child = home
        .command(&["run", &config, "-i", &source, "--ffmpeg", &marker])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    wait_for(&sleeping, true, Duration::from_secs(30));
    child.kill().expect("it is killed");
    child.wait().expect("it has ended");
    wait_for(&sleeping, false, Duration::from_secs(4));
    wait_for(&marker, false, Duration::from_secs(4));
}

/// Below containers, a process's group and session may be outside of what it can see.
#[test]
fn r31_tools_run_and_are_ended_in_a_process_namespace_whatever_proc_is_mounted() {
    let home = Home::new();
    let config = home.write("cut.yaml", CUT).display().to_string();
    let source = format!("s={}", clip("odd.mkv").display());
    let words = |tool: &str| home.command(&["run", &config, "-i", &source, "--ffmpeg", tool]);
    let within = |flags: &[&str], command: &Command| {
        let mut unshare = Command::new("unshare");
        unshare.args(["--pid", "--fork"]).args(flags).arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            if let Some(value) = value {
                unshare.env(name, value)
            } else {
                unshare.env_remove(name)
            };
        }
        Ran::of(&unshare.current_dir(home.dir()).output().expect("this test needs unshare, of util-linux"))
    };
    for (number, flags) in [&["--mount-proc"][..], &[]].into_iter().enumerate() {
        let seconds = format!("4{number}00{}", std::process::id());
        let tool = fake(&home, &format!("i=0; while [ $i -lt 300 ]; do sleep {seconds} & i=$((i+1)); done; wait"));
        let ran = within(flags, &words(&tool.display().to_string()));
        assert!(ran.code == 1 && ran.err.contains("processes"), "{flags:?} {} {}", ran.code, ran.err);
        let ran = within(flags, &words("/usr/bin/ffmpeg"));
        assert_eq!(ran.code, 0, "run as root: {flags:?} {}", ran.err);
        wait_for(&format!("sleep\0{seconds}"), false, Duration::from_secs(4));
        std::fs::remove_dir_all(home.path()).expect("the next begins without results");
    }
}

#[test]
fn r32_a_tool_that_hangs_does_not_keep_the_server_from_answering_and_is_cancelled() {
    let home = Home::new();
    let seconds = format!("2000{}", std::process::id());
    let tool = fake(&home, &format!("trap '' TERM; sleep {seconds}"));
    let sleeping = format!("sleep\0{seconds}");
    let server = Server::start(&home, &["--workers", "1", "--ffmpeg", &tool.display().to_string()]);
    let source = server.upload(&std::fs::read(clip("odd.mkv")).expect("a clip"));
    let config = server.config(CUT);
    let body = serde_json::json!({"inputs": {"s": source}});
    let run = server.post(&format!("/configs/{config}/run"), &body).expect(201).json();
    let run = run["run_id"].as_str().expect("an id").to_owned();
    wait_for(&sleeping, true, Duration::from_secs(30));
    let asked = Instant::now();
    server.get("/healthz").expect(200);
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    server.post(&format!("/runs/{run}/cancel"), &serde_json::json!({})).expect(200);
    wait_for(&sleeping, false, Duration::from_secs(4));
    assert_eq!(server.run_ended(&run)["status"], "cancelled");
}

#[test]
fn s10_a_tool_reaches_nothing_but_its_own_directory() {
    let home = Home::new();
    let canary = home.write("canary", "a secret of the canary");
    let outside = home.dir().join("written");
    let body = format!(
        "cat {} >&2; echo x > {}; cat {}/token >&2; exit 3",
        canary.display(),
        outside.display(),
        home.path().display()
    );
    let (code, err) = run(&home, &fake(&home, &body));
    assert!(code == 1 && !err.contains("secret of the canary"), "{code} {err}");
    assert!(err.to_lowercase().contains("permission denied"), "{err}");
    assert!(!outside.exists());
}

#[test]
fn s10_a_tool_that_forks_without_end_is_ended() {
    let home = Home::new();
    let begun = Instant::now();
    // Bounded, so that a failure does not take the machine with it.
    let seconds = format!("3000{}", std::process::id());
    let tool = fake(&home, &format!("i=0; while [ $i -lt 300 ]; do sleep {seconds} & i=$((i+1)); done; wait"));
    let (code, err) = run(&home, &tool);
    assert!(code == 1 && err.contains("processes"), "{code} {err}");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    wait_for(&format!("sleep\0{seconds}"), false, Duration::from_secs(4));
}
