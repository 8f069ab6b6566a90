//! The future of one call.
use super::{ResponseBody, call::Active, service::call};
use crate::{
    admission::{Refused, Verdict},
    call::Ending,
    catch_panic::CAUGHT,
    error::{Problem, answer},
};
use bytes::Bytes;
use detectviz_core::{
    error::BoxError,
    resilience::bulkhead::{Permit, Waiting},
    telemetry::hub::catch_panic,
};
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
use tower_service::Service;

type Panic = Box<dyn Any + Send>;

pin_project_lite::pin_project! {
    /// Future of [`Stacked`](super::Stacked).
    ///
    /// # Cancel safety
    /// When it is dropped, what the handler held is dropped within the slot, and the request is recorded as `cancelled`.
    pub struct ResponseFuture<S, Req, F> {
        #[pin]
        state: State<S, Req, F>,
        active: Option<Active>,
    }

    impl<S, Req, F> PinnedDrop for ResponseFuture<S, Req, F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(mut active) = this.active.take() {
                let _entered = active.enter();
                this.state.set(State::Ended);
            }
        }
    }
}

pin_project_lite::pin_project! {
    #[project = StateProj]
    enum State<S, Req, F> {
        Running { #[pin] inner: F },
        Waiting { #[pin] waiting: Waiting, call: Option<(S, Req)> },
        Answered { answer: Option<Response<Full<Bytes>>> },
        Refused { refused: Option<Refused> },
        Failed { err: Option<BoxError> },
        Panicked,
        Ended,
    }
}

/// What came of a request, if it was not the handler's response.
enum Other {
    Answered(Response<Full<Bytes>>),
    Refused(Refused),
    /// The handler can be called.
    Admitted(Permit),
    Failed(BoxError),
    /// With what it panicked, unless that is told already.
    Panicked(Option<Panic>),
}

const ONCE: &str = "not polled after its end";

// === impl ResponseFuture ===

impl<S, Req, F> ResponseFuture<S, Req, F> {
    pub(super) fn new(active: Active, inner: F) -> Self {
        Self {
            state: State::Running { inner },
            active: Some(active),
        }
    }

    /// `service` is called when the waiting ends with a permit.
    pub(super) fn waiting(active: Active, waiting: Waiting, service: S, request: Req) -> Self {
        Self {
            state: State::Waiting {
                waiting,
                call: Some((service, request)),
            },
            active: Some(active),
        }
    }

    pub(super) fn answered(active: Active, answer: Response<Full<Bytes>>) -> Self {
        Self {
            state: State::Answered {
                answer: Some(answer),
            },
            active: Some(active),
        }
    }

    pub(super) fn refused(active: Active, refused: Refused) -> Self {
        Self {
            state: State::Refused {
                refused: Some(refused),
            },
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

impl<S, Req, B> Future for ResponseFuture<S, Req, S::Future>
where
    S: Service<Req, Response = Response<B>>,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes>,
{
    type Output = Result<Response<ResponseBody<B>>, Infallible>;

    /// # Panics
    /// When it is polled after it has ended.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let active = this.active.as_mut().expect(ONCE);
            let mut state = this.state.as_mut();
            // Written to where it is handed on from: a response is large, and each move of it counts.
            let mut response = None;
            let polled = {
                let _entered = active.enter();
                state.as_mut().poll_inner(cx, &mut response)
            };
            let other = match polled {
                Poll::Ready(None) => {
                    let mut active = this.active.take().expect(ONCE);
                    let (mut head, body) = response.expect("it is ready").into_parts();
                    active.tell(&mut head.headers);
                    active.answered(head.status, &body);
                    let body = ResponseBody::new(body, active);
                    return Poll::Ready(Ok(Response::from_parts(head, body)));
                }
                Poll::Ready(Some(other)) => other,
                Poll::Pending => match active.poll_deadline(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(()) => {
                        // What the handler held is dropped within the slot.
                        let _entered = active.enter();
                        state.as_mut().set(State::Ended);
                        Other::Refused(Refused::TimedOut)
                    }
                },
            };
            if let Other::Admitted(permit) = other {
                let next = this.state.as_mut().admitted(active, permit);
                this.state.set(next);
                continue;
            }
            let active = this.active.take().expect(ONCE);
            return Poll::Ready(Ok(answer_with(other, active)));
        }
    }
}

/// The answer where there is no response of the handler's.
#[cold]
fn answer_with<B>(other: Other, mut active: Active) -> Response<ResponseBody<B>> {
    match other {
        Other::Answered(response) => refused(response, active),
        Other::Failed(err) => {
            let mut response = {
                let _entered = active.enter();
                answer(&*err)
            };
            active.tell(response.headers_mut());
            refused(response, active)
        }
        Other::Refused(refusal) => {
            let response = {
                let _entered = active.enter();
                refusal.response()
            };
            active.answered(response.status(), response.body());
            active.end(refusal.ending());
            response.map(|body| ResponseBody::problem(body, active))
        }
        Other::Panicked(panic) => {
            if let Some(panic) = panic {
                active.panicked(&*panic);
            }
            let response = {
                let _entered = active.enter();
                Problem::new(StatusCode::INTERNAL_SERVER_ERROR).into_response()
            };
            active.answered(response.status(), response.body());
            active.end(Ending::Panicked);
            response.map(|body| ResponseBody::problem(body, active))
        }
        Other::Admitted(_) => unreachable!("the handler is called then"),
    }
}

/// An answer of the stack itself.
fn refused<B>(response: Response<Full<Bytes>>, mut active: Active) -> Response<ResponseBody<B>> {
    active.answered(response.status(), response.body());
    response.map(|body| ResponseBody::problem(body, active))
}

impl<S, Req, F> fmt::Debug for ResponseFuture<S, Req, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture")
            .field("active", &self.active)
            .finish_non_exhaustive()
    }
}

// === impl State ===

impl<S, Req, B> State<S, Req, S::Future>
where
    S: Service<Req, Response = Response<B>>,
    S::Error: Into<BoxError>,
{
    /// The state after the waiting: the handler is called, or the next limit is waited for, or refuses.
    fn admitted(self: Pin<&mut Self>, active: &mut Active, permit: Permit) -> Self {
        let waited = match self.project() {
            StateProj::Waiting { call, .. } => call.take(),
            _ => None,
        };
        let (mut service, request) = waited.expect(ONCE);
        match active.waited(permit) {
            Some(Verdict::Refuse(refused)) => Self::Refused {
                refused: Some(refused),
            },
            Some(Verdict::Wait(held, waiting)) => {
                active.hold(held);
                Self::Waiting {
                    waiting,
                    call: Some((service, request)),
                }
            }
            Some(Verdict::Run(held)) => {
                active.hold(held);
                match call(active, &mut service, request) {
                    Ok(inner) => Self::Running { inner },
                    Err(panic) => {
                        active.panicked(&*panic);
                        Self::Panicked
                    }
                }
            }
            None => Self::Ended,
        }
    }

    /// Polls the handler; once it is ready, what it held is dropped, which may panic too. `None` is ready with `response`.
    #[inline]
    fn poll_inner(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        response: &mut Option<Response<B>>,
    ) -> Poll<Option<Other>> {
        let caught = catch_panic(&CAUGHT, || {
            let polled = match self.as_mut().project() {
                StateProj::Running { inner } => inner.poll(cx).map(|result| match result {
                    Ok(ready) => {
                        *response = Some(ready);
                        None
                    }
                    Err(err) => Some(Other::Failed(err.into())),
                }),
                StateProj::Failed { err } => {
                    Poll::Ready(Some(Other::Failed(err.take().expect(ONCE))))
                }
                StateProj::Panicked => Poll::Ready(Some(Other::Panicked(None))),
                StateProj::Waiting { waiting, .. } => {
                    return waiting.poll(cx).map(|waited| match waited {
                        Ok(permit) => Some(Other::Admitted(permit)),
                        Err(overloaded) => Some(Other::Refused(Refused::Overloaded(overloaded))),
                    });
                }
                StateProj::Answered { answer } => {
                    Poll::Ready(Some(Other::Answered(answer.take().expect(ONCE))))
                }
                StateProj::Refused { refused } => {
                    Poll::Ready(Some(Other::Refused(refused.take().expect(ONCE))))
                }
                StateProj::Ended => panic!("{ONCE}"),
            };
            if polled.is_ready() {
                self.set(Self::Ended);
            }
            polled
        });
        caught.unwrap_or_else(|panic| {
            // What the future held is released now. A second panic, from a destructor, is no news.
            let dropped = catch_unwind(AssertUnwindSafe(|| self.set(Self::Ended)));
            drop(dropped);
            Poll::Ready(Some(Other::Panicked(Some(panic))))
        })
    }
}
