//! The future of a call.
use super::{Overloaded, Permit, Waiting};
use crate::error::BoxError;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tower_service::Service;

pin_project_lite::pin_project! {
    /// Future of [`BulkheadService`](super::BulkheadService).
    ///
    /// # Cancel safety
    /// Dropping it drops the call, then gives the permit back, or the place in the queue.
    pub struct ResponseFuture<S, Req>
    where
        S: Service<Req>,
    {
        #[pin]
        state: State<S, Req>,
    }
}

pin_project_lite::pin_project! {
    #[project = StateProj]
    enum State<S, Req>
    where
        S: Service<Req>,
    {
        Queued { #[pin] waiting: Waiting, call: Option<(S, Req)> },
        // In this order: the call is dropped before its permit is.
        Called { #[pin] inner: S::Future, permit: Permit },
        Refused { overloaded: Overloaded },
        Ended,
    }
}

// === impl ResponseFuture ===

impl<S: Service<Req>, Req> ResponseFuture<S, Req> {
    pub(super) fn called(inner: S::Future, permit: Permit) -> Self {
        Self {
            state: State::Called { inner, permit },
        }
    }

    pub(super) fn queued(waiting: Waiting, readied: S, req: Req) -> Self {
        Self {
            state: State::Queued {
                waiting,
                call: Some((readied, req)),
            },
        }
    }

    pub(super) fn refused(overloaded: Overloaded) -> Self {
        Self {
            state: State::Refused { overloaded },
        }
    }
}

impl<S, Req> Future for ResponseFuture<S, Req>
where
    S: Service<Req>,
    S::Error: Into<BoxError>,
{
    type Output = Result<S::Response, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            match state.as_mut().project() {
                StateProj::Called { inner, .. } => {
                    let answer = ready!(inner.poll(cx)).map_err(Into::into);
                    state.set(State::Ended);
                    return Poll::Ready(answer);
                }
                StateProj::Queued { waiting, call } => {
                    let permit = ready!(waiting.poll(cx));
                    let next = match (permit, call.take()) {
                        (Ok(permit), Some((mut readied, req))) => State::Called {
                            inner: readied.call(req),
                            permit,
                        },
                        (Err(overloaded), _) => State::Refused { overloaded },
                        (Ok(_), None) => State::Ended,
                    };
                    state.set(next);
                }
                StateProj::Refused { overloaded } => {
                    let refused = *overloaded;
                    state.set(State::Ended);
                    return Poll::Ready(Err(refused.into()));
                }
                StateProj::Ended => return Poll::Pending,
            }
        }
    }
}

impl<S: Service<Req>, Req> fmt::Debug for ResponseFuture<S, Req> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Queued { .. } => "Queued",
            State::Called { .. } => "Called",
            State::Refused { .. } => "Refused",
            State::Ended => "Ended",
        };
        f.debug_tuple("ResponseFuture").field(&state).finish()
    }
}
