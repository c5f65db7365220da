//! The bytes of every record type, held by a golden file each: a home written by this version
//! is read by the next.

use std::path::{Path, PathBuf};

use artdag::base::{ContentHash, Fingerprint, NodeId, NodeKey, RunId, Timestamp};
use artdag::records::{
    AssetRow, BlobRow, CommandTrace, CommandsRow, ConfigRow, DeliveryRow, DeliveryState, FileTrace, Held,
    IdempotencyRow, InfraRow, KeyRow, MemoRow, NodeTrace, Origin, ProbeRow, PublicationRow, Record, RunOptions, RunRow,
    RunStats, RunStatus, SealRow, SessionOf, SessionRow, StageTrace, TaskRow, TokenRow, TraceRow, Verdict,
};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// Compares with the golden file; `ARTDAG_BLESS=1` writes it, for a new record version.
fn check<R: Record + PartialEq + std::fmt::Debug>(name: &str, row: &R) {
    let path = golden(&format!("{name}-v{}.bin", R::VERSION));
    if std::env::var_os("ARTDAG_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, row.to_bytes()).unwrap();
    }
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(&R::from_bytes(&bytes).expect("a golden record can be read"), row, "{name}");
    assert_eq!(row.to_bytes(), bytes, "{name} is written otherwise: raise its version and keep the old file readable");
}

fn hash(byte: u8) -> ContentHash {
    ContentHash::from_bytes([byte; 32])
}

fn run() -> RunRow {
    RunRow {
        status: RunStatus::Completed,
        recipe: "dog".to_owned(),
        recipe_version: Some("1.0".to_owned()),
        config: Some(hash(1)),
        bindings: vec![(NodeId::new("photo"), vec![hash(2), hash(3)])],
        fixed: vec![(NodeId::new("paper"), hash(4))],
        inputs: vec![hash(2), hash(3), hash(4)],
        params: r#"{"sigma":2}"#.to_owned(),
        format: Some("webp".to_owned()),
        quality: Some(80),
        options: RunOptions {
            cache: true,
            fuse: false,
            keep: vec![NodeId::new("a")],
            force: vec![NodeId::new("b")],
            checkpoint: "auto".to_owned(),
        },
        output_name: "out".to_owned(),
        output: Some(hash(5)),
        output_media_type: Some("image/webp".to_owned()),
        provenance: Some(hash(6)),
        created_at: Timestamp::from_micros(1),
        started_at: Some(Timestamp::from_micros(2)),
        completed_at: Some(Timestamp::from_micros(3)),
        error: Some("why".to_owned()),
        error_detail: Some("more".to_owned()),
        storage_full: false,
        warnings: vec!["mind".to_owned()],
        priority: -3,
        held: true,
        attempts: 2,
        detached: true,
        username: Some("@ann@example.org".to_owned()),
        stats: RunStats { stages: 1, hits: 2, misses: 3, blobs_written: 4 },
        progress: (5, 6, 7),
        verifies: Some(RunId::from_bytes([8; 16])),
        verdict: Some(Verdict::Same),
        sequence: 9,
    }
}

