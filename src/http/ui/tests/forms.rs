//! Forms: whose they are, and what they do.

use axum::http::{Method, StatusCode};
use serde_json::json;

use super::browser::Browser;
use crate::http::route::{PAGES, Takes};

const INK: &str = "name: ink\ndag:\n  nodes:\n    - id: photo\n      type: SOURCE\n      config: {input: true, name: picture, media: image}\n    - id: lines\n      type: EFFECT\n      config: {effect: dog, params: {sigma: 2}}\n      inputs: [photo]\n  output: lines\n";

fn filled(path: &str) -> String {
    let hash = "0".repeat(64);
    let id = if path.ends_with("/delete") { hash.as_str() } else { "dog" };
    path.replace("{run_id}", "01a2121f-4137-76bc-b828-7a0d669ec215")
        .replace("{action}", "cancel")
        .replace("{id}", id)
        .replace("{hash}", &hash)
}

#[tokio::test]
async fn a_form_without_its_token_is_403_everywhere() {
    let browser = Browser::new().logged_in().await;
    let other = Browser::new().token().await;
    let forms = PAGES.iter().filter(|row| row.method == Method::POST && row.takes == Takes::Form);
    for row in forms {
        let path = filled(row.path);
        browser.bare(&path, &[]).await.page(403);
        browser.bare(&path, &[("form_token", "")]).await.page(403);
        // Of somebody else: who is not logged in.
        browser.bare(&path, &[("form_token", &other)]).await.page(403);
    }
    browser.bare("/media/upload?form_token=x", &[]).await.page(403);
}

#[tokio::test]
async fn what_is_published_is_not_deleted_by_any_form() {
    let browser = Browser::new().logged_in().await;
    let run = browser.ended(&browser.post("/recipe/invert/run", &[("input.input", "cat")]).await).await;
    let page = browser.get(&format!("/run/{run}")).await.page(200);
    assert!(page.contains(&format!("/run/{run}/publish")) && !page.contains("Published"), "it can be published");
    let shown = browser.post(&format!("/run/{run}/publish"), &[]).await;
    assert_eq!((shown.status, shown.header("location")), (StatusCode::SEE_OTHER, format!("/run/{run}").as_str()));
    let page = browser.get(&format!("/run/{run}")).await.page(200);
    assert!(page.contains("Published") && page.contains(&format!("/activities/{run}")));
    assert!(browser.get("/storage").await.page(200).contains("not yet at L2"));
    let publication = format!("publication {run}");
    for path in [format!("/run/{run}/delete"), "/runs/act".to_owned()] {
        let fields = [("action", "delete"), ("sure", "yes"), ("run", run.as_str())];
        let refused = browser.post(&path, &fields).await.text();
        assert!(refused.contains(&publication), "{path}: {refused}");
    }
    let view = browser.call(Method::GET, &format!("/runs/{run}"), "application/json", "").await;
    for hash in [&view["output_hash"], &view["bindings"]["input"], &view["provenance_hash"]] {
        let hash = hash.as_str().expect("a hash");
        let refused = browser.post(&format!("/media/{hash}/delete"), &[("sure", "yes")]).await.text();
        assert!(refused.contains(&publication), "{hash}: {refused}");
    }
    browser.post("/storage/gc", &[("down_to", "0"), ("sure", "yes")]).await;
    assert_eq!(browser.call(Method::GET, &format!("/runs/{run}"), "application/json", "").await["published"], true);
    // Who shows nothing sees no button, and is led to the log-in.
    let nobody = Browser::new();
    nobody.post(&format!("/run/{run}/publish"), &[]).await.page(401);
}

#[tokio::test]
async fn who_may_not_delete_is_led_to_the_log_in() {
    let browser = Browser::new();
    let page = browser.post("/storage/gc", &[("down_to", "cap")]).await.page(401);
    assert!(page.contains("name=\"auth_token\""));
    let page = browser.get("/media/x/delete").await.page(401);
    assert!(page.contains("value=\"/media/x/delete\""), "it leads back");
}

#[tokio::test]
async fn elsewhere_every_page_asks_for_a_log_in_first() {
    let browser = Browser::at(false);
    for path in ["/", "/runs", "/media", "/storage", "/recipes", "/effects", "/recipe/dog"] {
        browser.get(path).await.page(401);
    }
    let browser = browser.logged_in().await;
    browser.get("/storage").await.page(200);
}

