//! Embedded colour profiles: samples of a file brought to 8-bit sRGB.
//!
//! A profile is read by `moxcms`; what it says is computed here, in plain double-precision
//! arithmetic and `libm`'s soft floats, into tables of integers. The bits depend neither on
//! the CPU nor on the number of threads, whatever the kind of profile: curves and a matrix,
//! a grey curve, or a table from device to connection space. Conversion is relative
//! colorimetric where the profile leaves a choice; what lies outside of sRGB is cut off.
//!
//! A profile that is broken, is of another colour space than the pixels, or is kept in a form
//! that is not known is ignored, as is one larger than [`limits::ICC_BYTES`]: then the samples
//! are taken for sRGB, as most programs do. So are the pixels of a profile that is sRGB under
//! any name; those keep their very values. Profiles of CMYK are never seen here, for the
//! decoders hand over RGB. Files without a profile are sRGB; the `gAMA`, `cHRM` and `cICP`
//! chunks of PNG are not looked at.
//!
//! [`limits::ICC_BYTES`]: crate::base::limits::ICC_BYTES

mod converter;
mod curve;
mod profile;
mod srgb;
mod table;

pub use converter::Converter;
pub use profile::{Model, Profile};
