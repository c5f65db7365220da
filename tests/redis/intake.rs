//! Jobs that Celery's clients push.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Home, Ran, Redis, Server, long_case, until};

/// What a client of the original does, by the real Celery.
fn celery(redis: &Redis, words: &[&str]) -> Ran {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join("target/python/bin/python");
    assert!(python.exists(), "python is missing: ./tests/run.sh installs it (python3 with venv is needed)");
    let mut command = Command::new(python);
    command.arg(root.join("tests/tools/celery_client.py")).arg(redis.url(5)).args(words);
    Ran::of(&command.output().expect("python starts"))
}

fn serving(home: &Home, redis: &Redis) -> Server {
    Server::start(home, &["--redis-intake", &redis.url(5), "--redis-mirror", &redis.url(5)])
}

/// A message as kombu writes it.
fn message(task: &str, id: &str, args: &Value) -> String {
    use base64::Engine as _;
    let none = json!({"callbacks": null, "errbacks": null, "chain": null, "chord": null});
    let body = base64::prelude::BASE64_STANDARD.encode(json!([args, {}, none]).to_string());
    json!({
        "body": body, "content-encoding": "utf-8", "content-type": "application/json",
        "headers": {"lang": "py", "task": task, "id": id, "root_id": id, "parent_id": null, "group": null,
                    "eta": null, "expires": null, "retries": 0, "ignore_result": false},
        "properties": {"correlation_id": id, "reply_to": "x", "delivery_mode": 2, "priority": 0,
                       "delivery_info": {"exchange": "", "routing_key": "celery"}, "body_encoding": "base64",
                       "delivery_tag": "y"},
    })
    .to_string()
}

fn result(redis: &Redis, task: &str) -> Value {
    let key = format!("celery-task-meta-{task}");
    until("there is a result", || redis.ask::<bool>(&["EXISTS", &key]));
    redis.json(&key).expect("it is there")
}

fn home_list(redis: &Redis) -> String {
    let marks: Vec<String> = redis.ask(&["KEYS", "artdag:mirror:*"]);
    marks[0].replace("artdag:mirror:", "artdag:intake:")
}

#[test]
fn a_client_of_the_original_sends_its_task_and_gets_the_provenance_through_its_own_backend() {
    let (home, redis) = (Home::new(), Redis::start(&[]));
    let words =
        ["--redis-task", "tasks.render_effect=input_hash:effect_name:output_name,jobs.draw=effect_name:input_hash"];
    let url = redis.url(5);
    let server = Server::start(&home, &[&["--redis-intake", &url, "--redis-mirror", &url], &words[..]].concat());
    let cat = server.get("/assets").json()["cat"].as_str().expect("the cat").to_owned();
    let ran = celery(&redis, &["calls", &cat]);
    assert_eq!(ran.code, 0, "{}\n{}\n{}", ran.out, ran.err, server.said());
    let results = ran.json();
    let runs = server.get("/runs").json();
    let runs = runs.as_array().expect("runs");
    for (task, record) in results.as_object().expect("results") {
        assert_eq!(record["task_id"], **task);
        let run = runs.iter().find(|run| run["run_id"] == record["run_id"]).expect("its run");
        assert_eq!(record["output"]["content_hash"], run["output_hash"]);
        assert_eq!(record["inputs"][0]["content_hash"], *cat);
        let key = format!("artdag:run:{}", run["run_id"].as_str().expect("an id"));
        until("the mirror shows it", || redis.json(&key).is_some_and(|run| run["status"] == "completed"));
        assert_eq!(redis.json(&key).expect("it is shown")["celery_task_id"], **task);
    }
    assert_eq!(results.as_object().map(serde_json::Map::len), Some(runs.len()));
}

