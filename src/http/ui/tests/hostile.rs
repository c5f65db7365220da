//! Names and media that want to be more than they are.

use axum::http::Method;

use super::browser::Browser;

const SCRIPT: &str = "<script>alert(1)</script>";
const QUOTE: &str = "\" onmouseover=\"alert(1)";

#[tokio::test]
async fn s3_names_are_texts_on_every_page() {
    let browser = Browser::new().logged_in().await;
    let name = crate::http::query::path_part(&format!("{SCRIPT}{QUOTE}"));
    let hash = browser.upload(b"\x89PNG\r\n\x1a\n nothing more").await;
    browser
        .call(
            Method::PUT,
            &format!("/assets/{}", name.replace("%2F", "-")),
            "application/json",
            format!("{{\"content_hash\": \"{hash}\"}}"),
        )
        .await;
    let yaml = serde_json::json!({
        "name": format!("{SCRIPT}{QUOTE}"), "version": SCRIPT, "description": format!("{SCRIPT}{QUOTE}"), "owner": SCRIPT,
        "dag": {"nodes": [
            {"id": "photo", "type": "SOURCE", "config": {"input": true, "name": format!("{SCRIPT}{QUOTE}"), "description": SCRIPT, "media": "image"}},
            {"id": "text", "type": "GENERATE", "config": {"kind": "text", "text": format!("{SCRIPT}{QUOTE}"), "width": 64, "height": 64}},
            {"id": "both", "type": "BLEND", "config": {"mode": "multiply"}, "inputs": {"base": "photo", "overlay": "text"}},
        ], "output": "both"}
    });
    let id = browser.config(yaml.to_string()).await;
    let shown = browser
        .post(&format!("/recipe/{id}/run"), &[("input.photo", "cat"), ("output_name", "<script>alert(1)<b>")])
        .await;
    let run = browser.ended(&shown).await;
    let pages = [
        "/".to_owned(),
        "/runs".to_owned(),
        "/media".to_owned(),
        format!("/media/{hash}"),
        "/recipes".to_owned(),
        format!("/recipe/{id}"),
        format!("/recipes/new?from={id}"),
        format!("/run/{run}"),
        format!("/run/{run}?node=text"),
        format!("/run/{run}/delete"),
        format!("/media?q={name}"),
        "/media/%3Cscript%3E".to_owned(),
        "/runs?recipe=%3Cscript%3E".to_owned(),
        "/%3Cscript%3Ealert(1)%3C/script%3E".to_owned(),
        format!("/run/{run}?node=%3Cscript%3E"),
        format!("/recipe/{id}/delete"),
        "/auth?next=%2F%3Cscript%3E".to_owned(),
        "/recipe/dog?input=%22%3E%3Cscript%3E".to_owned(),
    ];
    for path in pages {
        let shown = browser.get(&path).await;
        let text = shown.text();
        assert_eq!(shown.header("content-type"), "text/html; charset=utf-8", "{path}");
        assert!(
            !text.contains("<script>") && !text.contains("\" onmouseover=") && !text.contains("<b>"),
            "{path}: {text}"
        );
        assert!(shown.status.as_u16() < 500, "{path}");
    }
}

#[tokio::test]
async fn s3_media_that_a_browser_would_run_are_never_shown_as_pictures() {
    let browser = Browser::new();
    for bytes in [
        &b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"[..],
        b"<!DOCTYPE html><script>alert(1)</script>",
        b"%PDF-1.7\n",
        b"GIF89a broken",
    ] {
        let hash = browser.upload(bytes).await;
        let page = browser.get(&format!("/media/{hash}")).await.page(200);
        assert!(
            !page.contains("<script>alert")
                && !page.contains(&format!("<img src=\"/cache/{hash}\""))
                && !page.contains("<iframe"),
            "{page}"
        );
        browser.get(&format!("/thumb/{hash}")).await.page(404);
    }
}

#[tokio::test]
async fn nothing_that_a_client_sends_breaks_a_page() {
    let browser = Browser::new().logged_in().await;
    let long = "a".repeat(5000);
    for path in [
        format!("/run/{long}"),
        format!("/media/{long}"),
        format!("/recipe/{long}"),
        format!("/media?q={long}"),
        "/media?q=%00".to_owned(),
        "/recipe/%00".to_owned(),
        format!("/runs?recipe={long}"),
    ] {
        assert!(browser.get(&path).await.status.as_u16() < 500, "{path}");
    }
    for yaml in ["", "\0", "{", "&a [*a]", &long, "name: x\ndag: {nodes: [], output: x}"] {
        assert!(browser.post("/recipes/new", &[("yaml", yaml)]).await.status.as_u16() < 500, "{yaml}");
        assert!(browser.post("/recipes/check", &[("yaml", yaml)]).await.status.as_u16() < 500, "{yaml}");
    }
}
