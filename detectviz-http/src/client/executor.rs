//! Runs hyper's connections as tasks of the client, and ends them with it.
use detectviz_core::task::{Spawner, Tasks};
use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
};
use tokio_util::sync::WaitForCancellationFutureOwned;

/// What hyper spawns with.
#[derive(Clone, Debug)]
pub(super) struct Executor {
    tasks: Tasks,
    spawner: Spawner,
    closed: Arc<AtomicBool>,
    /// Of one HTTP/2 connection: whether it runs already, and all else that is spawned is one of its streams.
    runs: Option<Arc<AtomicBool>>,
}

pin_project_lite::pin_project! {
    /// Ends when the client is closed. Asking the token takes a lock, so that it is asked once for each waker, and by a stream,
    /// which ends with its connection, never.
    struct UntilClosed<F> {
        #[pin]
        inner: F,
        #[pin]
        cancelled: Option<WaitForCancellationFutureOwned>,
        closed: Arc<AtomicBool>,
        waker: Option<Waker>,
    }
}

// === impl Executor ===

impl Executor {
    pub(super) fn new(tasks: Tasks) -> Self {
        Self {
            spawner: tasks.spawner("http client connection"),
            tasks,
            closed: Arc::default(),
            runs: None,
        }
    }

    /// What one HTTP/2 connection spawns with: first itself, then its streams.
    pub(super) fn of_connection(&self) -> Self {
        Self {
            runs: Some(Arc::default()),
            ..self.clone()
        }
    }

    /// The set that the connections run in.
    pub(super) fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// Closes every connection.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.tasks.cancel();
    }
}

impl<F> hyper::rt::Executor<F> for Executor
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, future: F) {
        let runs = self.runs.as_ref();
        let is_stream = runs.is_some_and(|runs| runs.swap(true, Ordering::Relaxed));
        let until_closed = UntilClosed {
            inner: future,
            cancelled: (!is_stream).then(|| self.tasks.token().cancelled_owned()),
            closed: Arc::clone(&self.closed),
            waker: None,
        };
        drop(self.spawner.spawn(until_closed));
    }
}

// === impl UntilClosed ===

impl<F: Future> Future for UntilClosed<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        if this.closed.load(Ordering::Acquire) || this.inner.poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let Some(cancelled) = this.cancelled.as_pin_mut() else {
            return Poll::Pending;
        };
        if this.waker.as_ref().is_some_and(|w| w.will_wake(cx.waker())) {
            return Poll::Pending;
        }
        *this.waker = Some(cx.waker().clone());
        cancelled.poll(cx)
    }
}
