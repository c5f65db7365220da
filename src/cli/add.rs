//! `artdag cache add`: files and directories into the cache.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::base::AssetName;
use crate::cli::backend::Place;
use crate::cli::ctx::Ctx;
use crate::cli::error::{CliError, Exit};
use crate::cli::screen::Screen;
use crate::cli::table::{Table, bytes, seconds};
use crate::cli::{gather, output};
use crate::engine::Upload;

/// How often somebody who has no terminal is told how far it is.
const TELL: Duration = Duration::from_secs(10);

/// A file that was taken in.
#[derive(Serialize)]
struct Added {
    #[serde(flatten)]
    upload: Upload,
    /// What it was called here; `-` for standard input.
    file: String,
}

impl Added {
    fn hash(&self) -> String {
        self.upload.content_hash.to_string()
    }
}

/// Adds what the words name, and says which file became which hash. A file that cannot be taken in is told of, and the
/// others go on; the first such error is the command's.
pub fn add(ctx: &mut Ctx<'_>, words: &[String], name: Option<&str>) -> Result<Exit, CliError> {
    if name.is_some() && words.len() > 1 {
        return Err(CliError::usage("--name names one file; add them one by one"));
    }
    let name: Option<AssetName> = name
        .map(|name| name.parse().map_err(|error| CliError::usage(format!("--name {name}: {error}"))))
        .transpose()?;
    if words == ["-"] {
        if ctx.backend.place() == Place::Holder {
            return Err(CliError::usage(
                "standard input cannot be read while a worker or server holds the home; name a file",
            ));
        }
        let upload = ctx.backend.add_stream(&mut std::io::stdin().lock(), name)?;
        show(ctx, &[Added { upload, file: "-".to_owned() }], true);
        return Ok(Exit::Done);
    }
    let (files, whole) = files(ctx, words)?;
    if let ([file], true) = (files.as_slice(), whole) {
        let upload = ctx.backend.add_file(&ctx.io.cwd.join(file), name)?;
        show(ctx, &[Added { upload, file: file.display().to_string() }], true);
        return Ok(Exit::Done);
    }
    if name.is_some() {
        return Err(CliError::usage("--name names one file, not those of a directory"));
    }
    many(ctx, &files)
}

/// The files that the words name, and whether each word is one.
fn files(ctx: &Ctx<'_>, words: &[String]) -> Result<(Vec<PathBuf>, bool), CliError> {
    let (mut files, mut whole) = (Vec::new(), true);
    for word in words {
        if word == "-" {
            return Err(CliError::usage("standard input is added alone; add the files in another call"));
        }
        if word.is_empty() {
            return Err(CliError::usage("a file's name is empty"));
        }
        let path = ctx.io.cwd.join(word);
        if path.is_dir() {
            whole = false;
            let named = |file: PathBuf| match file.strip_prefix(&path) {
                Ok(rest) => Path::new(word).join(rest),
                Err(_) => file,
            };
            files.extend(gather::below(&path)?.into_iter().map(named));
        } else {
            files.push(PathBuf::from(word));
        }
    }
    if files.is_empty() {
        return Err(CliError::invalid(format!("{}: no files are below", words.join(", "))));
    }
    Ok((files, whole))
}

fn many(ctx: &mut Ctx<'_>, files: &[PathBuf]) -> Result<Exit, CliError> {
    let paths: Vec<PathBuf> = files.iter().map(|file| ctx.io.cwd.join(file)).collect();
    let sizes: Vec<u64> = paths.iter().map(|path| path.metadata().map_or(0, |metadata| metadata.len())).collect();
    let mut progress = Progress::new(files.len(), sizes.iter().sum());
    let (mut added, mut failed): (Vec<(usize, Added)>, Option<CliError>) = (Vec::new(), None);
    let (backend, io, interrupt) = (ctx.backend, &mut *ctx.io, ctx.interrupt);
    backend.add_files(&paths, &mut |index, answer| {
        match answer {
            Ok(upload) => added.push((index, Added { upload, file: files[index].display().to_string() })),
            Err(error) => {
                progress.screen.clear(io);
                io.say(format_args!("error: {error}"));
                failed.get_or_insert(error);
            }
        }
        progress.step(io, sizes[index]);
        !interrupt.is_set()
    });
    progress.screen.clear(ctx.io);
    added.sort_by_key(|(index, _)| *index);
    let added: Vec<Added> = added.into_iter().map(|(_, added)| added).collect();
    let missing = files.len() - added.len();
    show(ctx, &added, false);
    if ctx.interrupt.is_set() {
        ctx.io.say(format_args!("interrupted: {missing} files were not added; the same command goes on from here"));
        return Ok(Exit::Interrupted);
    }
    let Some(error) = failed else { return Ok(Exit::Done) };
    ctx.io.say(format_args!("{missing} of {} files were not added", files.len()));
    Ok(error.exit())
}

/// Data, and words about it. `one` says that one file was named, so that one thing is answered.
fn show(ctx: &mut Ctx<'_>, added: &[Added], one: bool) {
    match added {
        [added] if one => output::one(ctx.io, ctx.format, ctx.quiet, added, &added.hash(), Added::hash),
        added => {
            let rows = |added: &[Added]| {
                let mut table = Table::new(&["hash", "type", "size", "file"]);
                for added in added {
                    let Upload { media_type, size, .. } = &added.upload;
                    table.row(&[added.hash(), media_type.clone(), bytes(*size), added.file.clone()]);
                }
                table
            };
            output::list(ctx.io, ctx.format, ctx.quiet, added, Added::hash, rows);
        }
    }
    if ctx.quiet {
        return;
    }
    if let ([added], true) = (added, one) {
        let here = if added.upload.existing { "already here" } else { "new" };
        ctx.io.say(format_args!("{}, {}, {here}", added.upload.media_type, bytes(added.upload.size)));
        return;
    }
    let known = added.iter().filter(|added| added.upload.existing).count();
    let size = bytes(added.iter().map(|added| added.upload.size).sum());
    ctx.io.say(format_args!("{} files, {size}: {} new, {known} already here", added.len(), added.len() - known));
}

/// How far it is.
struct Progress {
    screen: Screen,
    files: (usize, usize),
    bytes: (u64, u64),
    begun: Instant,
    told: Instant,
}

impl Progress {
    fn new(files: usize, bytes: u64) -> Self {
        let now = Instant::now();
        Self { screen: Screen::default(), files: (0, files), bytes: (0, bytes), begun: now, told: now }
    }

    fn step(&mut self, io: &mut crate::cli::ctx::Io, size: u64) {
        self.files.0 += 1;
        self.bytes.0 += size;
        if io.terminal.is_some() && self.screen.is_due() {
            let line = self.line();
            self.screen.draw(io, &[line]);
        } else if io.terminal.is_none() && self.told.elapsed() >= TELL {
            self.told = Instant::now();
            io.say(self.line());
        }
    }

    fn line(&self) -> String {
        let taken = self.begun.elapsed().as_secs_f64();
        let (done, all) = self.bytes;
        let speed = bytes((done as f64 / taken.max(1e-3)) as u64);
        let left =
            if done > 0 { seconds((all.saturating_sub(done)) as f64 * taken / done as f64) } else { "?".to_owned() };
        let (file, files) = self.files;
        format!("{file} of {files} files, {} of {}, {speed}/s, about {left} left", bytes(done), bytes(all))
    }
}
