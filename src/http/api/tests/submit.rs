//! Asking for runs.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::site::{INK, Site};

#[tokio::test]
async fn a_run_of_an_effect_is_accepted_and_ends() {
    let site = Site::new();
    let cat = site.cat().await;
    let answer = site
        .json(
            Method::POST,
            "/runs",
            &json!({"recipe": "dog", "inputs": [cat], "output_name": "my-output", "params": {"sigma": 2.0}, "priority": 3}),
        )
        .await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    let run = answer.value();
    let id = run["run_id"].as_str().unwrap();
    assert_eq!(answer.header("location"), format!("/runs/{id}"));
    assert_eq!(
        (&run["recipe"], &run["output_name"], &run["priority"]),
        (&json!("dog"), &json!("my-output"), &json!(3))
    );
    assert_eq!((&run["inputs"], &run["username"]), (&json!([cat]), &json!("ann")));
    assert_eq!(run["params"], json!({"sigma": 2.0}));
    let run = site.ended(id).await;
    assert_eq!(run["status"], "completed", "{run}");
    assert_eq!(run["output_media_type"], "image/png");
    let output = site.get(run["links"]["output"].as_str().unwrap()).await;
    assert_eq!(crate::base::ContentHash::of(&output.body).to_string(), run["output_hash"]);
}

