//! The future of one call.
use super::RateLimited;
use crate::error::BoxError;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

pin_project_lite::pin_project! {
    /// Future of [`RateLimit`](super::RateLimit).
    ///
    /// # Panics
    /// When it is polled after it has ended.
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        kind: Kind<F>,
    }
}

pin_project_lite::pin_project! {
    #[derive(Debug)]
    #[project = KindProj]
    enum Kind<F> {
        Allowed { #[pin] inner: F },
        Limited { error: Option<RateLimited> },
    }
}

// === impl ResponseFuture ===

impl<F> ResponseFuture<F> {
    pub(super) fn allowed(inner: F) -> Self {
        let kind = Kind::Allowed { inner };
        Self { kind }
    }

    pub(super) fn limited(error: RateLimited) -> Self {
        let error = Some(error);
        let kind = Kind::Limited { error };
        Self { kind }
    }
}

impl<F, T, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<T, E>>,
    E: Into<BoxError>,
{
    type Output = Result<T, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().kind.project() {
            KindProj::Allowed { inner } => inner.poll(cx).map_err(Into::into),
            KindProj::Limited { error } => match error.take() {
                Some(error) => Poll::Ready(Err(error.into())),
                None => panic!("polled after it has ended"),
            },
        }
    }
}
