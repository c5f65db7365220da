//! Who is calling, and what they may do.

/// Knows tokens, sessions and keys.
pub struct Auth {}

/// Who a request comes from; the guard puts it into the request's extensions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Principal {
    /// For a run's `username`; `None` for whoever needs no token.
    pub username: Option<String>,
    /// What idempotency keys are kept apart by: a token's id, a user, or nothing.
    pub id: String,
    /// Was a valid token or session shown? (Deleting and re-pointing ask for one.)
    pub scopes: Scopes,
}

/// What a caller may do; `admin` includes the others.
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
