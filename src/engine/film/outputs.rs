//! What processes write: counted, and taken into the store.

use std::path::Path;
use std::sync::Arc;

use crate::base::ContentHash;
use crate::engine::film::{Run, Trouble};
use crate::engine::work::WorkError;
use crate::media::encode::{Format, encode_stored};
use crate::media::ffmpeg::{self, Toolkit};
use crate::media::{Facts, Image};
use crate::nodes::{Encoding, Lowered};

/// A file that a process writes.
pub struct Output {
    pub node: usize,
    pub file: String,
    pub what: Written,
}

/// What a file holds.
pub enum Written {
    /// A value in its stored form.
    Stored,
    /// An encoded value of these facts.
    Encoded(Encoding, Facts),
    /// A frame, as RGBA.
    Raw,
}

impl Run<'_> {
    /// Has a file the frames and samples that the plan says?
    pub(super) fn check(&self, toolkit: &Toolkit, dir: &Path, output: &Output) -> Result<(), Trouble> {
        let stopped = || self.studio.cancelled();
        let (demuxer, facts, sample_bytes) = match &output.what {
            Written::Raw => return Ok(()),
            Written::Stored => ("matroska", self.plan.nodes[output.node].facts.clone(), Some(8)),
            Written::Encoded(encoding, facts) => {
                let media_type = encoding.format.media_type();
                let demuxer = ffmpeg::demuxer(media_type).unwrap_or_else(|| panic!("BUG: no demuxer for {media_type}"));
                let bytes = (encoding.format == Format::Wav).then_some(6);
                (demuxer, facts.clone(), bytes)
            }
        };
        let (frames, bytes) =
            ffmpeg::count(toolkit, Path::new(&output.file), demuxer, dir, &stopped).map_err(|error| match error {
                ffmpeg::ProbeError::Stopped => WorkError::Cancelled,
                error => WorkError::Tool(format!("what ffmpeg wrote cannot be read: {error}")),
            })?;
        let expected = facts.clip.map_or(0, |clip| clip.frames);
        if frames != expected {
            return Err(WorkError::Tool(format!("ffmpeg wrote {frames} frames; the plan says {expected}")));
        }
        let Some(sample_bytes) = sample_bytes.filter(|_| facts.has_sound()) else { return Ok(()) };
        if bytes != facts.samples * sample_bytes {
            let (found, samples) = (bytes / sample_bytes, facts.samples);
            return Err(WorkError::Tool(format!("ffmpeg wrote {found} samples; the plan says {samples}")));
        }
        Ok(())
    }

    pub(super) fn keep(&self, dir: &Path, output: &Output) -> Result<(ContentHash, bool), Trouble> {
        let file = dir.join(&output.file);
        if !matches!(output.what, Written::Raw) {
            let kept = self.studio.keep_file(output.node, &file).map_err(WorkError::Storage);
            // Values of several gigabytes need not lie there twice until the stage ends.
            let _ = std::fs::remove_file(&file);
            return kept;
        }
        let input = &self.plan.nodes[self.plan.nodes[output.node].inputs[0]].facts;
        let bytes = std::fs::read(&file).map_err(|error| WorkError::Tool(error.to_string()))?;
        if bytes.len() as u64 != input.pixels() * 4 {
            return Err(WorkError::Tool(format!(
                "ffmpeg wrote {} bytes of a frame of {}",
                bytes.len(),
                input.pixels() * 4
            )));
        }
        let mut image = Image::new(input.width, input.height, bytes);
        if let Lowered::Frame { then: Some(op), .. } = self.lowered(output.node) {
            image = op.start(Arc::new(image))?;
        }
        self.studio.write(output.node, &encode_stored(&image)).map_err(WorkError::Storage)
    }
}
