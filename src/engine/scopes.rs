//! What a token allows.

use std::fmt;

use serde::{Serialize, Serializer};

/// What a token or a user may do. Made from words it is closed: `admin` includes the others,
/// and whoever may run or delete may read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // A set of four.
pub struct Scopes {
    /// Read.
    pub read: bool,
    /// Run, upload, name.
    pub run: bool,
    /// Delete, re-point names.
    pub delete: bool,
    /// Everything.
    pub admin: bool,
}

impl Scopes {
    /// An administrator's.
    pub const ALL: Self = Self { read: true, run: true, delete: true, admin: true };
    /// A user's of a trusted server.
    pub const USER: Self = Self { read: true, run: true, delete: true, admin: false };

    /// The scopes that these words name, with those that they include. Other words name nothing.
    pub fn of<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let mut scopes = Self::default();
        for word in words {
            match word {
                "read" => scopes.read = true,
                "run" => (scopes.read, scopes.run) = (true, true),
                "delete" => (scopes.read, scopes.delete) = (true, true),
                "admin" => scopes = Self::ALL,
                _ => {}
            }
        }
        scopes
    }

    /// The words for them.
    pub fn words(self) -> Vec<&'static str> {
        let all = [(self.read, "read"), (self.run, "run"), (self.delete, "delete"), (self.admin, "admin")];
        all.into_iter().filter(|(has, _)| *has).map(|(_, word)| word).collect()
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.words().join(" "))
    }
}

impl Serialize for Scopes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.words().serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_include_what_they_need() {
        for (words, closed) in [
            (&["read"][..], "read"),
            (&["run"], "read run"),
            (&["delete"], "read delete"),
            (&["admin"], "read run delete admin"),
            (&["run", "delete", "fly"], "read run delete"),
            (&[], ""),
        ] {
            assert_eq!(Scopes::of(words.iter().copied()).to_string(), closed);
            assert_eq!(Scopes::of(closed.split(' ')).to_string(), closed);
        }
    }
}
