//! Power cuts and failing disks: what the store promises, tried at every single operation.

use std::path::Path;
use std::sync::Arc;

use rustix::io::Errno;

use crate::base::ContentHash;
use crate::cas::fault::{Fault, FaultDisk, Spared};
use crate::cas::layout::blob_path;
use crate::cas::{Disk, Found, Store, StoreError, Verdict};

const SEEDS: u64 = 12;

fn open(disk: &FaultDisk) -> Store {
    Store::open(Arc::new(disk.clone())).unwrap()
}

/// Three blobs of different lengths; the last takes several writes.
fn samples() -> [Vec<u8>; 3] {
    [b"a blob".to_vec(), Vec::new(), (0..1_100_000_u32).map(|i| (i % 251) as u8).collect()]
}

/// Puts one blob in pieces, and says whether that was acknowledged.
fn put(store: &Store, bytes: &[u8]) -> Option<ContentHash> {
    store.copy_in(&mut &*bytes, None).ok().map(|stored| stored.hash)
}

/// Every blob that the store shows is whole, and those acknowledged are there.
fn check(store: &Store, acknowledged: &[ContentHash], context: &str) {
    for found in store {
        let Found::Blob { hash, .. } = found.unwrap() else { panic!("a foreign file, {context}") };
        assert!(matches!(store.verify(&hash).unwrap(), Verdict::Whole { .. }), "half a blob, {context}");
    }
    for hash in acknowledged {
        assert!(store.contains(hash).unwrap(), "lost {}, {context}", hash.short());
    }
    assert!(store.disk().list(Path::new("tmp")).unwrap().is_empty(), "tmp/ holds leftovers, {context}");
}

/// Cuts the power before and after every operation of `work`, and looks at what is found with
/// nothing, everything and random parts of the unsynced changes spared.
fn cut_everywhere(prepare: impl Fn(&Store), work: impl Fn(&Store) -> Vec<ContentHash>) {
    for operation in 0.. {
        let mut reached = false;
        for fault in [Fault::CutBefore, Fault::CutAfter] {
            let disk = FaultDisk::new();
            prepare(&open(&disk));
            let store = open(&disk);
            disk.order(operation, fault);
            let acknowledged = work(&store);
            reached |= disk.is_off();
            let spared = [Spared::Nothing, Spared::Everything].into_iter().chain((0..SEEDS).map(Spared::Some));
            for spared in spared {
                let context = format!("power cut: {fault:?} {operation}, {spared:?}");
                let found = disk.after_power_cut(spared);
                let store = open(&found);
                check(&store, &acknowledged, &context);
                let again = put(&store, &samples()[0]).expect("a put after recovery");
                check(&open(&found.after_power_cut(Spared::Nothing)), &[again], &context);
            }
        }
        if !reached {
            assert!(operation > 5, "the work has only {operation} operations");
            return;
        }
    }
}

#[test]
fn a_put_is_whole_or_absent_after_a_power_cut_and_an_acknowledged_one_stays() {
    cut_everywhere(|_| {}, |store| samples().iter().filter_map(|bytes| put(store, bytes)).collect());
}

#[test]
fn a_put_of_what_a_killed_process_left_is_durable_like_any_other() {
    let [bytes, ..] = samples();
    for operation in 0..9 {
        let disk = FaultDisk::new();
        let store = open(&disk);
        disk.order(operation, Fault::CutAfter);
        let _ = put(&store, &bytes);
        assert!(disk.is_off());
        let disk = disk.after_kill();
        let acknowledged = put(&open(&disk), &bytes).unwrap();
        let found = open(&disk.after_power_cut(Spared::Nothing));
        check(&found, &[acknowledged], &format!("killed after operation {operation}"));
    }
}

#[test]
fn a_removal_leaves_the_blob_whole_or_absent() {
    let hash = ContentHash::of(&samples()[0]);
    cut_everywhere(
        |store| {
            for bytes in &samples() {
                put(store, bytes);
            }
        },
        |store| {
            let kept = samples()[1..].iter().map(|bytes| ContentHash::of(bytes)).collect();
            let _ = store.remove(&hash);
            let _ = put(store, b"another");
            kept
        },
    );
}

