//! Making room: what can be made again goes, oldest use first; what is held stays.

use artdag::records::{Origin, RunOptions, RunStatus};

use crate::support::{self, Home, options, run_config};

fn config(hash: &str, sigma: u32) -> String {
    format!(
        "name: gc\ndag:\n  nodes:\n    - {{id: s, type: SOURCE, config: {{hash: \"{hash}\"}}}}\n    - {{id: soft, type: EFFECT, config: {{effect: blur, params: {{sigma: {sigma}}}}}, inputs: [s]}}\n    - {{id: out, type: EFFECT, config: {{effect: invert}}, inputs: [soft]}}\n  output: out\n"
    )
}

fn keeping() -> RunOptions {
    RunOptions { keep: vec![artdag::base::NodeId::new("soft")], ..options(true, true) }
}

#[test]
fn what_can_be_made_again_goes_oldest_first_and_outputs_stay() {
    let home = Home::new();
    let engine = home.open(2);
    let source = engine.add_bytes(&support::png(60, 40, 1), None).expect("bytes can be added").content_hash;
    let rows: Vec<_> =
        (1..=4).map(|sigma| run_config(&engine, &config(&source.to_string(), sigma), keeping())).collect();
    // The first one's intermediate is used again, so it is no longer the oldest.
    let mut again = keeping();
    again.force = vec![artdag::base::NodeId::new("out")];
    run_config(&engine, &config(&source.to_string(), 1), again);

    let derived = |engine: &artdag::engine::Engine| -> Vec<_> {
        let blobs = engine.blobs().expect("blobs are listed");
        blobs.into_iter().filter(|(_, row)| row.origin == Origin::Derived).collect()
    };
    let before = derived(&engine);
    let total: u64 = before.iter().map(|(_, row)| row.size).sum();
    let looked = engine.gc(Some(total - 1), false, true).expect("it can be looked at");
    assert_eq!((looked.evicted.len(), derived(&engine).len()), (1, before.len()));
    let collected = engine.gc(Some(total - 1), false, false).expect("room can be made");
    assert_eq!((&collected.evicted, collected.freed_bytes), (&looked.evicted, looked.freed_bytes));
    let left = derived(&engine);
    assert_eq!(left.len(), before.len() - 1);

    // All that may go: four outputs stay, with their inputs.
    let all = engine.gc(Some(0), false, false).expect("room can be made");
    assert_eq!(all.evicted.len(), 3);
    for row in &rows {
        assert!(left.iter().any(|(hash, _)| Some(*hash) == row.output));
        engine.read_checked(&row.output.expect("it is complete")).expect("outputs stay");
    }
    assert!(engine.gc(Some(0), false, false).expect("nothing is left to go").evicted.is_empty());
    // The intermediate of the first run was used last: it went last.
    let order = [looked.evicted, all.evicted].concat();
    let first = order.last().expect("four went");
    let key = rows[0].output;
    assert_ne!(Some(*first), key);

    // What went is made again, and comes out the same.
    let mut force = keeping();
    force.force = vec![artdag::base::NodeId::new("out")];
    let redone = run_config(&engine, &config(&source.to_string(), 3), force);
    assert_eq!((redone.status, redone.output), (RunStatus::Completed, rows[2].output));
    engine.close().expect("the home closes");
}

#[test]
fn r35_a_known_result_whose_file_is_gone_is_made_again() {
    let home = Home::new();
    let engine = home.open(2);
    let source = engine.add_bytes(&support::png(60, 40, 1), None).expect("bytes can be added").content_hash;
    let yaml = config(&source.to_string(), 2);
    let first = run_config(&engine, &yaml, keeping());
    let output = first.output.expect("it is complete").to_string();
    std::fs::remove_file(home.path().join("cache").join(&output[..2]).join(&output[2..4]).join(&output)).unwrap();
    let again = run_config(&engine, &yaml, keeping());
    assert_eq!((again.output, again.stats.stages), (first.output, 1));
    engine.read_checked(&again.output.expect("it is complete")).expect("the file is there again");
    engine.close().expect("the home closes");
}