#[test]
fn what_is_no_job_is_put_aside_told_and_holds_up_nothing() {
    let (home, redis) = (Home::new(), Redis::start(&[]));
    let server = serving(&home, &redis);
    for bad in [
        "garbage",
        "{}",
        &message("tasks.other", "t-1", &json!([])),
        &message("tasks.render_effect", "t-2", &json!([1])),
    ] {
        redis.ask::<()>(&["LPUSH", "celery", bad]);
    }
    redis.ask::<()>(&["LPUSH", "celery", &message("tasks.render_effect", "t-3", &json!(["nothing", "dog", "out"]))]);
    redis.ask::<()>(&["LPUSH", "celery", &message("tasks.render_effect", "t-4", &json!(["cat", "dog", "out"]))]);
    assert_eq!(result(&redis, "t-4")["status"], "SUCCESS");
    for (task, class) in [("t-1", "NotRegistered"), ("t-2", "TypeError"), ("t-3", "LookupError")] {
        let result = result(&redis, task);
        assert_eq!((&result["status"], &result["result"]["exc_type"]), (&json!("FAILURE"), &json!(class)), "{result}");
    }
    let list = home_list(&redis);
    until("the bad ones are put aside", || redis.ask::<usize>(&["LLEN", &format!("{list}:dead")]) == 4);
    assert_eq!(redis.ask::<usize>(&["LLEN", &list]), 0);
    assert!(server.said().contains("a message was no job"), "{}", server.said());
    let days = redis.ask::<i64>(&["TTL", "celery-task-meta-t-4"]);
    assert!((86_000..=86_400).contains(&days), "{days}");
}

#[test]
fn a_message_that_was_taken_by_a_killed_server_is_neither_lost_nor_carried_out_twice() {
    let (home, redis) = (Home::new(), Redis::start(&[]));
    let server = serving(&home, &redis);
    let done = message("tasks.render_effect", "done", &json!(["cat", "dog", "done"]));
    redis.ask::<()>(&["LPUSH", "celery", &done]);
    assert_eq!(result(&redis, "done")["status"], "SUCCESS");
    let list = home_list(&redis);
    server.kill();
    // As a kill leaves it: taken and not begun, and taken, begun and not let go of.
    let taken = message("tasks.render_effect", "taken", &json!(["cat", "dog", "taken"]));
    redis.ask::<()>(&["LPUSH", &list, &taken, &done]);
    let server = serving(&home, &redis);
    assert_eq!(result(&redis, "taken")["status"], "SUCCESS");
    until("both are let go of", || redis.ask::<usize>(&["LLEN", &list]) == 0);
    assert_eq!(server.get("/runs").json().as_array().map(Vec::len), Some(2));
    // Whoever has lost an answer asks for it again.
    redis.ask::<()>(&["DEL", "celery-task-meta-done"]);
    redis.ask::<()>(&["LPUSH", "celery", &done]);
    assert_eq!(result(&redis, "done")["status"], "SUCCESS");
    assert_eq!(server.get("/runs").json().as_array().map(Vec::len), Some(2));
}

#[test]
fn kill_9_again_and_again_loses_no_job_and_doubles_none() {
    const JOBS: usize = 60;
    let (home, redis) = (Home::new(), Redis::start(&[]));
    let names: Vec<String> = (0..JOBS).map(|index| format!("job-{index}")).collect();
    for name in &names {
        redis.ask::<()>(&["LPUSH", "celery", &message("tasks.render_effect", name, &json!(["cat", "dog", name]))]);
    }
    for least in [1, 10, 30] {
        let server = serving(&home, &redis);
        until("some are answered", || redis.ask::<Vec<String>>(&["KEYS", "celery-task-meta-*"]).len() >= least);
        server.kill();
    }
    let server = serving(&home, &redis);
    for name in &names {
        assert_eq!(result(&redis, name)["status"], "SUCCESS", "{name}");
    }
    let runs = server.get("/runs?limit=1000").json();
    let outputs: Vec<&str> =
        runs.as_array().expect("runs").iter().filter_map(|run| run["output_name"].as_str()).collect();
    assert_eq!(outputs.len(), JOBS, "{outputs:?}");
    assert_eq!(outputs.iter().collect::<BTreeSet<_>>().len(), JOBS);
}