#[test]
fn every_record_type_has_its_golden_bytes() {
    check("run", &run());
    let (key, tool, at) = (NodeKey::from_bytes([9; 32]), Fingerprint::from_bytes([10; 32]), Timestamp::from_micros(11));
    check("memo", &MemoRow { hash: hash(1), run: RunId::from_bytes([2; 16]), infra: tool, made_at: at });
    check(
        "key",
        &KeyRow {
            node_type: "EFFECT".to_owned(),
            version: 1,
            content: None,
            params: r#"{"effect":"dog"}"#.to_owned(),
            inputs: vec![key],
            tools: vec![("effect:dog".to_owned(), tool)],
        },
    );
    check("probe", &ProbeRow { clip: Some("{\"picture\":null,\"sound\":null}".to_owned()), damage: None, look: 3 });
    check(
        "blob",
        &BlobRow {
            size: 12,
            origin: Origin::Derived,
            created_at: at,
            used_at: at,
            media_type: "image/png".to_owned(),
            dimensions: Some((13, 14)),
            animated: false,
            damage: None,
            inline: false,
            sequence: 18,
            record_of: Some(RunId::from_bytes([26; 16])),
        },
    );
    check("asset", &AssetRow { hash: hash(15), created_at: at });
    let config = ConfigRow {
        name: "c".to_owned(),
        version: Some("1.0".to_owned()),
        created_at: at,
        sequence: 16,
        fixed: vec![hash(17)],
    };
    check("config", &config);
    check("infra", &InfraRow { json: "{}".to_owned() });
    let scopes = vec!["read".to_owned(), "admin".to_owned()];
    let node =
        NodeTrace { state: 4, started: Some(at), ended: None, output: Some(hash(21)), stage: Some(25), stored: None };
    check("trace", &TraceRow { nodes: vec![node], stages: vec![StageTrace { ready: Some(at) }] });
    let file = |name: &str, holds: Held| FileTrace { name: name.to_owned(), holds };
    let files =
        vec![file("a", Held::Blob(hash(26))), file("b", Held::Text("null".to_owned())), file("c", Held::Pixels)];
    let command = CommandTrace { program: "ffmpeg".to_owned(), args: vec!["-y".to_owned()], files };
    check("commands", &CommandsRow { commands: vec![command] });
    let (task, parent) = ("t-1".to_owned(), Some("t-0".to_owned()));
    check("task", &TaskRow { task, wants_result: true, parent, group: None });
    let seal = SealRow { key_id: "did:key:z6Mk".to_owned(), signature: vec![22; 64], sha256: Some(tool) };
    check("seal", &seal);
    check("idempotency", &IdempotencyRow { body: hash(19), run: RunId::from_bytes([20; 16]), created_at: at });
    check("token", &TokenRow { name: "t".to_owned(), hash: tool, scopes, created_at: at });
    let user = SessionOf::User {
        subject: "@ann@example.org".to_owned(),
        name: "@ann@example.org".to_owned(),
        issuer: "https://example.org".to_owned(),
    };
    check("session", &SessionRow { of: user, created_at: at, expires_at: Timestamp::from_micros(18) });
}

/// A trace of version 1 has neither stages nor what they stored.
#[test]
fn a_trace_of_the_first_version_is_read() {
    let bytes = std::fs::read(golden("trace-v1.bin")).expect("the golden record of version 1");
    let at = Some(Timestamp::from_micros(11));
    let node = NodeTrace { state: 4, started: at, ended: None, output: Some(hash(21)), stage: None, stored: None };
    assert_eq!(TraceRow::from_bytes(&bytes).expect("it can be read"), TraceRow { nodes: vec![node], stages: vec![] });
}

/// The first version of a look does not say which look it was: the source is looked at again.
#[test]
fn a_look_of_the_first_version_is_read() {
    let bytes = std::fs::read(golden("probe-v1.bin")).expect("the golden record of version 1");
    let row = ProbeRow::from_bytes(&bytes).expect("it can be read");
    assert_eq!((row.clip.as_deref(), row.look), (Some("{\"picture\":null,\"sound\":null}"), 0));
}

/// A blob's row of version 2 does not say whose record it is.
#[test]
fn a_blob_of_the_second_version_is_read() {
    let bytes = std::fs::read(golden("blob-v2.bin")).expect("the golden record of version 2");
    let row = BlobRow::from_bytes(&bytes).expect("it can be read");
    assert_eq!((row.size, row.sequence, row.record_of), (12, 18, None));
    assert_eq!(row.to_bytes()[0], 3, "it is written as one of this version");
}

#[test]
fn publications_have_their_golden_bytes() {
    let at = Timestamp::from_micros(11);
    let publication = PublicationRow {
        object: hash(22),
        sha3: [23; 32],
        published_at: at,
        sequence: 24,
        activity: r#"{"type":"Create"}"#.to_owned(),
        sealed: "{}".to_owned(),
        record: "{}".to_owned(),
    };
    check("publication", &publication);
    let delivery = DeliveryRow {
        state: DeliveryState::Refused,
        parts: 1,
        attempts: 25,
        error: Some("why".to_owned()),
        tried_at: Some(at),
        next_at: Some(at),
        delivered_at: None,
    };
    check("delivery", &delivery);
}

#[test]
fn every_golden_file_is_read_by_a_test() {
    let known = [
        "run-v2",
        "memo-v1",
        "key-v1",
        "blob-v2",
        "blob-v3",
        "probe-v1",
        "probe-v2",
        "asset-v1",
        "config-v1",
        "infra-v1",
        "token-v1",
        "session-v1",
        "idempotency-v1",
        "trace-v1",
        "trace-v2",
        "commands-v1",
        "publication-v1",
        "delivery-v1",
        "task-v1",
        "seal-v1",
    ];
    for entry in std::fs::read_dir(golden("")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(known.iter().any(|known| name == format!("{known}.bin")), "{name} is tested by nobody");
    }
}
