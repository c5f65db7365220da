//! Blobs.

use axum::http::{Method, StatusCode};
use serde_json::json;

use super::site::Site;
use crate::base::ContentHash;

#[tokio::test]
async fn blobs_are_listed_newest_first_in_pages() {
    let site = Site::new();
    let mut made = vec![site.cat().await];
    for bytes in [&b"one"[..], b"two", b"three"] {
        made.insert(0, site.upload(bytes).await);
    }
    let mut seen = Vec::new();
    let mut path = Some("/cache?limit=3".to_owned());
    while let Some(page) = path {
        let answer = site.get(&page).await;
        assert_eq!((answer.header("x-total-count"), answer.header("vary")), ("4", "Accept"));
        let hashes = answer.value();
        seen.extend(hashes.as_array().unwrap().iter().map(|hash| hash.as_str().unwrap().to_owned()));
        path = answer.next();
    }
    assert_eq!(seen, made);
    let pictures = site.get("/cache?media_type=image/&details=true").await;
    assert_eq!(pictures.header("x-total-count"), "");
    let pictures = pictures.value();
    let cat = &pictures[0];
    assert_eq!((pictures.as_array().unwrap().len(), &cat["content_hash"]), (1, &json!(made[3])));
    assert_eq!(
        (&cat["media_type"], &cat["names"], &cat["origin"]),
        (&json!("image/png"), &json!(["cat"]), &json!("upload"))
    );
    assert!(cat["width"].as_u64().unwrap() > 0 && cat["size"].as_u64().unwrap() > 0);
    for (query, words) in [("details=perhaps", "true or false"), ("limit=-1", "1 to 1000"), ("typ=x", "no parameter")] {
        site.get(&format!("/cache?{query}")).await.refused(422, words);
    }
}

#[tokio::test]
async fn a_blob_is_sent_by_its_hash_and_an_asset_leads_to_it() {
    let site = Site::new();
    let hash = site.upload(b"some words\n").await;
    let answer = site.get(&format!("/cache/{hash}")).await;
    assert_eq!((answer.status, answer.text().as_str()), (StatusCode::OK, "some words\n"));
    assert_eq!(answer.header("etag"), format!("\"{hash}\""));
    assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
    let part = site.get_with(&format!("/cache/{hash}"), &[("range", "bytes=5-9")]).await;
    assert_eq!((part.status, part.text().as_str()), (StatusCode::PARTIAL_CONTENT, "words"));
    let known = site.get_with(&format!("/cache/{hash}"), &[("if-none-match", answer.header("etag"))]).await;
    assert_eq!(known.status, StatusCode::NOT_MODIFIED);
    let beyond = site.get_with(&format!("/cache/{hash}"), &[("range", "bytes=99-")]).await;
    assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);
    let saved = site.get(&format!("/cache/{hash}?download=words.txt")).await;
    assert!(saved.header("content-disposition").contains("words.txt"));
    let head = site.ask(Method::HEAD, &format!("/cache/{hash}")).await;
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (StatusCode::OK, "11", 0));
    let cat = site.get("/cache/cat?download=c.png").await;
    assert_eq!(cat.status, StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(cat.header("location"), format!("/cache/{}?download=c.png", site.cat().await));
    assert_eq!(cat.header("cache-control"), "no-store");
    site.get(&format!("/cache/{hash}?donwload=x")).await.refused(422, "did you mean");
}

#[tokio::test]
async fn s4_what_is_no_blob_is_unknown() {
    let site = Site::new();
    let short = "a".repeat(63);
    let long = "a".repeat(65);
    for word in
        [short.as_str(), &long, &"A".repeat(64), &"0".repeat(64), "..%2f..%2fetc%2fpasswd", "%00", "%ff", "no such"]
    {
        let word = word.replace(' ', "%20");
        site.get(&format!("/cache/{word}")).await.refused(404, "no ");
        site.get(&format!("/cache/{word}/info")).await.refused(404, "no ");
        site.delete(&format!("/cache/{word}")).await.refused(404, "no ");
    }
    // Deleting takes hashes alone.
    site.delete("/cache/cat").await.refused(404, "no blob");
}

#[tokio::test]
async fn what_is_known_of_a_blob_is_told() {
    let site = Site::new();
    let run = site.run(&json!({"recipe": "invert", "inputs": ["cat"]})).await;
    let info = site.get("/cache/cat/info").await.value();
    assert_eq!((&info["names"], &info["deletable"]), (&json!(["cat"]), &json!(false)));
    assert!(info["used_by"].to_string().contains(run["run_id"].as_str().unwrap()));
    let made = site.get(&format!("/cache/{}/info", run["output_hash"].as_str().unwrap())).await.value();
    assert_eq!(made["made_by"]["run"], run["run_id"]);
    assert_eq!((&made["published"], &made["media_type"]), (&json!(false), &json!("image/png")));
}

