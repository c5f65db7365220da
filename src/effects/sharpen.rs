//! `sharpen`: the unsharp mask.

use std::sync::Arc;

use crate::base::Params;
use crate::base::schema::{Default, Kind, Param};
use crate::effects::{Body, Effect};
use crate::media::{Image, OpError, PixelOp, blur};

/// An unsharp mask with a Gaussian, on each colour; alpha stays.
pub(super) struct Sharpen;

impl Effect for Sharpen {
    fn name(&self) -> &'static str {
        "sharpen"
    }

    fn version(&self) -> u32 {
        1
    }

    fn description(&self) -> &'static str {
        "Unsharp mask: what sets a pixel off from its surroundings is strengthened; transparency stays."
    }

    fn params(&self) -> &'static [Param] {
        &[
            Param {
                name: "amount",
                kind: Kind::Number { min: 0.0, max: 10.0 },
                default: Default::Number(1.0),
                doc: "times that a pixel's difference from its surroundings is added: 0 changes nothing, 1 is crisp, \
                      from 3 on edges glow",
                unit: "",
            },
            Param {
                name: "sigma",
                kind: Kind::Number { min: 0.1, max: 50.0 },
                default: Default::Number(1.0),
                doc: "standard deviation of the Gaussian that is the surroundings: about 1 for fine detail, from 10 \
                      on local contrast",
                unit: "px",
            },
        ]
    }

    fn golden(&self) -> &'static str {
        "3e7226f124b069eb2a758f4e1d87c1d06c67b6c4be77e56294c8762b8840fd55"
    }

    fn body(&self, params: &Params) -> Body {
        let (amount, sigma) = (params.number("amount") as f32, params.number("sigma") as f32);
        Body::Pixels(Box::new(Op { amount, sigma }))
    }
}

struct Op {
    amount: f32,
    sigma: f32,
}

impl PixelOp for Op {
    fn start(&self, first: Arc<Image>) -> Result<Image, OpError> {
        Ok(blur::unsharp(first, self.amount, self.sigma))
    }

    fn cost(&self) -> f64 {
        blur::gaussian_cost(self.sigma) + 2.5
    }
}