#[tokio::test]
async fn inputs_are_listed_or_named_and_may_be_assets() {
    let site = Site::new();
    let (cat, config) = (site.cat().await, site.config(INK).await);
    for recipe in ["ink", config.as_str()] {
        for inputs in
            [json!(["cat"]), json!([cat]), json!([["cat"]]), json!({"photo": "cat"}), json!({"picture": [cat]})]
        {
            let run = site.run(&json!({"recipe": recipe, "inputs": inputs})).await;
            assert_eq!(run["status"], "completed", "{run}");
            assert_eq!(run["bindings"], json!({"photo": cat}));
        }
    }
    for (path, body) in [
        (format!("/configs/{config}/run"), json!({"inputs": {"photo": "cat"}, "params": {"lines": {"sigma": 1.0}}})),
        ("/configs/ink/run".to_owned(), json!({"inputs": ["cat"], "options": {"cache": false, "keep": ["lines"]}})),
        ("/configs/ink/run".to_owned(), json!({"inputs": ["cat"], "format": "jpg", "quality": 80})),
    ] {
        let answer = site.json(Method::POST, &path, &body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        assert_eq!(site.ended(answer.value()["run_id"].as_str().unwrap()).await["status"], "completed");
    }
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_body_is_told() {
    let site = Site::new();
    let body = json!({"inputs": [1, ["cat", null]], "priority": "high", "optoins": {}, "options": {"cahce": true},
                      "output_name": 5, "format": "pgn", "held": "yes"});
    let answer = site.json(Method::POST, "/runs", &body).await;
    answer.refused(422, "did you mean \\\"options\\\"?");
    let places = answer.places();
    for place in [
        json!(["body", "recipe"]),
        json!(["body", "inputs", 0]),
        json!(["body", "inputs", 1, 1]),
        json!(["body", "priority"]),
        json!(["body", "optoins"]),
        json!(["body", "options", "cahce"]),
        json!(["body", "output_name"]),
        json!(["body", "format"]),
        json!(["body", "held"]),
    ] {
        assert!(places.contains(&place), "{place}: {places:?}");
    }
    assert_eq!(places.len(), 9);
}

#[tokio::test]
async fn what_cannot_be_run_is_refused() {
    let site = Site::new();
    let config = site.config(INK).await;
    let nothing = "0".repeat(64);
    for (body, status, words) in [
        (json!({"recipe": "dgo", "inputs": ["cat"]}), 404, "did you mean \\\"dog\\\""),
        (json!({"recipe": nothing, "inputs": ["cat"]}), 404, "no effect or config"),
        (json!({"recipe": "dog", "inputs": ["cta"]}), 404, "did you mean \\\"cat\\\""),
        (json!({"recipe": "dog", "inputs": [nothing]}), 404, "no blob"),
        (json!({"recipe": "dog", "inputs": []}), 422, "takes 1 input"),
        (json!({"recipe": "dog", "inputs": [["cat", "cat"]]}), 422, "takes one"),
        (json!({"recipe": "dog", "inputs": {"nope": "cat"}}), 422, "there is no input"),
        (json!({"recipe": "dog", "inputs": ["cat"], "params": {"sgima": 1}}), 422, "sigma"),
        (json!({"recipe": "dog", "inputs": ["cat"], "params": {"sigma": "wide"}}), 422, "params"),
        (json!({"recipe": "dog", "inputs": ["cat"], "output_name": "a/b"}), 422, "output_name"),
        (json!({"recipe": "dog", "inputs": ["cat"], "quality": 5}), 422, "format"),
        (json!({"recipe": "dog", "inputs": ["cat"], "format": "png", "quality": 5}), 422, "no quality"),
        (json!({"recipe": "dog", "inputs": ["cat"], "options": {"keep": ["nope"]}}), 404, "nope"),
        (json!({"recipe": config, "inputs": ["cat"], "params": {"lins": {}}}), 422, "did you mean"),
    ] {
        let answer = site.json(Method::POST, "/runs", &body).await;
        answer.refused(status, words);
        if status == 422 {
            assert!(answer.places().iter().all(|place| place[0] == "body"), "{:?}", answer.places());
        }
    }
    let text = site.upload(b"no picture at all, only words\n").await;
    site.json(Method::POST, "/runs", &json!({"recipe": "dog", "inputs": [text]})).await.refused(422, "");
    assert_eq!(site.get("/runs").await.value(), json!([]));
    for path in ["/configs/nope/run", "/configs/nope/plan", "/configs/nope/why?node=x"] {
        site.json(Method::POST, path, &json!({"inputs": ["cat"]})).await.refused(404, "no effect or config");
    }
}

#[tokio::test]
async fn s18_a_body_that_is_malformed_mistyped_or_too_large_is_refused() {
    let site = Site::new();
    for path in ["/runs", "/configs/x/run", "/configs/x/plan"] {
        for text in ["", "{", "[1,", "{\"recipe\": \"dog\"} x", "nul", "\"\\ud800\"", &"[".repeat(1000)] {
            site.typed(Method::POST, path, "application/json", text.to_owned()).await.refused(400, "no JSON");
        }
        site.typed(Method::POST, path, "application/json", "[]").await.refused(422, "an object");
        for kind in ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"] {
            site.typed(Method::POST, path, kind, "{}").await.refused(415, "JSON");
        }
        let large = format!("{{\"recipe\": \"{}\"}}", "x".repeat(crate::base::limits::JSON_BYTES as usize));
        site.typed(Method::POST, path, "application/json", large).await.refused(413, "bytes");
    }
}

#[tokio::test]
async fn r15_a_key_that_comes_again_is_the_same_run() {
    let site = Site::new();
    let body = json!({"recipe": "dog", "inputs": ["cat"], "held": true});
    let post = async |site: &Site, key: &str, body: &Value| {
        let request = axum::http::Request::post("/runs")
            .header("content-type", "application/json")
            .header("idempotency-key", key)
            .body(body.to_string().into())
            .unwrap();
        site.send(request).await
    };
    let first = post(&site, "k-1", &body).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text());
    let reordered = json!({"held": true, "inputs": ["cat"], "recipe": "dog"});
    let again = post(&site, "k-1", &reordered).await;
    assert_eq!((again.status, &again.value()["run_id"]), (StatusCode::OK, &first.value()["run_id"]));
    assert_eq!(again.header("location"), first.header("location"));
    for other in [
        json!({"recipe": "invert", "inputs": ["cat"]}),
        json!({"recipe": "dog", "inputs": ["nothing"]}),
        json!({"recipe": "nothing"}),
        json!({"recipe": 5}),
    ] {
        post(&site, "k-1", &other).await.refused(409, "new key");
    }
    // What it named may be gone by then.
    site.json(Method::PUT, "/assets/mine", &json!({"content_hash": "cat"})).await;
    let named = json!({"recipe": "dog", "inputs": ["mine"], "held": true});
    let made = post(&site, "k-2", &named).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    site.delete("/assets/mine").await;
    let again = post(&site, "k-2", &named).await;
    assert_eq!((again.status, &again.value()["run_id"]), (StatusCode::OK, &made.value()["run_id"]));
    site.delete(again.header("location")).await.refused(409, "cancel it first");
    site.post(&format!("{}/cancel", again.header("location"))).await;
    site.delete(again.header("location")).await;
    // Another caller's key of the same text is another key.
    let other = post(&site.anonymous(), "k-1", &body).await;
    assert_eq!(other.status, StatusCode::CREATED);
    assert_ne!(other.value()["run_id"], first.value()["run_id"]);
    assert_eq!(site.get("/runs").await.header("x-total-count"), "2");
    for key in ["two words", &"x".repeat(256)] {
        post(&site, key, &body).await.refused(422, "visible ASCII");
    }
}

