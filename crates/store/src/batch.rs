//! A job of the writer, whatever it answers, and its fate.

use futures::future::BoxFuture;
use tokio::sync::oneshot;

use crate::{Sql, StoreError};

/// What the writers of both engines run.
pub(crate) trait Job: Send {
    /// Runs the job once and keeps its answer. `true`: the answer was `Ok`.
    fn run<'a>(&'a mut self, sql: &'a mut dyn Sql) -> BoxFuture<'a, bool>;

    /// Whether the job shares its commit with no other.
    fn is_alone(&self) -> bool;

    /// Answers the caller: with the job's own answer after `Ok`, else with the error.
    fn settle(self: Box<Self>, fate: Result<(), StoreError>);
}

struct Pending<T, E, F> {
    work: Option<F>,
    alone: bool,
    answer: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Job for Pending<T, E, F>
where
    F: for<'a> FnOnce(&'a mut dyn Sql) -> BoxFuture<'a, Result<T, E>> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn run<'a>(&'a mut self, sql: &'a mut dyn Sql) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            let Some(work) = self.work.take() else { return false };
            let answer = work(sql).await;
            let kept = answer.is_ok();
            self.answer = Some(answer);
            kept
        })
    }

    fn is_alone(&self) -> bool {
        self.alone
    }

    fn settle(self: Box<Self>, fate: Result<(), StoreError>) {
        let answer = match fate {
            Ok(()) => self.answer.unwrap_or_else(|| Err(StoreError::Closed.into())),
            Err(error) => Err(error.into()),
        };
        // The caller may have gone; the job is kept all the same.
        let _ = self.reply.send(answer);
    }
}

/// A job and where its answer will arrive.
pub(crate) fn job<T, E, F>(work: F, alone: bool) -> (Box<dyn Job>, oneshot::Receiver<Result<T, E>>)
where
    F: for<'a> FnOnce(&'a mut dyn Sql) -> BoxFuture<'a, Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    (Box::new(Pending { work: Some(work), alone, answer: None, reply }), answer)
}
