//! Where a run's output is copied to.

use std::path::{Path, PathBuf};

use crate::base::ContentHash;
use crate::cli::error::CliError;
use crate::engine::request::Prepared;
use crate::engine::{Engine, EngineError};
use crate::media::MediaType;
use crate::media::encode::Format;

/// Refuses an `--out` whose extension does not fit what the plan gives, before anything runs.
pub fn check(prepared: &Prepared, out: Option<&Path>) -> Result<(), EngineError> {
    let Some(extension) = out.and_then(Path::extension).and_then(|extension| extension.to_str()) else { return Ok(()) };
    let media_type = prepared.output_media_type();
    if fits(media_type, extension) {
        return Ok(());
    }
    let remedy = match Format::parse(&extension.to_ascii_lowercase()) {
        Some(format) => format!("; add --format {} to have it written as that", format.name()),
        None => String::new(),
    };
    Err(EngineError::Usage(format!(
        "--out …{extension}: the output is {}, whose files end in .{}{remedy}",
        media_type.mime(),
        media_type.extension()
    )))
}

fn fits(media_type: MediaType, extension: &str) -> bool {
    let extension = extension.to_ascii_lowercase();
    match Format::ALL.iter().find(|format| format.media_type() == media_type) {
        Some(format) => format.accepts_extension(&extension),
        None => media_type == MediaType::Octet || media_type == MediaType::Text || extension == media_type.extension(),
    }
}

/// Copies an output to `out`, or to `<home>/out/<name>-<8 digits>.<ext>`; the absolute path.
pub fn copy(
    engine: &Engine,
    cwd: &Path,
    out: Option<&Path>,
    name: &str,
    hash: &ContentHash,
    media_type: &str,
) -> Result<PathBuf, CliError> {
    let path = match out {
        Some(out) => std::path::absolute(cwd.join(out)).map_err(|error| EngineError::file(out, &error))?,
        None => {
            let directory = engine.home().join("out");
            std::fs::create_dir_all(&directory).map_err(|error| EngineError::file(&directory, &error))?;
            let extension = MediaType::from_mime(media_type).unwrap_or(MediaType::Octet).extension();
            directory.join(format!("{name}-{}.{extension}", hash.short()))
        }
    };
    if path.is_dir() {
        return Err(CliError::usage(format!("{} is a directory; name a file", path.display())));
    }
    engine.export(hash, &path)?;
    Ok(path)
}
