//! The mirror: runs as readers of the original find them.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Home, Redis, Server, until};

fn key(run: &str) -> String {
    format!("artdag:run:{run}")
}

fn mirrored(home: &Home, redis: &Redis) -> Server {
    Server::start(home, &["--redis-mirror", &redis.url(5)])
}

/// Waits until the mirror shows what the server says, and no other run.
#[track_caller]
fn converged(server: &Server, redis: &Redis) {
    let runs = server.get("/runs?limit=1000").expect(200).json();
    let runs: Vec<Value> = runs.as_array().expect("runs").clone();
    let shown = |run: &Value| {
        let shown = redis.json(&key(run["run_id"].as_str().expect("an id")));
        shown.is_some_and(|shown| shown["status"] == run["status"] && shown["output_hash"] == run["output_hash"])
    };
    let asked = Instant::now();
    until("the mirror shows all runs", || runs.iter().all(shown));
    until("the mirror shows no others", || redis.ask::<Vec<String>>(&["KEYS", "artdag:run:*"]).len() == runs.len());
    assert!(asked.elapsed() < Duration::from_secs(30), "{:?}", asked.elapsed());
}

fn run(server: &Server, recipe: &str) -> Value {
    server.run_ended(&server.run(recipe, &["cat"]))
}

#[test]
fn r37_a_run_is_shown_with_what_readers_of_the_original_expect_and_goes_when_it_is_deleted() {
    let (home, redis) = (Home::new(), Redis::start(&[]));
    let server = mirrored(&home, &redis);
    let view = run(&server, "dog");
    converged(&server, &redis);
    let id = view["run_id"].as_str().expect("an id");
    let shown = redis.json(&key(id)).expect("it is shown");
    for (field, value) in view.as_object().expect("a run") {
        assert_eq!(&shown[field], value, "{field}");
    }
    assert_eq!(shown["celery_task_id"], view["run_id"]);
    let output = view["output_hash"].as_str().expect("an output");
    let node: Option<String> = redis.ask(&["HGET", "artdag:content_index", output]);
    let plan = server.get(&format!("/runs/{id}/plan")).json();
    let keys: Vec<&str> = plan["nodes"].as_array().expect("nodes").iter().filter_map(|n| n["key"].as_str()).collect();
    assert!(node.as_deref().is_some_and(|node| keys.contains(&node)), "{node:?} is not in {keys:?}");
    assert_eq!(server.get("/readyz").json()["redis_mirror"], "connected");
    server.admin("DELETE", &format!("/runs/{id}")).expect(200);
    converged(&server, &redis);
    until("the index forgets the output", || {
        redis.ask::<Option<String>>(&["HGET", "artdag:content_index", output]).is_none()
    });
}

#[test]
fn r37_a_redis_that_is_absent_stopped_or_emptied_delays_the_mirror_and_nothing_else() {
    let (home, mut redis) = (Home::new(), Redis::absent(&[]));
    let server = mirrored(&home, &redis);
    let first = run(&server, "dog");
    assert_eq!(first["status"], "completed");
    assert_eq!(server.get("/readyz").expect(200).json()["redis_mirror"], "away");
    let metrics = String::from_utf8(server.get("/metrics").body).expect("text");
    assert!(metrics.lines().any(|line| line == "artdag_redis_mirror_connected 0"), "{metrics}");
    redis.run();
    converged(&server, &redis);
    // It takes connections and says nothing.
    redis.signal("STOP");
    assert_eq!(run(&server, "invert")["status"], "completed");
    redis.signal("CONT");
    converged(&server, &redis);
    // Emptied.
    redis.ask::<()>(&["FLUSHALL"]);
    converged(&server, &redis);
    // Gone while a run is deleted and the server starts again.
    redis.kill();
    server.admin("DELETE", &format!("/runs/{}", first["run_id"].as_str().expect("an id"))).expect(200);
    assert_eq!(run(&server, "sepia")["status"], "completed");
    server.kill();
    redis.run();
    let server = mirrored(&home, &redis);
    converged(&server, &redis);
    // Put back to an earlier time: a run that has gone since is there again, and the mark is not.
    let id = run(&server, "blur")["run_id"].as_str().expect("an id").to_owned();
    converged(&server, &redis);
    let before = redis.json(&key(&id)).expect("it is shown").to_string();
    server.admin("DELETE", &format!("/runs/{id}")).expect(200);
    converged(&server, &redis);
    redis.ask::<()>(&["SET", &key(&id), &before]);
    let marks: Vec<String> = redis.ask(&["KEYS", "artdag:mirror:*"]);
    redis.ask::<()>(&["DEL", &marks[0]]);
    converged(&server, &redis);
}

#[test]
fn r37_a_redis_that_comes_and_goes_slows_no_answer_and_is_caught_up_with() {
    let (home, mut redis) = (Home::new(), Redis::start(&[]));
    let server = mirrored(&home, &redis);
    let times = |count: usize| {
        let mut times: Vec<Duration> = (0..count)
            .map(|_| {
                let asked = Instant::now();
                server.run("identity", &["cat"]);
                asked.elapsed()
            })
            .collect();
        times.sort();
        times[count * 99 / 100]
    };
    let before = times(200);
    let mut worst = Duration::ZERO;
    for _ in 0..4 {
        redis.kill();
        worst = worst.max(times(50));
        redis.run();
        worst = worst.max(times(50));
        redis.signal("STOP");
        worst = worst.max(times(50));
        redis.signal("CONT");
    }
    // The machine is shared; a wait for Redis would be seconds.
    assert!(worst < before * 4 + Duration::from_millis(100), "{before:?} with Redis, {worst:?} while it came and went");
    converged(&server, &redis);
}

