//! What L2 answers, and what the outbox makes of it.

use serde_json::Value;

use super::l2::{L2, Manner, TOKEN, completed, in_state, publish, server};
use crate::support::{Home, Server};

#[test]
fn l2_is_sent_the_activity_and_the_record_once_each() {
    let (home, l2) = (Home::new(), L2::start(Manner::Honest));
    let server = server(&home, &l2);
    let (run, input) = completed(&server, 1);
    let view = publish(&server, &run);
    assert_eq!((&view["published"], &view["publication"]["run_id"]), (&Value::Bool(true), &Value::from(run.as_str())));
    let publication = in_state(&server, &run, "delivered");
    assert!(publication["delivered_at"].is_string() && publication["error"].is_null(), "{publication}");
    let asked = l2.asked();
    let [activity, record] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!((activity.path.as_str(), record.path.as_str()), ("/activities", "/registry/record-run"));
    for request in [activity, record] {
        assert_eq!(request.header("authorization"), format!("Bearer {TOKEN}"));
        assert_eq!(request.header("idempotency-key"), run);
    }
    assert_eq!(activity.header("content-type"), "application/activity+json");
    let id = format!("{}/activities/{run}", server.url);
    let object = &activity.body["object"];
    assert_eq!((&activity.body["type"], &activity.body["id"]), (&Value::from("Create"), &Value::from(id.as_str())));
    assert_eq!((&object["type"], &object["name"]), (&Value::from("Image"), &view["output_name"]));
    assert_eq!(object["attributedTo"], format!("{}/users/ann", server.url));
    assert_eq!(object["artdag:blake3"], view["output_hash"]);
    assert_eq!(object["contentHash"]["algorithm"], "sha3-256");
    assert_eq!(object["id"], format!("{}/objects/{}", server.url, object["contentHash"]["value"].as_str().unwrap()));
    assert_eq!(object["artdag:provenance"]["artdag:blake3"], view["provenance_hash"]);
    assert_eq!(record.body["output_hash"], object["contentHash"]["value"]);
    assert_eq!((&record.body["inputs"][0], &record.body["activity_id"]), (&Value::from(input), &Value::from(id)));
    // Publishing it again answers the same, and sends nothing.
    let again = publish(&server, &run);
    assert_eq!(again["publication"], publication);
    assert_eq!((l2.asked().len(), server.get("/publications").json().as_array().unwrap().len()), (2, 1));
    assert_eq!(server.get("/").json()["l2"], l2.url);
}

#[test]
fn each_answer_of_l2_leads_to_its_state() {
    let (home, l2) = (Home::new(), L2::start(Manner::Honest));
    let server = server(&home, &l2);
    let (run, _) = completed(&server, 1);
    let manners = [
        (Manner::Says(500), "waiting", "cannot take it now (500"),
        (Manner::Says(503), "waiting", "cannot take it now (503"),
        (Manner::Says(429), "waiting", "cannot take it now (429"),
        (Manner::Resets, "waiting", "did not answer"),
        (Manner::Says(401), "refused", "does not take our token (401"),
        (Manner::Says(403), "refused", "does not take our token (403"),
        (Manner::Says(422), "refused", "refuses this (422"),
        (Manner::Hangs, "waiting", "did not answer within"),
    ];
    let mut before = 0;
    for (manner, state, why) in manners {
        l2.behave(manner.clone());
        let tries = publish(&server, &run)["publication"]["attempts"].as_u64().unwrap();
        // Each time somebody asks it is tried at once, whatever it waits for.
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        let publication = loop {
            let publication = server.get(&format!("/runs/{run}")).json()["publication"].take();
            let fitting = publication["error"].as_str().is_some_and(|error| error.contains(why));
            if publication["attempts"].as_u64().unwrap() > before && fitting {
                break publication;
            }
            assert!(std::time::Instant::now() < deadline, "{manner:?} {tries}: {publication}");
        };
        assert_eq!(publication["state"], state, "{manner:?}");
        assert!(publication["next_at"].is_string());
        before = publication["attempts"].as_u64().unwrap();
    }
    assert!(l2.taken().is_empty());
    // It is tried again by itself, and what L2 has already is as good as taken.
    l2.behave(Manner::Says(409));
    publish(&server, &run);
    in_state(&server, &run, "delivered");
    assert!(!server.said().contains(TOKEN), "S6: tokens are never logged");
}

