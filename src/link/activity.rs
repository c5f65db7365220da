//! What is said of a published run: the activity, and the record that L2 keeps.

use serde_json::{Map, Value, json};

use crate::base::digest::hex;
use crate::base::{ContentHash, Timestamp};
use crate::engine::views::RunView;
use crate::link::identity::{ACTIVITY_STREAMS, Identity};

/// Everybody, as activities address it.
const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";

/// A completed run, as far as it is published.
pub struct Published<'a> {
    /// Who publishes.
    pub identity: &'a Identity,
    /// The run.
    pub run: &'a RunView,
    /// Its output.
    pub output: ContentHash,
    /// SHA3-256 of the output.
    pub sha3: [u8; 32],
    /// When it is signed.
    pub at: Timestamp,
}

impl Published<'_> {
    /// `Create` of the output, not signed yet. Every number in it is whole, so that there is one
    /// way to write it.
    pub fn activity(&self) -> Map<String, Value> {
        let Self { identity, run, at, .. } = self;
        let activity = json!({
            "@context": context(),
            "type": "Create",
            "id": identity.activity(run.run_id),
            "actor": identity.actor(),
            "to": [PUBLIC],
            "published": at,
            "object": self.object(),
        });
        activity.as_object().cloned().unwrap_or_default()
    }

    fn object(&self) -> Value {
        let Self { identity, run, output, sha3, at } = self;
        let media_type = run.output_media_type.as_deref().unwrap_or("application/octet-stream");
        let mut object = json!({
            "type": object_type(media_type),
            "id": identity.object(sha3),
            "name": run.output_name,
            "mediaType": media_type,
            "url": format!("{}/cache/{output}", identity.base()),
            "contentHash": {"algorithm": "sha3-256", "value": hex(sha3)},
            "artdag:blake3": output,
            "attributedTo": identity.actor(),
            "to": [PUBLIC],
            "published": at,
        });
        if let Some(provenance) = self.provenance() {
            object["artdag:provenance"] = provenance;
        }
        object
    }

    fn provenance(&self) -> Option<Value> {
        let hash = self.run.provenance_hash?;
        let link = format!("{}/runs/{}/provenance", self.identity.base(), self.run.run_id);
        Some(json!({"artdag:blake3": hash, "href": link}))
    }

    /// What L2 keeps of the run.
    pub fn record(&self) -> Value {
        let Self { identity, run, output, sha3, .. } = self;
        let provenance = run.provenance_hash.map(
            |hash| json!({"content_hash": hash, "url": format!("{}/runs/{}/provenance", identity.base(), run.run_id)}),
        );
        json!({
            "run_id": run.run_id,
            "l1_server": identity.base(),
            "activity_id": identity.activity(run.run_id),
            "actor": identity.actor(),
            "recipe": run.recipe,
            "config_id": run.config_id,
            "inputs": run.inputs,
            "output_name": run.output_name,
            "output_hash": hex(sha3),
            "output_blake3": output,
            "output_media_type": run.output_media_type,
            "provenance": provenance,
            "created_at": run.created_at,
            "completed_at": run.completed_at,
            "username": run.username,
        })
    }
}

/// The terms of activities: those of Activity Streams, and ours.
pub fn context() -> Value {
    json!([
        ACTIVITY_STREAMS,
        {
            "artdag": "urn:artdag:",
            "contentHash": "artdag:contentHash",
            "algorithm": "artdag:algorithm",
            "value": "artdag:value",
        },
    ])
}

/// The type of an object, by its media type.
fn object_type(media_type: &str) -> &'static str {
    match media_type.split('/').next() {
        Some("image") => "Image",
        Some("video") => "Video",
        Some("audio") => "Audio",
        _ => "Document",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_what_its_media_type_says() {
        let types = ["image/png", "video/mp4", "audio/flac", "application/json"].map(object_type);
        assert_eq!(types, ["Image", "Video", "Audio", "Document"]);
    }
}
