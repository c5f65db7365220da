//! Jobs that Celery's clients push: taken, made runs, answered.
//!
//! A message is moved to a list of this home's own in the step that takes it, and leaves that list
//! when its run is on disk. So a message that was taken by a process that died is found there by
//! the next one; its task's id is an idempotency key, so that it makes no second run. Answers
//! are owed on disk until Redis has them.

use std::time::{Duration, Instant};

use redis::Connection;
use serde_json::Value;

use crate::base::limits::{
    DEAD_TASKS, MIRROR_LOOK_SECONDS, REDIS_RETRY_SECONDS, TASK_BYTES, TASK_RESULT_SECONDS, TASK_TRIED_SECONDS,
    TASK_TRIES,
};
use crate::base::{ContentHash, Timestamp};
use crate::engine::tasks::{Owed, Task as Caller};
use crate::engine::{Class, Engine, EngineError, Idempotency, Inputs, RecipeRef, Request, Submission};
use crate::link::redis::celery::{self, Failure, Job, Refusal};
use crate::link::redis::state::Link;
use crate::link::redis::wire::{Stop, Trouble, Wire};

/// Answers that are written at once.
const ANSWERS: usize = 64;
/// What kombu puts behind a queue's name for messages of other priorities than the first.
const PRIORITIES: [&str; 4] = ["", "\u{6}\u{16}3", "\u{6}\u{16}6", "\u{6}\u{16}9"];

/// Where jobs are taken from, and what they look like.
#[derive(Clone)]
pub struct Intake {
    /// The broker's address.
    pub broker: String,
    /// The address for results.
    pub results: String,
    /// The queue.
    pub queue: String,
    /// The tasks that are understood.
    pub tasks: Vec<Task>,
}

/// A task that is understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its name.
    pub name: String,
    /// What its arguments are, in their order.
    pub arguments: Vec<String>,
}

/// What is done with a message that was taken.
enum Done {
    /// A run was made of it, or it is answered.
    Taken,
    /// It is put aside, with what is wrong.
    Dead(String),
    /// It is put aside until this time.
    Early(Timestamp),
    /// The home cannot take it now.
    Later(EngineError),
}

/// How often and since when the message at hand was tried, whose files the disk does not give.
#[derive(Default)]
struct Patience(Option<(ContentHash, u32, Instant)>);

impl Patience {
    /// One more try has failed: is it the last?
    fn is_over(&mut self, message: &[u8], now: Instant) -> bool {
        let message = ContentHash::of(message);
        let (before, since) = match self.0 {
            Some((known, tries, since)) if known == message => (tries, since),
            _ => (0, now),
        };
        let tries = before.saturating_add(1);
        self.0 = Some((message, tries, since));
        tries >= TASK_TRIES && now.duration_since(since) >= Duration::from_secs(TASK_TRIED_SECONDS)
    }
}

/// Takes jobs until it is time to end. `results` is where callers are told at once that theirs
/// was not taken.
pub fn take(engine: &Engine, mut broker: Wire, mut results: Wire, intake: &Intake, link: &Link, stop: &Stop) {
    let (mut list, mut patience) = (None, Patience::default());
    while !stop.begun() {
        let taken = broker.with(|connection| {
            if list.is_none() {
                list = Some(format!("artdag:intake:{}", engine.home_id()?));
            }
            next(connection, list.as_deref().unwrap_or_default(), &intake.queue)
        });
        let (Some(Some(message)), Some(list)) = (taken, &list) else { continue };
        // Where Redis has not taken the answer the message stays where it is.
        let Some(done) = handle(engine, &mut results, intake, &message, &mut patience) else { continue };
        if let Done::Later(error) = &done {
            tracing::warn!(%error, "a job cannot be taken now; it is tried again");
            stop.wait(Duration::from_secs(REDIS_RETRY_SECONDS));
            continue;
        }
        match broker.with(|connection| let_go(connection, list, &message, &done)).map(|()| done) {
            Some(Done::Taken) => link.add_done(1),
            Some(Done::Dead(why)) => {
                tracing::warn!(why, "a message was no job; it is put aside in {list}:dead");
                link.add_refused();
            }
            Some(Done::Early(_) | Done::Later(_)) | None => {}
        }
    }
}

