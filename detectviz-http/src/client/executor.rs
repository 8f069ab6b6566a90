//! Runs hyper's connections as tasks of the client, and ends them with it.
use detectviz_core::task::Tasks;
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
    closed: Arc<AtomicBool>,
}

pin_project_lite::pin_project! {
    /// Ends when the client is closed. Asking the token takes a lock, so that it is asked once for each waker.
    struct UntilClosed<F> {
        #[pin]
        inner: F,
        #[pin]
        cancelled: WaitForCancellationFutureOwned,
        closed: Arc<AtomicBool>,
        waker: Option<Waker>,
    }
}

// === impl Executor ===

impl Executor {
    pub(super) fn new(tasks: Tasks) -> Self {
        Self {
            tasks,
            closed: Arc::default(),
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
        let until_closed = UntilClosed {
            inner: future,
            cancelled: self.tasks.token().cancelled_owned(),
            closed: Arc::clone(&self.closed),
            waker: None,
        };
        drop(self.tasks.spawn("http client connection", until_closed));
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
        if this.waker.as_ref().is_some_and(|w| w.will_wake(cx.waker())) {
            return Poll::Pending;
        }
        *this.waker = Some(cx.waker().clone());
        this.cancelled.poll(cx)
    }
}
