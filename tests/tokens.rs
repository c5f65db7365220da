//! `artdag token`: tokens are shown once, and nowhere kept.

use crate::support::Home;

#[test]
fn s6_a_token_is_printed_once_and_nothing_in_the_home_holds_it() {
    let home = Home::new();
    let made = home.run(&["token", "new", "ci", "--scopes", "run,delete"]);
    let token = made.out.trim_end();
    assert_eq!((made.code, token.len()), (0, "artdag_".len() + 64), "{made:?}");
    assert!(made.err.contains("may read run delete; it is not shown again"), "{}", made.err);
    let json = home.run(&["token", "new", "robot", "--scopes", "admin", "--output", "json"]).json();
    assert_eq!(json["scopes"], serde_json::json!(["read", "run", "delete", "admin"]));
    let other = json["token"].as_str().unwrap();

    let list = home.ok(&["token", "list"]);
    assert_eq!(list.lines().count(), 4, "{list}");
    assert!(list.contains("robot") && list.contains("ci") && list.contains("first start"), "{list}");
    assert!(!list.contains(token) && !list.contains(other));
    for secret in [token, other] {
        assert_eq!(holding(&home.path(), secret), Vec::<std::path::PathBuf>::new());
    }
    let first = std::fs::read_to_string(home.path().join("token")).unwrap();
    assert_eq!(holding(&home.path(), first.trim_end()), [home.path().join("token")]);
}

/// The files below a directory that hold this text.
fn holding(directory: &std::path::Path, text: &str) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path, text));
        } else if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            found.extend(bytes.windows(text.len()).any(|window| window == text.as_bytes()).then_some(path));
        }
    }
    found
}

#[test]
fn tokens_are_revoked_by_id_or_by_a_name_that_one_alone_has() {
    let home = Home::new();
    home.ok(&["token", "new", "twin"]);
    home.ok(&["token", "new", "twin"]);
    let refused = home.run(&["token", "revoke", "twin"]);
    assert_eq!(refused.code, 5, "{refused:?}");
    let ids = home.ok(&["token", "list", "-q"]);
    let id = ids.lines().next().unwrap();
    assert!(refused.err.contains(id), "{}", refused.err);
    assert_eq!(home.ok(&["token", "revoke", id, "-q"]), id);
    assert!(home.ok(&["token", "revoke", "twin"]).ends_with("(twin)"));
    assert_eq!(home.run(&["token", "revoke", "twin"]).code, 4);
    assert!(home.ok(&["token", "revoke", "first start"]).contains("first start"));
    assert!(!home.path().join("token").exists());
    assert_eq!(home.ok(&["token", "list", "--output", "json"]), "[]");
}

#[test]
fn names_and_scopes_are_checked() {
    let home = Home::new();
    for words in
        [&["token", "new", "x", "--scopes", "fly"][..], &["token", "new", ""], &["token", "new", "a\nb"], &["token"]]
    {
        assert_eq!(home.run(words).code, 2, "{words:?}");
    }
}