#[test]
fn a_damaged_blob_is_replaced_by_a_put_as_safely_as_a_new_one_is_made() {
    let [bytes, ..] = samples();
    let hash = ContentHash::of(&bytes);
    for operation in 0..12 {
        for seed in 0..SEEDS {
            let disk = FaultDisk::new();
            put(&open(&disk), &bytes).unwrap();
            disk.damage(&blob_path(&hash), |bytes| bytes.truncate(3));
            let store = open(&disk);
            disk.order(operation, Fault::CutAfter);
            let acknowledged = put(&store, &bytes).is_some();
            let store = open(&disk.after_power_cut(Spared::Some(seed)));
            let whole = matches!(store.verify(&hash).unwrap(), Verdict::Whole { .. });
            assert!(whole || !acknowledged, "operation {operation}, seed {seed}");
            // Old or new, never a third thing.
            assert!([3, bytes.len() as u64].contains(&store.size_of(&hash).unwrap().unwrap()));
        }
    }
}

#[test]
fn a_failing_or_full_disk_fails_the_put_alone_and_no_second_sync_heals_it() {
    for errno in [Errno::IO, Errno::NOSPC] {
        for operation in 0.. {
            let disk = FaultDisk::new();
            let store = open(&disk);
            let before = put(&store, b"before").unwrap();
            disk.take_log();
            disk.order(operation, Fault::Errno(errno.raw_os_error()));
            let bytes = &samples()[2];
            let result = store.copy_in(&mut bytes.as_slice(), None);
            let context = format!("{errno} at operation {operation}");
            let log = disk.take_log();
            if log.len() <= operation {
                assert!(result.is_ok() && operation > 7, "{context}: {result:?}");
                break;
            }
            let error = result.expect_err(&context);
            assert_eq!(error.is_full(), errno == Errno::NOSPC, "{context}: {error}");
            check(&store, &[before], &context);
            // The same store goes on, and what it acknowledges now is durable.
            let after = put(&store, bytes).expect(&context);
            check(&open(&disk.after_power_cut(Spared::Nothing)), &[before, after], &context);
        }
    }
}

#[test]
fn a_writer_whose_write_failed_stores_nothing_whatever_follows() {
    let disk = FaultDisk::new();
    let store = open(&disk);
    let mut writer = store.writer().unwrap();
    disk.order(0, Fault::Errno(Errno::NOSPC.raw_os_error()));
    let piece = &samples()[2];
    assert!(writer.push(piece).unwrap_err().is_full());
    assert!(matches!(writer.push(piece), Err(StoreError::GivenUp)));
    assert!(matches!(writer.finish(), Err(StoreError::GivenUp)));
    check(&store, &[], "given up");
    assert_eq!(store.iter().count(), 0);
}

#[test]
fn a_temporary_file_that_cannot_be_removed_goes_when_the_store_is_next_opened() {
    let disk = FaultDisk::new();
    let store = open(&disk);
    let mut writer = store.writer().unwrap();
    writer.push(b"never finished").unwrap();
    disk.order(0, Fault::Errno(Errno::IO.raw_os_error()));
    drop(writer);
    assert_eq!(disk.list(Path::new("tmp")).unwrap().len(), 1);
    check(&open(&disk), &[], "reopened");
}

#[test]
fn a_put_costs_these_operations_and_no_more() {
    let disk = FaultDisk::new();
    let store = open(&disk);
    let (bytes, hash) = (b"a blob", ContentHash::of(b"a blob"));
    let path = blob_path(&hash);
    let leaf = path.parent().unwrap().display();
    let top = path.parent().unwrap().parent().unwrap().display();
    disk.take_log();

    assert!(!store.put_bytes(bytes).unwrap().existing);
    let first = disk.take_log();
    assert_eq!(
        first,
        [
            "create tmp/0".to_owned(),
            "write tmp/0 6".to_owned(),
            "sync tmp/0".to_owned(),
            format!("make directory {top}"),
            "sync directory cache".to_owned(),
            format!("make directory {leaf}"),
            format!("sync directory {top}"),
            format!("rename tmp/0 {}", path.display()),
            format!("sync directory {leaf}"),
        ]
    );

    // The directories are known to be durable from now on.
    store.remove(&hash).unwrap();
    disk.take_log();
    assert!(!store.copy_in(&mut &bytes[..], Some(hash)).unwrap().existing);
    let renamed = format!("rename tmp/1 {}", path.display());
    assert_eq!(disk.take_log(), ["create tmp/1", "write tmp/1 6", "sync tmp/1", &renamed, &first[8]]);

    // What is there is not written again.
    assert!(store.put_bytes(bytes).unwrap().existing);
    assert_eq!(disk.take_log(), first[8..]);
}
