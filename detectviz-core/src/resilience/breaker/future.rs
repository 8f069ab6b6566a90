//! The future of one call.
use super::{Classify, Open, OwnedPermit};
use crate::{error::BoxError, resilience::Refusable};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// Future of [`Breaker`](super::Breaker).
pub type ResponseFuture<F, C> = Refusable<Judged<F, C>, Open>;

pin_project_lite::pin_project! {
    /// A call whose result the circuit is told.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, the call counts neither as a success nor as a failure; a probe's place is free again.
    #[derive(Debug)]
    pub struct Judged<F, C> {
        #[pin]
        inner: F,
        permit: OwnedPermit,
        classify: C,
    }
}

// === impl Judged ===

impl<F, C> Judged<F, C> {
    pub(super) fn new(inner: F, permit: OwnedPermit, classify: C) -> Self {
        Self {
            inner,
            permit,
            classify,
        }
    }
}

impl<F, C, T, E> Future for Judged<F, C>
where
    F: Future<Output = Result<T, E>>,
    E: Into<BoxError>,
    C: Classify<T>,
{
    type Output = Result<T, BoxError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(this.inner.poll(cx)).map_err(Into::into);
        this.permit
            .finish_now(this.classify.classify(result.as_ref()));
        Poll::Ready(result)
    }
}