/// The message to work on: one that was taken before, else the next of the queue.
fn next(connection: &mut Connection, list: &str, queue: &str) -> Result<Option<Vec<u8>>, Trouble> {
    let (early, now) = (format!("{list}:early"), Timestamp::now().micros());
    let due = redis::cmd("ZRANGEBYSCORE").arg(&early).arg("-inf").arg(now).arg("LIMIT").arg(0).arg(1).query(connection);
    let due: Vec<Vec<u8>> = due?;
    for message in due {
        let mut pipe = redis::pipe();
        pipe.atomic().cmd("ZREM").arg(&early).arg(&message).ignore();
        pipe.cmd("LPUSH").arg(list).arg(&message).ignore();
        pipe.exec(connection)?;
    }
    let before: Option<Vec<u8>> = redis::cmd("LINDEX").arg(list).arg(-1).query(connection)?;
    if before.is_some() {
        return Ok(before);
    }
    for priority in PRIORITIES {
        let source = format!("{queue}{priority}");
        let moved = redis::cmd("LMOVE").arg(source).arg(list).arg("RIGHT").arg("LEFT").query(connection)?;
        if let Some(message) = moved {
            return Ok(Some(message));
        }
    }
    Ok(redis::cmd("BLMOVE").arg(queue).arg(list).arg("RIGHT").arg("LEFT").arg(1).query(connection)?)
}

/// Takes a message off the list of those being worked on.
fn let_go(connection: &mut Connection, list: &str, message: &[u8], done: &Done) -> Result<(), Trouble> {
    let mut pipe = redis::pipe();
    pipe.atomic();
    if let Done::Early(until) = done {
        pipe.cmd("ZADD").arg(format!("{list}:early")).arg(until.micros()).arg(message).ignore();
    }
    if let Done::Dead(why) = done {
        let message = String::from_utf8_lossy(message);
        let kept = serde_json::json!({"at": Timestamp::now(), "why": why, "message": message}).to_string();
        let dead = format!("{list}:dead");
        pipe.cmd("LPUSH").arg(&dead).arg(kept).ignore();
        pipe.cmd("LTRIM").arg(&dead).arg(0).arg(DEAD_TASKS - 1).ignore();
    }
    pipe.cmd("LREM").arg(list).arg(-1).arg(message).ignore();
    pipe.exec(connection)?;
    Ok(())
}

/// Makes a run of a message, or tells its caller why not. `None` if the caller could not be told.
fn handle(
    engine: &Engine,
    results: &mut Wire,
    intake: &Intake,
    message: &[u8],
    patience: &mut Patience,
) -> Option<Done> {
    let read = if message.len() > TASK_BYTES {
        let why = format!("the message has {} bytes; {TASK_BYTES} are taken", message.len());
        Err(Box::new(Refusal { caller: None, error: Failure::builtin("ValueError", why) }))
    } else {
        celery::read(message, &intake.tasks)
    };
    let (caller, error, dead) = match read {
        Ok(Job { not_before: Some(time), .. }) if time > Timestamp::now() => return Some(Done::Early(time)),
        Ok(job) => match accept(engine, &job) {
            Ok(()) => return Some(Done::Taken),
            Err(error) if matches!(error.class(), Class::Busy | Class::Full) => return Some(Done::Later(error)),
            Err(error @ EngineError::Db(_)) => return Some(Done::Later(error)),
            Err(error @ EngineError::Store(_)) if !patience.is_over(message, Instant::now()) => {
                return Some(Done::Later(error));
            }
            Err(error @ EngineError::Store(_)) => {
                tracing::warn!(task = %job.caller.task, %error, "a job is given up: the disk does not give what it names");
                let why = format!("{error}; it was tried for {TASK_TRIED_SECONDS} seconds");
                (Some(job.caller), Failure::builtin("RuntimeError", why), false)
            }
            // It is the caller's to know, and a message like any other.
            Err(error) => (Some(job.caller), failure(&error), false),
        },
        Err(refusal) => (refusal.caller, refusal.error, true),
    };
    if let Some(caller) = caller.filter(|caller| caller.wants_result) {
        let result = celery::refusal(&caller, &error);
        results.with(|connection| write_results(connection, &[(caller, result)]))?;
    }
    let dead = dead && error.class != "TaskRevokedError";
    Some(if dead { Done::Dead(format!("{}: {}", error.class, error.message)) } else { Done::Taken })
}

fn failure(error: &EngineError) -> Failure {
    let class = match error.class() {
        Class::NotFound => "LookupError",
        Class::Invalid | Class::Usage => "ValueError",
        _ => "RuntimeError",
    };
    Failure::builtin(class, error.to_string())
}

