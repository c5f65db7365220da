//! A write on its way to disk, seen from both ends.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use redb::WriteTransaction;

use crate::db::error::{DbError, WriteError};
use crate::db::keeper::message_of;

/// The right to wait for a write. Dropping it leaves the write to itself.
#[derive(Debug)]
pub struct Ticket<T, E>(Arc<Slot<Result<T, WriteError<E>>>>);

/// Where one answer is put, once: a channel would do, and is made for many.
#[derive(Debug)]
struct Slot<T> {
    answer: Mutex<Answer<T>>,
    given: Condvar,
}

#[derive(Debug)]
enum Answer<T> {
    Awaited,
    Given(T),
    /// Whoever was to give it has gone.
    Never,
}

impl<T> Slot<T> {
    fn put(&self, answer: Answer<T>) {
        let mut slot = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*slot, Answer::Awaited) {
            *slot = answer;
            drop(slot);
            self.given.notify_one();
        }
    }
}

/// The end that gives the answer.
struct Giver<T>(Arc<Slot<T>>);

impl<T> Drop for Giver<T> {
    fn drop(&mut self) {
        self.0.put(Answer::Never);
    }
}

impl<T, E> Ticket<T, E> {
    /// Waits until the commit that holds the write is on disk, and gives what the write gave.
    ///
    /// A refusal waits as long: it may rest on what another write of that commit has done.
    pub fn wait(self) -> Result<T, WriteError<E>> {
        let slot = self.0.answer.lock().unwrap_or_else(PoisonError::into_inner);
        let given = self.0.given.wait_while(slot, |answer| matches!(answer, Answer::Awaited));
        match std::mem::replace(&mut *given.unwrap_or_else(PoisonError::into_inner), Answer::Never) {
            Answer::Given(result) => result,
            // The giving end is dropped unused only with the committer's queue.
            _ => Err(WriteError::Failed(DbError::Closed)),
        }
    }
}

/// A write as the committer sees it.
pub(super) trait Job: Send {
    /// Runs the write's code in the transaction; once.
    fn run(&mut self, tx: &WriteTransaction) -> Outcome;
    /// Answers whoever waits: `commit` is what became of the transaction.
    fn settle(self: Box<Self>, commit: Result<(), DbError>);
}

/// What a write's code came to.
pub(super) enum Outcome {
    /// It has written, or may have.
    Wrote,
    /// Its condition did not hold, and it has written nothing.
    Refused,
    /// Nobody knows what it has written: the transaction must not be committed.
    Failed(DbError),
}

/// A write and the ticket to wait for it.
pub(super) fn job<T, E, F>(write: F) -> (Box<dyn Job>, Ticket<T, E>)
where
    F: FnOnce(&WriteTransaction) -> Result<T, WriteError<E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    let slot = Arc::new(Slot { answer: Mutex::new(Answer::Awaited), given: Condvar::new() });
    let giver = Giver(slot.clone());
    (job_then(write, move |result| giver.0.put(Answer::Given(result))), Ticket(slot))
}

/// A write, and what is done with its result on the committer's thread.
pub(super) fn job_then<T, E, F, R>(write: F, then: R) -> Box<dyn Job>
where
    F: FnOnce(&WriteTransaction) -> Result<T, WriteError<E>> + Send + 'static,
    R: FnOnce(Result<T, WriteError<E>>) + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    Box::new(Write { code: Some(write), result: None, then })
}

struct Write<T, E, F, R> {
    code: Option<F>,
    result: Option<Result<T, WriteError<E>>>,
    then: R,
}

impl<T, E, F, R> Job for Write<T, E, F, R>
where
    F: FnOnce(&WriteTransaction) -> Result<T, WriteError<E>> + Send,
    R: FnOnce(Result<T, WriteError<E>>) + Send,
    T: Send,
    E: Send,
{
    fn run(&mut self, tx: &WriteTransaction) -> Outcome {
        let code = self.code.take().expect("BUG: a write run twice");
        // What a panicking write leaves half done is in the transaction, which is then aborted.
        let result = catch_unwind(AssertUnwindSafe(|| code(tx)))
            .unwrap_or_else(|panic| Err(DbError::Panicked { message: message_of(&*panic) }.into()));
        let outcome = match &result {
            Ok(_) => Outcome::Wrote,
            Err(WriteError::Refused(_)) => Outcome::Refused,
            Err(WriteError::Failed(error)) => Outcome::Failed(error.clone()),
        };
        self.result = Some(result);
        outcome
    }

    fn settle(self: Box<Self>, commit: Result<(), DbError>) {
        let result = match (self.result, commit) {
            (Some(result), Ok(())) => result,
            // Whoever spoilt the commit learns how.
            (Some(Err(WriteError::Failed(own))), Err(_)) => Err(own.into()),
            (_, Err(error)) => Err(error.into()),
            (None, Ok(())) => unreachable!("BUG: a commit of a write that was not run"),
        };
        (self.then)(result);
    }
}