#[tokio::test]
async fn a_blob_that_nothing_holds_is_deleted_with_its_names() {
    let site = Site::new();
    let hash = site.upload(b"to be deleted").await;
    site.json(Method::PUT, "/assets/words", &json!({"content_hash": hash})).await;
    let path = format!("/cache/{hash}");
    let asked = site.delete(&format!("{path}?dry_run=true")).await.value();
    assert_eq!(
        (&asked["deleted"], &asked["freed_bytes"], &asked["names"]),
        (&json!(false), &json!(13), &json!(["words"]))
    );
    assert_eq!(site.get(&path).await.status, StatusCode::OK);
    assert_eq!(site.delete(&path).await.value()["deleted"], true);
    site.get(&path).await.refused(404, "no blob");
    assert!(site.get("/assets").await.value().get("words").is_none());
    let run = site.run(&json!({"recipe": "invert", "inputs": ["cat"]})).await;
    let cat = site.cat().await;
    for query in ["", "?dry_run=true"] {
        site.delete(&format!("/cache/{cat}{query}")).await.refused(409, run["run_id"].as_str().unwrap());
    }
}

#[tokio::test]
async fn a_file_is_taken_in_as_it_is_or_as_a_form() {
    let site = Site::new();
    let raw = site.typed(Method::POST, "/cache/upload?name=words", "text/plain", "hello").await;
    assert_eq!(raw.status, StatusCode::CREATED, "{}", raw.text());
    let upload = raw.value();
    let hash = ContentHash::of(b"hello").to_string();
    assert_eq!((&upload["content_hash"], &upload["size"], &upload["name"]), (&json!(hash), &json!(5), &json!("words")));
    assert_eq!((&upload["existing"], raw.header("location")), (&json!(false), format!("/cache/{hash}").as_str()));
    let form = "--x\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\nno file\r\n--x\r\nContent-Disposition: \
                form-data; name=\"file\"; filename=\"h.txt\"\r\n\r\nhello\r\n--x--\r\n";
    let again = site.typed(Method::POST, "/cache/upload", "multipart/form-data; boundary=x", form).await;
    assert_eq!((again.status, &again.value()["existing"]), (StatusCode::OK, &json!(true)));
    site.typed(Method::POST, "/cache/upload?name=a/b", "text/plain", "x").await.refused(422, "may not hold");
    site.typed(Method::POST, "/cache/upload?nam=a", "text/plain", "x").await.refused(422, "did you mean");
    site.typed(Method::POST, "/cache/upload", "multipart/form-data; boundary=x", "--x--\r\n")
        .await
        .refused(422, "file");
}

#[tokio::test]
async fn a_name_is_pointed_elsewhere_only_by_who_may_delete() {
    let site = Site::new();
    let cat = site.cat().await;
    let anonymous = site.anonymous();
    anonymous.typed(Method::POST, "/cache/upload?name=cat", "text/plain", "no cat").await.refused(401, "token");
    assert_eq!(site.cat().await, cat);
    let moved = site.typed(Method::POST, "/cache/upload?name=cat", "text/plain", "another cat").await;
    assert_eq!(moved.status, StatusCode::CREATED);
    assert_eq!(site.cat().await, moved.value()["content_hash"]);
}

#[tokio::test]
async fn imports_come_from_nowhere_unless_the_settings_say_so() {
    let site = Site::new();
    site.post("/cache/import").await.refused(422, "required");
    let outside = site.post("/cache/import?path=/etc/hostname").await;
    assert!(outside.status.is_client_error() && !outside.text().contains("hostname\n"), "{}", outside.text());
}

#[tokio::test]
async fn blobs_are_hashed_again() {
    let site = Site::new();
    let hash = site.upload(b"one").await;
    let report = site.post("/cache/verify").await.value();
    assert_eq!((&report["checked"], &report["damaged"]), (&json!(2), &json!([])));
    let report = site.post(&format!("/cache/verify?content_hash={hash}")).await.value();
    assert_eq!(report["checked"], 1);
    site.post("/cache/verify?content_hash=xyz").await.refused(422, "64");
    site.post(&format!("/cache/verify?content_hash={}", "0".repeat(64))).await.refused(404, "no blob");
    let turn = site.app.verifications.clone().try_acquire_owned().unwrap();
    let busy = site.post("/cache/verify").await;
    busy.refused(429, "already");
    assert_eq!(busy.header("retry-after"), "10");
    drop(turn);
}

#[tokio::test]
async fn room_is_made_of_what_can_be_made_again() {
    let site = Site::new();
    let run = site.run(&json!({"recipe": "invert", "inputs": ["cat"]})).await;
    let asked = site.post("/cache/gc?max_bytes=0&dry_run=true").await.value();
    assert_eq!(asked["dry_run"], true);
    let done = site.post("/cache/gc?max_bytes=0").await.value();
    assert_eq!((&done["evicted"], &done["cap_bytes"]), (&asked["evicted"], &json!(0)));
    // The output of a run is held.
    let output = format!("/cache/{}", run["output_hash"].as_str().unwrap());
    assert_eq!(site.get(&output).await.status, StatusCode::OK);
    site.post("/cache/gc?max_bytes=lots").await.refused(422, "whole number");
    site.post("/cache/gc?dry_run=perhaps").await.refused(422, "true or false");
}
