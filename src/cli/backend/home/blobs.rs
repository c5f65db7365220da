//! Blobs and names of an open home.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use crate::base::limits::PAGE_MAX;
use crate::base::{AssetName, ContentHash};
use crate::cli::backend::home::Home;
use crate::cli::backend::{Answer, BlobView, Blobs};
use crate::cli::error::CliError;
use crate::engine::gc::Collected;
use crate::engine::views::BlobInfo;
use crate::engine::{BlobFilter, Freed, Upload, VerifyReport};

/// Files that are taken in at once: what they wait for is one commit of the disk, whose time they share.
const ADDERS: usize = 8;

impl Blobs for Home<'_> {
    fn add_file(&self, path: &Path, name: Option<AssetName>) -> Answer<Upload> {
        Ok(self.engine.add_file(path, name)?)
    }

    fn add_files(&self, paths: &[PathBuf], each: &mut dyn FnMut(usize, Answer<Upload>) -> bool) {
        let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        let (tell, told) = mpsc::sync_channel(ADDERS);
        thread::scope(|scope| {
            for _ in 0..ADDERS.min(paths.len()) {
                let (engine, tell, next, stop) = (self.engine, tell.clone(), &next, &stop);
                scope.spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(path) = paths.get(index) else { return };
                        if tell.send((index, engine.add_file(path, None))).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(tell);
            for (index, answer) in told {
                if !each(index, answer.map_err(CliError::from)) {
                    stop.store(true, Ordering::Relaxed);
                }
            }
        });
    }

    fn add_stream(&self, input: &mut dyn Read, name: Option<AssetName>) -> Answer<Upload> {
        Ok(self.engine.add(input, name)?)
    }

    fn need_file(&self, path: &Path) -> Answer<ContentHash> {
        Ok(self.engine.add_file(path, None)?.content_hash)
    }

    fn read(&self, hash: &ContentHash, to: &mut dyn Write) -> Answer<()> {
        let bytes = self.engine.read_checked(&self.engine.ours(*hash)?)?;
        to.write_all(&bytes).and_then(|()| to.flush()).map_err(CliError::Out)
    }

    fn export(&self, hash: &ContentHash, path: &Path) -> Answer<()> {
        Ok(self.engine.export(&self.engine.ours(*hash)?, path)?)
    }

    fn blobs(&self, prefix: &str) -> Answer<Vec<BlobView>> {
        let names = self.engine.names_by_hash()?;
        let (filter, mut views, mut before) = (BlobFilter::of_type(prefix), Vec::new(), None);
        loop {
            let page = self.engine.blobs_page(&filter, before, PAGE_MAX)?;
            views.extend(page.items.into_iter().map(|(content_hash, row)| BlobView {
                content_hash,
                size: row.size,
                media_type: row.media_type,
                origin: row.origin,
                names: names.get(&content_hash).cloned().unwrap_or_default(),
                created_at: row.created_at,
            }));
            before = page.next;
            if before.is_none() {
                return Ok(views);
            }
        }
    }

    fn blob(&self, hash: &ContentHash) -> Answer<BlobInfo> {
        Ok(self.engine.blob_info(hash)?)
    }

    fn remove_blob(&self, hash: &ContentHash, dry_run: bool) -> Answer<Freed> {
        Ok(self.engine.remove_blob(hash, dry_run)?)
    }

    fn verify_blobs(&self, only: &[ContentHash], stop: &dyn Fn() -> bool) -> Answer<VerifyReport> {
        let only = only.iter().map(|hash| self.engine.ours(*hash)).collect::<Result<Vec<_>, _>>()?;
        let only = (!only.is_empty()).then_some(only.as_slice());
        Ok(self.engine.verify_blobs(only, &mut |_, _| !stop())?)
    }

    fn gc(&self, max_bytes: Option<u64>, orphans: bool, dry_run: bool) -> Answer<Collected> {
        Ok(self.engine.gc(max_bytes, orphans, dry_run)?)
    }

    fn assets(&self) -> Answer<BTreeMap<String, ContentHash>> {
        Ok(self.engine.assets()?.into_iter().map(|(name, row)| (name, row.hash)).collect())
    }

    fn find_asset(&self, name: &str) -> Answer<Option<ContentHash>> {
        Ok(self.engine.find_asset(name)?)
    }

    fn set_asset(&self, name: AssetName, hash: ContentHash) -> Answer<()> {
        Ok(self.engine.set_asset(name, hash, true).map(drop)?)
    }

    fn remove_asset(&self, name: &str, dry_run: bool) -> Answer<ContentHash> {
        Ok(self.engine.remove_asset(name, dry_run)?)
    }
}
