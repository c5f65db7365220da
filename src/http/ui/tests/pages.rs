//! Every page: that it is there, what it may load, and how it says the same to programs.

use axum::http::Method;

use super::browser::Browser;
use crate::http::route::{Need, PAGES};
use crate::http::ui::NEGOTIATED;
use crate::http::ui::shell::POLICY;

#[tokio::test]
async fn every_page_has_the_policy_and_needs_nothing_against_it() {
    let browser = Browser::new().logged_in().await;
    let shown = browser.post("/recipe/invert/run", &[("input.input", "cat")]).await;
    let run = browser.ended(&shown).await;
    let cat = browser.get("/media/cat").await.header("location").to_owned();
    for path in [
        "/",
        "/runs",
        "/effects",
        "/recipes",
        "/recipes/new",
        "/recipe/dog",
        "/media",
        "/media?kind=image",
        "/media?q=cat",
        "/storage",
        "/client",
        &cat,
        &format!("{cat}/delete"),
        &format!("/run/{run}"),
        &format!("/run/{run}?node=invert"),
        &format!("/run/{run}/delete"),
        "/auth",
        "/nowhere",
    ] {
        let shown = browser.get(path).await;
        let text = shown.text();
        assert_eq!(shown.header("content-security-policy"), POLICY, "{path}");
        assert_eq!(shown.header("x-content-type-options"), "nosniff");
        assert!(!text.contains(" style=\"") && !text.contains("<style") && !text.contains("javascript:"), "{path}");
        let handlers = text.match_indices(" on").filter(|(at, _)| {
            text[at + 3..]
                .split(['=', ' ', '>'])
                .next()
                .is_some_and(|word| text[at + 3 + word.len()..].starts_with("=\""))
        });
        assert_eq!(handlers.count(), 0, "{path}");
        assert!(!text.contains("http://") && !text.contains("https://"), "{path}: something of another host: {text}");
        for part in text.split(" src=\"").skip(1).chain(text.split("<link rel=\"stylesheet\" href=\"").skip(1)) {
            let address = part.split('"').next().unwrap_or_default();
            let status = browser.accepting(address, "*/*").await.status.as_u16();
            assert!(matches!(status, 200 | 307), "{path} loads {address}: {status}");
        }
        assert!(text.contains("<html lang=\"en\">") && text.matches("<h1").count() == 1, "{path}");
    }
    assert!(!POLICY.contains("unsafe") && POLICY.starts_with("default-src 'none'"));
}

#[tokio::test]
async fn every_route_of_the_pages_is_one_of_the_router() {
    let browser = Browser::new().logged_in().await;
    for row in PAGES.iter().filter(|row| row.method == Method::GET) {
        let path = row.path.replace("{run_id}", "x").replace("{hash}", "x").replace("{id}", "x");
        let told = browser.accepting(&path, "*/*").await;
        assert!(!told.text().contains("no route"), "{path}");
    }
    let known = crate::http::route::ROUTES;
    assert!(NEGOTIATED.iter().all(|path| known.iter().any(|row| row.path == *path && row.need == Need::Read)));
}

#[tokio::test]
async fn files_of_the_pages_are_kept_for_ever() {
    let browser = Browser::at(false);
    let page = browser.get("/auth").await.page(200);
    let (_, rest) = page.split_once("<link rel=\"stylesheet\" href=\"").expect("a style sheet");
    let style = browser.get(rest.split('"').next().expect("its address")).await;
    assert_eq!((style.status.as_u16(), style.header("content-type")), (200, "text/css; charset=utf-8"));
    assert!(style.header("cache-control").ends_with("max-age=31536000, immutable"));
}

#[tokio::test]
async fn small_pictures_are_small_and_kept() {
    let browser = Browser::new();
    let cat = browser.get("/media/cat").await.header("location").replace("/media/", "/thumb/");
    let small = browser.accepting(&cat, "image/*").await;
    assert_eq!((small.status.as_u16(), small.header("content-type")), (200, "image/png"));
    assert!(small.header("cache-control").ends_with("immutable") && small.header("etag").starts_with('"'));
    let picture = crate::media::decode::decode(&small.body).expect("a picture");
    assert_eq!(picture.width().max(picture.height()), crate::base::limits::THUMB_SIDE);
}

#[tokio::test]
async fn lists_go_on_where_a_page_ends() {
    let browser = Browser::new();
    for bytes in [&b"a"[..], b"b", b"c", b"d", b"e"] {
        browser.upload(bytes).await;
    }
    let mut path = "/media?limit=2".to_owned();
    let mut seen = 0;
    loop {
        let page = browser.get(&path).await.page(200);
        seen += page.matches("class=\"medium\"").count();
        let Some((_, rest)) = page.split_once("rel=\"next\" href=\"") else { break };
        let address = rest.split('"').next().expect("an address").replace("&amp;", "&");
        path = address.strip_prefix("http://localhost:8100").expect("this host").to_owned();
    }
    assert!(seen >= 6, "{seen}");
}
