//! Uploads of which nothing has come for long, and how many others there are.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::base::ContentHash;
use crate::base::limits::PARTIAL_UPLOAD_SECONDS;
use crate::engine::Engine;
use crate::engine::error::EngineError;
use crate::engine::partial::{DIRECTORY, UploadId};

/// Files that come in parts.
#[derive(Clone, Copy, Default)]
pub(super) struct Count {
    pub under_way: usize,
    /// With those that are whole.
    pub remembered: usize,
}

impl Count {
    fn add(&mut self, path: &Path) {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("part") => self.under_way += 1,
            Some("json") => self.remembered += 1,
            _ => {}
        }
    }
}

impl Engine {
    /// Forgets files of which nothing has come for long; counts the others, all and those of one owner.
    pub(super) fn forget_partials(&self, owner: &str) -> Result<[Count; 2], EngineError> {
        let directory = self.home().join(DIRECTORY);
        let nobody = UploadId(ContentHash::of(b""));
        self.at(nobody, || match fs::create_dir(&directory) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            // Its own name must be durable before anything in it is promised.
            made => made.and_then(|()| File::open(self.home())?.sync_all()),
        })?;
        let mut paths = Vec::new();
        // How long ago something came, by what the files of an upload have in common.
        let mut ages: HashMap<OsString, Duration> = HashMap::new();
        for entry in self.at(nobody, || fs::read_dir(&directory))?.flatten() {
            let path = entry.path();
            let changed = entry.metadata().and_then(|data| data.modified());
            let age = changed.ok().and_then(|time| time.elapsed().ok()).unwrap_or_default();
            let upload = path.file_stem().unwrap_or_default().to_owned();
            ages.entry(upload.clone()).and_modify(|known| *known = age.min(*known)).or_insert(age);
            paths.push((path, upload));
        }
        let beginning = UploadId::beginning(owner);
        let [mut all, mut own] = [Count::default(); 2];
        for (path, upload) in paths {
            if ages.get(&upload).is_some_and(|age| age.as_secs() > PARTIAL_UPLOAD_SECONDS) {
                // One that cannot be removed now is tried again with the next upload.
                let _ = fs::remove_file(&path);
            } else {
                all.add(&path);
                if upload.as_encoded_bytes().starts_with(beginning.as_bytes()) {
                    own.add(&path);
                }
            }
        }
        Ok([all, own])
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::engine::testing::opened;

    #[test]
    fn an_upload_is_forgotten_a_day_after_something_last_came_of_it() {
        let home = tempfile::tempdir().unwrap();
        let engine = opened(home.path());
        let [comes, rests] = [0, 1].map(|_| engine.begin_partial(10, None, "me").unwrap());
        let long_ago = SystemTime::now() - Duration::from_secs(PARTIAL_UPLOAD_SECONDS + 3600);
        let files = [(comes, "json"), (rests, "json"), (rests, "part")];
        for (id, extension) in files {
            let path = home.path().join(DIRECTORY).join(format!("{id}.{extension}"));
            File::options().write(true).open(path).unwrap().set_modified(long_ago).unwrap();
        }
        // Others begin.
        engine.begin_partial(10, None, "you").unwrap();
        assert_eq!(engine.partial(comes, "me").unwrap().offset, 0);
        assert!(matches!(engine.partial(rests, "me"), Err(EngineError::NotFound { .. })));
        engine.close().unwrap();
    }
}
