//! A future that is bounded by a deadline.
use super::Entry;
use std::{
    error, fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

pin_project_lite::pin_project! {
    /// Future of [`Timer::timeout_at`](super::Timer::timeout_at).
    #[derive(Debug)]
    #[must_use = "futures do nothing unless they are polled"]
    pub struct TimeoutAt<F> {
        #[pin]
        inner: F,
        entry: Entry,
        deadline: Instant,
    }
}

/// The deadline has passed, and there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed;

// === impl TimeoutAt ===

impl<F> TimeoutAt<F> {
    pub(super) fn new(entry: Entry, deadline: Instant, inner: F) -> Self {
        Self {
            inner,
            entry,
            deadline,
        }
    }
}

impl<F: Future> Future for TimeoutAt<F> {
    type Output = Result<F::Output, Passed>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(output) = this.inner.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        if this.entry.is_armed() {
            return this.entry.poll_passed(cx).map(|()| Err(Passed));
        }
        this.entry.arm(*this.deadline, cx);
        Poll::Pending
    }
}

// === impl Passed ===

impl fmt::Display for Passed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the deadline has passed")
    }
}

impl error::Error for Passed {}
