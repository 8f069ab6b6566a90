//! The future of one call.
use super::recorder::{Panic, Recorder, forget_note, noted};
use crate::error::{MaybeProblem, Problem};
use bytes::Bytes;
use http::{Response, StatusCode};
use http_body::Body;
use std::{
    fmt,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

pin_project_lite::pin_project! {
    /// Future of [`CatchPanic`](super::CatchPanic).
    pub struct ResponseFuture<F> {
        #[pin]
        inner: Option<F>,
        panicked: Option<Panic>,
        recorder: Arc<Recorder>,
    }
}

impl<F> ResponseFuture<F> {
    pub(super) fn new(inner: F, recorder: Arc<Recorder>) -> Self {
        Self {
            inner: Some(inner),
            panicked: None,
            recorder,
        }
    }

    pub(super) fn panicked(panic: Panic, recorder: Arc<Recorder>) -> Self {
        Self {
            inner: None,
            panicked: Some(panic),
            recorder,
        }
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture")
            .field("panicked", &self.panicked.is_some())
            .finish_non_exhaustive()
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body<Data = Bytes>,
{
    type Output = Result<Response<MaybeProblem<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let panic = match this.inner.as_mut().as_pin_mut() {
            Some(inner) => {
                forget_note();
                match catch_unwind(AssertUnwindSafe(|| inner.poll(cx))) {
                    Ok(polled) => {
                        return polled.map_ok(|response| response.map(MaybeProblem::inner));
                    }
                    Err(panic) => panic,
                }
            }
            None => match this.panicked.take() {
                Some(panic) => panic,
                // Polled after it was ready, which nobody may do; there is nothing left to answer.
                None => return Poll::Pending,
            },
        };
        // What the future held is released now. A second panic, from a destructor, is no news.
        let dropped = catch_unwind(AssertUnwindSafe(|| this.inner.set(None)));
        drop(dropped);
        let context = noted();
        this.recorder.panicked(&*panic, context.as_ref());
        let mut problem = Problem::new(StatusCode::INTERNAL_SERVER_ERROR);
        if let Some(context) = context {
            problem = problem.trace_id(context.trace_id());
        }
        Poll::Ready(Ok(problem.into_response().map(MaybeProblem::problem)))
    }
}
