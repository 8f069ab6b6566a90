//! The future of one call.
use super::Shedding;
use crate::error::BoxError;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

pin_project_lite::pin_project! {
    /// Future of [`Shed`](super::Shed).
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
        Admitted { #[pin] inner: F },
        Shed { error: Option<Shedding> },
    }
}

// === impl ResponseFuture ===

impl<F> ResponseFuture<F> {
    pub(super) fn admitted(inner: F) -> Self {
        let kind = Kind::Admitted { inner };
        Self { kind }
    }

    pub(super) fn shed(error: Shedding) -> Self {
        let error = Some(error);
        let kind = Kind::Shed { error };
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
            KindProj::Admitted { inner } => inner.poll(cx).map_err(Into::into),
            KindProj::Shed { error } => match error.take() {
                Some(error) => Poll::Ready(Err(error.into())),
                None => panic!("polled after it has ended"),
            },
        }
    }
}
