//! What this home is called by others: the ids of its actor, activities and objects.

use serde_json::{Value, json};

use crate::base::RunId;
use crate::base::digest::hex;
use crate::link::Keys;
use crate::link::keys::{KeyError, multibase_of, rsa_pem};

/// The type of all that other servers read here.
pub const ACTIVITY_JSON: &str = "application/activity+json";
/// The vocabulary of activities.
pub const ACTIVITY_STREAMS: &str = "https://www.w3.org/ns/activitystreams";

/// Who publishes, and where that is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    base: String,
    name: String,
}

impl Identity {
    /// The actor of this name at the server of this address, which has no path.
    pub fn new(base: &str, name: &str) -> Self {
        Self { base: base.trim_end_matches('/').to_owned(), name: name.to_owned() }
    }

    /// The server's address.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The actor's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The server's host, with its port if it has one.
    pub fn host(&self) -> &str {
        self.base.split_once("://").map_or(&self.base, |(_, host)| host)
    }

    /// The actor's id.
    pub fn actor(&self) -> String {
        format!("{}/users/{}", self.base, self.name)
    }

    /// The list of what the actor published.
    pub fn outbox(&self) -> String {
        format!("{}/outbox", self.actor())
    }

    /// The RSA key's id.
    pub fn main_key(&self) -> String {
        format!("{}#main-key", self.actor())
    }

    /// The Ed25519 key's id.
    pub fn proof_key(&self) -> String {
        format!("{}#ed25519-key", self.actor())
    }

    /// The id of the activity that publishes a run.
    pub fn activity(&self, run: RunId) -> String {
        format!("{}/activities/{run}", self.base)
    }

    /// The id of the object with this SHA3-256 hash.
    pub fn object(&self, sha3: &[u8; 32]) -> String {
        format!("{}/objects/{}", self.base, hex(sha3))
    }

    /// The public document of the actor, with both keys.
    pub fn actor_document(&self, keys: &Keys) -> Result<Value, KeyError> {
        let actor = self.actor();
        let context = [
            ACTIVITY_STREAMS,
            "https://w3id.org/security/v1",
            "https://www.w3.org/ns/did/v1",
            "https://w3id.org/security/multikey/v1",
        ];
        Ok(json!({
            "@context": context,
            "id": actor,
            "type": "Person",
            "preferredUsername": self.name,
            "name": self.name,
            "inbox": format!("{actor}/inbox"),
            "outbox": self.outbox(),
            "publicKey": {
                "id": self.main_key(),
                "owner": actor,
                "publicKeyPem": rsa_pem(&keys.rsa()?.to_public_key()),
            },
            "assertionMethod": [{
                "id": self.proof_key(),
                "type": "Multikey",
                "controller": actor,
                "publicKeyMultibase": multibase_of(&keys.ed25519()?.verifying_key()),
            }],
        }))
    }

    /// Where somebody who knows the actor's account finds the actor; `None` for another account.
    pub fn webfinger(&self, resource: &str) -> Option<Value> {
        let account = format!("acct:{}@{}", self.name, self.host());
        let actor = self.actor();
        if !resource.eq_ignore_ascii_case(&account) && resource != actor {
            return None;
        }
        Some(json!({
            "subject": account,
            "aliases": [actor],
            "links": [{"rel": "self", "type": ACTIVITY_JSON, "href": actor}],
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_leads_to_the_actor_and_another_to_nothing() {
        let identity = Identity::new("https://art.example:8443/", "ann");
        assert_eq!(identity.actor(), "https://art.example:8443/users/ann");
        let found = identity.webfinger("acct:ann@art.example:8443").unwrap();
        assert_eq!(found["links"][0]["href"], identity.actor());
        assert_eq!(identity.webfinger(&identity.actor()), Some(found));
        for other in ["acct:bob@art.example:8443", "acct:ann@art.example", "ann", ""] {
            assert_eq!(identity.webfinger(other), None, "{other}");
        }
    }
}
