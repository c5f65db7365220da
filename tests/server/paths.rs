//! What paths that strangers send make the server open: the kernel's word for it.

use std::process::Command;

use crate::support::{Home, Random, Server, program};

/// Words where a hash, an id or a name is wanted, each wrong in its way.
fn word(random: &mut Random) -> String {
    let hex: String = (0..64).map(|_| char::from_digit(random.below(16) as u32, 16).unwrap_or('0')).collect();
    let depth = 1 + random.below(8);
    match random.below(10) {
        0 => "..%2f".repeat(depth) + "etc%2fpasswd",
        1 => "%2e%2e/".repeat(depth) + "etc/passwd",
        2 => "..%5c".repeat(depth) + "etc%5cpasswd",
        3 => "%2fetc%2fpasswd".to_owned(),
        4 => format!("{}%00{}", &hex[..32], &hex[33..]),
        5 => hex[..63].to_owned(),
        6 => hex + "0",
        7 => hex.to_uppercase(),
        8 => format!("{}%2f..%2f..%2f..%2fetc%2fpasswd", &hex[..2]),
        _ => hex,
    }
}

/// Does a line of the trace open a file outside of the home?
fn is_outside(line: &str, home: &str) -> bool {
    let Some(call) = line.split_once("open").map(|(_, call)| call) else { return false };
    // openat(3</home>, "tmp/1", …) or openat(AT_FDCWD</>, "/proc/self/…", …)
    let Some((directory, rest)) = call.split_once('"') else { return false };
    let path = rest.split('"').next().unwrap_or_default();
    let whole = if path.starts_with('/') {
        path.to_owned()
    } else {
        let directory =
            directory.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or("", |found| found.0);
        format!("{directory}/{path}")
    };
    let of_the_system = ["/proc/self/", "/proc/sys/", "/sys/fs/cgroup", "/sys/devices/system/cpu"];
    let is_ours = whole.starts_with(home) && !whole.contains("/../");
    !is_ours && !of_the_system.iter().any(|system| whole.starts_with(system))
}

#[test]
fn s4_no_path_that_a_stranger_sends_opens_a_file_outside_of_the_home() {
    let home = Home::new();
    let trace = home.dir().join("trace");
    let mut command = Command::new("strace");
    command.args(["-f", "-y", "-s", "400", "-e", "trace=open,openat,openat2", "-o"]).arg(&trace);
    command.arg(program()).args(["serve", "--listen", "127.0.0.1:0"]);
    command.env("ARTDAG_HOME", home.path()).env("NO_COLOR", "1");
    let server = Server::of(&home, command);
    // The start is over when it has told of ffmpeg, which it looks at beside all else.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !server.said().contains("ffmpeg") {
        assert!(std::time::Instant::now() < deadline, "{}", server.said());
        std::thread::yield_now();
    }
    // What every kind of request needs once is opened now.
    server.get("/").expect(200);
    server.get("/cache/cat").expect(307);
    let before = std::fs::read_to_string(&trace).expect("a trace").len();
    let mut random = Random::seeded(4);
    let routes =
        ["/cache/{}", "/cache/{}/info", "/assets/{}", "/configs/{}", "/runs/{}", "/runs/{}/events", "/docs/{}"];
    for _ in 0..100 {
        let mut text = String::new();
        for _ in 0..25 {
            let path = random.one_of(&routes).replace("{}", &word(&mut random));
            text += &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        }
        text += "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        let answers = server.speak(&text);
        let statuses: Vec<&str> = answers.split("HTTP/1.1 ").skip(1).filter_map(|answer| answer.get(..3)).collect();
        assert_eq!(statuses.len(), 26, "{answers}");
        assert_eq!(statuses.iter().filter(|status| status.starts_with('4')).count(), 25, "{statuses:?}");
    }
    Command::new("pkill").args(["-TERM", "-P", &server.pid().to_string()]).status().expect("pkill is there");
    server.wait();
    let text = std::fs::read_to_string(&trace).expect("a trace");
    let own = home.path().display().to_string();
    let outside: Vec<&str> = text[before..].lines().filter(|line| is_outside(line, &own)).collect();
    assert!(outside.is_empty(), "{outside:#?}");
    // The judge would see one.
    assert!(is_outside(r#"7 openat(AT_FDCWD</tmp>, "/etc/passwd", O_RDONLY) = 3"#, &own));
    assert!(is_outside(&format!(r#"7 openat(5<{own}>, "../secret", O_RDONLY) = 3"#), &own));
    assert!(!is_outside(&format!(r#"7 openat(5<{own}>, "tmp/1", O_RDONLY) = 3"#), &own));
}
