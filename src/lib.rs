//! artdag: media through a YAML DAG, every output byte traceable and made again.
//!
//! `ARCHITECTURE.md` has the map; a test holds which module may import which.

pub mod base;
pub mod media;

pub mod effects;
pub mod nodes;
pub mod recipe;

pub mod plan;

pub mod cas;
pub mod db;
pub mod records;

pub mod engine;

pub mod link;

pub mod http;

pub mod cli;
pub mod config;
pub mod telemetry;
