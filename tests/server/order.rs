//! The order in which things reach the disk, as the kernel saw it.

use std::collections::HashMap;
use std::process::Command;

use crate::support::{Home, Server, png, program};

/// What a traced call was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    SyncFile,
    Rename,
    SyncDirectory,
    SyncDatabase,
    Acknowledge,
}

/// The steps in the order in which they were done: a call that another thread interrupted
/// counts when it returns, but a rename and an answer when they begin.
fn steps(trace: &str) -> Vec<Step> {
    let mut begun: HashMap<&str, Step> = HashMap::new();
    let mut steps = Vec::new();
    for line in trace.lines() {
        let Some((thread, call)) = line.split_once(' ') else { continue };
        let call = call.trim_start();
        if call.starts_with("<...") {
            steps.extend(begun.remove(thread));
            continue;
        }
        let step = step(call);
        let done_when_it_returns = !matches!(step, Some(Step::Rename | Step::Acknowledge) | None);
        match step {
            Some(step) if done_when_it_returns && call.contains("<unfinished") => {
                begun.insert(thread, step);
            }
            step => steps.extend(step),
        }
    }
    steps
}

fn step(call: &str) -> Option<Step> {
    let sync = call.starts_with("fsync(") || call.starts_with("fdatasync(");
    if sync && call.contains("/tmp/") && !call.contains("/cache/") && !call.contains("artdag.redb") {
        Some(Step::SyncFile)
    } else if sync && call.contains("artdag.redb") {
        Some(Step::SyncDatabase)
    } else if sync && call.contains("/cache/") {
        Some(Step::SyncDirectory)
    } else if call.starts_with("rename") && call.contains("cache/") {
        Some(Step::Rename)
    } else if call.contains("HTTP/1.1 201") {
        Some(Step::Acknowledge)
    } else {
        None
    }
}

#[test]
fn r3_an_upload_is_acknowledged_after_file_name_directory_and_row_are_synced() {
    let home = Home::new();
    let trace = home.dir().join("trace");
    let mut command = Command::new("strace");
    command.args(["-f", "-y", "-s", "16", "-o"]).arg(&trace);
    command.args(["-e", "trace=fsync,fdatasync,rename,renameat,renameat2,sendto,sendmsg,write,writev"]);
    command.arg(program()).args(["serve", "--listen", "127.0.0.1:0"]);
    command.env("ARTDAG_HOME", home.path()).env("NO_COLOR", "1");
    let server = Server::of(&home, command);
    let uploads = 20;
    for seed in 0..uploads {
        server.upload(&png(30, 20, 1000 + seed));
    }
    // The traced program, not the tracer, which would leave it alone.
    Command::new("pkill").args(["-TERM", "-P", &server.pid().to_string()]).status().expect("pkill is there");
    server.wait();
    let text = std::fs::read_to_string(&trace).expect("a trace");
    let steps = steps(&text);
    let first = steps.iter().position(|step| *step == Step::Acknowledge).expect("an answer");
    let mut acknowledged = 0;
    let mut since: Vec<Step> = Vec::new();
    // What the start did stands before the first upload.
    let begin = steps[..first].iter().rposition(|step| *step == Step::SyncFile).expect("a file is synced");
    for step in &steps[begin..] {
        if *step != Step::Acknowledge {
            since.push(*step);
            continue;
        }
        let at = |step: Step| since.iter().position(|done| *done == step);
        // A directory that is new is synced before the name in it, and the name after: the last counts.
        let name = since.iter().rposition(|done| *done == Step::SyncDirectory);
        let order = [at(Step::SyncFile), at(Step::Rename), name];
        let row = since.iter().rposition(|done| *done == Step::SyncDatabase);
        assert!(order.iter().all(Option::is_some) && row.is_some(), "{since:?}");
        assert!(order.is_sorted() && order[2] < row, "{since:?}");
        acknowledged += 1;
        since.clear();
    }
    assert_eq!(acknowledged, uploads);
}
