//! `identity`: hands on its input as it is.

use crate::base::Params;
use crate::base::schema::Param;
use crate::effects::{Body, Effect};

/// Changes nothing.
pub(super) struct Identity;

impl Effect for Identity {
    fn name(&self) -> &'static str {
        "identity"
    }

    fn version(&self) -> u32 {
        1
    }

    fn description(&self) -> &'static str {
        "Hands on its input unchanged, of any kind."
    }

    fn params(&self) -> &'static [Param] {
        &[]
    }

    fn golden(&self) -> &'static str {
        "538cdb761c8d6016dc06b52fba49d25ece8b70282528bd8f7a51dd5c960ac5b3"
    }

    fn body(&self, _params: &Params) -> Body {
        Body::Identity
    }
}
