//! `RESIZE`: a picture brought to a size.
//!
//! The target is `width` × `height`; one that is not written follows the aspect ratio (rounded
//! half up, at least 1). The picture is scaled to an inner size, also rounded half up, and then
//! framed by the background or cut in the middle; of an odd difference the smaller half is left
//! or on top. Transparency inside of the picture stays. Nothing is computed in floating point.

use std::sync::Arc;

use crate::base::Params;
use crate::base::limits::IMAGE_SIDE;
use crate::base::schema::{self, Default, Kind as Type, Param};
use crate::media::image::size_is_allowed;
use crate::media::{Clip, Facts, Image, Kind, OpError, PixelOp, Pixels, canvas, codec, resample};
use crate::nodes::film::{Film, resize::ResizeFilm};
use crate::nodes::geometry::{self, Size};
use crate::nodes::{Lowered, NodeError, NodeType, Ports, Tool};

/// The node type.
pub(super) struct Resize;

const SIDE: Type = Type::Integer { min: 1, max: IMAGE_SIDE as i64 };

const PARAMS: &[Param] = &[
    Param {
        name: "width",
        kind: SIDE,
        default: Default::Absent,
        doc: "Width of the result; if not written, it follows the height. One of the two must be written.",
        unit: "px",
    },
    Param {
        name: "height",
        kind: SIDE,
        default: Default::Absent,
        doc: "Height of the result; if not written, it follows the width.",
        unit: "px",
    },
    Param {
        name: "mode",
        kind: Type::Choice(&["fit", "fill", "stretch", "pad"]),
        default: Default::Text("fit"),
        doc: "fit scales inside and frames; fill scales over and cuts the middle out; stretch ignores the aspect \
              ratio; pad is fit that never scales up.",
        unit: "",
    },
    Param {
        name: "background",
        kind: Type::Colour,
        default: Default::Text("#000000ff"),
        doc: "The colour of the frame of fit and pad; may be transparent.",
        unit: "",
    },
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Fit,
    Fill,
    Stretch,
    Pad,
}

/// The parameters.
#[derive(Debug, Clone, Copy)]
struct Target {
    width: Option<u32>,
    height: Option<u32>,
    mode: Mode,
    background: [u8; 4],
}

/// What they come to for a picture: it is scaled to `inner`, then brought to `outer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Layout {
    inner: Size,
    outer: Size,
}

impl Target {
    fn new(params: &Params) -> Self {
        let side = |name| params.optional_integer(name).map(|side| side as u32);
        let mode = match params.text("mode") {
            "fit" => Mode::Fit,
            "fill" => Mode::Fill,
            "stretch" => Mode::Stretch,
            "pad" => Mode::Pad,
            other => panic!("BUG: validation let the mode {other:?} pass"),
        };
        let background = schema::colour(params.text("background")).expect("BUG: validation let a colour pass");
        Self { width: side("width"), height: side("height"), mode, background }
    }

    fn layout(&self, size: Size) -> Result<Layout, NodeError> {
        let outer = self.outer(size)?;
        let is_smaller = size.0 < outer.0 || size.1 < outer.1;
        let inner = match self.mode {
            Mode::Pad if self.is_proportional() && is_smaller => size,
            _ if self.is_proportional() => outer,
            Mode::Pad => geometry::inside(size, (size.0.min(outer.0), size.1.min(outer.1))),
            Mode::Stretch => outer,
            Mode::Fit => geometry::inside(size, outer),
            Mode::Fill => {
                let (width, height) = geometry::covering(size, outer);
                if !size_is_allowed(width, height) {
                    let reason = format!(
                        "to fill {}x{} it would be scaled to {width}x{height}, which is more than a picture may have; \
                         take another mode or a size nearer to its shape",
                        outer.0, outer.1
                    );
                    return Err(NodeError::Inputs(reason));
                }
                (width as u32, height as u32)
            }
        };
        Ok(Layout { inner, outer })
    }

    /// Is one side left to follow the other? Then there is nothing to frame or to cut.
    fn is_proportional(&self) -> bool {
        self.width.is_none() || self.height.is_none()
    }

