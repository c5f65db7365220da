//! The server itself, its documents and its program.

use axum::http::StatusCode;

use super::site::Site;
use crate::base::ContentHash;

#[tokio::test]
async fn the_server_says_what_it_is_and_holds() {
    let site = Site::new();
    let answer = site.get("/").await;
    assert_eq!((answer.status, answer.header("vary")), (StatusCode::OK, "Accept"));
    let server = answer.value();
    assert_eq!(
        (server["name"].as_str(), server["version"].as_str()),
        (Some("artdag"), Some(env!("CARGO_PKG_VERSION")))
    );
    assert_eq!(server["storage"]["blobs"], 1);
    assert_eq!((&server["runs"]["pending"], &server["runs"]["completed"]), (&0.into(), &0.into()));
    assert!(server["threads"].is_u64() && server["ffmpeg"].is_boolean() && server["l2"].is_null());
}

#[tokio::test]
async fn it_says_that_it_lives_is_ready_and_which_build_it_is() {
    let site = Site::new();
    assert_eq!(site.get("/healthz").await.value()["status"], "ok");
    assert_eq!(site.get("/readyz").await.value()["status"], "ready");
    let version = site.get("/version").await.value();
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(version["build"].as_str().map(str::len), Some(64));
}

#[tokio::test]
async fn the_client_is_this_very_program() {
    let site = Site::new();
    let answer = site.get("/download/client").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("x-artdag-blake3"), ContentHash::of(&answer.body).to_string());
    assert_eq!(answer.header("x-artdag-version"), env!("CARGO_PKG_VERSION"));
    assert_eq!(answer.header("content-disposition"), "attachment; filename=\"artdag\"");
    assert_eq!(answer.header("content-length"), answer.body.len().to_string());
    let again = site.get_with("/download/client", &[("if-none-match", answer.header("etag"))]).await;
    assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
}

#[tokio::test]
async fn the_docs_load_nothing_from_elsewhere_and_run_nothing_inline() {
    let site = Site::new();
    let page = site.get("/docs").await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let text = page.text();
    assert!(!text.contains("//") || !text.contains("http"), "{text}");
    let mut files = 0;
    for part in text.split('"').filter(|part| part.starts_with("/docs/") || *part == "/openapi.json") {
        let file = site.get(part).await;
        assert_eq!(file.status, StatusCode::OK, "{part}");
        assert!(!file.body.is_empty());
        files += 1;
        let again = site.get_with(part, &[("if-none-match", file.header("etag"))]).await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED, "{part}");
    }
    assert_eq!(files, 7);
    let style = site.get("/docs/swagger-ui.css").await.text();
    assert!(style.starts_with("@layer swagger {") && style.matches('{').count() == style.matches('}').count());
    assert!(text.contains("<a href=\"/\">"), "no way back: {text}");
    for missing in ["/docs/index.html", "/docs/..%2fpage.html", "/docs/oauth2-redirect.html"] {
        site.get(missing).await.refused(404, "no file of the docs");
    }
}

#[tokio::test]
async fn effects_and_node_types_come_from_their_tables() {
    let site = Site::new();
    let effects = site.get("/effects").await;
    assert_eq!(effects.header("vary"), "Accept");
    assert_eq!(effects.header("x-total-count"), crate::effects::EFFECTS.len().to_string());
    let effects = effects.value();
    let dog = effects.as_array().unwrap().iter().find(|effect| effect["name"] == "dog").unwrap();
    assert!(
        dog["params"].as_array().unwrap().iter().any(|param| param["name"] == "sigma" && param["type"] == "number")
    );
    assert_eq!(dog["hash"].as_str().map(str::len), Some(64));
    assert_eq!((&dog["kinds_in"][0], &dog["determinism"]), (&"image".into(), &"everywhere".into()));
    let types = site.get("/node-types?limit=2").await;
    assert_eq!(types.value().as_array().map(Vec::len), Some(2));
    let rest = site.get(&types.next().unwrap()).await;
    assert_ne!(types.value()[0], rest.value()[0]);
    site.get("/effects?limit=0").await.refused(422, "1 to 1000");
    site.get("/node-types?cursor=x").await.refused(422, "cursor");
}

#[tokio::test]
async fn the_queue_is_paused_and_resumed() {
    let site = Site::new();
    assert_eq!(site.post("/queue/pause").await.value()["paused"], true);
    assert_eq!(site.get("/").await.value()["queue_paused"], true);
    assert_eq!(site.post("/queue/resume").await.value()["paused"], false);
    assert_eq!(site.get("/").await.value()["queue_paused"], false);
}
