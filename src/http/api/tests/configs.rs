//! Configs.

use axum::http::{Method, StatusCode};
use serde_json::json;

use super::site::{INK, Site};
use crate::base::ContentHash;

#[tokio::test]
async fn a_config_is_registered_once_and_described() {
    let site = Site::new();
    let answer = site.typed(Method::POST, "/configs/upload", "application/yaml", INK).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    let id = ContentHash::of(INK.as_bytes()).to_string();
    assert_eq!(answer.header("location"), format!("/configs/{id}"));
    let view = answer.value();
    assert_eq!(
        view,
        json!({"config_id": id, "name": "ink", "version": "1.0", "description": "lines", "nodes": 2,
               "variable_inputs": [{"id": "photo", "name": "picture", "description": null, "media": "image"}],
               "fixed_inputs": [], "output": "lines", "warnings": []})
    );
    let form = format!(
        "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"ink.yaml\"\r\n\r\n{INK}\r\n--x--\r\n"
    );
    let again = site.typed(Method::POST, "/configs/upload", "multipart/form-data; boundary=x", form).await;
    assert_eq!((again.status, again.value()), (StatusCode::OK, view.clone()));
    for word in [id.as_str(), "ink"] {
        let one = site.get(&format!("/configs/{word}")).await;
        assert_eq!((one.value(), one.header("vary")), (view.clone(), "Accept"));
        let file = site.get_with(&format!("/configs/{word}"), &[("accept", "application/yaml")]).await;
        assert_eq!((file.text().as_str(), file.header("vary")), (INK, "Accept"));
        assert!(file.header("content-type").starts_with("application/yaml"), "{}", file.header("content-type"));
    }
}

#[tokio::test]
async fn all_problems_of_a_config_are_told_with_their_lines() {
    let site = Site::new();
    let bad = "name: x\ndag:\n  nodes:\n    - id: a\n      type: SUORCE\n    - id: b\n      type: RESIZE\n      config: {width: -1}\n      inputs: [zz]\n  output: b\n";
    for path in ["/configs/upload", "/configs/upload?check=true"] {
        let answer = site.typed(Method::POST, path, "application/yaml", bad).await;
        answer.refused(422, "did you mean");
        let detail = answer.value()["detail"].clone();
        assert!(detail.as_array().unwrap().len() >= 3, "{detail}");
        assert_eq!(detail[0]["loc"], json!(["dag", "nodes", "a", "type"]));
        assert_eq!(detail[0]["line"], 5);
    }
    assert_eq!(site.get("/configs").await.value(), json!([]));
    site.typed(Method::POST, "/configs/upload", "application/yaml", "").await.refused(422, "");
    let large = "x".repeat(crate::base::limits::CONFIG_BYTES + 1);
    site.typed(Method::POST, "/configs/upload", "application/yaml", large).await.refused(413, "");
    site.typed(Method::POST, "/configs/upload?chekc=true", "application/yaml", INK).await.refused(422, "did you mean");
}

#[tokio::test]
async fn checking_registers_nothing() {
    let site = Site::new();
    let answer = site.typed(Method::POST, "/configs/upload?check=true", "application/yaml", INK).await;
    assert_eq!((answer.status, &answer.value()["name"]), (StatusCode::OK, &json!("ink")));
    assert_eq!(site.get("/configs").await.value(), json!([]));
}

#[tokio::test]
async fn configs_are_listed_newest_first_in_pages_and_deleted() {
    let site = Site::new();
    let mut ids = Vec::new();
    for text in [
        INK,
        "name: b\ndag: {nodes: [{id: s, type: SOURCE, config: {asset: cat}}], output: s}\n",
        "name: c\ndag: {nodes: [{id: s, type: SOURCE, config: {asset: cat}}], output: s}\n",
    ] {
        ids.insert(0, site.config(text).await);
    }
    let first = site.get("/configs?limit=2").await;
    assert_eq!(first.header("x-total-count"), "3");
    let rest = site.get(&first.next().unwrap()).await;
    assert!(rest.next().is_none());
    let listed: Vec<String> = [first.value(), rest.value()]
        .iter()
        .flat_map(|page| page.as_array().unwrap().clone())
        .map(|config| config["config_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(listed, ids);
    assert_eq!(first.value()[0]["fixed_inputs"][0]["asset"], "cat");

    let path = format!("/configs/{}", ids[0]);
    assert_eq!(site.delete(&format!("{path}?dry_run=true")).await.value()["deleted"], false);
    let deleted = site.delete(&path).await.value();
    assert_eq!(
        (&deleted["deleted"], &deleted["config_id"], &deleted["kept"]),
        (&json!(true), &json!(ids[0]), &json!([]))
    );
    for (method, path) in [(Method::GET, path.as_str()), (Method::DELETE, &path), (Method::DELETE, "/configs/ink")] {
        site.ask(method, path).await.refused(404, "no config");
    }
    // What a run was made from stays with the run.
    let run = site.run(&json!({"recipe": "ink", "inputs": ["cat"]})).await;
    let deleted = site.delete(&format!("/configs/{}", ids[2])).await.value();
    assert!(deleted["kept"][0]["because"].as_str().unwrap().contains(run["run_id"].as_str().unwrap()));
    let plan = site.get(&format!("/runs/{}/plan", run["run_id"].as_str().unwrap())).await;
    assert_eq!(plan.status, StatusCode::OK);
    for query in ["limit=0", "cursor=x", "dry_run=true"] {
        site.get(&format!("/configs?{query}")).await.refused(422, "");
    }
}
