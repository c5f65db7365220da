//! Signatures, against a program that was written from their scheme with other tools: Python's
//! `cryptography`, which `tests/run.sh` installs into `target/python`.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use artdag::link::{integrity, keys, signature};
use rsa::pkcs8::DecodePublicKey as _;
use serde_json::{Value, json};

use crate::support::{Home, Ran};

/// Calls the Python program with a document.
fn python(words: &[&str], document: &Value) -> Ran {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = root.join("target/python/bin/python");
    assert!(program.exists(), "python is missing: ./tests/run.sh installs it (python3 with venv is needed)");
    let mut child = Command::new(program)
        .arg(root.join("tests/tools/signature.py"))
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python starts");
    child.stdin.take().unwrap().write_all(document.to_string().as_bytes()).expect("it reads");
    Ran::of(&child.wait_with_output().expect("it ends"))
}

/// A home with a published run whose name is not plain; the activity in its two forms.
fn published() -> (Home, Value, Value) {
    let home = Home::new();
    home.ok(&["render", "invert", "cat", "--sync", "--name", "größte \"Katze\" 🐈"]);
    let run = home.ok(&["publish", "latest", "-q"]).parse().unwrap();
    let engine = home.open(1);
    let row = engine.publication(run).unwrap().row;
    engine.close().unwrap();
    let [activity, sealed] = [&row.activity, &row.sealed].map(|text| serde_json::from_str::<Value>(text).unwrap());
    (home, activity, sealed)
}

/// The same with another value at a place.
fn changed(document: &Value, path: &str) -> Value {
    let mut document = document.clone();
    *document.pointer_mut(path).unwrap_or_else(|| panic!("{path}")) = Value::from("another");
    document
}

#[test]
fn python_takes_our_rsa_signatures_and_no_changed_ones() {
    let (home, activity, sealed) = published();
    let pem = home.write("key.pem", home.ok(&["keys", "export", "rsa"]));
    let verify = |document: &Value| python(&["verify", pem.to_str().unwrap()], document);
    let taken = verify(&activity);
    assert_eq!(taken.code, 0, "{}", taken.err);
    for path in ["/object/name", "/object/contentHash/value", "/actor", "/@context", "/signature/creator", "/published"]
    {
        let refused = verify(&changed(&activity, path));
        assert!(refused.code == 1 && refused.err.contains("not one of this document"), "{path}: {}", refused.err);
    }
    let strip = |document: &Value, name: &str| {
        let mut document = document.as_object().unwrap().clone();
        assert!(document.remove(name).is_some());
        document
    };
    assert_eq!(strip(&activity, "signature"), strip(&sealed, "proof"), "the two are one activity, signed twice");
    assert!(activity["proof"].is_null() && sealed["signature"].is_null());
}

#[test]
fn we_take_pythons_rsa_signatures_and_no_changed_ones() {
    let document = json!({
        "@context": "https://www.w3.org/ns/activitystreams", "type": "Create", "id": "https://art.example/activities/1",
        "object": {"name": "größte \"Katze\" 🐈\u{7f}\u{2028}", "metadata": {"n": [0, -1, 1.0, 0.1, 1e16, 1e-7, 1.5e300, true, null]}},
    });
    let signed = python(&["sign", "https://art.example/users/ann#main-key", "2026-01-07T00:00:00Z"], &document).json();
    let key = rsa::RsaPublicKey::from_public_key_pem(signed["key"].as_str().unwrap()).unwrap();
    signature::verify(&signed["document"], &key).unwrap();
    for path in ["/object/name", "/object/metadata/n/0", "/id", "/signature/created", "/signature/creator"] {
        let verdict = signature::verify(&changed(&signed["document"], path), &key);
        assert_eq!(verdict, Err(signature::BadSignature::Wrong), "{path}");
    }
    let malformed = signature::verify(&changed(&signed["document"], "/signature/signatureValue"), &key);
    assert!(malformed.is_err());
    assert_eq!(signature::verify(&document, &key), Err(signature::BadSignature::Missing));
}

#[test]
fn python_takes_the_proof_of_the_copy_for_bundles() {
    let (home, activity, sealed) = published();
    let pem = home.ok(&["keys", "export"]);
    let key = keys::parse_public(&pem).unwrap();
    integrity::verify(&sealed, &key).unwrap();
    let multibase = keys::multibase_of(&key);
    let taken = python(&["prove", &multibase], &sealed);
    assert_eq!(taken.code, 0, "{}", taken.err);
    let refused = python(&["prove", &multibase], &changed(&sealed, "/object/name"));
    assert_eq!(refused.code, 1, "{}", refused.err);
    assert_eq!(integrity::verify(&activity, &key), Err(integrity::BadProof::Missing));
}
