//! Who gets a page, and who JSON.

use super::browser::Browser;

#[tokio::test]
async fn what_programs_have_too_is_a_page_only_for_who_prefers_one() {
    let browser = Browser::new();
    for path in ["/", "/runs", "/effects"] {
        let page = browser.get(path).await;
        page.page(200);
        assert_eq!(page.header("vary"), "Accept", "{path}");
        for accept in ["*/*", "application/json", "text/html, application/json", "text/*", ""] {
            let json = browser.accepting(path, accept).await;
            assert_eq!(
                (json.status.as_u16(), json.header("content-type")),
                (200, "application/json"),
                "{path} {accept}"
            );
            assert_eq!(json.header("vary"), "Accept", "{path}");
        }
    }
}

#[tokio::test]
async fn what_has_a_page_elsewhere_leads_there() {
    let browser = Browser::new();
    let run = "01a2121f-4137-76bc-b828-7a0d669ec215";
    for (path, target) in [
        (format!("/runs/{run}"), format!("/run/{run}")),
        ("/cache".to_owned(), "/media".to_owned()),
        ("/assets".to_owned(), "/media".to_owned()),
        ("/configs".to_owned(), "/recipes".to_owned()),
    ] {
        let shown = browser.get(&path).await;
        assert_eq!((shown.status.as_u16(), shown.header("location")), (303, target.as_str()), "{path}");
        assert_eq!(shown.header("vary"), "Accept", "{path}");
    }
    let bytes = browser.get("/cache/cat").await;
    assert_eq!(bytes.status.as_u16(), 307);
}

#[tokio::test]
async fn what_is_not_there_is_a_page_for_a_browser_and_json_for_a_program() {
    let browser = Browser::new().logged_in().await;
    let (run, hash) = ("01a2121f-4137-76bc-b828-7a0d669ec215", "0".repeat(64));
    for path in [
        "/nowhere".to_owned(),
        format!("/run/{run}"),
        "/run/x".to_owned(),
        format!("/run/{run}/delete"),
        format!("/media/{hash}"),
        "/media/%ff".to_owned(),
        "/media/no-such-name".to_owned(),
        "/recipe/no-such-recipe".to_owned(),
        format!("/recipe/{hash}/delete"),
        format!("/thumb/{hash}"),
        "/static/x/style.css".to_owned(),
        "/static/x".to_owned(),
        format!("/recipes/new?from={hash}"),
    ] {
        browser.get(&path).await.page(404);
        let told = browser.accepting(&path, "*/*").await;
        assert_eq!((told.status.as_u16(), told.header("content-type")), (404, "application/json"), "{path}");
    }
    // Bytes have no page of their own.
    assert_eq!(browser.get(&format!("/cache/{hash}")).await.header("content-type"), "application/json");
}

#[tokio::test]
async fn a_query_that_is_wrong_is_told_on_a_page() {
    let browser = Browser::new();
    for path in [
        "/runs?status=x",
        "/runs?cursor=x",
        "/runs?input=x",
        "/?x=1",
        "/media?kind=x",
        "/media?limit=0",
        "/storage?x",
        "/recipes/new?from=x",
    ] {
        browser.get(path).await.page(422);
    }
    // Fields of a form that nothing was written in ask for nothing.
    browser.get("/runs?status=&recipe=&input=").await.page(200);
    browser.get("/media?q=").await.page(200);
}
