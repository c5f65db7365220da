//! What the tests of node types share.

use std::sync::Arc;

use serde_json::Value;

use crate::base::{Params, schema};
use crate::media::{Facts, Image};
use crate::nodes::{Lowered, NodeType};

/// The parameters of a config with every default filled in, as validation leaves them (entries
/// of lists stay as they are).
pub(crate) fn params(node_type: &dyn NodeType, config: Value) -> Params {
    let mut entries = schema::defaults(node_type.params()).entries().clone();
    let Value::Object(written) = config else { panic!("a config is a map") };
    for (name, value) in written {
        match (entries.get_mut(&name), value) {
            (Some(Value::Object(defaults)), Value::Object(written)) => defaults.extend(written),
            (_, value) => {
                entries.insert(name, value);
            }
        }
    }
    Params::new(entries)
}

/// What a node makes of pictures, through its facts and its operation, as the engine does it.
pub(crate) fn render(node_type: &dyn NodeType, params: &Params, inputs: &[Image]) -> Image {
    assert_eq!(node_type.check(params, inputs.len()), []);
    let facts: Vec<Facts> = inputs.iter().map(|image| Facts::image(image.width(), image.height())).collect();
    let expected = node_type.facts(params, &facts).unwrap();
    let Lowered::Pixels(op) = node_type.lower(params, &facts) else { panic!("no pixel operation") };
    let mut out = op.start(Arc::new(inputs[0].clone())).unwrap();
    for (index, input) in inputs.iter().enumerate().skip(1) {
        out = op.fold(out, index, input).unwrap();
    }
    assert_eq!((out.width(), out.height()), (expected.width, expected.height));
    out
}

/// The hash of what a node makes of the same pictures with each config: when it changes for
/// another reason than a new config, the node type's version is raised.
pub(crate) fn golden(node_type: &dyn NodeType, configs: &[Value], inputs: &[Image]) -> String {
    let mut hasher = blake3::Hasher::new();
    for config in configs {
        hasher.update(render(node_type, &params(node_type, config.clone()), inputs).pixels());
    }
    hasher.finalize().to_hex().to_string()
}

/// A picture of noise in every channel, from integers alone.
pub(crate) fn noise(width: u32, height: u32) -> Image {
    let mut state = width.wrapping_mul(7919).wrapping_add(height) | 1;
    let mut byte = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 24) as u8
    };
    Image::new(width, height, (0..width * height * 4).map(|_| byte()).collect())
}

/// Runs with a pool of this many threads.
pub(crate) fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}
