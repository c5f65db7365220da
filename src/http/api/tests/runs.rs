//! Runs that are there.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::site::{INK, Site};

async fn held(site: &Site, recipe: &str) -> String {
    let answer = site.json(Method::POST, "/runs", &json!({"recipe": recipe, "inputs": ["cat"], "held": true})).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    answer.value()["run_id"].as_str().unwrap().to_owned()
}

fn ids(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|run| run["run_id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn runs_are_listed_newest_first_in_pages() {
    let site = Site::new();
    let mut made = Vec::new();
    for _ in 0..5 {
        made.insert(0, held(&site, "dog").await);
    }
    let mut seen = Vec::new();
    let mut path = Some("/runs?limit=2&status=pending".to_owned());
    let mut pages = 0;
    while let Some(page) = path {
        let answer = site.get(&page).await;
        assert_eq!((answer.status, answer.header("vary")), (StatusCode::OK, "Accept"));
        assert_eq!(answer.header("x-total-count"), "5");
        seen.extend(ids(&answer.value()));
        path = answer.next();
        pages += 1;
        // What is new does not shift the pages that follow.
        if pages == 1 {
            held(&site, "invert").await;
            site.delete("/runs").await;
            assert!(path.as_ref().is_some_and(|next| next.contains("limit=2") && next.contains("status=pending")));
        }
        if pages == 1 {
            let newest = ids(&site.get("/runs?limit=1").await.value()).remove(0);
            site.post(&format!("/runs/{newest}/cancel")).await;
        }
    }
    assert_eq!((seen, pages), (made, 3));
}

#[tokio::test]
async fn runs_are_filtered() {
    let site = Site::new();
    let cat = site.cat().await;
    let done = site.run(&json!({"recipe": "invert", "inputs": ["cat"]})).await;
    let (id, output) = (done["run_id"].as_str().unwrap(), done["output_hash"].as_str().unwrap());
    let waiting = held(&site, "dog").await;
    for (query, expected) in [
        ("status=completed", vec![id]),
        ("status=pending", vec![waiting.as_str()]),
        ("status=failed", vec![]),
        ("recipe=invert", vec![id]),
        (&format!("input={cat}"), vec![waiting.as_str(), id]),
        (&format!("output={output}"), vec![id]),
        (&format!("output={cat}"), vec![]),
        ("", vec![waiting.as_str(), id]),
    ] {
        let answer = site.get(&format!("/runs?{query}")).await;
        assert_eq!(ids(&answer.value()), expected, "{query}");
    }
    for (query, words) in [
        ("status=done", "pending, running"),
        ("input=cat", "content hash"),
        ("limit=0", "1 to 1000"),
        ("limit=1001", "1 to 1000"),
        ("limit=ten", "1 to 1000"),
        ("cursor=abc", "no cursor"),
        ("sttus=failed", "did you mean"),
        ("status=failed&status=completed", "2 times"),
    ] {
        site.get(&format!("/runs?{query}")).await.refused(422, words);
    }
    // A cursor of another list is none of this one.
    site.upload(b"something else").await;
    let other = site.get("/cache?limit=1").await.next().unwrap();
    let cursor = other.split("cursor=").nth(1).unwrap();
    site.get(&format!("/runs?cursor={cursor}")).await.refused(422, "no cursor");
}

#[tokio::test]
async fn s4_an_id_of_any_shape_that_is_no_runs_is_unknown() {
    let site = Site::new();
    let never = crate::base::RunId::new().to_string();
    for id in ["x", "1", &never, "..%2f..%2fetc", "%00", "%ff", "0", &"f".repeat(64), "latest", &"a".repeat(5000)] {
        for part in ["", "/plan", "/events", "/provenance", "/why?node=x"] {
            site.get(&format!("/runs/{id}{part}")).await.refused(404, "no ");
        }
        for part in ["/verify", "/hold", "/release", "/cancel"] {
            site.post(&format!("/runs/{id}{part}")).await.refused(404, "no ");
        }
        site.delete(&format!("/runs/{id}")).await.refused(404, "no ");
    }
}

#[tokio::test]
async fn a_waiting_run_is_held_released_and_cancelled() {
    let site = Site::new();
    let run = held(&site, "dog").await;
    let view = site.get(&format!("/runs/{run}")).await.value();
    assert_eq!((&view["status"], &view["held"]), (&json!("pending"), &json!(true)));
    site.delete(&format!("/runs/{run}")).await.refused(409, "cancel it first");
    let view = site.post(&format!("/runs/{run}/hold")).await;
    assert_eq!((view.status, &view.value()["held"]), (StatusCode::OK, &json!(true)));
    assert_eq!(site.post(&format!("/runs/{run}/release")).await.value()["held"], json!(false));
    assert_eq!(site.ended(&run).await["status"], "completed");
    site.post(&format!("/runs/{run}/hold")).await.refused(409, "completed");
    site.post(&format!("/runs/{run}/release")).await.refused(409, "completed");
    site.post(&format!("/runs/{run}/cancel")).await.refused(409, "has ended");
    let other = held(&site, "invert").await;
    assert_eq!(site.post(&format!("/runs/{other}/cancel")).await.value()["status"], "cancelled");
    site.post(&format!("/runs/{other}/cancel")).await.refused(409, "cancelled");
}

#[tokio::test]
async fn a_run_is_deleted_with_what_only_it_used() {
    let site = Site::new();
    let cat = site.cat().await;
    let run = site.run(&json!({"recipe": "invert", "inputs": ["cat"]})).await;
    let path = format!("/runs/{}", run["run_id"].as_str().unwrap());
    let output = format!("/cache/{}", run["output_hash"].as_str().unwrap());
    site.delete(&format!("{path}?dry_run=maybe")).await.refused(422, "true or false");
    site.delete(&format!("{path}?dryrun=true")).await.refused(422, "did you mean");
    let asked = site.delete(&format!("{path}?dry_run=true")).await.value();
    assert_eq!(asked["deleted"], false);
    assert_eq!(site.get(&path).await.status, StatusCode::OK);
    let deleted = site.delete(&path).await.value();
    assert_eq!((&deleted["deleted"], &deleted["run_id"]), (&json!(true), &run["run_id"]));
    assert_eq!(deleted["freed_bytes"], asked["freed_bytes"]);
    assert!(deleted["freed_bytes"].as_u64().unwrap() > 0);
    assert!(deleted["kept"].as_array().unwrap().iter().any(|kept| kept["content_hash"] == cat.as_str()));
    site.get(&path).await.refused(404, "no run");
    site.get(&output).await.refused(404, "no blob");
    site.delete(&path).await.refused(404, "no run");
}

#[tokio::test]
async fn the_parts_of_a_run_are_told() {
    let site = Site::new();
    site.config(INK).await;
    let run = site.run(&json!({"recipe": "ink", "inputs": ["cat"]})).await;
    let path = format!("/runs/{}", run["run_id"].as_str().unwrap());
    let plan = site.get(&format!("{path}/plan")).await.value();
    assert_eq!(plan["nodes"].as_array().unwrap().len(), 3);
    let provenance = site.get(&format!("{path}/provenance")).await;
    assert_eq!(provenance.header("content-type"), "application/json");
    assert_eq!(crate::base::ContentHash::of(&provenance.body).to_string(), run["provenance_hash"]);
    assert_eq!(provenance.value()["rendered_by"], "ann");
    let why = site.get(&format!("{path}/why?node=lines")).await.value();
    assert_eq!(why["node"], "lines");
    site.get(&format!("{path}/why")).await.refused(422, "required");
    site.get(&format!("{path}/why?node=lins")).await.refused(404, "did you mean");
    let waiting = held(&site, "dog").await;
    site.get(&format!("/runs/{waiting}/provenance")).await.refused(404, "no provenance");
    site.post(&format!("/runs/{waiting}/verify")).await.refused(409, "pending");
    let verify = site.post(&format!("{path}/verify")).await;
    assert_eq!(verify.status, StatusCode::CREATED, "{}", verify.text());
    let verifying = verify.value();
    assert_eq!(verify.header("location"), format!("/runs/{}", verifying["run_id"].as_str().unwrap()));
    let verified = site.ended(verifying["run_id"].as_str().unwrap()).await;
    assert_eq!((&verified["verdict"], &verified["verifies"]), (&json!("same"), &run["run_id"]));
}

#[tokio::test]
async fn a_record_is_given_signed_and_as_prov_when_asked_for() {
    let site = Site::new();
    let run = site.run(&json!({"recipe": "invert", "inputs": ["cat"]})).await;
    let path = format!("/runs/{}/provenance", run["run_id"].as_str().unwrap());
    let record = site.get(&path).await;
    assert_eq!(site.get(&format!("{path}?format=record")).await.text(), record.text());
    let sealed = crate::link::dsse::open(site.get(&format!("{path}?format=dsse")).await.text().as_bytes()).unwrap();
    assert_eq!(sealed.record, record.text());
    let prov = site.get(&format!("{path}?format=prov")).await.value();
    assert!(prov["activity"].is_object() && prov["wasGeneratedBy"].is_object(), "{prov}");
    assert_eq!(site.get(&format!("{path}?format=xml")).await.status, StatusCode::UNPROCESSABLE_ENTITY);
}
