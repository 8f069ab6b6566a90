//! The future of one call.
use super::{Fallback, Selected};
use crate::{clock, error::BoxError};
use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

pin_project_lite::pin_project! {
    /// Future of [`FallbackService`](super::FallbackService).
    #[derive(Debug)]
    pub struct ResponseFuture<F, A, G> {
        #[pin]
        state: State<F, G>,
        shared: Arc<(Fallback, A)>,
    }
}

pin_project_lite::pin_project! {
    #[project = StateProj]
    #[derive(Debug)]
    enum State<F, G> {
        Calling { #[pin] call: F },
        Answering { #[pin] answer: G, selected: Option<Selected> },
    }
}

// === impl ResponseFuture ===

impl<F, A, G> ResponseFuture<F, A, G> {
    pub(super) fn new(call: F, shared: Arc<(Fallback, A)>) -> Self {
        Self {
            state: State::Calling { call },
            shared,
        }
    }
}

impl<F, A, G, T, E> Future for ResponseFuture<F, A, G>
where
    F: Future<Output = Result<T, E>>,
    E: Into<BoxError>,
    A: Fn(BoxError) -> G,
    G: Future<Output = Result<T, BoxError>>,
{
    type Output = Result<T, BoxError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProj::Calling { call } => {
                    let err = match ready!(call.poll(cx)) {
                        Ok(response) => return Poll::Ready(Ok(response)),
                        Err(err) => err.into(),
                    };
                    let now = clock::now();
                    let Some(selected) = this.shared.0.select(&err, now) else {
                        return Poll::Ready(Err(err));
                    };
                    let answer = (this.shared.1)(err);
                    let selected = Some(selected);
                    this.state.set(State::Answering { answer, selected });
                }
                StateProj::Answering { answer, selected } => {
                    let answer = ready!(answer.poll(cx));
                    if let Some(selected) = selected.take() {
                        selected.ended(answer.is_ok());
                    }
                    return Poll::Ready(answer);
                }
            }
        }
    }
}
