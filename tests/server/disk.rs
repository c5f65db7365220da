//! Full disks: a small file system of its own, mounted for the test.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::support::{Home, Server};

/// A file system in memory of this many bytes at the home's place; gone with the test.
struct Small<'a>(&'a Home);

impl<'a> Small<'a> {
    fn mount(home: &'a Home, bytes: u64) -> Self {
        let path = home.path();
        std::fs::create_dir_all(&path).expect("a directory");
        let options = format!("size={bytes}");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "artdag-test"]).arg(&path).status();
        assert!(mounted.is_ok_and(|status| status.success()), "these tests mount a tmpfs: run them as root");
        Self(home)
    }
}

impl Drop for Small<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

fn noise(bytes: usize, seed: u64) -> Vec<u8> {
    let mut random = crate::support::Random(seed);
    (0..bytes / 8).flat_map(|_| random.next().to_le_bytes()).collect()
}

fn files_in(path: &Path) -> usize {
    std::fs::read_dir(path).expect("a directory").count()
}

#[test]
fn r11_an_upload_that_does_not_fit_is_refused_and_the_next_one_is_taken() {
    let home = Home::empty();
    let _small = Small::mount(&home, 64 << 20);
    let server = Server::start(&home, &[]);
    let small = server.upload(&noise(1 << 20, 1));
    let large = noise(100 << 20, 2);
    let raw = [("content-type", "application/octet-stream")];
    let refused = server.request("POST", "/cache/upload", &raw, &large).expect(507);
    assert!(refused.detail().contains("room") || refused.detail().contains("full"), "{}", refused.detail());
    assert_eq!(files_in(&home.path().join("tmp")), 0);
    assert_eq!(server.get(&format!("/cache/{small}")).expect(200).body, noise(1 << 20, 1));
    server.request("POST", "/cache/upload", &raw, &noise(2 << 20, 3)).expect(201);
}

#[test]
fn r12_on_a_full_disk_a_run_is_refused_and_when_there_is_room_the_next_one_is_taken() {
    let home = Home::empty();
    let _small = Small::mount(&home, 64 << 20);
    let server = Server::start(&home, &[]);
    let acknowledged = server.run("identity", &["cat"]);
    assert_eq!(server.run_ended(&acknowledged)["status"], "completed");
    let filler = home.path().join("out");
    std::fs::create_dir_all(&filler).expect("a directory");
    fill(&filler.join("filler"));
    let mut refused = 0;
    for number in 0..200 {
        let body = json!({"recipe": "identity", "inputs": ["cat"], "output_name": format!("n{number}")});
        let answer = server.post("/runs", &body);
        // What space the database had left may still take some.
        if answer.status != 201 {
            assert!(matches!(answer.status, 503 | 507), "{answer:?}");
            refused += 1;
        }
    }
    assert!(refused > 0, "the disk was never full");
    assert_eq!(server.get(&format!("/runs/{acknowledged}")).expect(200).json()["status"], "completed");
    std::fs::remove_file(filler.join("filler")).expect("it is there");
    let freed = std::time::Instant::now();
    let run = loop {
        let answer = server.post("/runs", &json!({"recipe": "identity", "inputs": ["cat"]}));
        if answer.status == 201 {
            break answer.json()["run_id"].as_str().expect("an id").to_owned();
        }
        assert!(freed.elapsed().as_secs() < 5, "{answer:?}");
    };
    assert_eq!(server.run_ended(&run)["status"], "completed");
    assert_eq!(server.get(&format!("/runs/{acknowledged}")).expect(200).json()["status"], "completed");
}

/// Fills a file system to its last byte.
fn fill(path: &Path) {
    let mut file = std::fs::File::create(path).expect("a file");
    let mut piece = 1 << 20;
    while piece > 0 {
        match std::io::Write::write(&mut file, &vec![1_u8; piece]) {
            Ok(0) | Err(_) => piece /= 2,
            Ok(_) => {}
        }
    }
}

#[test]
fn r13_what_cannot_fit_is_refused_before_it_is_sent_and_chunks_stop_at_the_limit() {
    use std::io::{Read as _, Write as _};
    let home = Home::new();
    let server = Server::start(&home, &["--max-upload-bytes", "1000000"]);
    let address = server.url.trim_start_matches("http://").to_owned();
    let ask = |head: &str, body: &mut dyn FnMut(&mut std::net::TcpStream)| {
        let mut stream = std::net::TcpStream::connect(&address).expect("the server is there");
        stream.set_read_timeout(Some(std::time::Duration::from_secs(30))).expect("a time-out");
        stream.write_all(head.as_bytes()).expect("a head can be sent");
        body(&mut stream);
        let mut answer = [0_u8; 512];
        let read = stream.read(&mut answer).expect("an answer");
        String::from_utf8_lossy(&answer[..read]).into_owned()
    };
    let head = |length: &str| {
        format!(
            "POST /cache/upload HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/octet-stream\r\n{length}\r\n\r\n"
        )
    };
    // Not a byte of it is sent.
    let answer = ask(&head("Content-Length: 1000000000000000"), &mut |_| {});
    assert!(answer.starts_with("HTTP/1.1 413") || answer.starts_with("HTTP/1.1 507"), "{answer}");
    // Chunks that never end.
    let answer = ask(&head("Transfer-Encoding: chunked"), &mut |stream| {
        let chunk = [b"10000\r\n".to_vec(), vec![7; 0x10000], b"\r\n".to_vec()].concat();
        for _ in 0..64 {
            if stream.write_all(&chunk).is_err() {
                break;
            }
        }
    });
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    // Who writes learns of it a moment after the client.
    let refused = std::time::Instant::now();
    while files_in(&home.path().join("tmp")) > 0 {
        assert!(refused.elapsed().as_secs() < 30, "what was refused is still there");
    }
}

#[test]
fn r19_a_blob_that_is_cut_short_while_it_is_mapped_does_not_end_the_server() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    let bytes = noise(24 << 20, 19);
    let hash = server.upload(&bytes);
    // The server has it mapped now, and keeps the map for the next who asks.
    assert!(server.get(&format!("/cache/{hash}")).expect(200).body == bytes);
    let cut = home.path().join("cache").join(&hash[..2]).join(&hash[2..4]).join(&hash);
    let file = Command::new("truncate").args(["-s", "1000000"]).arg(&cut).status();
    assert!(file.is_ok_and(|status| status.success()), "{}", cut.display());
    // A refusal or half an answer, and no zeros in the place of what is gone.
    match server.try_request("GET", &format!("/cache/{hash}"), &[], b"") {
        Ok(answer) if answer.status == 503 => assert!(answer.detail().contains(&hash), "{}", answer.detail()),
        Err(_) => {}
        Ok(answer) => {
            assert!(answer.body.len() < bytes.len() && bytes.starts_with(&answer.body), "{} bytes", answer.body.len());
        }
    }
    let run = server.run("identity", &[&hash]);
    let ended = server.run_ended(&run);
    let other = server.run_ended(&server.run("invert", &["cat"]));
    assert_eq!(other["status"], "completed", "{other}");
    if ended["status"] == "failed" {
        assert!(ended["error"].to_string().contains(&hash), "{ended}");
    }
    server.get("/healthz").expect(200);
    let verified = home.run(&["cache", "verify"]);
    assert!(verified.code == 8 && verified.out.contains(&hash), "{} {}", verified.code, verified.out);
    // Whoever has the file adds it again.
    assert_eq!(server.upload(&bytes), hash);
    assert!(server.get(&format!("/cache/{hash}")).expect(200).body == bytes);
}