#[tokio::test]
async fn a_recipe_is_run_by_its_form() {
    let browser = Browser::new();
    let shown = browser
        .post("/recipe/dog/run", &[("input.input", "cat"), ("param.dog.sigma", "3"), ("output_name", "lines")])
        .await;
    let run = browser.ended(&shown).await;
    let told = browser.call(Method::GET, &format!("/runs/{run}"), "", "").await;
    assert_eq!((told["status"].as_str(), told["output_name"].as_str()), (Some("completed"), Some("lines")));
    assert_eq!(told["params"], json!({"sigma": 3}));
    let page = browser.get(&format!("/run/{run}")).await.page(200);
    assert!(page.contains("data-node=\"dog\"") && page.contains("Provenance"), "{page}");
    // A browser sends every field, and none of them moved by itself to the step of a slider.
    let form = browser.get("/recipe/dog").await.page(200);
    assert!(form.contains("step=\"any\" data-slider=") && !form.contains("type=\"range\" step=\"0"), "{form}");

    let id = browser.config(INK.to_owned()).await;
    let shown = browser
        .post(
            &format!("/recipe/{id}/run"),
            &[("input.photo", "cat"), ("param.lines.sigma", "2"), ("param.lines.phi", "20")],
        )
        .await;
    let run = browser.ended(&shown).await;
    let told = browser.call(Method::GET, &format!("/runs/{run}"), "", "").await;
    assert_eq!(told["params"], json!({"lines": {"phi": 20}}), "only what differs from the text");
}

#[tokio::test]
async fn what_is_wrong_with_a_form_is_told() {
    let browser = Browser::new();
    let page = browser.post("/recipe/dog/run", &[("input.input", "no-such")]).await.page(404);
    assert!(page.contains("no-such"));
    let page = browser.post("/recipe/dog/run", &[("input.input", "cat"), ("param.dog.sigma", "x")]).await.page(422);
    assert!(page.contains("sigma"), "{page}");
    browser.post("/recipe/dog/run", &[]).await.page(422);
    browser.post("/runs/act", &[("action", "x"), ("run", "01a2121f-4137-76bc-b828-7a0d669ec215")]).await.page(422);
    let page = browser.post("/recipes/new", &[("yaml", "name: x\r\ndag:\r\n  nodes: 3\r\n")]).await.page(422);
    assert!(page.contains("data-to-line=\"3\"") && page.contains("id=\"line-3\" class=\"wrong\""), "{page}");
}

#[tokio::test]
async fn a_plan_is_told_before_the_run() {
    let browser = Browser::new();
    let plan = || async {
        let shown = browser.post("/recipe/dog/plan", &[("input.input", "cat")]).await;
        serde_json::from_slice::<serde_json::Value>(&shown.body).expect("JSON")
    };
    let before = plan().await;
    assert!(before["words"].as_str().is_some_and(|words| words.starts_with("1 of 3 known")), "{before}");
    let shown = browser.post("/recipe/dog/run", &[("input.input", "cat")]).await;
    browser.ended(&shown).await;
    let after = plan().await;
    assert!(after["words"].as_str().is_some_and(|words| words.starts_with("3 of 3 known")), "{after}");
}

#[tokio::test]
async fn a_recipe_is_written_tried_kept_and_deleted() {
    let browser = Browser::new().logged_in().await;
    let beside = browser.post("/recipes/check", &[("yaml", INK)]).await;
    assert!(
        beside.text().contains("ink is valid") && beside.text().contains("data-node=\"lines\""),
        "{}",
        beside.text()
    );
    let tried = browser.post("/recipes/try", &[("yaml", INK), ("on", "cat")]).await;
    assert_eq!(tried.status, StatusCode::OK, "{}", tried.text());
    let shown = browser.post("/recipes/new", &[("yaml", INK)]).await;
    let address = shown.header("location").to_owned();
    let page = browser.get(&address).await.page(200);
    assert!(
        page.contains("input.photo") && page.contains("param.lines.sigma") && page.contains("id=\"line-3\""),
        "{page}"
    );
    browser.get(&format!("{address}/delete")).await.page(200);
    assert_eq!(browser.post(&format!("{address}/delete"), &[]).await.header("location"), "/recipes");
    browser.get(&address).await.page(404);
}

