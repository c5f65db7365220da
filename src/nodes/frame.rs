//! `FRAME` and `THUMBNAIL`: one frame of a film as a picture.

use crate::base::Params;
use crate::base::limits::IMAGE_SIDE;
use crate::base::schema::{Default, Kind as Type, Param};
use crate::media::{Facts, Image, Kind, OpError, PixelOp, codec, resample};
use crate::nodes::geometry::{self, Size};
use crate::nodes::segment::MOST_SECONDS;
use crate::nodes::{Lowered, NodeError, NodeType, Ports, Tool};
use std::sync::Arc;

/// The node type `FRAME`.
pub(super) struct Frame;
/// The node type `THUMBNAIL`.
pub(super) struct Thumbnail;

const TIME: Param = Param {
    name: "time",
    kind: Type::Number { min: 0.0, max: MOST_SECONDS },
    default: Default::Number(0.0),
    doc: "When: the frame nearest to it, the last one for a time behind the end.",
    unit: "s",
};

const FRAME_PARAMS: &[Param] = &[
    TIME,
    Param {
        name: "frame",
        kind: Type::Integer { min: 0, max: i64::MAX },
        default: Default::Absent,
        doc: "Which, counted from 0, in the place of a time.",
        unit: "",
    },
];

const THUMBNAIL_PARAMS: &[Param] = &[
    Param {
        name: "width",
        kind: Type::Integer { min: 1, max: IMAGE_SIDE as i64 },
        default: Default::Number(320.0),
        doc: "Width of the result.",
        unit: "px",
    },
    Param {
        name: "height",
        kind: Type::Integer { min: 1, max: IMAGE_SIDE as i64 },
        default: Default::Absent,
        doc: "Height; if written, the picture is scaled inside of both. Else it follows the width.",
        unit: "px",
    },
    TIME,
];

const PORTS: Ports = Ports { min: 1, max: 1, names: &["input"], kinds: &[Kind::Video, Kind::Image] };

/// The frame asked for; the last one for a time behind the end.
fn index(params: &Params, input: &Facts) -> u64 {
    let Some(clip) = input.clip else { return 0 };
    let index = match params.optional_integer("frame") {
        Some(frame) => frame as u64,
        None => clip.rate.frame_at(params.number("time")),
    };
    index.min(clip.frames - 1)
}

impl NodeType for Frame {
    fn name(&self) -> &'static str {
        "FRAME"
    }

    fn version(&self) -> u32 {
        1
    }

    fn description(&self) -> &'static str {
        "One frame of a film as a picture."
    }

    fn params(&self) -> &'static [Param] {
        FRAME_PARAMS
    }

    fn ports(&self) -> Ports {
        PORTS
    }

    fn output(&self) -> Option<Kind> {
        Some(Kind::Image)
    }

    fn facts(&self, params: &Params, inputs: &[Facts]) -> Result<Facts, NodeError> {
        let input = &inputs[0];
        if let (Some(frame), Some(clip)) = (params.optional_integer("frame"), input.clip)
            && frame as u64 >= clip.frames
        {
            let reason = format!("there is no frame {frame}: its input has {} frames, counted from 0", clip.frames);
            return Err(NodeError::Inputs(reason));
        }
        Ok(Facts::image(input.width, input.height))
    }

    fn lower(&self, params: &Params, inputs: &[Facts]) -> Lowered {
        if inputs[0].kind == Kind::Video {
            Lowered::Frame { index: index(params, &inputs[0]), then: None }
        } else {
            Lowered::Pixels(Box::new(Scaled((inputs[0].width, inputs[0].height))))
        }
    }
}

impl NodeType for Thumbnail {
    fn name(&self) -> &'static str {
        "THUMBNAIL"
    }

    fn version(&self) -> u32 {
        1
    }

    fn description(&self) -> &'static str {
        "One frame of a film as a small picture."
    }

    fn params(&self) -> &'static [Param] {
        THUMBNAIL_PARAMS
    }

    fn ports(&self) -> Ports {
        PORTS
    }

    fn output(&self) -> Option<Kind> {
        Some(Kind::Image)
    }

    fn facts(&self, params: &Params, inputs: &[Facts]) -> Result<Facts, NodeError> {
        let (width, height) = size(params, &inputs[0]);
        if crate::media::image::size_is_allowed(u64::from(width), u64::from(height)) {
            Ok(Facts::image(width, height))
        } else {
            Err(NodeError::TooLarge { width: u64::from(width), height: u64::from(height) })
        }
    }

    fn lower(&self, params: &Params, inputs: &[Facts]) -> Lowered {
        let op = Box::new(Scaled(size(params, &inputs[0])));
        if inputs[0].kind == Kind::Video {
            Lowered::Frame { index: index(params, &inputs[0]), then: Some(op) }
        } else {
            Lowered::Pixels(op)
        }
    }

    fn tools(&self, _params: &Params) -> Vec<Tool> {
        vec![codec::RESAMPLER.into()]
    }
}

fn size(params: &Params, input: &Facts) -> Size {
    let width = params.integer("width") as u32;
    let of = (input.width, input.height);
    match params.optional_integer("height") {
        Some(height) => geometry::inside(of, (width, height as u32)),
        None => (width, geometry::proportional(of.1, width, of.0).min(u64::from(IMAGE_SIDE)) as u32),
    }
}

/// Scaled to a size, or left as it is.
struct Scaled(Size);

impl PixelOp for Scaled {
    fn start(&self, first: Arc<Image>) -> Result<Image, OpError> {
        if (first.width(), first.height()) == self.0 {
            return Ok(Arc::unwrap_or_clone(first));
        }
        Ok(resample::resize(&first, self.0.0, self.0.1))
    }

    fn cost(&self) -> f64 {
        15.0
    }
}
