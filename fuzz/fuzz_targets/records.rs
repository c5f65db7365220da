//! Any bytes as a record of every type: no panic, no memory for made-up lengths, and what can
//! be read is written as the same bytes.

#![no_main]

use std::fmt::Debug;

use artdag::records::{
    AssetRow, BlobRow, CommandsRow, ConfigRow, DeliveryRow, IdempotencyRow, InfraRow, KeyRow, MemoRow, ProbeRow,
    PublicationRow, Record, RunRow, SealRow, SessionRow, TaskRow, TokenRow, TraceRow, tables,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // The first byte says which type, the record begins with its version.
    let Some((kind, record)) = bytes.split_first() else {
        return;
    };
    match kind % 18 {
        0 => check::<RunRow>(record),
        1 => check::<MemoRow>(record),
        2 => check::<KeyRow>(record),
        3 => check::<BlobRow>(record),
        4 => check::<AssetRow>(record),
        5 => check::<ConfigRow>(record),
        6 => check::<InfraRow>(record),
        7 => check::<TokenRow>(record),
        8 => check_holder(record),
        9 => check::<ProbeRow>(record),
        10 => check::<SessionRow>(record),
        11 => check::<IdempotencyRow>(record),
        12 => check::<PublicationRow>(record),
        13 => check::<DeliveryRow>(record),
        14 => check::<TaskRow>(record),
        15 => check::<SealRow>(record),
        16 => check::<TraceRow>(record),
        _ => check::<CommandsRow>(record),
    }
});

fn check<R: Record + PartialEq + Debug>(bytes: &[u8]) {
    match R::from_bytes(bytes) {
        Ok(row) => {
            let written = row.to_bytes();
            // What an earlier version wrote is written as this one does.
            assert!(written == bytes || bytes[0] != R::VERSION);
            assert_eq!(R::from_bytes(&written).expect("what was written can be read"), row);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// The key of a holder row: hash, kind, id.
fn check_holder(bytes: &[u8]) {
    if let Some(holder) = tables::holder_of(bytes) {
        let hash = bytes.first_chunk().map(|hash| artdag::base::ContentHash::from_bytes(*hash));
        let hash = hash.expect("a holder's key begins with a hash");
        assert_eq!(tables::holder_key(&hash, &holder), bytes);
        assert!(tables::holders_of(&hash).contains(&bytes.to_vec()));
    }
}
