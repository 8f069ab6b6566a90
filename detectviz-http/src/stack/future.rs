//! The future of one call.
use super::{ResponseBody, call::Active};
use crate::{
    call::Ending,
    error::{Problem, answer},
};
use bytes::Bytes;
use detectviz_core::error::BoxError;
use http::{Response, StatusCode};
use http_body::Body;
use http_body_util::Full;
use std::{
    any::Any,
    convert::Infallible,
    fmt,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

type Panic = Box<dyn Any + Send>;

pin_project_lite::pin_project! {
    /// Future of [`Stacked`](super::Stacked).
    ///
    /// # Cancel safety
    /// When it is dropped, what the handler held is dropped within the slot, and the request is recorded as `cancelled`.
    pub struct ResponseFuture<F> {
        #[pin]
        state: State<F>,
        active: Option<Active>,
    }

    impl<F> PinnedDrop for ResponseFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(mut active) = this.active.take() {
                active.enter(|| this.state.set(State::Ended));
            }
        }
    }
}

pin_project_lite::pin_project! {
    #[project = StateProj]
    enum State<F> {
        Running { #[pin] inner: F },
        Failed { err: Option<BoxError> },
        Panicked,
        Ended,
    }
}

/// What a poll of the handler brought.
enum Polled<B> {
    Response(Response<B>),
    Failed(BoxError),
    /// With what it panicked, unless that is told already.
    Panicked(Option<Panic>),
}

const ONCE: &str = "not polled after its end";

// === impl ResponseFuture ===

impl<F> ResponseFuture<F> {
    pub(super) fn new(active: Active, inner: F) -> Self {
        Self {
            state: State::Running { inner },
            active: Some(active),
        }
    }

    pub(super) fn failed(active: Active, err: BoxError) -> Self {
        Self {
            state: State::Failed { err: Some(err) },
            active: Some(active),
        }
    }

    /// The handler panicked when it was called.
    pub(super) fn panicked(mut active: Active, panic: &(dyn Any + Send)) -> Self {
        active.panicked(panic);
        Self {
            state: State::Panicked,
            active: Some(active),
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<BoxError>,
    B: Body<Data = Bytes>,
{
    type Output = Result<Response<ResponseBody<B>>, Infallible>;

    /// # Panics
    /// When it is polled after it has ended.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let polled = {
            let active = this.active.as_mut().expect(ONCE);
            let mut state = this.state.as_mut();
            match active.enter(|| state.as_mut().poll_inner(cx)) {
                Poll::Ready(polled) => polled,
                Poll::Pending => return Poll::Pending,
            }
        };
        let mut active = this.active.take().expect(ONCE);
        Poll::Ready(Ok(match polled {
            Polled::Response(response) => {
                active.answered(response.status(), response.body());
                response.map(|body| ResponseBody::new(body, active))
            }
            Polled::Failed(err) => {
                let response = active.enter(|| answer(&*err));
                refused(response, active)
            }
            Polled::Panicked(panic) => {
                if let Some(panic) = panic {
                    active.panicked(&*panic);
                }
                let response = active
                    .enter(|| Problem::new(StatusCode::INTERNAL_SERVER_ERROR).into_response());
                active.answered(response.status(), response.body());
                active.end(Ending::Panicked);
                response.map(|body| ResponseBody::problem(body, active))
            }
        }))
    }
}

/// An answer of the stack itself.
fn refused<B>(response: Response<Full<Bytes>>, mut active: Active) -> Response<ResponseBody<B>> {
    active.answered(response.status(), response.body());
    response.map(|body| ResponseBody::problem(body, active))
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture")
            .field("active", &self.active)
            .finish_non_exhaustive()
    }
}

// === impl State ===

impl<F, B, E> State<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<BoxError>,
{
    /// Polls the handler; once it is ready, what it held is dropped, which may panic too.
    fn poll_inner(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Polled<B>> {
        let caught = catch_unwind(AssertUnwindSafe(|| {
            let polled = match self.as_mut().project() {
                StateProj::Running { inner } => inner.poll(cx).map(|result| match result {
                    Ok(response) => Polled::Response(response),
                    Err(err) => Polled::Failed(err.into()),
                }),
                StateProj::Failed { err } => Poll::Ready(Polled::Failed(err.take().expect(ONCE))),
                StateProj::Panicked => Poll::Ready(Polled::Panicked(None)),
                StateProj::Ended => panic!("{ONCE}"),
            };
            if polled.is_ready() {
                self.set(Self::Ended);
            }
            polled
        }));
        caught.unwrap_or_else(|panic| {
            // What the future held is released now. A second panic, from a destructor, is no news.
            let dropped = catch_unwind(AssertUnwindSafe(|| self.set(Self::Ended)));
            drop(dropped);
            Poll::Ready(Polled::Panicked(Some(panic)))
        })
    }
}