#[test]
fn r37_a_wrong_password_is_tried_again_until_it_is_right() {
    let (home, redis) = (Home::new(), Redis::start(&["--requirepass", "other"]));
    let redis = {
        let url = format!("redis://:other@127.0.0.1:{}/5", redis.port());
        redis.reached_by(url)
    };
    let url = format!("redis://:secret@127.0.0.1:{}/5", redis.port());
    let mut command = home.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("ARTDAG_REDIS_MIRROR", &url);
    let server = Server::of(&home, command);
    assert_eq!(run(&server, "dog")["status"], "completed");
    until("the log tells", || server.said().contains("Redis is not reached"));
    redis.ask::<()>(&["CONFIG", "SET", "requirepass", "secret"]);
    let redis = redis.reached_by(url);
    converged(&server, &redis);
    assert!(!server.said().contains("secret"), "{}", server.said());
}

#[test]
fn the_mirror_speaks_tls_as_a_named_user() {
    let tls = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/tls");
    let file = |name: &str| tls.join(name).to_str().expect("a path").to_owned();
    let tls_port = crate::support::free_port().to_string();
    let redis = Redis::start(&[
        "--tls-port",
        &tls_port,
        "--tls-cert-file",
        &file("cert.pem"),
        "--tls-key-file",
        &file("key.pem"),
        "--tls-ca-cert-file",
        &file("ca.pem"),
        "--tls-auth-clients",
        "no",
        "--user",
        "ann",
        "on",
        ">pass",
        "~*",
        "&*",
        "+@all",
    ]);
    let home = Home::new();
    let mut command = home.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("ARTDAG_REDIS_MIRROR", format!("rediss://ann:pass@localhost:{tls_port}/5"));
    command.env("SSL_CERT_FILE", file("ca.pem"));
    let server = Server::of(&home, command);
    assert_eq!(run(&server, "dog")["status"], "completed");
    converged(&server, &redis);
}

#[test]
fn two_homes_share_a_database_and_leave_each_other_and_strangers_alone() {
    let (one, other, redis) = (Home::new(), Home::new(), Redis::start(&[]));
    let old = json!({"run_id": "5b0d8d4c-8a51-4c07-9c3c-0f6b2f6a3a10", "status": "completed"}).to_string();
    redis.ask::<()>(&["SET", "artdag:run:5b0d8d4c-8a51-4c07-9c3c-0f6b2f6a3a10", &old]);
    let (first, second) = (mirrored(&one, &redis), mirrored(&other, &redis));
    run(&first, "dog");
    run(&second, "invert");
    until("all are shown", || redis.ask::<Vec<String>>(&["KEYS", "artdag:run:*"]).len() == 3);
    first.kill();
    let first = mirrored(&one, &redis);
    run(&first, "sepia");
    until("all are shown", || redis.ask::<Vec<String>>(&["KEYS", "artdag:run:*"]).len() == 4);
}

#[test]
fn what_the_index_has_and_nobody_knows_any_more_goes_when_all_is_written_anew() {
    let (home, redis) = (Home::new(), Redis::start(&[]));
    let server = mirrored(&home, &redis);
    let (gone, stays) = (run(&server, "dog"), run(&server, "invert"));
    let output = |run: &Value| run["output_hash"].as_str().expect("an output").to_owned();
    let indexed = |hash: &str| redis.ask::<Option<String>>(&["HGET", "artdag:content_index", hash]);
    until("both outputs are in the index", || [&gone, &stays].iter().all(|run| indexed(&output(run)).is_some()));
    let strangers = "11".repeat(32);
    redis.ask::<()>(&["HSET", "artdag:content_index", &strangers, "of another"]);
    server.kill();
    // What changed since is not told one by one: the mark is gone.
    home.ok(&["run-rm", gone["run_id"].as_str().expect("an id")]);
    let marks: Vec<String> = redis.ask(&["KEYS", "artdag:mirror:*"]);
    redis.ask::<()>(&["DEL", &marks[0]]);
    let server = mirrored(&home, &redis);
    until("the index forgets what is gone", || indexed(&output(&gone)).is_none());
    converged(&server, &redis);
    assert!(indexed(&output(&stays)).is_some() && indexed(&strangers).is_some());
}

#[test]
fn what_is_published_is_shown_by_every_run_that_gave_it() {
    let (home, redis) = (Home::new(), Redis::start(&[]));
    let server = mirrored(&home, &redis);
    let (first, second) = (run(&server, "dog"), run(&server, "dog"));
    assert_eq!(first["output_hash"], second["output_hash"]);
    let over = server.run_ended(&server.run("invert", &[first["output_hash"].as_str().expect("an output")]));
    let id = |run: &Value| run["run_id"].as_str().expect("an id").to_owned();
    converged(&server, &redis);
    let shown = |run: &Value| redis.json(&key(&id(run))).expect("it is shown");
    for run in [&first, &second, &over] {
        assert_eq!(shown(run)["published"], false);
    }
    // What it was made of is published with it, by whichever run that was given.
    server.admin("POST", &format!("/runs/{}/publish", id(&over))).expect(202);
    until("all three are shown as published", || {
        [&first, &second, &over].iter().all(|run| shown(run)["published"] == true)
    });
    assert!(shown(&second)["publication"].is_null());
    server.admin("POST", &format!("/runs/{}/publish", id(&second))).expect(202);
    until("the other one shows its publication too", || shown(&first)["publication"]["run_id"] == second["run_id"]);
}
