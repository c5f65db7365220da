//! Names of blobs.

use axum::http::{Method, StatusCode};
use serde_json::json;

use super::site::Site;

#[tokio::test]
async fn names_are_listed_set_and_deleted() {
    let site = Site::new();
    let hash = site.upload(b"words").await;
    let set = site.json(Method::PUT, "/assets/my%20words", &json!({"content_hash": hash})).await;
    assert_eq!((set.status, set.header("location")), (StatusCode::CREATED, "/cache/my%20words"));
    assert_eq!(set.value(), json!({"name": "my words", "content_hash": hash}));
    let again = site.json(Method::PUT, "/assets/my%20words", &json!({"content_hash": "my words"})).await;
    assert_eq!(again.status, StatusCode::OK);
    let all = site.get("/assets").await;
    assert_eq!((all.header("x-total-count"), &all.value()["my words"]), ("2", &json!(hash)));
    let details = site.get("/assets?details=true").await.value();
    assert_eq!(details["my words"]["content_hash"], json!(hash));
    assert!(details["my words"]["created_at"].is_string());
    assert_eq!(site.delete("/assets/my%20words?dry_run=true").await.value()["deleted"], false);
    let deleted = site.delete("/assets/my%20words").await.value();
    assert_eq!(deleted, json!({"deleted": true, "name": "my words", "content_hash": hash}));
    site.delete("/assets/my%20words").await.refused(404, "no asset");
    assert_eq!(site.get(&format!("/cache/{hash}")).await.status, StatusCode::OK);
    site.get("/assets?details=1x").await.refused(422, "true or false");
    site.delete("/assets/cat?dry_run=").await.refused(422, "true or false");
}

#[tokio::test]
async fn what_can_be_no_name_or_leads_nowhere_is_refused() {
    let site = Site::new();
    let put = async |path: &str, body| site.json(Method::PUT, path, &body).await;
    put("/assets/-x", json!({"content_hash": "cat"})).await.refused(422, "may not hold");
    put(&format!("/assets/{}", "a".repeat(64)), json!({"content_hash": "cat"})).await.refused(422, "look like");
    put("/assets/a%2fb", json!({"content_hash": "cat"})).await.refused(422, "may not hold");
    put("/assets/x", json!({"content_hash": "0".repeat(64)})).await.refused(404, "no blob");
    put("/assets/x", json!({"content_hash": "cta"})).await.refused(404, "did you mean");
    put("/assets/x", json!({})).await.refused(422, "required");
    put("/assets/x", json!({"content_hash": 5})).await.refused(422, "a text");
    put("/assets/x", json!({"content_hash": "cat", "hash": "cat"})).await.refused(422, "no field");
    site.typed(Method::PUT, "/assets/x", "text/plain", "{}").await.refused(415, "JSON");
    site.typed(Method::PUT, "/assets/x", "application/json", "{").await.refused(400, "no JSON");
}

#[tokio::test]
async fn a_name_is_pointed_elsewhere_only_by_who_may_delete() {
    let site = Site::new();
    let (cat, words) = (site.cat().await, site.upload(b"words").await);
    let anonymous = site.anonymous();
    let refused = anonymous.json(Method::PUT, "/assets/cat", &json!({"content_hash": words})).await;
    refused.refused(401, "token");
    assert_eq!(refused.header("www-authenticate"), "Bearer");
    assert_eq!(site.cat().await, cat);
    // Where it points already, and new names, are anybody's.
    assert_eq!(anonymous.json(Method::PUT, "/assets/cat", &json!({"content_hash": cat})).await.status, StatusCode::OK);
    assert_eq!(
        anonymous.json(Method::PUT, "/assets/new", &json!({"content_hash": cat})).await.status,
        StatusCode::CREATED
    );
    assert_eq!(site.json(Method::PUT, "/assets/cat", &json!({"content_hash": words})).await.status, StatusCode::OK);
    assert_eq!(site.cat().await, words);
}