fn accept(engine: &Engine, job: &Job) -> Result<(), EngineError> {
    let name = job.effect.strip_prefix("effect:").unwrap_or(&job.effect);
    let recipe: RecipeRef = engine.find_recipe(name)?;
    let inputs = Inputs::Listed(vec![engine.content_named(&job.input)?]);
    let request = Request { output_name: job.output.clone(), ..Request::new(recipe, inputs) };
    let idempotency = Idempotency {
        key: format!("celery\n{}", job.caller.task),
        body: ContentHash::of(job.asked.as_bytes()),
        task: Some(job.caller.clone()),
    };
    let accepted = engine.accept(&request, &Submission { held: false, idempotency: Some(idempotency) })?;
    if accepted.existing { engine.owe_again(accepted.run, job.caller.clone()) } else { Ok(()) }
}

/// Writes the results of tasks whose runs have ended, until it is time to end.
pub fn answer(engine: &Engine, mut wire: Wire, link: &Link, stop: &Stop) {
    let mut looked: Option<Instant> = None;
    while !stop.begun() {
        let seen = engine.events().latest();
        let owed = match engine.owed(ANSWERS) {
            Ok(owed) => owed,
            Err(error) => {
                tracing::warn!(%error, "what callers are owed cannot be read; it is tried again");
                stop.wait(Duration::from_secs(REDIS_RETRY_SECONDS));
                continue;
            }
        };
        if owed.is_empty() {
            if looked.is_none_or(|at| at.elapsed() > Duration::from_secs(MIRROR_LOOK_SECONDS)) {
                wire.with(|connection| Ok(redis::cmd("PING").exec(connection)?));
                looked = Some(Instant::now());
            }
            engine.events().wait_after(seen, Duration::from_millis(500));
            continue;
        }
        let answered = wire.with(|connection| {
            let results = owed.iter().map(|owed| Ok((owed.task.clone(), result(engine, owed)?)));
            write_results(connection, &results.collect::<Result<Vec<_>, EngineError>>()?)?;
            engine.answered(owed.iter().map(|owed| owed.run).collect())?;
            Ok(())
        });
        if answered.is_some() {
            link.add_done(owed.len());
        }
    }
}

fn result(engine: &Engine, owed: &Owed) -> Result<Value, EngineError> {
    let record = owed.view.as_ref().and_then(|view| view.provenance_hash);
    let record = match record.map(|hash| engine.read_blob(&hash)).transpose() {
        Ok(bytes) => bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()),
        // One record that cannot be read keeps no other caller waiting.
        Err(EngineError::NotFound { .. } | EngineError::Damaged { .. } | EngineError::Store(_)) => None,
        Err(error) => return Err(error),
    };
    Ok(celery::result(&owed.task, owed.view.as_ref(), record))
}

/// As Celery's own backend does it: kept for a day, and told to whoever listens.
fn write_results(connection: &mut Connection, results: &[(Caller, Value)]) -> Result<(), Trouble> {
    let mut pipe = redis::pipe();
    pipe.atomic();
    for (caller, result) in results {
        let (key, json) = (celery::result_key(&caller.task), result.to_string());
        pipe.cmd("SETEX").arg(&key).arg(TASK_RESULT_SECONDS).arg(&json).ignore();
        pipe.cmd("PUBLISH").arg(&key).arg(&json).ignore();
    }
    pipe.exec(connection)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_given_up_after_so_many_tries_in_so_long_and_each_has_its_own() {
        let (mut patience, start) = (Patience::default(), Instant::now());
        let after = |seconds: u64| start + Duration::from_secs(seconds);
        let often: Vec<bool> = (0..20).map(|_| patience.is_over(b"one", after(TASK_TRIED_SECONDS - 1))).collect();
        assert!(often.iter().all(|over| !over), "often, and not for long");
        assert!(!patience.is_over(b"two", after(TASK_TRIED_SECONDS)), "another begins anew");
        assert!(!patience.is_over(b"two", after(3 * TASK_TRIED_SECONDS)), "for long, and not often");
        assert!((0..20).any(|_| patience.is_over(b"two", after(3 * TASK_TRIED_SECONDS))));
        assert!(patience.is_over(b"two", after(4 * TASK_TRIED_SECONDS)), "and so it stays until it is let go of");
    }
}
