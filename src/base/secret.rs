//! Secrets, kept out of logs and messages.

use std::fmt;

use serde::Deserialize;

/// A text that must not be seen: printing it shows that there is one. What needs the text
/// itself says so by [`Secret::expose`].
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for its owner or for a comparison.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s6_printing_a_secret_shows_nothing_of_it() {
        let secret = Secret::new("artdag_0123");
        assert_eq!(format!("{secret} {secret:?} {:#?}", Some(&secret)), "(secret) Secret Some(\n    Secret,\n)");
        assert_eq!(secret.expose(), "artdag_0123");
    }
}
