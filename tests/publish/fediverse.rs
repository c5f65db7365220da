//! What other servers read.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::l2::{L2, Manner, completed, publish, server};
use crate::support::{Answer, Home, Ran, long_case};

fn activity_json(answer: Answer) -> Value {
    let answer = answer.expect(200);
    assert_eq!(answer.header("content-type"), Some("application/activity+json"));
    answer.json()
}

#[test]
fn an_account_leads_to_the_actor_its_outbox_activities_and_objects() {
    let (home, l2) = (Home::new(), L2::start(Manner::Honest));
    let server = server(&home, &l2);
    let host = server.url.strip_prefix("http://").unwrap();
    let found = server.get(&format!("/.well-known/webfinger?resource=acct:ann@{host}&rel=self")).expect(200);
    assert_eq!(found.header("content-type"), Some("application/jrd+json"));
    assert_eq!(found.header("access-control-allow-origin"), Some("*"));
    let actor_id = found.json()["links"][0]["href"].as_str().unwrap().to_owned();
    let at = |id: &Value| id.as_str().unwrap().strip_prefix(&server.url).unwrap().to_owned();
    let actor = activity_json(server.get(&at(&Value::from(actor_id.as_str()))));
    assert_eq!(
        (&actor["id"], &actor["type"], &actor["preferredUsername"]),
        (&actor_id.as_str().into(), &"Person".into(), &"ann".into())
    );
    assert_eq!(actor["publicKey"]["id"], format!("{actor_id}#main-key"));
    assert!(actor["publicKey"]["publicKeyPem"].as_str().unwrap().starts_with("-----BEGIN PUBLIC KEY-----"));
    assert!(actor["assertionMethod"][0]["publicKeyMultibase"].as_str().unwrap().starts_with("z6Mk"));
    for request in [server.get(&at(&actor["inbox"])), server.post(&at(&actor["inbox"]), &Value::Null)] {
        assert_eq!(request.expect(405).header("allow"), Some(""));
    }

    let runs: Vec<String> = (0..3).map(|seed| completed(&server, seed).0).collect();
    let views: Vec<Value> = runs.iter().map(|run| publish(&server, run)).collect();
    let outbox = activity_json(server.get(&at(&actor["outbox"])));
    assert_eq!((&outbox["type"], &outbox["totalItems"]), (&"OrderedCollection".into(), &3.into()));
    let mut next = Value::from(format!("{}&limit=2", outbox["first"].as_str().unwrap()));
    let (mut items, mut pages) = (Vec::new(), 0);
    while next.is_string() {
        let mut page = activity_json(server.get(&at(&next)));
        assert_eq!((&page["type"], &page["partOf"]), (&"OrderedCollectionPage".into(), &outbox["id"]));
        assert_eq!(page["id"], next);
        items.extend(page["orderedItems"].as_array().unwrap().clone());
        next = page["next"].take();
        pages += 1;
    }
    let ids: Vec<String> = items.iter().map(|item| at(&item["id"])).collect();
    let newest_first: Vec<String> = runs.iter().rev().map(|run| format!("/activities/{run}")).collect();
    assert_eq!((ids, pages), (newest_first, 2));
    for (item, view) in items.iter().rev().zip(&views) {
        assert_eq!(&activity_json(server.get(&at(&item["id"]))), item);
        assert!(item["signature"].is_object() && item["proof"].is_null(), "one document never carries both");
        let object = activity_json(server.get(&at(&item["object"]["id"])));
        let mut without = object.clone();
        without.as_object_mut().unwrap().remove("@context");
        assert_eq!(without, item["object"]);
        for name in ["", "blake3:"] {
            let hash = view["output_hash"].as_str().unwrap();
            assert_eq!(activity_json(server.get(&format!("/objects/{name}{hash}"))), object);
        }
    }
    let unpublished = views[0]["bindings"]["input"].as_str().unwrap_or_default().to_owned();
    for path in [
        "/users/bob",
        "/users/bob/outbox",
        "/users/bob/inbox",
        "/activities/x",
        "/objects/x",
        &format!("/objects/{}", "0".repeat(64)),
        &format!("/objects/{unpublished}"),
        "/activities/01a2121f-4137-76bc-b828-7a0d669ec215",
        "/.well-known/webfinger?resource=acct:bob@localhost",
    ] {
        server.get(path).expect(404);
    }
    server.get("/.well-known/webfinger").expect(422);
}

#[test]
fn they_are_read_without_a_token_where_nothing_else_is_and_by_the_public_name() {
    let home = Home::new();
    let words = ["--listen", "0.0.0.0:0", "--public-url", "https://art.example", "--actor", "ann"];
    let mut command = home.command(&[&["serve"], &words[..]].concat());
    command.env_remove("ARTDAG_LISTEN");
    let server = crate::support::Server::of(&home, command);
    let port = server.url.rsplit_once(':').unwrap().1.to_owned();
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let get = |host: &str, path: &str| {
        let request = ureq::http::Request::get(format!("http://127.0.0.1:{port}{path}")).header("host", host).body(());
        let mut answer = agent.run(request.unwrap()).unwrap();
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
    };
    let (status, actor) = get("art.example", "/users/ann");
    assert_eq!(status, 200);
    assert!(actor.contains("https://art.example/users/ann/inbox"), "{actor}");
    assert_eq!(get("art.example", "/.well-known/webfinger?resource=acct:ann@art.example").0, 200);
    assert_eq!(get("art.example", "/users/ann/outbox").0, 200);
    assert_eq!(get("art.example", "/users/ann/inbox").0, 405);
    assert_eq!(get("art.example", &format!("/objects/{}", "0".repeat(64))).0, 404);
    assert_eq!(get("art.example", "/publications").0, 401);
    assert_eq!(get("evil.example", "/users/ann").0, 403);
}

#[test]
fn a_checker_of_activitypub_finds_what_this_server_does_as_it_should_be() {
    if !long_case("publish::fediverse::a_checker_of_activitypub") {
        return;
    }
    let (home, l2) = (Home::new(), L2::start(Manner::Honest));
    let server = server(&home, &l2);
    publish(&server, &completed(&server, 1).0);
    let checker = "target/activitypub/node_modules/@socialweb.coop/activitypub-testing/src/cli.js";
    let checker = Path::new(env!("CARGO_MANIFEST_DIR")).join(checker);
    assert!(checker.exists(), "the checker is missing: ARTDAG_TESTS=full ./tests/run.sh installs it");
    let mut command = Command::new("node");
    command.arg(checker).args(["test", "actor", &format!("{}/users/ann", server.url), "--output=json"]);
    let ran = Ran::of(&command.output().expect("node starts"));
    let report: Value =
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}{}", ran.out, ran.err));
    let of_outcome = |outcome: &str| -> Vec<String> {
        let found = report["assertions"].as_array().unwrap().iter();
        let mut slugs: Vec<String> = found
            .filter(|found| found["result"]["outcome"] == outcome)
            .map(|found| found["test"]["slug"].as_str().unwrap().to_owned())
            .collect();
        slugs.sort();
        slugs
    };
    assert_eq!(
        of_outcome("passed"),
        [
            "actor-must-serve-as2-object-to-get",
            "actor-objects-must-have-inbox-outbox-properties",
            "outbox-must-be-an-orderedcollection"
        ]
    );
    // This server publishes: it takes in nothing, neither from others nor by its outbox.
    assert_eq!(
        of_outcome("failed"),
        ["inbox-must-be-an-orderedcollection", "outbox-post-servers-must-return-a-201-created-http-code"]
    );
}