    fn outer(&self, size: Size) -> Result<Size, NodeError> {
        let (width, height) = match (self.width, self.height) {
            (Some(width), Some(height)) => (u64::from(width), u64::from(height)),
            (Some(width), None) => (u64::from(width), geometry::proportional(size.1, width, size.0)),
            (None, Some(height)) => (geometry::proportional(size.0, height, size.1), u64::from(height)),
            (None, None) => (u64::from(size.0), u64::from(size.1)),
        };
        if size_is_allowed(width, height) {
            Ok((width as u32, height as u32))
        } else {
            Err(NodeError::TooLarge { width, height })
        }
    }
}

impl NodeType for Resize {
    fn name(&self) -> &'static str {
        "RESIZE"
    }

    fn version(&self) -> u32 {
        1
    }

    fn description(&self) -> &'static str {
        "Scales a picture to a size: inside with a frame, over with the middle cut out, or stretched."
    }

    fn params(&self) -> &'static [Param] {
        PARAMS
    }

    fn ports(&self) -> Ports {
        Ports { min: 1, max: 1, names: &["input"], kinds: &[Kind::Image, Kind::Video] }
    }

    fn output(&self) -> Option<Kind> {
        None
    }

    fn check(&self, params: &Params, _inputs: usize) -> Vec<(String, String)> {
        if params.get("width").is_none() && params.get("height").is_none() {
            vec![("width".to_owned(), "a RESIZE needs a width, a height or both".to_owned())]
        } else {
            Vec::new()
        }
    }

    fn facts(&self, params: &Params, inputs: &[Facts]) -> Result<Facts, NodeError> {
        let layout = Target::new(params).layout((inputs[0].width, inputs[0].height))?;
        let (width, height) = layout.outer;
        Ok(match inputs[0].clip {
            Some(clip) => Facts::video(width, height, Clip { pixels: Pixels::Yuv420, ..clip }),
            None => Facts::image(width, height),
        })
    }

    fn lower(&self, params: &Params, inputs: &[Facts]) -> Lowered {
        let target = Target::new(params);
        let layout = target
            .layout((inputs[0].width, inputs[0].height))
            .unwrap_or_else(|error| panic!("BUG: lowered although it has no facts: {error}"));
        let Layout { inner, outer } = layout;
        let background = target.background;
        if inputs[0].kind == Kind::Video {
            return Lowered::Clip(Box::new(ResizeFilm { film: Film::alone(&inputs[0]), inner, outer, background }));
        }
        Lowered::Pixels(Box::new(ResizeOp { layout, background }))
    }

    fn tools(&self, _params: &Params) -> Vec<Tool> {
        vec![codec::RESAMPLER.into()]
    }
}

struct ResizeOp {
    layout: Layout,
    background: [u8; 4],
}

impl PixelOp for ResizeOp {
    fn start(&self, first: Arc<Image>) -> Result<Image, OpError> {
        let Layout { inner, outer } = self.layout;
        let is_scaled = (first.width(), first.height()) == inner;
        if is_scaled && inner == outer {
            return Ok(Arc::unwrap_or_clone(first));
        }
        let scaled = if is_scaled { first } else { Arc::new(resample::resize(&first, inner.0, inner.1)) };
        let at = geometry::centred(inner, outer);
        Ok(if inner == outer {
            Arc::unwrap_or_clone(scaled)
        } else if inner.0 > outer.0 || inner.1 > outer.1 {
            canvas::crop(&scaled, at, outer.0, outer.1)
        } else {
            canvas::frame(&scaled, outer.0, outer.1, at, self.background)
        })
    }

    fn cost(&self) -> f64 {
        COST
    }
}

