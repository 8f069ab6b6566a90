//! The future of one call.
use super::Elapsed;
use crate::{error::BoxError, resilience::timer::Entry};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::Instant;

pin_project_lite::pin_project! {
    /// Future of [`Timeout`](super::Timeout).
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        // None until it is known which timer.
        entry: Option<Entry>,
        bound: Bound,
    }
}

/// When the call ends at the latest.
#[derive(Clone, Copy, Debug)]
enum Bound {
    Within(Duration),
    At(Instant),
}

/// Bounds `inner` by a moment rather than by a length of time: what is left of a request's deadline, say. A deadline
/// that has passed still lets an answer through that is there at once.
///
/// It uses a timer of the tokio runtime in which it first has to wait; where a [`Timer`](crate::resilience::timer::Timer) is
/// at hand, its [`timeout_at`](crate::resilience::timer::Timer::timeout_at) costs less.
///
/// # Panics
/// The future does when it first has to wait outside a tokio runtime with timers.
pub fn before<F>(deadline: Instant, inner: F) -> ResponseFuture<F> {
    ResponseFuture {
        inner,
        entry: None,
        bound: Bound::At(deadline),
    }
}

// === impl ResponseFuture ===

impl<F> ResponseFuture<F> {
    pub(super) fn new(inner: F, limit: Duration, entry: Entry) -> Self {
        Self {
            inner,
            entry: Some(entry),
            bound: Bound::Within(limit),
        }
    }
}

impl<F, T, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<T, E>>,
    E: Into<BoxError>,
{
    type Output = Result<T, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(res) = this.inner.poll(cx) {
            return Poll::Ready(res.map_err(Into::into));
        }
        let entry = this.entry.get_or_insert_with(Entry::of_runtime);
        if entry.is_armed() {
            let Bound::Within(limit) = *this.bound else {
                return Poll::Pending;
            };
            return entry
                .poll_passed(cx)
                .map(|()| Err(Elapsed::new(limit).into()));
        }
        let now = Instant::now();
        let limit = match *this.bound {
            Bound::Within(limit) => limit,
            Bound::At(deadline) => {
                // From here on the limit is what was left when the waiting began.
                let left = deadline.saturating_duration_since(now);
                *this.bound = Bound::Within(left);
                left
            }
        };
        entry.arm_within(now.into_std(), limit, cx);
        Poll::Pending
    }
}