#[test]
fn results_wait_for_a_result_backend_that_is_away() {
    let (home, broker, mut results) = (Home::new(), Redis::start(&[]), Redis::absent(&[]));
    let server = Server::start(&home, &["--redis-intake", &broker.url(5), "--redis-results", &results.url(5)]);
    broker.ask::<()>(&["LPUSH", "celery", &message("tasks.render_effect", "t", &json!(["cat", "dog", "out"]))]);
    until("the run has ended", || {
        server.get("/runs?status=completed").json().as_array().is_some_and(|all| all.len() == 1)
    });
    results.run();
    assert_eq!(result(&results, "t")["result"]["task_id"], "t");
    // Deleting a run that somebody waited for before would leave them without an answer.
    results.kill();
    broker.ask::<()>(&["LPUSH", "celery", &message("tasks.render_effect", "u", &json!(["cat", "invert", "out"]))]);
    until("the run has ended", || {
        server.get("/runs?status=completed").json().as_array().is_some_and(|all| all.len() == 2)
    });
    let newest = server.get("/runs").json()[0]["run_id"].as_str().expect("an id").to_owned();
    server.admin("DELETE", &format!("/runs/{newest}")).expect(200);
    results.run();
    assert_eq!(result(&results, "u")["status"], "REVOKED");
}

#[test]
fn a_job_whose_files_the_disk_does_not_give_is_given_up_told_so_and_holds_up_nothing_more() {
    if !long_case("redis::intake::a_job_whose_files_the_disk_does_not_give") {
        return;
    }
    let (home, redis) = (Home::new(), Redis::start(&[]));
    // Long enough to have a file of its own; and where that was is something else.
    let yaml = format!(
        "name: large\ndag:\n  nodes:\n    - {{id: in, type: SOURCE, config: {{input: true}}}}\n  output: in\n#{}\n",
        "x".repeat(20_000)
    );
    home.ok(&["configs", "add", &home.write("large.yaml", yaml).display().to_string()]);
    let configs = home.run(&["configs", "ls", "--output", "json"]).json();
    let id = configs[0]["config_id"].as_str().or(configs[0]["id"].as_str()).expect("a config").to_owned();
    let path = home.path().join("cache").join(&id[..2]).join(&id[2..4]).join(&id);
    std::fs::remove_file(&path).expect("it has a file");
    std::fs::create_dir(&path).unwrap();
    let server = serving(&home, &redis);
    redis.ask::<()>(&["LPUSH", "celery", &message("tasks.render_effect", "bad", &json!(["cat", "large", "out"]))]);
    redis.ask::<()>(&["LPUSH", "celery", &message("tasks.render_effect", "good", &json!(["cat", "dog", "out"]))]);
    let asked = Instant::now();
    while !redis.ask::<bool>(&["EXISTS", "celery-task-meta-bad"]) {
        assert!(asked.elapsed() < Duration::from_secs(150), "nobody is told");
        std::thread::park_timeout(Duration::from_millis(100));
    }
    let told = result(&redis, "bad");
    assert!(asked.elapsed() > Duration::from_secs(50), "{:?}", asked.elapsed());
    assert_eq!((&told["status"], &told["result"]["exc_type"]), (&"FAILURE".into(), &"RuntimeError".into()), "{told}");
    assert!(told["result"]["exc_message"].to_string().contains("it was tried for 60 seconds"), "{told}");
    assert_eq!(result(&redis, "good")["status"], "SUCCESS");
    until("both are let go of", || redis.ask::<usize>(&["LLEN", &home_list(&redis)]) == 0);
    assert_eq!(server.get("/runs").json().as_array().map(Vec::len), Some(1));
}