/// Nanoseconds a pixel of the larger of input and output.
const COST: f64 = 20.0;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::nodes::testing::{noise, on_threads, params, render};

    fn layout(config: serde_json::Value, size: Size) -> Layout {
        Target::new(&params(&Resize, config)).layout(size).unwrap()
    }

    #[test]
    fn defaults_are_the_originals() {
        let target = Target::new(&params(&Resize, json!({"width": 3})));
        assert_eq!((target.mode, target.background), (Mode::Fit, [0, 0, 0, 255]));
        assert_eq!(Resize.check(&params(&Resize, json!({})), 1).len(), 1);
        assert!(Resize.check(&params(&Resize, json!({"height": 3})), 1).is_empty());
    }

    /// (mode, size of the picture, target, inner size, offset)
    #[test]
    fn sizes_and_offsets() {
        for (mode, size, target, inner, at) in [
            ("fit", (640, 480), (320, 320), (320, 240), (0, 40)),
            ("fit", (480, 640), (321, 320), (240, 320), (40, 0)),
            ("fit", (3, 2), (100, 100), (100, 67), (0, 16)),
            ("fit", (1000, 14), (100, 50), (100, 1), (0, 24)),
            ("fit", (65_535, 1), (10, 10), (10, 1), (0, 4)),
            ("fill", (640, 480), (320, 320), (427, 320), (53, 0)),
            ("fill", (480, 640), (100, 101), (100, 133), (0, 16)),
            ("fill", (1, 1), (3, 7), (7, 7), (2, 0)),
            ("stretch", (640, 480), (3, 700), (3, 700), (0, 0)),
            ("pad", (640, 480), (320, 320), (320, 240), (0, 40)),
            ("pad", (7, 5), (20, 20), (7, 5), (6, 7)),
            ("pad", (7, 50), (20, 20), (3, 20), (8, 0)),
            ("pad", (1, 1), (1, 1), (1, 1), (0, 0)),
        ] {
            let layout = layout(json!({"mode": mode, "width": target.0, "height": target.1}), size);
            assert_eq!(layout, Layout { inner, outer: target }, "{mode} {size:?}");
            assert_eq!(geometry::centred(inner, target), at, "{mode} {size:?}");
        }
    }

    #[test]
    fn a_side_that_is_not_written_follows() {
        for mode in ["fit", "fill", "stretch", "pad"] {
            let by_width = layout(json!({"mode": mode, "width": 100}), (1000, 14));
            assert_eq!(by_width, Layout { inner: (100, 1), outer: (100, 1) }, "{mode}");
            let by_height = layout(json!({"mode": mode, "height": 3}), (1000, 4));
            assert_eq!(by_height, Layout { inner: (750, 3), outer: (750, 3) }, "{mode}");
        }
        let padded = layout(json!({"mode": "pad", "width": 20}), (10, 5));
        assert_eq!(padded, Layout { inner: (10, 5), outer: (20, 10) });
    }

    #[test]
    fn what_would_be_too_large_is_refused() {
        let error =
            |config, size: Size| Resize.facts(&params(&Resize, config), &[Facts::image(size.0, size.1)]).unwrap_err();
        let huge = error(json!({"width": 60_000, "height": 60_000}), (1, 1));
        assert_eq!(huge, NodeError::TooLarge { width: 60_000, height: 60_000 });
        let tall = error(json!({"width": 65_535}), (1, 65_535));
        assert_eq!(tall, NodeError::TooLarge { width: 65_535, height: 65_535 * 65_535 });
        let fill = error(json!({"width": 100, "height": 100, "mode": "fill"}), (65_535, 1));
        assert!(fill.to_string().starts_with("to fill 100x100 it would be scaled to 6553500x100"), "{fill}");
    }

    #[test]
    fn bars_have_the_background_and_the_middle_the_picture() {
        let white = Image::filled(4, 2, [255; 4]);
        let config = json!({"width": 4, "height": 5, "background": "#01020300"});
        let out = render(&Resize, &params(&Resize, config), &[white]);
        for y in 0..5 {
            let expected = if (1..3).contains(&y) { [255; 4] } else { [1, 2, 3, 0] };
            assert_eq!(out.pixel(2, y), expected, "row {y}");
        }
    }

    #[test]
    fn filling_cuts_the_middle_out() {
        let picture = noise(9, 4);
        let out = render(
            &Resize,
            &params(&Resize, json!({"width": 4, "height": 4, "mode": "fill"})),
            std::slice::from_ref(&picture),
        );
        assert_eq!(out, canvas::crop(&picture, (2, 0), 4, 4));
    }

    #[test]
    fn its_own_size_has_its_own_bits() {
        let picture = noise(13, 7);
        for mode in ["fit", "fill", "stretch", "pad"] {
            let config = json!({"width": 13, "height": 7, "mode": mode});
            assert_eq!(render(&Resize, &params(&Resize, config), std::slice::from_ref(&picture)), picture, "{mode}");
        }
    }

    #[test]
    fn threads_do_not_change_bits() {
        let config = params(&Resize, json!({"width": 211, "height": 300, "mode": "fit"}));
        let of = |threads| on_threads(threads, || render(&Resize, &config, &[noise(333, 217)]));
        assert_eq!(of(1), of(2));
        assert_eq!(of(1), of(8));
        assert_eq!((of(1).width(), of(1).height()), (211, 300));
    }
}