#[test]
fn s19_l2_sends_nobody_to_another_place() {
    let elsewhere = L2::start(Manner::Honest);
    for place in [format!("{}/activities", elsewhere.url), "http://169.254.169.254/".to_owned(), "/here".to_owned()] {
        let (home, l2) = (Home::new(), L2::start(Manner::SendsTo(place)));
        let server = server(&home, &l2);
        let (run, _) = completed(&server, 1);
        publish(&server, &run);
        let publication = in_state(&server, &run, "refused");
        assert!(publication["error"].as_str().unwrap().contains("sends us elsewhere (307"), "{publication}");
        assert_eq!(l2.asked().len(), 1, "one request, and no second one to where it leads");
        // Asking again is all that a person can do, until the address is right.
        publish(&server, &run);
        l2.wait_for(2);
    }
    assert!(elsewhere.asked().is_empty());
}

#[test]
fn a_server_that_recovers_is_sent_all_without_anybody_asking() {
    let (home, l2) = (Home::new(), L2::start(Manner::Says(500)));
    let server = server(&home, &l2);
    let runs: Vec<String> = (1..4).map(|seed| completed(&server, seed).0).collect();
    for run in &runs {
        publish(&server, run);
    }
    l2.wait_for(runs.len());
    l2.behave(Manner::Honest);
    for run in &runs {
        in_state(&server, run, "delivered");
    }
    assert_eq!(l2.taken().len(), 2 * runs.len());
}

#[test]
fn a_new_token_is_taken_up_without_a_restart() {
    let (home, l2) = (Home::new(), L2::start(Manner::Honest));
    let server = server(&home, &l2);
    home.write("l2-token", "an old one");
    let (run, other) = (completed(&server, 1).0, completed(&server, 2).0);
    publish(&server, &run);
    in_state(&server, &run, "refused");
    home.write("l2-token", TOKEN);
    publish(&server, &other);
    in_state(&server, &other, "delivered");
    in_state(&server, &run, "delivered");
}

#[test]
fn without_l2_it_is_signed_and_kept_and_a_later_l2_gets_it() {
    let (home, l2) = (Home::new(), L2::start(Manner::Honest));
    home.ok(&["render", "invert", "cat", "--sync"]);
    let run = home.ok(&["runs", "-q"]);
    let shown = home.ok(&["publish", &run]);
    assert!(shown.contains("state     kept"), "{shown}");
    assert_eq!(home.ok(&["publish", "latest", "-q"]), run);
    let listed = home.run(&["publish", "--list", "--output", "json"]).json();
    assert_eq!((&listed[0]["run_id"], &listed[0]["state"]), (&Value::from(run.as_str()), &Value::from("kept")));
    let server = server(&home, &l2);
    in_state(&server, &run, "delivered");
    // A command finds the server and asks it.
    assert!(home.ok(&["publish", &run]).contains("state     delivered"));
    assert!(home.ok(&["publish", "--list"]).contains("delivered"));
    assert!(home.ok(&["run-show", &run]).contains("published  delivered"));
    let by_http = home.run(&["--server", &server.url, "publish", "--list", "-q"]);
    assert_eq!(by_http.out.trim(), run, "{}", by_http.err);
    assert_eq!(l2.taken().len(), 2);
}

#[test]
fn a_command_without_a_server_delivers_by_itself() {
    let (home, l2) = (Home::new(), L2::start(Manner::Honest));
    let token = home.write("l2-token", TOKEN);
    let settings = format!(
        "l2-url = \"{}\"\nl2-token-file = \"{}\"\npublic-url = \"https://art.example\"\n",
        l2.url,
        token.display()
    );
    std::fs::write(home.path().join("artdag.toml"), settings).unwrap();
    home.ok(&["render", "invert", "cat", "--sync"]);
    let shown = home.ok(&["publish", "latest"]);
    assert!(shown.contains("state     delivered"), "{shown}");
    assert!(l2.asked()[0].body["id"].as_str().unwrap().starts_with("https://art.example/activities/"));
    let missing = home.run(&["publish", "0190"]);
    assert_eq!(missing.code, 4, "{}", missing.err);
}

