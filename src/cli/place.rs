//! Where a run's output is copied to.

use std::path::{Path, PathBuf};

use crate::cli::backend::Backend;
use crate::cli::error::CliError;
use crate::engine::EngineError;
use crate::engine::views::RunView;
use crate::media::MediaType;
use crate::media::encode::Format;

/// Refuses an `--out` whose extension does not fit what the plan gives, before anything runs.
pub fn check(media_type: MediaType, out: Option<&Path>) -> Result<(), EngineError> {
    let Some(extension) = extension(out) else { return Ok(()) };
    if fits(media_type, extension) {
        return Ok(());
    }
    let is_media = Format::ALL.iter().any(|format| format.media_type() == media_type);
    let remedy = match Format::parse(&extension.to_ascii_lowercase()).filter(|_| is_media) {
        Some(format) => format!("; add --format {} to have it written as that", format.name()),
        None => String::new(),
    };
    Err(EngineError::Usage(format!(
        "--out *.{extension}: the output is {}, whose files end in .{}{remedy}",
        media_type.mime(),
        media_type.extension()
    )))
}

/// The extension that an `--out` asks for.
pub fn extension(out: Option<&Path>) -> Option<&str> {
    out.and_then(Path::extension).and_then(|extension| extension.to_str())
}

fn fits(media_type: MediaType, extension: &str) -> bool {
    let extension = extension.to_ascii_lowercase();
    match Format::ALL.iter().find(|format| format.media_type() == media_type) {
        Some(format) => format.accepts_extension(&extension),
        None if matches!(media_type, MediaType::Octet | MediaType::Text) => {
            // Texts and unknown bytes may be called anything but what they cannot be.
            Format::ALL.iter().all(|format| !format.accepts_extension(&extension))
        }
        None => extension == media_type.extension(),
    }
}

/// Copies a run's output to `out`, or to `<home>/out/<name>-<8 digits>.<ext>`; the absolute path.
pub fn copy(backend: &dyn Backend, cwd: &Path, out: Option<&Path>, run: &RunView) -> Result<PathBuf, CliError> {
    let Some(hash) = run.output_hash else {
        return Err(CliError::machine(format!("run {} is complete without an output", run.run_id)));
    };
    // Where the plan could not tell, the output does.
    let media_type = run.output_media_type.as_deref().and_then(MediaType::from_mime).unwrap_or(MediaType::Octet);
    check(media_type, out)?;
    let path = match out {
        Some(out) => std::path::absolute(cwd.join(out)).map_err(|error| EngineError::file(out, &error))?,
        None => {
            let directory = backend.out_directory();
            std::fs::create_dir_all(&directory).map_err(|error| EngineError::file(&directory, &error))?;
            directory.join(format!("{}-{}.{}", file_name(&run.output_name)?, hash.short(), media_type.extension()))
        }
    };
    if path.is_dir() {
        return Err(CliError::usage(format!("{} is a directory; name a file", path.display())));
    }
    backend.export(&hash, &path)?;
    Ok(path)
}

/// An output's name as a part of a path: never more than one component, whoever gave it.
fn file_name(name: &str) -> Result<&str, CliError> {
    let mut components = Path::new(name).components();
    match (components.next(), components.next()) {
        (Some(std::path::Component::Normal(only)), None) if only == name => Ok(name),
        _ => Err(CliError::invalid(format!("the output's name {name:?} is no file name; name a file with --out"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extension_tells_what_the_bytes_are() {
        for (media_type, extension, does) in [
            (MediaType::Png, "png", true),
            (MediaType::Png, "PNG", true),
            (MediaType::Png, "jpg", false),
            (MediaType::Text, "txt", true),
            (MediaType::Text, "md", true),
            (MediaType::Text, "png", false),
            (MediaType::Octet, "bin", true),
            (MediaType::Octet, "mp4", false),
            (MediaType::Json, "json", true),
            (MediaType::Json, "png", false),
        ] {
            assert_eq!(fits(media_type, extension), does, "{media_type} {extension}");
        }
        let refused = |media_type| check(media_type, Some(Path::new("a.jpg"))).unwrap_err().to_string();
        assert!(refused(MediaType::Png).contains("add --format jpeg"));
        assert!(!refused(MediaType::Json).contains("--format"));
    }

    #[test]
    fn an_outputs_name_leads_nowhere_else() {
        assert_eq!(file_name("my output.png").unwrap(), "my output.png");
        for name in ["", ".", "..", "a/b", "/etc", "../x", "a/"] {
            assert!(file_name(name).is_err(), "{name:?}");
        }
    }
}
