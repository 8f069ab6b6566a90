//! The future of one call.
use super::Elapsed;
use crate::error::BoxError;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

pin_project_lite::pin_project! {
    /// Future of [`Timeout`](super::Timeout).
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        #[pin]
        sleep: Option<Sleep>,
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
pub fn before<F>(deadline: Instant, inner: F) -> ResponseFuture<F> {
    ResponseFuture {
        inner,
        sleep: None,
        bound: Bound::At(deadline),
    }
}

// === impl ResponseFuture ===

impl<F> ResponseFuture<F> {
    pub(super) fn new(inner: F, limit: Duration) -> Self {
        Self {
            inner,
            sleep: None,
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
        let mut this = self.project();
        if let Poll::Ready(res) = this.inner.poll(cx) {
            return Poll::Ready(res.map_err(Into::into));
        }
        if this.sleep.is_none() {
            let sleep = match *this.bound {
                Bound::Within(limit) => sleep(limit),
                Bound::At(deadline) => {
                    // From here on the limit is what was left when the waiting began.
                    *this.bound = Bound::Within(deadline.saturating_duration_since(Instant::now()));
                    sleep_until(deadline)
                }
            };
            this.sleep.set(Some(sleep));
        }
        match (this.sleep.as_pin_mut(), *this.bound) {
            (Some(sleep), Bound::Within(limit)) => {
                sleep.poll(cx).map(|()| Err(Elapsed::new(limit).into()))
            }
            _ => Poll::Pending,
        }
    }
}