#[tokio::test]
async fn runs_are_deleted_after_it_was_told_what_goes() {
    let browser = Browser::new().logged_in().await;
    let shown = browser.post("/recipe/invert/run", &[("input.input", "cat")]).await;
    let run = browser.ended(&shown).await;
    let page = browser.get(&format!("/run/{run}/delete")).await.page(200);
    assert!(page.contains("This frees"));
    let page = browser.post("/runs/act", &[("action", "delete"), ("run", &run)]).await.page(200);
    assert!(page.contains("Delete 1 run?") && page.contains("name=\"sure\""), "{page}");
    let done = browser.post("/runs/act", &[("action", "delete"), ("sure", "yes"), ("run", &run)]).await;
    assert_eq!(done.header("location"), "/runs");
    browser.get(&format!("/run/{run}")).await.page(404);
    let page = browser.post("/runs/act", &[("action", "cancel"), ("run", &run)]).await.page(200);
    assert!(page.contains("but not all"));
}

#[tokio::test]
async fn a_medium_that_is_held_is_not_deleted_and_says_by_what() {
    let browser = Browser::new().logged_in().await;
    let shown = browser.post("/recipe/invert/run", &[("input.input", "cat")]).await;
    let run = browser.ended(&shown).await;
    let cat = browser.get("/media/cat").await.header("location").to_owned();
    let page = browser.get(&format!("{cat}/delete")).await.page(200);
    assert!(page.contains(&run) && !page.contains("button danger"), "{page}");
    let refused = browser.post(&format!("{cat}/delete"), &[]).await.page(409);
    assert!(refused.contains(&run), "{refused}");

    let hash = browser.upload(b"nobody needs this").await;
    browser.get(&format!("/media/{hash}/delete")).await.page(200);
    assert_eq!(browser.post(&format!("/media/{hash}/name"), &[("name", "note")]).await.status, StatusCode::SEE_OTHER);
    assert!(browser.get(&format!("/media/{hash}")).await.page(200).contains("note"));
    assert_eq!(browser.post(&format!("/media/{hash}/delete"), &[]).await.header("location"), "/media");
    browser.get(&format!("/media/{hash}")).await.page(404);
}

#[tokio::test]
async fn the_queue_is_paused_and_runs_are_held_cancelled_and_run_again() {
    let browser = Browser::new().logged_in().await;
    browser.post("/queue/act", &[]).await;
    assert!(browser.get("/").await.page(200).contains("The queue is paused"));
    let shown = browser.post("/recipe/blur/run", &[("input.input", "cat")]).await;
    let address = shown.header("location").to_owned();
    browser.post(&format!("{address}/hold"), &[]).await;
    assert!(browser.get(&address).await.page(200).contains("/release\""));
    browser.post(&format!("{address}/release"), &[]).await;
    browser.post(&format!("{address}/cancel"), &[]).await;
    assert!(browser.get(&address).await.page(200).contains("s-cancelled"));
    browser.post(&format!("{address}/cancel"), &[]).await.page(409);
    browser.post("/queue/act", &[]).await;
    let again = browser.post(&format!("{address}/rerun"), &[]).await;
    let run = browser.ended(&again).await;
    let verified = browser.post(&format!("/run/{run}/verify"), &[]).await;
    let run = browser.ended(&verified).await;
    assert!(browser.get(&format!("/run/{run}")).await.page(200).contains("same"));
    browser.post(&format!("/run/{run}/dance"), &[]).await.page(404);
}

#[tokio::test]
async fn room_is_made_after_it_was_told_what_goes() {
    let browser = Browser::new().logged_in().await;
    let page = browser.post("/storage/gc", &[("down_to", "0")]).await.page(200);
    assert!(page.contains("There is nothing to take away"), "{page}");
    assert_eq!(browser.post("/storage/gc", &[("down_to", "0"), ("sure", "yes")]).await.header("location"), "/storage");
    browser.post("/storage/gc", &[("down_to", "7")]).await.page(422);
}