#[test]
fn l2_is_spoken_to_by_tls_with_a_certificate_that_is_trusted() {
    let tls = |name: &str| concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/tls/").to_owned() + name;
    // A server of ours stands in for L2: it takes no activities, and says so.
    let (home, other) = (Home::new(), Home::new());
    let l2 = Server::start(&other, &["--tls-cert", &tls("cert.pem"), "--tls-key", &tls("key.pem")]);
    home.ok(&["render", "invert", "cat", "--sync"]);
    let publish = |settings: &str| {
        std::fs::write(home.path().join("artdag.toml"), format!("l2-url = \"{}\"\n{settings}", l2.url)).unwrap();
        home.ok(&["publish", "latest"])
    };
    let untrusted = publish("");
    assert!(untrusted.contains("waiting: L2: it did not answer") && untrusted.contains("certificate"), "{untrusted}");
    let trusted = publish(&format!("l2-cacert = \"{}\"\n", tls("ca.pem")));
    assert!(trusted.contains("refused: L2: it refuses this (404"), "{trusted}");
}

#[test]
fn a_home_from_before_publishing_is_taken_up() {
    let home = Home::new();
    home.ok(&["render", "invert", "cat", "--sync"]);
    let db = redb::Database::open(home.path().join("artdag.redb")).unwrap();
    let tx = db.begin_write().unwrap();
    for name in ["publications", "deliveries", "publication_order", "outbox", "published"] {
        let of_runs: redb::TableDefinition<'_, &[u8; 16], &[u8]> = redb::TableDefinition::new(name);
        let of_order: redb::TableDefinition<'_, u64, &[u8; 16]> = redb::TableDefinition::new(name);
        let of_hashes: redb::TableDefinition<'_, &[u8; 32], &[u8; 16]> = redb::TableDefinition::new(name);
        let deleted = tx.delete_table(of_runs).or_else(|_| tx.delete_table(of_order));
        assert!(deleted.or_else(|_| tx.delete_table(of_hashes)).unwrap(), "{name}");
    }
    tx.commit().unwrap();
    drop(db);
    assert!(home.ok(&["publish", "latest"]).contains("kept"));
    assert!(home.ok(&["publish", "--list"]).contains("kept"));
}

#[test]
fn only_completed_runs_are_published_and_only_with_a_token() {
    let (home, l2) = (Home::new(), L2::start(Manner::Honest));
    let server = server(&home, &l2);
    let (run, input) = completed(&server, 1);
    server.request("POST", &format!("/runs/{run}/publish"), &[], &[]).expect(401);
    server.admin("POST", "/runs/01a2121f-4137-76bc-b828-7a0d669ec215/publish").expect(404);
    let held = server.post("/queue/pause", &Value::Null);
    assert_eq!(held.status, 401);
    server.admin("POST", "/queue/pause").expect(200);
    let waiting = server.run("sepia", &[&input]);
    let refused = server.admin("POST", &format!("/runs/{waiting}/publish")).expect(409);
    assert!(refused.detail().contains("is pending; only a completed run"), "{}", refused.detail());
    assert_eq!(server.get("/publications").json(), Value::Array(Vec::new()));
    // The same output of another run is published once.
    server.admin("POST", "/queue/resume").expect(200);
    let again = server.run("invert", &[&input]);
    server.run_ended(&again);
    publish(&server, &run);
    let shared = publish(&server, &again);
    assert_eq!((&shared["publication"]["run_id"], &shared["published"]), (&Value::from(run), &Value::Bool(true)));
    assert_eq!(server.get("/publications").json().as_array().unwrap().len(), 1);
}
