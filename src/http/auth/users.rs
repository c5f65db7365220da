//! What users of another server are called here: `@name@host`.

use crate::base::limits::USER_NAME_BYTES;

/// The full name of a user whom `issuer` calls `name`; `None` if that is no name. A name that
/// already has a host keeps it.
pub fn full_name(name: &str, issuer: &str) -> Option<String> {
    let name = name.strip_prefix('@').unwrap_or(name);
    let full = match (name.split_once('@'), host(issuer)) {
        (Some((user, host)), _) if user.is_empty() || host.is_empty() || host.contains('@') => return None,
        (Some(_), _) | (None, None) => format!("@{name}"),
        (None, Some(host)) => format!("@{name}@{host}"),
    };
    // It is shown in pages and written into records.
    let strange = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '\u{200b}'..='\u{206f}' | '\u{feff}');
    let fits = !name.is_empty() && full.len() <= USER_NAME_BYTES && !full.contains(strange);
    fits.then_some(full)
}

/// The host of an issuer that is an address, or the issuer itself if it could be a host.
fn host(issuer: &str) -> Option<&str> {
    let rest = issuer.strip_prefix("https://").or_else(|| issuer.strip_prefix("http://")).unwrap_or(issuer);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    (!host.is_empty() && host.chars().all(plain)).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_have_a_name_and_a_host() {
        for (name, issuer, full) in [
            ("giles", "https://artdag.example.org", Some("@giles@artdag.example.org")),
            ("giles", "https://artdag.example.org:8443/realm/x", Some("@giles@artdag.example.org:8443")),
            ("giles", "artdag.example.org", Some("@giles@artdag.example.org")),
            ("giles", "the other server", Some("@giles")),
            ("@giles", "https://a.example", Some("@giles@a.example")),
            ("@giles@b.example", "https://a.example", Some("@giles@b.example")),
            ("giles@b.example", "https://a.example", Some("@giles@b.example")),
            ("", "https://a.example", None),
            ("@", "https://a.example", None),
            ("@@b.example", "https://a.example", None),
            ("a@b@c", "https://a.example", None),
            ("a b", "https://a.example", None),
            ("a\nb", "https://a.example", None),
            ("a\u{202e}b", "https://a.example", None),
        ] {
            assert_eq!(full_name(name, issuer).as_deref(), full, "{name:?} of {issuer:?}");
        }
        assert_eq!(full_name(&"x".repeat(USER_NAME_BYTES), "a"), None);
    }
}
