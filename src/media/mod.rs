//! Decoded media and the codecs that make and take it.
//!
//! A picture is 8-bit RGBA in sRGB with straight alpha, upright ([`Image`]); whatever a file
//! says otherwise (profile, orientation, palette, depth) is settled here, at decoding. The
//! module knows nothing of graphs, keys or storage: bytes in, pictures out, and back.

pub mod analysis;
pub mod blur;
pub mod canvas;
pub mod cat;
pub mod clip;
pub mod codec;
pub mod colour;
pub mod composite;
pub mod decode;
pub mod drawing;
pub mod encode;
pub mod facts;
pub mod ffmpeg;
pub mod icc;
pub mod image;
pub mod op;
pub mod planar;
pub mod point;
pub mod probe;
pub mod resample;
pub mod sniff;
pub mod source_clip;
pub mod time;

pub use clip::{ClipOp, Loom, Pad};
pub use facts::{Clip, Facts, Form, Kind, Pixels, SourceFacts};
pub use image::Image;
pub use op::{OpError, PixelOp};
pub use sniff::MediaType;
pub use source_clip::SourceClip;
pub use time::Rate;
