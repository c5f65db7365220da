//! The programs that this home uses, and what they have told of its files.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock, OnceLock};

use crate::base::{ContentHash, Fingerprint};
use crate::engine::Engine;
use crate::engine::error::EngineError;
use crate::engine::{film, tables};
use crate::media::ffmpeg::{self, ProbeError, Toolkit};
use crate::media::{MediaType, SourceClip};
use crate::nodes::Tool;
use crate::plan::Toolbox;
use crate::records::tables as names;
use crate::records::{BlobRow, ProbeRow};

/// Looked for when first needed: a home of pictures never does.
pub struct Tools {
    named: Option<PathBuf>,
    cache: PathBuf,
    found: OnceLock<Option<Arc<Toolkit>>>,
}

impl Tools {
    /// The ffmpeg that the settings name, if they do.
    pub fn new(named: Option<PathBuf>, cache: PathBuf) -> Self {
        Self { named, cache, found: OnceLock::new() }
    }

    /// The ffmpeg of this machine.
    pub fn toolkit(&self) -> Option<Arc<Toolkit>> {
        self.found.get_or_init(|| Toolkit::find(self.named.as_deref(), &self.cache).map(Arc::new)).clone()
    }
}

static CPU: LazyLock<Tool> = LazyLock::new(|| {
    let version = ffmpeg::cpu_features();
    let hash = Fingerprint::of_parts("artdag.cpu.v1", &[version.as_bytes()]);
    Tool { name: "cpu".to_owned(), version, hash }
});

impl Engine {
    /// The tools that planning may count on; ffmpeg is looked for only if the graph needs it.
    pub(super) fn toolbox(&self, needs_ffmpeg: bool) -> Toolbox {
        let ffmpeg = if needs_ffmpeg { self.0.tools.toolkit() } else { None };
        let ffmpeg = ffmpeg.map(|toolkit| Tool {
            name: "ffmpeg".to_owned(),
            version: toolkit.version.clone(),
            hash: toolkit.hash,
        });
        Toolbox { ffmpeg, cpu: CPU.clone() }
    }

    /// Is there an ffmpeg? It is not looked into.
    pub fn has_ffmpeg(&self) -> bool {
        Toolkit::locate(self.0.tools.named.as_deref()).is_some()
    }

    /// A directory for a process, which goes away with what is in it.
    pub(super) fn scratch(&self, prefix: &str) -> Result<tempfile::TempDir, EngineError> {
        let tmp = self.0.home.join("tmp");
        tempfile::Builder::new().prefix(prefix).tempdir_in(&tmp).map_err(|error| EngineError::file(&tmp, &error))
    }

    /// What ffmpeg's one look at a blob told, if it is of a type that ffmpeg reads: kept until a
    /// version of artdag looks in another way. The error is why the blob is no film or sound that can be used.
    pub fn clip_of(
        &self,
        hash: &ContentHash,
        row: &BlobRow,
    ) -> Result<Option<Result<SourceClip, String>>, EngineError> {
        let media_type = MediaType::from_mime(&row.media_type).unwrap_or(MediaType::Octet);
        let is_still = media_type.is_picture() && !row.animated;
        if is_still || row.inline || ffmpeg::demuxer(media_type).is_none() {
            return Ok(None);
        }
        let known = self.row::<ProbeRow>(names::PROBES, hash.as_bytes())?;
        // Earlier versions saw less.
        if let Some(known) = known.as_ref().filter(|known| known.look == ffmpeg::LOOK) {
            return Ok(Some(told(known)));
        }
        let Some(toolkit) = self.0.tools.toolkit() else {
            if let Some(known) = known {
                return Ok(Some(told(&known)));
            }
            let why = "ffmpeg, which films and sounds need, was not found; install it (`apt install ffmpeg`), or name it by --ffmpeg";
            return Ok(Some(Err(why.to_owned())));
        };
        let scratch = self.scratch("probe-")?;
        let file = self.0.store.path_of(&self.0.home, hash);
        let moving = scratch.path().join("moving");
        let probed = if media_type == MediaType::Webp {
            film::write_moving(&file, &moving)
                .map_err(|error| ProbeError::Refused(error.to_string()))
                .and_then(|()| ffmpeg::probe(&toolkit, &moving, media_type, scratch.path(), &|| false))
        } else {
            ffmpeg::probe(&toolkit, &file, media_type, scratch.path(), &|| false)
        };
        let told = match probed {
            Ok(clip) => Ok(clip),
            // Nothing is known of the file itself.
            Err(error @ (ProbeError::Tool(_) | ProbeError::Stopped)) => return Ok(Some(Err(error.to_string()))),
            Err(error) => Err(error.to_string()),
        };
        let stored = ProbeRow {
            clip: told.as_ref().ok().and_then(|clip| serde_json::to_string(clip).ok()),
            damage: told.as_ref().err().cloned(),
            look: ffmpeg::LOOK,
        };
        let hash = *hash;
        self.write(move |tx| tables::put(tx, names::PROBES, hash.as_bytes(), &stored)).wait()?;
        Ok(Some(told))
    }
}

/// What a probe told, or why the blob is no film or sound that can be used.
pub(super) fn told(row: &ProbeRow) -> Result<SourceClip, String> {
    let unread = || row.damage.clone().unwrap_or_else(|| "what was seen of it cannot be read".to_owned());
    row.clip.as_deref().and_then(|clip| serde_json::from_str(clip).ok()).ok_or_else(unread)
}
