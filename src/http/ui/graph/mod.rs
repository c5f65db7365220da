//! A DAG as a picture: laid out from left to right, drawn as SVG.

mod draw;
mod layout;

pub use draw::{Drawn, draw};
