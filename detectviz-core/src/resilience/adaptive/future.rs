//! The future of a call that is measured.
use super::{Adaptive, Classify};
use crate::{clock, error::BoxError};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Instant,
};

pin_project_lite::pin_project! {
    /// The part of the future of [`AdaptiveService`](super::AdaptiveService) that is measured: from the permit to the answer.
    ///
    /// # Cancel safety
    /// A call that is dropped says nothing about the load.
    #[derive(Debug)]
    pub struct MeasuredFuture<F, C> {
        #[pin]
        inner: F,
        limit: Adaptive,
        classify: C,
        started: Instant,
    }
}

impl<F, C> MeasuredFuture<F, C> {
    pub(super) fn new(inner: F, limit: Adaptive, classify: C) -> Self {
        Self {
            inner,
            limit,
            classify,
            started: clock::now(),
        }
    }
}

impl<F, C, T, E> Future for MeasuredFuture<F, C>
where
    F: Future<Output = Result<T, E>>,
    E: Into<BoxError>,
    C: Classify<T>,
{
    type Output = Result<T, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = ready!(this.inner.poll(cx)).map_err(Into::into);
        let outcome = this.classify.outcome(&answer);
        this.limit.sample(*this.started, clock::now(), outcome);
        Poll::Ready(answer)
    }
}
