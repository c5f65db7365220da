//! One frame of a film, small, for whoever looks at a list of them. It is no value of a node.

use std::ffi::OsString;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::base::ContentHash;
use crate::base::limits::{FILM_FILE_BYTES, FILM_MEMORY};
use crate::engine::Engine;
use crate::engine::error::EngineError;
use crate::engine::film::{reading, words};
use crate::media::clip::yuv_to_rgba;
use crate::media::ffmpeg::Process;
use crate::media::{Image, MediaType};

/// How long a look may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Seconds into the film: what is black at the very beginning has mostly begun.
const AT: f64 = 1.0;

impl Engine {
    /// A frame of a film that fits into a square of this side. `None` of what is no film, or where it cannot be
    /// had: there is no ffmpeg, or it takes too long.
    pub fn glance(&self, hash: &ContentHash, side: u32) -> Result<Option<Image>, EngineError> {
        let row = self.describe(hash)?;
        let Some(toolkit) = self.0.tools.toolkit() else { return Ok(None) };
        let Some(Ok(clip)) = self.clip_of(hash, &row)? else { return Ok(None) };
        let Some(picture) = clip.picture else { return Ok(None) };
        let frame = picture.rate.frame_at(AT).min(picture.frames.saturating_sub(1));
        let scale = (f64::from(side) / f64::from(picture.width.max(picture.height))).min(1.0);
        let fit = |side: u32| ((f64::from(side) * scale).round() as u32).max(1);
        let (width, height) = (fit(picture.width), fit(picture.height));
        let mut filters = reading::picture_filters(&picture, (frame, frame + 1), false);
        if !picture.alpha {
            filters += &format!(",{}", yuv_to_rgba());
        }
        filters += &format!(",scale=w={width}:h={height}:flags=area,format=rgba");
        let file = self.0.store.path_of(&self.0.home, hash);
        let scratch = self.scratch("glance-")?;
        let of_scratch = |error: std::io::Error| EngineError::file(scratch.path(), &error);
        let media_type = MediaType::from_mime(&row.media_type).unwrap_or(MediaType::Octet);
        if media_type == MediaType::Webp {
            if reading::write_moving(&file, &scratch.path().join("in")).is_err() {
                return Ok(None);
            }
        } else {
            std::os::unix::fs::symlink(&file, scratch.path().join("in")).map_err(of_scratch)?;
        }
        let mut args = words("-hide_banner -nostdin -v error -y -copyts -an -sn -dn");
        args.extend(reading::source_args(media_type));
        args.extend(reading::decoder_args(&picture));
        args.extend(words("-i file:in -map"));
        args.extend([format!("0:{}", picture.stream), "-vf".to_owned(), filters]);
        args.extend(words("-frames:v 1 -vsync passthrough -c:v rawvideo -pix_fmt rgba -f rawvideo file:out"));
        let process = Process {
            program: toolkit.ffmpeg.clone(),
            args: args.into_iter().map(OsString::from).collect(),
            dir: scratch.path().to_owned(),
            reads: std::iter::once(file).chain(toolkit.libraries.iter().cloned()).collect(),
            memory: FILM_MEMORY,
            file_bytes: FILM_FILE_BYTES,
        };
        let begun = Instant::now();
        let mut child = process.start(Stdio::null(), Stdio::null()).map_err(of_scratch)?;
        let ended = child.wait(&|| begun.elapsed() > PATIENCE).map_err(of_scratch)?;
        if let Some(ended) = ended.filter(|ended| !ended.status.success()) {
            tracing::debug!(%hash, said = ended.said, "a film cannot be glanced at");
        }
        let pixels = std::fs::read(scratch.path().join("out")).unwrap_or_default();
        let is_whole = pixels.len() == width as usize * height as usize * 4;
        Ok(is_whole.then(|| Image::new(width, height, pixels)))
    }
}
