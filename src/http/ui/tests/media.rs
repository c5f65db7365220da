//! The media found by what they are.

use super::browser::Browser;

/// Names of the media that a page shows.
fn shown(page: &str) -> Vec<String> {
    let tiles = page.split("class=\"medium-name\">").skip(1);
    tiles.map(|tile| tile.split('<').next().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn facets_combine_with_each_other_with_search_and_with_paging() {
    let browser = Browser::new();
    browser.upload(b"words and nothing else").await;
    let run = browser.ended(&browser.post("/recipe/invert/run", &[("input.input", "cat")]).await).await;
    let made = browser.app.engine.run_view(run.parse().unwrap()).unwrap().output_hash.expect("an output");
    let cat = browser.app.engine.asset("cat").unwrap();
    let side = browser.app.engine.describe(&cat).unwrap().dimensions.map(|(width, height)| width.max(height));
    let (side, other) = match side.expect("a picture") {
        0..640 => ("small", "large"),
        640..1280 => ("medium", "small"),
        _ => ("large", "small"),
    };
    let size = if browser.app.engine.describe(&cat).unwrap().size < 1_000_000 { "small" } else { "medium" };
    let made_is = made.short();
    for (query, expected) in [
        ("kind=image".to_owned(), vec![made_is.as_str(), "cat"]),
        ("origin=derived".to_owned(), vec![&made_is]),
        ("kind=image&origin=upload".to_owned(), vec!["cat"]),
        ("kind=image&origin=upload&size=huge".to_owned(), vec![]),
        (format!("side={side}"), vec![&made_is, "cat"]),
        (format!("side={side}&origin=upload&size={size}&q=CA"), vec!["cat"]),
        (format!("side={other}"), vec![]),
        // Of a name, of a hash, of the recipe that made it.
        (format!("q={}", &made.to_string()[..5]), vec![&made_is]),
        (format!("q={made}&kind=image"), vec![&made_is]),
        (format!("q={made}&kind=audio"), vec![]),
        ("q=nver".to_owned(), vec![&made_is]),
        ("q=nver&origin=upload".to_owned(), vec![]),
        // What a form sends where nothing was chosen.
        ("origin=&size=&side=&q=cat".to_owned(), vec!["cat"]),
    ] {
        let page = browser.get(&format!("/media?{query}")).await.page(200);
        assert_eq!(shown(&page), expected, "{query}");
        let says = page.contains("Nothing here is like that.") && page.contains("<a class=\"button\" href=\"/media\">");
        assert_eq!(says, expected.is_empty(), "{query}");
    }
    let first = browser.get("/media?kind=image&size=small&q=a&limit=1").await.page(200);
    assert!(first.contains("<input type=\"hidden\" name=\"kind\" value=\"image\">"), "the form keeps the kind");
    assert!(first.contains("<option value=\"small\" selected>Below 1 MB</option>"));
    assert!(first.contains("href=\"/media?kind=video&amp;size=small&amp;q=a\""), "and the tabs keep the rest");
    let first = browser.get(&format!("/media?origin=&side={side}&kind=image&limit=1")).await.page(200);
    let (_, rest) = first.split_once("rel=\"next\" href=\"http://localhost:8100").expect("a next page");
    let next = browser.get(&rest.split('"').next().unwrap().replace("&amp;", "&")).await.page(200);
    assert_eq!((shown(&first), shown(&next)), (vec![made_is], vec!["cat".to_owned()]));
    for wrong in ["kind=cats", "origin=record", "size=tiny", "side=1"] {
        browser.get(&format!("/media?{wrong}")).await.page(422);
    }
}
