//! kill -9 at each step between asking and L2's having it.

use std::io::Write as _;

use serde_json::Value;

use super::l2::{L2, Manner, completed, in_state, publish, server};
use crate::support::{Home, Server};

/// The server dies while L2 behaves so, and is started again; L2 must have both parts, once.
fn dies_and_goes_on(manner: &Manner, requests: usize) -> L2 {
    let (home, l2) = (Home::new(), L2::start(manner.clone()));
    let first = server(&home, &l2);
    let (run, _) = completed(&first, 1);
    publish(&first, &run);
    l2.wait_for(requests);
    first.kill();
    l2.behave(Manner::Honest);
    let second = server(&home, &l2);
    in_state(&second, &run, "delivered");
    let paths: Vec<String> = l2.taken().into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["/activities", "/registry/record-run"], "{manner:?}");
    l2
}

fn activities(l2: &L2) -> Vec<Value> {
    l2.asked().into_iter().filter(|asked| asked.path == "/activities").map(|asked| asked.body).collect()
}

#[test]
fn r2_killed_before_l2_has_taken_anything() {
    let l2 = dies_and_goes_on(&Manner::Hangs, 1);
    let sent = activities(&l2);
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0], sent[1], "what was signed is sent, and not signed anew");
}

#[test]
fn r2_killed_after_l2_took_the_activity_and_before_it_was_known_here() {
    let l2 = dies_and_goes_on(&Manner::TakesAndHangs, 1);
    let sent = activities(&l2);
    assert_eq!((sent.len(), &sent[0]["id"]), (2, &sent[1]["id"]));
}

#[test]
fn r2_killed_between_the_activity_and_the_record() {
    let l2 = dies_and_goes_on(&Manner::HangsAtRecords, 2);
    assert_eq!(activities(&l2).len(), 1, "what is known to be there is not sent again");
}

#[test]
fn r2_killed_while_it_is_asked_to_publish_leaves_all_or_nothing() {
    let (home, l2) = (Home::new(), L2::start(Manner::Honest));
    let first = server(&home, &l2);
    let runs: Vec<String> = (0..6).map(|seed| completed(&first, seed).0).collect();
    let mut now = first;
    for (round, run) in runs.iter().enumerate() {
        let mut stream = now.connect();
        let token = &now.token;
        let head =
            format!("POST /runs/{run}/publish HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        // Each round dies a little later than the one before.
        for _ in 0..round {
            now.get("/publications");
        }
        now.kill();
        now = server(&home, &l2);
        whole_or_absent(&now, run);
        publish(&now, run);
        in_state(&now, run, "delivered");
    }
    let ids: Vec<String> = activities(&l2).iter().map(|activity| activity["id"].to_string()).collect();
    assert!(runs.iter().all(|run| ids.iter().any(|id| id.contains(run.as_str()))));
    assert_eq!(now.get("/publications").json().as_array().unwrap().len(), runs.len());
}

/// All of a publication is there, or nothing.
fn whole_or_absent(server: &Server, run: &str) {
    let view = server.get(&format!("/runs/{run}")).expect(200).json();
    let deleted = server.admin("DELETE", &format!("/runs/{run}?dry_run=true")).status;
    let activity = server.get(&format!("/activities/{run}")).status;
    let expected = if view["published"] == true { (409, 200) } else { (200, 404) };
    assert_eq!((deleted, activity), expected, "{view}");
    assert_eq!(view["published"] == true, view["publication"].is_object(), "{view}");
}