#[tokio::test]
async fn room_is_told_by_recipe_with_each_output_counted_once() {
    let browser = Browser::new();
    for _ in 0..2 {
        browser.ended(&browser.post("/recipe/invert/run", &[("input.input", "cat")]).await).await;
    }
    let mut total = 0;
    for number in 0..22 {
        let yaml = format!(
            "name: of-{number}\ndag:\n  nodes:\n    - {{id: a, type: GENERATE, config: {{kind: colour, width: {}, height: 1}}}}\n  output: a\n",
            number + 1
        );
        let config = browser.config(yaml).await;
        let run = browser.ended(&browser.post(&format!("/recipe/{config}/run"), &[]).await).await;
        let output = browser.app.engine.run_view(run.parse().unwrap()).unwrap().output_hash.expect("an output");
        total += browser.app.engine.describe(&output).unwrap().size;
    }
    let engine = &browser.app.engine;
    let told = engine.by_recipe(100).unwrap();
    let first = &told.recipes[0];
    assert_eq!((first.recipe.as_str(), first.config, first.runs, first.files), ("invert", None, 2, 1));
    assert_eq!(told.recipes[1..].iter().map(|sum| sum.bytes).sum::<u64>(), total);
    assert!(told.recipes.is_sorted_by_key(|sum| std::cmp::Reverse(sum.bytes)));
    assert_eq!((told.recipes.len(), told.looked_at, told.more), (23, 24, false));
    // Of more runs than are looked at the newest count, and that is said.
    let few = engine.by_recipe(3).unwrap();
    assert_eq!((few.recipes.len(), few.looked_at, few.more), (3, 3, true));
    let page = browser.get("/storage").await.page(200);
    assert!(
        page.contains("<a href=\"/recipe/invert\">invert</a></th><td class=\"num\">2</td><td class=\"num\">1</td>")
    );
    assert!(page.contains("<th scope=\"row\">3 others</th>") && !page.contains("older ones are not counted"));
}

#[tokio::test]
async fn what_is_copied_from_a_run_asks_for_the_same_run() {
    let browser = Browser::new();
    let asked = serde_json::json!({
        "recipe": "invert", "inputs": ["cat"], "output_name": "a b", "priority": -3, "format": "jpeg", "quality": 70,
        "options": {"cache": false, "fuse": false, "keep": ["invert"], "force": ["invert"], "checkpoint": "never"},
    });
    let post = |body: String| browser.call(Method::POST, "/runs", "application/json", body);
    let id = |run: &serde_json::Value| run["run_id"].as_str().expect("a run").parse().expect("its id");
    let first: crate::base::RunId = id(&post(asked.to_string()).await);
    let page = browser.get(&format!("/run/{first}")).await.page(200);
    let copied = |beginning: &str| {
        let (_, rest) = page.split_once(&format!("data-copy=\"{beginning}")).expect("something to copy");
        rest.split('"').next().unwrap_or_default().replace("&quot;", "\"").replace("&amp;", "&")
    };
    let flags = "--name 'a b' --format jpeg --quality 70 --priority -3 --keep invert --force invert --checkpoint never \
                 --no-cache --no-fuse";
    let command = copied("artdag render invert ");
    assert!(command.ends_with(flags), "{command}");
    let curl = copied("curl -X POST ");
    let (_, body) = curl.split_once("-d '").expect("a body");
    let again = id(&post(body.trim_end_matches('\'').to_owned()).await);
    let row = |run| browser.app.engine.run_row(run).expect("a run");
    let (first, again) = (row(first), row(again));
    let of = |row: &crate::records::RunRow| {
        (
            row.options.clone(),
            row.priority,
            row.format.clone(),
            row.quality,
            row.output_name.clone(),
            row.bindings.clone(),
        )
    };
    assert_eq!(of(&first), of(&again));
    // What is as ever is not written.
    let plain = id(&post(r#"{"recipe": "sepia", "inputs": ["cat"]}"#.to_owned()).await);
    let page = browser.get(&format!("/run/{plain}")).await.page(200);
    assert!(page.contains("data-copy=\"artdag render sepia ") && !page.contains(" --"), "{page}");
    assert!(!page.contains("&quot;options&quot;") && !page.contains("&quot;priority&quot;"));
}
