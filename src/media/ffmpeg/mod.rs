//! ffmpeg: where it is and what it is, one look at a file, and its processes.
//!
//! It is a separate program. Its inputs are sniffed by us and their demuxer is forced; protocols
//! and codecs are listed; each process works in a directory of its own that holds its inputs
//! under names of ours. This is the one part of `media` that starts processes and reads files.

mod allowed;
mod child;
pub mod confine;
mod packets;
mod probe;
mod told;
mod toolkit;

pub use allowed::{CODECS, demuxer};
pub use child::{Child, Ended, Process, Written, confine_by, watched};
pub use probe::{ProbeError, alpha_decoder, count, probe};
pub use toolkit::{LOOK, Toolkit, cpu_features};
