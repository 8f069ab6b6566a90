//! The future of one call.
use super::{Classify, Open, OwnedPermit};
use crate::error::BoxError;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

pin_project_lite::pin_project! {
    /// Future of [`Breaker`](super::Breaker).
    ///
    /// # Cancel safety
    /// Dropped before it is ready, the call counts neither as a success nor as a failure; a probe's place is free again.
    #[derive(Debug)]
    pub struct ResponseFuture<F, C> {
        #[pin]
        call: Call<F, C>,
    }
}

pin_project_lite::pin_project! {
    #[project = CallProject]
    #[derive(Debug)]
    enum Call<F, C> {
        Made {
            #[pin]
            inner: F,
            permit: OwnedPermit,
            classify: C,
        },
        Refused {
            open: Option<Open>,
        },
    }
}

// === impl ResponseFuture ===

impl<F, C> ResponseFuture<F, C> {
    pub(super) fn new(inner: F, permit: OwnedPermit, classify: C) -> Self {
        let call = Call::Made {
            inner,
            permit,
            classify,
        };
        Self { call }
    }

    pub(super) fn refused(open: Open) -> Self {
        let call = Call::Refused { open: Some(open) };
        Self { call }
    }
}

impl<F, C, T, E> Future for ResponseFuture<F, C>
where
    F: Future<Output = Result<T, E>>,
    E: Into<BoxError>,
    C: Classify<T>,
{
    type Output = Result<T, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().call.project() {
            CallProject::Made {
                inner,
                permit,
                classify,
            } => {
                let result = ready!(inner.poll(cx)).map_err(Into::into);
                permit.finish_now(classify.classify(result.as_ref()));
                Poll::Ready(result)
            }
            CallProject::Refused { open } => match open.take() {
                Some(open) => Poll::Ready(Err(open.into())),
                None => Poll::Pending,
            },
        }
    }
}
