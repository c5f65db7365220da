//! Publishing: signs what is said of a run's output, has it kept for good, and sees to its way.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use sha3::{Digest as _, Sha3_256};

use crate::base::{RunId, Timestamp};
use crate::engine::views::RunView;
use crate::engine::{DeliveryRow, DeliveryState, Engine, EngineError, Signed};
use crate::link::activity::Published;
use crate::link::identity::Identity;
use crate::link::keys::KeyError;
use crate::link::l2::L2;
use crate::link::{Keys, integrity, outbox, signature};

/// The address of a server that nobody gave another one.
const DEFAULT_BASE: &str = "http://127.0.0.1:8100";

/// What the settings say of the world outside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outside {
    /// The address that others know this server by.
    pub public_url: Option<String>,
    /// The name under which it publishes; the system's user if `None`.
    pub actor: Option<String>,
    /// Where publications go.
    pub l2: Option<L2>,
}

/// Publishes what a home has made. Cloning shares it.
#[derive(Clone)]
pub struct Publisher(Arc<Inner>);

struct Inner {
    engine: Engine,
    keys: Keys,
    outside: Outside,
    /// Where this process listens, if it does.
    listens: OnceLock<String>,
    /// The way to the thread that delivers, if this process has one.
    sender: Mutex<Option<Sender<outbox::Message>>>,
}

impl Publisher {
    /// For an open home.
    pub fn new(engine: Engine, outside: Outside) -> Self {
        let keys = Keys::open(engine.home());
        Self(Arc::new(Inner { engine, keys, outside, listens: OnceLock::new(), sender: Mutex::default() }))
    }

    /// The home.
    pub fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// The home's keys.
    pub fn keys(&self) -> &Keys {
        &self.0.keys
    }

    /// L2, if it is configured.
    pub fn l2(&self) -> Option<&L2> {
        self.0.outside.l2.as_ref()
    }

    /// Says once where the process listens.
    pub fn listens_at(&self, url: &str) {
        // There is one listener: its address stays.
        let _ = self.0.listens.set(url.to_owned());
    }

    /// Who publishes, as others see it now. What is published keeps the ids it was signed with.
    pub fn identity(&self) -> Identity {
        let Outside { public_url, actor, .. } = &self.0.outside;
        let base = public_url.as_deref().or_else(|| self.0.listens.get().map(String::as_str)).unwrap_or(DEFAULT_BASE);
        let name = actor.clone().unwrap_or_else(|| plain(&crate::engine::infra::user()));
        Identity::new(base, &name)
    }

    /// Publishes a completed run's output. Once it is published, it is only seen to that it is
    /// delivered soon. The run as it stands then.
    pub fn publish(&self, run: RunId) -> Result<RunView, EngineError> {
        let engine = &self.0.engine;
        let published = match engine.find_publication(run)? {
            Some(publication) => Some(publication),
            None => {
                self.accept(run)?;
                engine.find_publication(run)?
            }
        };
        if let Some(publication) = published.filter(|known| known.delivery.state != DeliveryState::Delivered) {
            self.deliver_now(publication.run);
        }
        engine.run_view(run)
    }

    /// Signs, and has it kept.
    fn accept(&self, run: RunId) -> Result<(), EngineError> {
        let Inner { engine, keys, outside, .. } = &*self.0;
        let view = engine.run_view(run)?;
        let gone = || EngineError::Refused(format!("run {run} has no output that could be published"));
        let output = view.output_hash.ok_or_else(gone)?;
        let sha3: [u8; 32] = Sha3_256::digest(&*engine.read_checked(&output)?).into();
        let (identity, at) = (self.identity(), Timestamp::now());
        let published = Published { identity: &identity, run: &view, output, sha3, at };
        let unusable = |error: KeyError| EngineError::Home {
            home: engine.home().display().to_string(),
            reason: error.to_string(),
        };
        let activity = published.activity();
        let sealed = integrity::sign(activity.clone(), keys.ed25519().map_err(unusable)?, &identity.proof_key(), at);
        let activity = signature::sign(activity, keys.rsa().map_err(unusable)?, &identity.main_key(), at);
        let signed = Signed {
            sha3,
            published_at: at,
            activity: activity.to_string(),
            sealed: sealed.to_string(),
            record: published.record().to_string(),
        };
        let state = if outside.l2.is_some() { DeliveryState::Waiting } else { DeliveryState::Kept };
        engine.accept_publication(run, signed, state)?;
        Ok(())
    }

    /// Has a publication delivered soon, by the thread for that; without one, once and here.
    fn deliver_now(&self, run: RunId) {
        let Some(l2) = &self.0.outside.l2 else { return };
        let sender = self.0.sender.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match sender {
            Some(sender) => {
                // A thread that has ended is that of a process that ends.
                let _ = sender.send(outbox::Message::Wanted(run));
            }
            None => {
                if let Err(error) = outbox::deliver(&self.0.engine, l2, run) {
                    tracing::warn!(%run, %error, "the publication is kept, and could not be delivered now");
                }
            }
        }
    }

    /// Starts the thread that delivers, if there is an L2.
    pub fn start(&self) -> std::io::Result<()> {
        let Some(l2) = self.0.outside.l2.clone() else { return Ok(()) };
        let (sender, inbox) = channel();
        let engine = self.0.engine.clone();
        std::thread::Builder::new().name("outbox".to_owned()).spawn(move || {
            if let Err(error) = take_up(&engine) {
                tracing::warn!(%error, "publications that were kept cannot be looked at");
            }
            outbox::run(&engine, &l2, &inbox);
        })?;
        *self.0.sender.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        Ok(())
    }

    /// Has the thread end; what it is about to send is sent again by the next one.
    pub fn stop(&self) {
        if let Some(sender) = self.0.sender.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = sender.send(outbox::Message::Stop);
        }
    }
}

/// What was kept because there was no L2 waits for it now.
fn take_up(engine: &Engine) -> Result<(), EngineError> {
    for run in engine.undelivered()? {
        let delivery = engine.publication(run)?.delivery;
        if delivery.state == DeliveryState::Kept {
            engine.record_delivery(run, DeliveryRow { state: DeliveryState::Waiting, ..delivery })?;
        }
    }
    Ok(())
}

/// A name that can stand in an account and in an address.
fn plain(name: &str) -> String {
    let kept = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let name: String = name.chars().filter(|c| kept(*c)).collect();
    if name.is_empty() { "artdag".to_owned() } else { name }
}
