//! Everything at once, and kill -9 every few seconds: whatever was acknowledged stays true.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, RwLock};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Home, Random, Server, long_case, png};

/// What the server has acknowledged.
#[derive(Default)]
struct Told {
    /// Uploads: hash and seed of the bytes.
    uploads: Mutex<Vec<(String, u64)>>,
    /// Runs accepted: id, and what they render.
    runs: Mutex<Vec<(String, String)>>,
    /// Outputs that completed runs told, by what they render.
    outputs: Mutex<BTreeMap<String, String>>,
    /// Names given.
    names: Mutex<BTreeMap<String, String>>,
    /// Runs whose deletion was acknowledged.
    deleted: Mutex<Vec<String>>,
    requests: AtomicUsize,
}

#[test]
fn r1_under_mixed_load_and_kills_everything_acknowledged_stays_true() {
    let seconds =
        if long_case("twenty minutes of mixed load with kills instead of fifteen seconds") { 1200 } else { 15 };
    let mut random = Random::seeded(41);
    let home = Home::new();
    let server = RwLock::new(Server::start(&home, &[]));
    let told = Told::default();
    let over = AtomicBool::new(false);
    let until = Instant::now() + Duration::from_secs(seconds);
    let mut kills = 0;
    std::thread::scope(|scope| {
        for worker in 0..6 {
            let (server, told, over) = (&server, &told, &over);
            let mut random = Random(random.next() ^ worker);
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let server = server.read().expect("nobody panicked");
                    told.requests.fetch_add(1, Ordering::Relaxed);
                    // A connection that broke acknowledges nothing.
                    let _ = act(&server, told, &mut random);
                }
            });
        }
        while Instant::now() < until {
            let moment = Instant::now() + Duration::from_millis(1000 + random.next() % 3000);
            while let Some(left) = moment.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
                std::thread::park_timeout(left);
            }
            // The workers are in the middle of their requests.
            let pid = server.read().expect("nobody panicked").pid().to_string();
            std::process::Command::new("kill").args(["-9", &pid]).status().expect("kill is there");
            kills += 1;
            let mut held = server.write().expect("nobody panicked");
            let _ = held.ended();
            *held = Server::start(&home, &[]);
        }
        over.store(true, Ordering::Relaxed);
    });
    let server = server.into_inner().expect("nobody panicked");
    println!("{} requests, {kills} kills", told.requests.load(Ordering::Relaxed));
    check(&server, &told, kills);
    server.signal("TERM");
    assert_eq!(server.wait(), 0);
    let verify = home.run(&["cache", "verify"]);
    assert_eq!(verify.code, 0, "{}{}", verify.out, verify.err);
}

/// One request of a client, noted if it was acknowledged.
fn act(server: &Server, told: &Told, random: &mut Random) -> Result<(), ureq::Error> {
    let raw = [("content-type", "application/octet-stream")];
    let text = [("content-type", "application/json")];
    match random.below(10) {
        0..2 => {
            let seed = random.next() % 1000;
            let answer = server.try_request("POST", "/cache/upload", &raw, &png(24, 18, seed))?;
            if answer.status < 300 {
                let hash = answer.json()["content_hash"].as_str().expect("a hash").to_owned();
                told.uploads.lock().expect("nobody panicked").push((hash, seed));
            }
        }
        2..6 => {
            let (sigma, effect) = (1 + random.below(40), *random.one_of(&["blur", "sharpen"]));
            let what = format!("{effect} {sigma}");
            let body = json!({"recipe": effect, "inputs": ["cat"], "params": {"sigma": f64::from(sigma as u32) / 4.0}});
            let answer = server.try_request("POST", "/runs", &text, body.to_string().as_bytes())?;
            if answer.status == 201 {
                let run = answer.json()["run_id"].as_str().expect("an id").to_owned();
                told.runs.lock().expect("nobody panicked").push((run, what));
            }
        }
        6 => {
            let upload = pick(&told.uploads, random).map(|(hash, _)| hash);
            if let Some(hash) = upload {
                let name = format!("n{}", random.next());
                let body = json!({"content_hash": hash}).to_string();
                let answer = server.try_request("PUT", &format!("/assets/{name}"), &text, body.as_bytes())?;
                if answer.status < 300 {
                    told.names.lock().expect("nobody panicked").insert(name, hash);
                }
            }
        }
        7 => {
            if let Some((run, _)) = pick(&told.runs, random) {
                let headers = [("authorization", format!("Bearer {}", server.token))];
                let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
                let answer = server.try_request("DELETE", &format!("/runs/{run}"), &headers, &[])?;
                if answer.status == 200 {
                    told.deleted.lock().expect("nobody panicked").push(run);
                }
            }
        }
        _ => {
            if let Some((run, what)) = pick(&told.runs, random) {
                let answer = server.try_request("GET", &format!("/runs/{run}"), &[], &[])?;
                if answer.status == 200 && answer.json()["status"] == "completed" {
                    let output = answer.json()["output_hash"].as_str().expect("a hash").to_owned();
                    let mut outputs = told.outputs.lock().expect("nobody panicked");
                    let first = outputs.entry(what.clone()).or_insert_with(|| output.clone());
                    assert_eq!(*first, output, "{what} gave two results");
                }
            }
        }
    }
    Ok(())
}

fn pick<T: Clone>(from: &Mutex<Vec<T>>, random: &mut Random) -> Option<T> {
    let from = from.lock().expect("nobody panicked");
    (!from.is_empty()).then(|| random.one_of(&from).clone())
}

fn check(server: &Server, told: &Told, kills: usize) {
    for (hash, seed) in told.uploads.lock().expect("nobody panicked").iter() {
        assert!(server.get(&format!("/cache/{hash}")).expect(200).body == png(24, 18, *seed), "{hash}");
    }
    let names = told.names.lock().expect("nobody panicked");
    for (name, hash) in names.iter() {
        let answer = server.get(&format!("/cache/{name}"));
        assert!(answer.status == 307 && answer.header("location").is_some_and(|to| to.ends_with(hash)), "{name}");
    }
    let deleted: std::collections::HashSet<String> = told.deleted.lock().expect("nobody panicked").drain(..).collect();
    let mut given_up = 0;
    let mut outputs = told.outputs.lock().expect("nobody panicked");
    for (run, what) in told.runs.lock().expect("nobody panicked").iter() {
        if deleted.contains(run) {
            server.get(&format!("/runs/{run}")).expect(404);
            continue;
        }
        let status = server.get(&format!("/runs/{run}")).status;
        // A deletion may have been carried out whose answer the kill has cut off.
        if status == 404 {
            continue;
        }
        let ended = server.run_ended(run);
        // Killed three times while one of its stages ran alone, a run is given up, as it should be.
        if ended["error"].as_str().is_some_and(|error| error.contains("brought the server down 3 times")) {
            given_up += 1;
            continue;
        }
        assert_eq!(ended["status"], "completed", "{ended}");
        let output = ended["output_hash"].as_str().expect("a hash").to_owned();
        let first = outputs.entry(what.clone()).or_insert_with(|| output.clone());
        assert_eq!(*first, output, "{what} gave two results");
        server.get(&format!("/cache/{output}")).expect(200);
    }
    assert!(given_up <= kills / 3, "{given_up} runs were given up in {kills} kills");
}
