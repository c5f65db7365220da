//! `artdag keys`: made by the first who asks, and only their public parts are told.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::Home;

#[test]
fn s6_keys_are_made_when_asked_for_and_only_public_parts_are_printed() {
    let home = Home::new();
    let shown = home.run(&["keys", "--output", "json"]).json();
    let (ed25519, rsa) = (&shown[0], &shown[1]);
    assert!(ed25519["id"].as_str().unwrap().starts_with("did:key:z6Mk"), "{shown}");
    let table = home.ok(&["keys"]);
    assert!(table.contains(ed25519["fingerprint"].as_str().unwrap()) && !table.contains("PRIVATE"), "{table}");
    assert_eq!(home.ok(&["keys", "export"]), ed25519["pem"].as_str().unwrap().trim_end());
    assert_eq!(home.ok(&["keys", "export", "rsa"]), rsa["pem"].as_str().unwrap().trim_end());
    let actor: serde_json::Value = serde_json::from_str(&home.ok(&["keys", "export", "actor"])).expect("JSON");
    assert_eq!((&actor["type"], &actor["publicKey"]["publicKeyPem"]), (&"Person".into(), &rsa["pem"]));
    for name in ["ed25519.pem", "rsa.pem"] {
        let path = home.path().join("keys").join(name);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!shown.to_string().contains(std::fs::read_to_string(path).unwrap().lines().nth(1).unwrap()));
    }
    let path = home.path().join("keys/ed25519.pem");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o604)).unwrap();
    let refused = home.run(&["keys"]);
    assert_eq!(refused.code, 6, "{}", refused.err);
    assert!(refused.err.contains("mode 604") && refused.err.contains("chmod 600"), "{}", refused.err);
}
