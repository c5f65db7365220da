//! A write on its way to disk, seen from both ends.

use std::panic::{AssertUnwindSafe, catch_unwind};

use redb::WriteTransaction;

use crate::db::error::{DbError, WriteError};
use crate::db::keeper::message_of;

/// The right to wait for a write. Dropping it leaves the write to itself.
#[derive(Debug)]
pub struct Ticket<T, E>(oneshot::Receiver<Result<T, WriteError<E>>>);

impl<T, E> Ticket<T, E> {
    /// Waits until the commit that holds the write is on disk, and gives what the write gave.
    ///
    /// A refusal waits as long: it may rest on what another write of that commit has done.
    pub fn wait(self) -> Result<T, WriteError<E>> {
        self.0.recv().unwrap_or_else(|_| Err(Self::never()))
    }

    /// The same, and no thread is held meanwhile.
    pub async fn written(self) -> Result<T, WriteError<E>> {
        self.0.await.unwrap_or_else(|_| Err(Self::never()))
    }

    /// The giving end is dropped unused only with the committer's queue.
    const fn never() -> WriteError<E> {
        WriteError::Failed(DbError::Closed)
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

/// A write, what is made of its result on the committer's thread, and the ticket to wait for that.
pub(super) fn job<T, U, E, F, R>(write: F, then: R) -> (Box<dyn Job>, Ticket<U, E>)
where
    F: FnOnce(&WriteTransaction) -> Result<T, WriteError<E>> + Send + 'static,
    R: FnOnce(Result<T, WriteError<E>>) -> Result<U, WriteError<E>> + Send + 'static,
    T: Send + 'static,
    U: Send + 'static,
    E: Send + 'static,
{
    let (giver, ticket) = oneshot::channel();
    let then = move |result| {
        // Whether anybody waits is their affair.
        let _ = giver.send(then(result));
    };
    (Box::new(Write { code: Some(write), result: None, then }), Ticket(ticket))
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
