//! The parts of ffprobe's JSON that are read.

use serde::Deserialize;

/// All of it.
#[derive(Debug, Deserialize, Default)]
pub struct Told {
    #[serde(default)]
    pub streams: Vec<Stream>,
    #[serde(default)]
    pub format: Format,
}

/// What it tells of the file.
#[derive(Debug, Deserialize, Default)]
pub struct Format {
    #[serde(default)]
    pub start_time: Option<String>,
}

/// What it tells of a stream.
#[derive(Debug, Deserialize, Clone, Default)]
#[serde(default)]
pub struct Stream {
    pub index: u32,
    pub codec_type: String,
    pub codec_name: String,
    pub width: u32,
    pub height: u32,
    pub sample_aspect_ratio: String,
    pub pix_fmt: String,
    pub color_range: String,
    pub color_space: String,
    pub color_transfer: String,
    pub field_order: String,
    pub r_frame_rate: String,
    pub avg_frame_rate: String,
    pub time_base: String,
    pub channels: u32,
    pub sample_rate: String,
    pub disposition: Disposition,
    pub side_data_list: Vec<SideData>,
    pub tags: Tags,
}

/// What the file says of a stream: 1 in `alpha_mode` says that VP8 or VP9 has a second picture, of alpha.
#[derive(Debug, Deserialize, Clone, Default)]
#[serde(default)]
pub struct Tags {
    #[serde(alias = "ALPHA_MODE")]
    pub alpha_mode: String,
}

/// What a stream is for: 1 in `attached_pic` says that it is a cover.
#[derive(Debug, Deserialize, Clone, Default)]
#[serde(default)]
pub struct Disposition {
    pub attached_pic: u8,
}

/// What lies beside a stream: by how many degrees it is turned.
#[derive(Debug, Deserialize, Clone, Default)]
#[serde(default)]
pub struct SideData {
    pub rotation: Option<f64>,
}
