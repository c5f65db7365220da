//! Where the database's bytes are.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use redb::{Builder, Database, DatabaseError, StorageError};

use crate::db::error::DbError;
use crate::db::format;
use crate::db::frozen::FrozenBackend;

/// A place where an initialised database lies, to be opened again after every failure.
pub trait Place: Send + Sync + 'static {
    /// Opens what is there. It must not make a new, empty database: a file that went missing is
    /// a failure.
    fn open(&self, builder: &Builder) -> Result<Database, DatabaseError>;

    /// Opens what is there without writing to it, where [`Place::open`] has just failed; what
    /// recovery has to write is kept in memory.
    fn open_frozen(&self, _builder: &Builder) -> Result<Database, DatabaseError> {
        Err(StorageError::Unsupported.into())
    }
}

/// A file.
pub(super) struct FilePlace {
    path: PathBuf,
}

impl FilePlace {
    /// The database at `path`, made if there is none.
    ///
    /// It is made under another name and renamed when it is complete, so that no crash leaves
    /// half a database under the right one. Only its owner may read it.
    pub(super) fn new(path: &Path, builder: &Builder) -> Result<Self, DbError> {
        if !path.try_exists().map_err(storage)? {
            let mut draft = path.as_os_str().to_owned();
            draft.push(".new");
            match fs::remove_file(&draft) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(storage(error)),
                _ => {}
            }
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).map_err(storage)?;
            let database = builder.create(&draft)?;
            format::initialise(&database)?;
            database.close()?;
            fs::rename(&draft, path).map_err(storage)?;
        }
        // Also of a file found: its maker may have been killed before coming this far.
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(storage)?;
        Ok(Self { path: path.to_owned() })
    }
}

impl Place for FilePlace {
    fn open(&self, builder: &Builder) -> Result<Database, DatabaseError> {
        builder.open(&self.path)
    }

    fn open_frozen(&self, builder: &Builder) -> Result<Database, DatabaseError> {
        let file = File::open(&self.path)?;
        // An empty file would become a new database, in memory.
        if file.metadata()?.len() == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        builder.create_with_backend(FrozenBackend::new(file)?)
    }
}

fn storage(error: io::Error) -> DbError {
    StorageError::from(error).into()
}
