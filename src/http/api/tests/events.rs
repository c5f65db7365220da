//! Streams of events.

use axum::http::StatusCode;
use axum::http::{Method, Request};
use serde_json::{Value, json};

use super::site::{INK, Site};
use crate::engine::Scopes;

/// An event: its id, its type and its data.
type Told = (String, String, Value);

fn events(text: &str) -> Vec<Told> {
    let field = |block: &str, name: &str| {
        let lines = block.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        lines.collect::<String>()
    };
    let blocks = text.split("\n\n").filter(|block| block.contains("data: "));
    blocks
        .map(|block| {
            let data = serde_json::from_str(&field(block, "data")).expect("data is JSON");
            (field(block, "id"), field(block, "event"), data)
        })
        .collect()
}

async fn submit(site: &Site, held: bool) -> String {
    let body = json!({"recipe": "ink", "inputs": ["cat"], "options": {"cache": false}, "held": held});
    let answer = site.json(Method::POST, "/runs", &body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    answer.value()["run_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_runs_stream_tells_all_of_it_and_ends() {
    let site = Site::new();
    site.config(INK).await;
    let run = submit(&site, true).await;
    let path = format!("/runs/{run}/events");
    let release = async {
        // The stream is open when this is asked: both are polled by one task, in order.
        site.post(&format!("/runs/{run}/release")).await
    };
    let (stream, released) = tokio::join!(site.get(&path), release);
    assert_eq!((stream.status, released.status), (StatusCode::OK, StatusCode::OK));
    assert_eq!(stream.header("content-type"), "text/event-stream");
    assert_eq!(stream.header("cache-control"), "no-store");
    let told = events(&stream.text());
    let (first, last) = (&told[0], told.last().unwrap());
    assert_eq!((first.1.as_str(), &first.2["run_id"]), ("run", &json!(run)));
    assert_eq!((last.1.as_str(), last.0.as_str()), ("run", format!("final-{run}").as_str()));
    assert_eq!(last.2["status"], "completed");
    let nodes: Vec<&str> = told
        .iter()
        .filter(|(_, kind, data)| kind == "node" && data["state"] == "completed")
        .filter_map(|(_, _, data)| data["node"].as_str())
        .collect();
    assert_eq!(nodes, ["lines", "lines:encode"]);
    let counts = told.iter().filter(|(_, kind, _)| kind == "progress").map(|(_, _, data)| data["done"].as_u64());
    assert_eq!(counts.collect::<Vec<_>>(), [Some(2), Some(3)]);

    // Whoever comes back is told what was missed, and after the end to come no more.
    let middle = told.len() / 2;
    let rest = site.get_with(&path, &[("last-event-id", told[middle].0.as_str())]).await;
    let ids = |told: &[Told]| told.iter().map(|(id, ..)| id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&events(&rest.text())), ids(&told[middle + 1..]));
    let over = site.get_with(&path, &[("last-event-id", last.0.as_str())]).await;
    assert_eq!((over.status, over.body.len()), (StatusCode::NO_CONTENT, 0));
}

#[tokio::test]
async fn a_number_that_is_not_known_begins_with_the_run_itself() {
    let site = Site::new();
    site.config(INK).await;
    let run = submit(&site, false).await;
    site.ended(&run).await;
    let path = format!("/runs/{run}/events");
    let boot = format!("{:016x}", site.app.engine.events().boot());
    for id in ["", "x", "0-1", &format!("{boot}-x"), &format!("{boot}-999999999"), "final-x"] {
        let told = events(&site.get_with(&path, &[("last-event-id", id)]).await.text());
        assert_eq!(told.len(), 1, "{id}");
        assert_eq!((&told[0].0, &told[0].2["status"]), (&format!("final-{run}"), &json!("completed")), "{id}");
    }
    // The number of an event after its end, taken from the stream of all runs.
    let latest = format!("{boot}-{}", site.app.engine.events().latest());
    let told = events(&site.get_with(&path, &[("last-event-id", &latest)]).await.text());
    assert_eq!(told.last().unwrap().0, format!("final-{run}"));
}

#[tokio::test]
async fn the_stream_of_all_runs_begins_with_those_that_have_not_ended() {
    let site = Site::new();
    site.config(INK).await;
    let (done, waiting) = (submit(&site, false).await, submit(&site, true).await);
    site.ended(&done).await;
    let close = async {
        site.post(&format!("/runs/{waiting}/cancel")).await;
        site.app.stop.begin();
    };
    let (stream, ()) = tokio::join!(site.get("/events"), close);
    let told = events(&stream.text());
    assert_eq!(told[0].2["run_id"], json!(waiting));
    assert!(told.iter().all(|(_, _, data)| data["run_id"] != json!(done)));
}

#[tokio::test]
async fn a_deletion_is_told_and_ends_what_was_told_of_the_run() {
    let site = Site::new();
    site.config(INK).await;
    let run = submit(&site, false).await;
    site.ended(&run).await;
    let boot = format!("{:016x}", site.app.engine.events().boot());
    let seen = format!("{boot}-{}", site.app.engine.events().latest());
    let delete = async { assert_eq!(site.delete(&format!("/runs/{run}")).await.status, StatusCode::OK) };
    let headers = [("last-event-id", seen.as_str())];
    let (told, ()) = tokio::join!(cut(&site, "/events", &headers), delete);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((told[0].1.as_str(), &told[0].2), ("deleted", &json!({"run_id": run})));
    site.get(&format!("/runs/{run}/events")).await.refused(404, "no run");
}

#[tokio::test]
async fn who_comes_back_too_late_is_told_that_something_was_missed() {
    let site = Site::new();
    site.config(INK).await;
    let (run, other) = (submit(&site, true).await, submit(&site, true).await);
    let boot = format!("{:016x}", site.app.engine.events().boot());
    let paths = [format!("/runs/{run}/events"), "/events".to_owned()];
    // Nobody who is new has missed anything.
    for (path, last) in paths.iter().flat_map(|path| [(path, None), (path, Some("0-1"))]) {
        let headers: Vec<_> = last.iter().map(|last| ("last-event-id", *last)).collect();
        let told = cut(&site, path, &headers).await;
        let (names, expected): (Vec<&str>, _) =
            (told.iter().map(|(_, name, _)| name.as_str()).collect(), 1 + usize::from(path == "/events"));
        let missed = names.iter().position(|name| *name == "missed");
        assert_eq!(
            (names.iter().filter(|name| **name == "run").count(), missed),
            (expected, last.map(|_| expected)),
            "{path}"
        );
        // Whoever is cut off within has no number, and so begins anew: only the last event has one.
        let (whole, before) = told.split_last().expect("events");
        assert!(before.iter().all(|(id, ..)| id.is_empty()), "{told:?}");
        assert_eq!(whole.0, format!("{boot}-{}", site.app.engine.events().latest()));
    }
    // Where nothing waits a new client has a number, too: what ends before it comes back is told.
    for run in [&run, &other] {
        site.post(&format!("/runs/{run}/cancel")).await;
    }
    let text = cut_text(&site, "/events", &[]).await;
    let id = text.lines().find_map(|line| line.strip_prefix("id: ")).expect("a number").to_owned();
    assert_eq!(events(&text), []);
    let quick = submit(&site, false).await;
    site.ended(&quick).await;
    let told = cut(&site, "/events", &[("last-event-id", id.as_str())]).await;
    assert!(
        told.iter()
            .any(|(_, name, data)| name == "run" && data["run_id"] == json!(quick) && data["status"] == "completed")
    );
}

/// What a stream tells before its way is cut.
async fn cut_text(site: &Site, path: &str, headers: &[(&'static str, &str)]) -> String {
    site.told_within(path, headers, std::time::Duration::from_millis(300)).await
}

async fn cut(site: &Site, path: &str, headers: &[(&'static str, &str)]) -> Vec<Told> {
    events(&cut_text(site, path, headers).await)
}

#[tokio::test]
async fn streams_are_limited_and_leave_their_place() {
    let site = Site::new();
    site.config(INK).await;
    let run = submit(&site, true).await;
    let all = site.app.streams.clone().acquire_many_owned(crate::base::limits::EVENT_STREAMS as u32).await.unwrap();
    for path in ["/events".to_owned(), format!("/runs/{run}/events")] {
        let busy = site.get(&path).await;
        busy.refused(503, "streams are open");
        assert_eq!(busy.header("retry-after"), "10");
    }
    drop(all);
    site.post(&format!("/runs/{run}/cancel")).await;
    let told = events(&site.get(&format!("/runs/{run}/events")).await.text());
    assert_eq!(told[0].2["status"], "cancelled");
    assert_eq!(site.app.streams.available_permits(), crate::base::limits::EVENT_STREAMS);
    let request = Request::get("/runs/x/events").body(axum::body::Body::empty()).unwrap();
    site.send(request).await.refused(404, "no run");
}

#[tokio::test]
async fn s7_a_stream_ends_when_the_token_that_opened_it_is_revoked() {
    let site = Site::new();
    site.config(INK).await;
    let (token, secret) = site.app.engine.add_token("spy", Scopes::of(["read"])).unwrap();
    let bearer = format!("Bearer {}", secret.expose());
    let waiting = submit(&site, true).await;
    let later = async {
        // The stream has begun: it is polled first.
        site.app.engine.revoke_token(&token.id).unwrap();
        submit(&site, true).await
    };
    let headers = [("authorization", bearer.as_str())];
    let (stream, later) = tokio::join!(site.get_with("/events", &headers), later);
    assert_eq!(stream.status, StatusCode::OK);
    assert!(!stream.text().contains(&later), "{}", stream.text());
    // Whom nobody has shut out goes on hearing.
    let close = async {
        site.post(&format!("/runs/{waiting}/cancel")).await;
        site.app.stop.begin();
    };
    assert!(tokio::join!(site.get("/events"), close).0.text().contains(&later));
}
