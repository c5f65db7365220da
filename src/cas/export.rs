//! Handing a person a copy of a blob.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::base::ContentHash;
use crate::cas::error::StoreError;
use crate::cas::store::Store;

impl Store {
    /// Copies a blob to `path` of a person's choice and gives its length in bytes.
    ///
    /// Where the file system can share extents, no data is copied. The file is one of the
    /// person's own, writable as their umask says, and replaces what had the name; it appears
    /// whole, also if the power is cut. That it appeared is not synced: the blob stays.
    pub fn export_to(&self, hash: &ContentHash, path: &Path) -> Result<u64, StoreError> {
        let opened = self.open_file(hash)?;
        if path.file_name().is_none() {
            return Err(StoreError::NotAFile { path: path.to_owned() });
        }
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let write = || -> io::Result<()> {
            let temp = tempfile::Builder::new()
                .prefix(".artdag-")
                .permissions(Permissions::from_mode(0o666))
                .tempfile_in(dir)?;
            opened.copy_to(temp.as_file())?;
            temp.as_file().sync_data()?;
            temp.persist(path)?;
            Ok(())
        };
        write().map_err(StoreError::io("write", path))?;
        Ok(opened.len())
    }
}
