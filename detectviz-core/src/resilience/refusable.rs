//! A call that is made, or was refused before.
use crate::error::BoxError;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

pin_project_lite::pin_project! {
    /// The future of a call that a layer lets through, or refuses with an `R`.
    ///
    /// # Cancel safety
    /// As the call's own.
    ///
    /// # Panics
    /// When it is polled after it has ended.
    #[derive(Debug)]
    pub struct Refusable<F, R> {
        #[pin]
        kind: Kind<F, R>,
    }
}

pin_project_lite::pin_project! {
    #[derive(Debug)]
    #[project = KindProj]
    enum Kind<F, R> {
        Made { #[pin] inner: F },
        Refused { refusal: Option<R> },
    }
}

// === impl Refusable ===

impl<F, R> Refusable<F, R> {
    pub(super) fn made(inner: F) -> Self {
        let kind = Kind::Made { inner };
        Self { kind }
    }

    pub(super) fn refused(refusal: R) -> Self {
        let refusal = Some(refusal);
        let kind = Kind::Refused { refusal };
        Self { kind }
    }
}

impl<F, R, T, E> Future for Refusable<F, R>
where
    F: Future<Output = Result<T, E>>,
    E: Into<BoxError>,
    R: Into<BoxError>,
{
    type Output = Result<T, BoxError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().kind.project() {
            KindProj::Made { inner } => inner.poll(cx).map_err(Into::into),
            KindProj::Refused { refusal } => match refusal.take() {
                Some(refusal) => Poll::Ready(Err(refusal.into())),
                None => panic!("polled after it has ended"),
            },
        }
    }
}
