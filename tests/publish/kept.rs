//! What is published stays, whatever way somebody tries.

use super::l2::{L2, Manner, completed, publish, server};
use crate::support::Home;

#[test]
fn every_path_of_deletion_is_refused_and_names_the_publication() {
    let (home, l2) = (Home::new(), L2::start(Manner::Honest));
    let server = server(&home, &l2);
    let input = server.upload(&crate::support::png(20, 10, 1));
    let config = server.config(
        "name: ink\ndag:\n  nodes:\n    - {id: photo, type: SOURCE, config: {input: true}}\n    - {id: out, type: EFFECT, config: {effect: invert}, inputs: [photo]}\n  output: out\n",
    );
    let run = server.run(&config, &[&input]);
    server.run_ended(&run);
    let view = publish(&server, &run);
    let [output, provenance] = ["output_hash", "provenance_hash"].map(|name| view[name].as_str().unwrap().to_owned());
    let publication = format!("publication {run}");

    // A run that made the same goes no more than the published one.
    let same = server.run(&config, &[&input]);
    server.run_ended(&same);
    for (run, name) in [(&run, "published"), (&same, "same")] {
        for query in ["", "?dry_run=true"] {
            let refused = server.admin("DELETE", &format!("/runs/{run}{query}")).expect(409);
            assert!(refused.detail().contains(&publication), "{name}: {}", refused.detail());
        }
        let refused = home.run(&["run-rm", run]);
        assert!(refused.code == 5 && refused.err.contains(&publication), "{name}: {}", refused.err);
    }
    // The name of an input may go, the input not; nor the output, its provenance or its recipe's text.
    server.admin("DELETE", &format!("/configs/{config}")).expect(200);
    for hash in [&output, &input, &provenance, &config] {
        for query in ["", "?dry_run=true"] {
            let refused = server.admin("DELETE", &format!("/cache/{hash}{query}")).expect(409);
            assert!(refused.detail().contains(&publication), "{}", refused.detail());
        }
        let refused = home.run(&["cache", "rm", hash]);
        assert!(refused.code == 5 && refused.err.contains(&publication), "{}", refused.err);
        let info = server.get(&format!("/cache/{hash}/info")).expect(200).json();
        assert_eq!((&info["published"], &info["deletable"]), (&true.into(), &false.into()), "{info}");
        assert!(info["because"].as_str().unwrap().contains(&publication), "{info}");
    }
    // Making room takes nothing of it, with a cap of nothing and with everything else gone.
    server.admin("POST", "/cache/gc?max_bytes=0").expect(200);
    home.ok(&["cache", "gc", "--max-bytes", "0"]);
    for hash in [&output, &input, &provenance, &config] {
        server.get(&format!("/cache/{hash}")).expect(200);
    }
    // What another run made of a published output can go, and the output stays.
    let further = server.run("sepia", &[&output]);
    server.run_ended(&further);
    server.admin("DELETE", &format!("/runs/{further}")).expect(200);
    server.get(&format!("/cache/{output}")).expect(200);
    assert_eq!(server.admin("POST", "/cache/verify").expect(200).json()["damaged"], serde_json::json!([]));
    // So after a restart.
    server.signal("TERM");
    assert_eq!(server.wait(), 0);
    let refused = home.run(&["run-rm", &run]);
    assert!(refused.code == 5 && refused.err.contains(&publication), "{}", refused.err);
}

#[test]
fn an_output_that_a_publication_was_made_of_keeps_its_run() {
    let (home, l2) = (Home::new(), L2::start(Manner::Honest));
    let server = server(&home, &l2);
    let (first, _) = completed(&server, 1);
    let output = server.get(&format!("/runs/{first}")).json()["output_hash"].as_str().unwrap().to_owned();
    let second = server.run("sepia", &[&output]);
    server.run_ended(&second);
    assert_eq!(server.get(&format!("/runs/{first}")).json()["published"], false);
    publish(&server, &second);
    assert_eq!(server.get(&format!("/runs/{first}")).json()["published"], true);
    let refused = server.admin("DELETE", &format!("/runs/{first}")).expect(409);
    assert!(refused.detail().contains(&format!("an input of publication {second}")), "{}", refused.detail());
}
