//! Homes and runs for tests within the engine.

use std::path::Path;
use std::sync::Arc;

use crate::base::{ContentHash, RunId};
use crate::cas::{RealDisk, WatchedDisk};
use crate::engine::home::Opening;
use crate::engine::lock::Role;
use crate::engine::{Engine, Inputs, Opened, RecipeRef, Request};
use crate::media::Image;
use crate::media::encode::encode_stored;

/// How a home is opened here.
pub fn opening(home: &Path) -> Opening {
    Opening {
        home: home.to_owned(),
        threads: 2,
        workers: 2,
        cache_max_bytes: None,
        stage_timeout: 0,
        ffmpeg: None,
        role: Role::Serve,
        signer: None,
    }
}

/// A home that works on its queue.
pub fn opened(home: &Path) -> Engine {
    opened_on(&opening(home), || {})
}

/// The same on a disk that does this before each rename.
pub fn opened_on(opening: &Opening, before_rename: impl Fn() + Send + Sync + 'static) -> Engine {
    let disk = |home: &Path| Ok(Arc::new(WatchedDisk { disk: RealDisk::open(home)?, before_rename }) as _);
    let Ok(Opened::Ours(engine)) = Engine::open_on(opening, disk) else { panic!("a fresh home opens") };
    engine.work_on_queue().unwrap();
    engine
}

/// A small picture of one colour in a home.
pub fn picture(engine: &Engine, colour: [u8; 4]) -> ContentHash {
    engine.add_bytes(&encode_stored(&Image::filled(8, 8, colour)), None).unwrap().content_hash
}

/// An effect over a picture.
pub fn request(effect: &str, picture: ContentHash) -> Request {
    Request::new(RecipeRef::Effect(effect.to_owned()), Inputs::Listed(vec![picture]))
}

/// A run of an effect over a picture.
pub fn submitted(engine: &Engine, effect: &str, picture: ContentHash) -> RunId {
    engine.submit(&request(effect, picture), true, &|_| Ok(())).unwrap()
}
