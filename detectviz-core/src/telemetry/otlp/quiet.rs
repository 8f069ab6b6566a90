//! Keeps what the exchange with the Collector traces from being recorded, and so from being exported, without end.
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};
use tracing::{Dispatch, dispatcher::with_default};

/// Something that is used and dropped without anybody listening to what it traces.
///
/// As a future it differs from `WithSubscriber` in that it is silent while it is dropped, too; h2 traces there.
pub(super) struct Quiet<T>(Option<Pin<Box<T>>>);

// === impl Quiet ===

impl<T> Quiet<T> {
    pub(super) fn new(noisy: T) -> Self {
        Self(Some(Box::pin(noisy)))
    }
}

impl<T> AsRef<T> for Quiet<T> {
    fn as_ref(&self) -> &T {
        self.0.as_ref().expect("taken in drop only")
    }
}

impl<F: Future> Future for Quiet<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match &mut self.0 {
            Some(future) => with_default(&Dispatch::none(), || future.as_mut().poll(cx)),
            None => Poll::Pending,
        }
    }
}

impl<T> Drop for Quiet<T> {
    fn drop(&mut self) {
        let noisy = self.0.take();
        with_default(&Dispatch::none(), || drop(noisy));
    }
}

impl<T> fmt::Debug for Quiet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Quiet")
    }
}
