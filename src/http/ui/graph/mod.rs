//! A DAG as a picture: folded if it is large, laid out from left to right, drawn as SVG.

mod draw;
mod fold;
mod layout;

pub use draw::{ALL, Drawn, Graph, Pack, Shown};
