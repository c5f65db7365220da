//! Blobs and names at a server.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;

use serde_json::{Value, json};
use ureq::http::{Method, StatusCode, header};

use crate::base::limits::PAGE_MAX;
use crate::base::{AssetName, ContentHash};
use crate::cli::backend::remote::Remote;
use crate::cli::backend::remote::http::segment;
use crate::cli::backend::remote::transfer;
use crate::cli::backend::{Answer, BlobView, Blobs};
use crate::cli::error::Exit;
use crate::engine::gc::Collected;
use crate::engine::views::BlobInfo;
use crate::engine::{EngineError, Freed, Upload, VerifyReport};
use crate::records::Origin;

impl Blobs for Remote {
    fn add_file(&self, path: &Path, name: Option<AssetName>) -> Answer<Upload> {
        transfer::upload_file(&self.client, path, name.as_ref())
    }

    fn add_stream(&self, input: &mut dyn Read, name: Option<AssetName>) -> Answer<Upload> {
        transfer::upload_stream(&self.client, input, name.as_ref())
    }

    fn need_file(&self, path: &Path) -> Answer<ContentHash> {
        let hash = transfer::hash_of(path)?;
        match self.blob(&hash) {
            // What a run made could be evicted before this run counts on it.
            Ok(info) if info.origin == Origin::Upload => return Ok(hash),
            Err(error) if error.exit() != Exit::NotFound => return Err(error),
            _ => {}
        }
        Ok(self.add_file(path, None)?.content_hash)
    }

    fn read(&self, hash: &ContentHash, to: &mut dyn Write) -> Answer<()> {
        transfer::download(&self.client, &self.blob(hash)?.content_hash, to)
    }

    fn export(&self, hash: &ContentHash, path: &Path) -> Answer<()> {
        transfer::download_file(&self.client, &self.blob(hash)?.content_hash, path)
    }

    fn blobs(&self, prefix: &str) -> Answer<Vec<BlobView>> {
        let of_type = if prefix.is_empty() { String::new() } else { format!("&media_type={}", segment(prefix)) };
        self.client.all(&format!("/cache?details=true{of_type}"), PAGE_MAX)
    }

    fn blob(&self, hash: &ContentHash) -> Answer<BlobInfo> {
        self.client.get_json(&format!("/cache/{hash}/info"))
    }

    fn remove_blob(&self, hash: &ContentHash, dry_run: bool) -> Answer<Freed> {
        Ok(self.client.call(Method::DELETE, &format!("/cache/{hash}?dry_run={dry_run}"), None)?.1)
    }

    fn verify_blobs(&self, only: &[ContentHash], _stop: &dyn Fn() -> bool) -> Answer<VerifyReport> {
        let only: Vec<String> = only.iter().map(|hash| format!("content_hash={hash}")).collect();
        let query = if only.is_empty() { String::new() } else { format!("?{}", only.join("&")) };
        Ok(self.client.call(Method::POST, &format!("/cache/verify{query}"), None)?.1)
    }

    fn gc(&self, max_bytes: Option<u64>, orphans: bool, dry_run: bool) -> Answer<Collected> {
        let cap = max_bytes.map_or_else(String::new, |bytes| format!("&max_bytes={bytes}"));
        let path = format!("/cache/gc?orphans={orphans}&dry_run={dry_run}{cap}");
        Ok(self.client.call(Method::POST, &path, None)?.1)
    }

    fn assets(&self) -> Answer<BTreeMap<String, ContentHash>> {
        self.client.get_json("/assets")
    }

    fn find_asset(&self, name: &str) -> Answer<Option<ContentHash>> {
        if name.parse::<AssetName>().is_err() {
            return Ok(None);
        }
        let path = format!("/cache/{}", segment(name));
        let request = self.client.built(self.client.request(Method::GET, &path), Vec::new())?;
        match self.client.send_again(&request) {
            Ok(response) if response.status() == StatusCode::TEMPORARY_REDIRECT => {
                let location = response.headers().get(header::LOCATION).and_then(|location| location.to_str().ok());
                Ok(location.and_then(|location| location.rsplit('/').next()?.parse().ok()))
            }
            Err(error) if error.exit() == Exit::NotFound => Ok(None),
            // The name is that of a route, such as `upload`.
            Ok(_) | Err(_) => Ok(self.assets()?.get(name).copied()),
        }
    }

    fn set_asset(&self, name: AssetName, hash: ContentHash) -> Answer<()> {
        let path = format!("/assets/{}", segment(name.as_str()));
        self.client.call::<Value>(Method::PUT, &path, Some(&json!({"content_hash": hash}))).map(|_| ())
    }

    fn remove_asset(&self, name: &str, dry_run: bool) -> Answer<ContentHash> {
        let assets = self.assets()?;
        let Some(hash) = assets.get(name).copied() else {
            return Err(EngineError::not_found("asset", name, assets.keys().map(String::as_str)).into());
        };
        let path = format!("/assets/{}?dry_run={dry_run}", segment(name));
        self.client.call::<Value>(Method::DELETE, &path, None)?;
        Ok(hash)
    }
}