#[tokio::test]
async fn a_plan_runs_nothing_and_says_what_would_be_done() {
    let site = Site::new();
    site.config(INK).await;
    let body = json!({"inputs": {"photo": "cat"}});
    let plan = site.json(Method::POST, "/configs/ink/plan", &body).await;
    assert_eq!(plan.status, StatusCode::OK, "{}", plan.text());
    let plan = plan.value();
    let nodes: Vec<(&str, &str)> = plan["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| (node["id"].as_str().unwrap(), node["known"].as_str().unwrap()))
        .collect();
    assert_eq!(nodes, [("photo", "source"), ("lines", "miss"), ("lines:encode", "miss")]);
    assert!(plan["estimated_seconds"].as_f64().unwrap() > 0.0);
    assert_eq!(site.get("/runs").await.value(), json!([]));
    site.json(Method::POST, "/configs/ink/plan", &json!({})).await.refused(422, "missing");
    let run = site.json(Method::POST, "/configs/ink/run", &body).await.value();
    site.ended(run["run_id"].as_str().unwrap()).await;
    let plan = site.json(Method::POST, "/configs/ink/plan", &body).await.value();
    assert_eq!(plan["misses"], 0);
    let other = json!({"inputs": {"photo": "cat"}, "params": {"lines": {"sigma": 3.5}}});
    let why = site.json(Method::POST, "/configs/ink/why?node=lines", &other).await.value();
    assert_eq!((&why["state"], &why["differences"][0]["part"]), (&json!("miss"), &json!("parameters.params.sigma")));
    site.json(Method::POST, "/configs/ink/why", &other).await.refused(422, "required");
    site.json(Method::POST, "/configs/ink/why?node=lins", &other).await.refused(404, "did you mean");
    let plan = site.json(Method::POST, "/configs/invert/plan", &json!({"inputs": ["cat"]})).await.value();
    assert_eq!(plan["nodes"][1]["id"], "invert");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_hangs_holds_no_thread_of_those_who_wait_for_it() {
    let site = Site::new();
    let cat = site.cat().await;
    let known = site.run(&json!({"recipe": "identity", "inputs": [cat]})).await;
    let release = site.app.engine.hold_writes();
    // More than a runtime has threads that may wait; each second one has something to do.
    let asked: Vec<_> = (0..600)
        .map(|n| {
            let (site, cat) = (site.clone(), cat.clone());
            tokio::spawn(async move {
                let (recipe, params) =
                    if n % 2 == 0 { ("identity", json!({})) } else { ("blur", json!({"sigma": 1.5})) };
                let body = json!({"recipe": recipe, "inputs": [cat], "params": params});
                site.json(Method::POST, "/runs", &body).await.status
            })
        })
        .collect();
    let all_wait = async {
        while site.app.engine.waiting_writes() < 600 {
            tokio::task::yield_now().await;
        }
        site.get(&format!("/runs/{}", known["run_id"].as_str().unwrap())).await.status
    };
    let read = tokio::time::timeout(Duration::from_secs(60), all_wait).await;
    assert_eq!(read, Ok(StatusCode::OK));
    release();
    for asked in asked {
        assert_eq!(asked.await.unwrap(), StatusCode::CREATED);
    }
}

#[tokio::test]
async fn lists_that_are_too_long_are_refused_before_they_are_looked_up() {
    let site = Site::new();
    let long = vec!["nothing"; crate::base::limits::LIST_ITEMS + 1];
    let more = vec!["nothing"; crate::base::limits::CONFIG_NODES + 1];
    for inputs in [json!({"input": long}), json!([long]), json!(more)] {
        let answer = site.json(Method::POST, "/runs", &json!({"recipe": "identity", "inputs": inputs})).await;
        answer.refused(422, "at most");
        assert_eq!(answer.value()["detail"][0]["type"], "too_long");
    }
}