#[test]
fn r17_flipped_bits_are_found_never_used_and_mended() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new();
    let engine = home.open(2);
    let bytes = support::png(60, 40, 1);
    let source = engine.add_bytes(&bytes, None).expect("bytes can be added").content_hash;
    let yaml = config(&source.to_string(), 2);
    let first = run_config(&engine, &yaml, keeping());
    let flip = |hash: &str| {
        let path = home.path().join("cache").join(&hash[..2]).join(&hash[2..4]).join(hash);
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        std::fs::write(&path, bytes).unwrap();
    };
    // A derived value: the next run that needs it makes it again.
    let soft = engine
        .blobs()
        .expect("blobs are listed")
        .into_iter()
        .find(|(hash, row)| row.origin == Origin::Derived && Some(*hash) != first.output)
        .expect("an intermediate was kept")
        .0;
    flip(&soft.to_string());
    let report = engine.verify_blobs(None, &mut |_, _| true).expect("blobs can be verified");
    assert_eq!(report.damaged.iter().map(|damage| damage.content_hash).collect::<Vec<_>>(), [soft]);
    let mut force = keeping();
    force.force = vec![artdag::base::NodeId::new("out")];
    let again = run_config(&engine, &yaml, force);
    assert_eq!((again.status, again.output), (RunStatus::Completed, first.output), "{:?}", again.error);
    let report = engine.verify_blobs(None, &mut |_, _| true).expect("blobs can be verified");
    assert!(report.damaged.is_empty(), "{report:?}");
    // An output: nobody is given other bytes, and the next run makes it again.
    let output = first.output.expect("it is complete");
    assert!(engine.open_bytes(&output).is_ok());
    flip(&output.to_string());
    let report = engine.verify_blobs(None, &mut |_, _| true).expect("blobs can be verified");
    assert_eq!(report.damaged.len(), 1, "{report:?}");
    assert!(engine.opened(&output).is_none() && engine.open_bytes(&output).is_err());
    let again = run_config(&engine, &yaml, keeping());
    assert_eq!((again.status, again.output), (RunStatus::Completed, first.output), "{:?}", again.error);
    assert!(engine.read_checked(&output).is_ok() && engine.open_bytes(&output).is_ok());
    // A source: the run fails and names it; the original file mends it.
    flip(&source.to_string());
    let failed = run_config(&engine, &yaml, options(false, true));
    assert_eq!(failed.status, RunStatus::Failed);
    assert!(failed.error.as_ref().expect("it says why").contains(&source.to_string()), "{:?}", failed.error);
    engine.add_bytes(&bytes, None).expect("bytes can be added");
    let mended = run_config(&engine, &yaml, options(false, true));
    assert_eq!((mended.status, mended.output), (RunStatus::Completed, first.output));
    engine.close().expect("the home closes");
}

#[test]
fn r21_an_empty_database_beside_blobs_removes_nothing() {
    let home = Home::new();
    let engine = home.open(1);
    engine.add_bytes(b"precious", None).expect("bytes can be added");
    engine.close().expect("the home closes");
    std::fs::remove_file(home.path().join("artdag.redb")).unwrap();
    let engine = home.open(1);
    let blobs = |engine: &artdag::engine::Engine| engine.blobs().expect("blobs are listed").len();
    // The new database has the cat and nothing else.
    assert_eq!(blobs(&engine), 1);
    let refused = engine.gc(Some(0), false, false).expect_err("files that nobody knows stay");
    assert!(refused.to_string().contains("database"), "{refused}");
    let collected = engine.gc(Some(0), true, false).expect("asked for, they go");
    assert_eq!(collected.orphans, 1);
    engine.close().expect("the home closes");
}

#[test]
fn a_long_chain_keeps_what_is_expensive_before_its_last_node() {
    let home = Home::new();
    let engine = home.open(2);
    let source = engine.add_bytes(&support::png(64, 48, 1), None).expect("bytes can be added").content_hash;
    let yaml = |amount: f64| {
        let mut yaml =
            format!("name: long\ndag:\n  nodes:\n    - {{id: n0, type: SOURCE, config: {{hash: \"{source}\"}}}}\n");
        for index in 1..=6 {
            yaml += &format!(
                "    - {{id: n{index}, type: EFFECT, config: {{effect: blur, params: {{sigma: {index}}}}}, inputs: [n{}]}}\n",
                index - 1
            );
        }
        yaml + &format!(
            "    - {{id: last, type: EFFECT, config: {{effect: sepia, params: {{amount: {amount}}}}}, inputs: [n6]}}\n  output: last\n"
        )
    };
    let at = |checkpoint: &str| RunOptions { checkpoint: checkpoint.to_owned(), ..options(true, true) };
    let first = run_config(&engine, &yaml(0.5), at("n6"));
    assert_eq!((first.stats.stages, first.stats.misses), (1, 8));
    // Only the last node and the encoding run again.
    let changed = run_config(&engine, &yaml(0.6), at("never"));
    assert_eq!((changed.stats.hits, changed.stats.misses), (1, 2));
    let never = run_config(&engine, &yaml(0.5).replace("sigma: 1}", "sigma: 1.5}"), at("never"));
    assert_eq!(never.stats.blobs_written, 1);
    engine.close().expect("the home closes");
}

#[test]
fn uploads_beside_a_collection_are_never_taken_for_orphans() {
    let home = Home::new();
    let engine = home.open(2);
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let collector = scope.spawn(|| {
            let mut rounds = 0;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                engine.gc(Some(0), false, false).expect("room can be made");
                rounds += 1;
            }
            rounds
        });
        let uploads: Vec<_> = (0..600_u32)
            .map(|number| engine.add_bytes(&number.to_le_bytes(), None).expect("bytes can be added").content_hash)
            .collect();
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(collector.join().expect("the collector ends") > 0);
        for hash in &uploads {
            engine.read_checked(hash).expect("an acknowledged upload is there");
        }
    });
    engine.close().expect("the home closes");
}
