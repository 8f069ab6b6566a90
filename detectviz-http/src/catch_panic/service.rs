//! The middleware itself.
use super::{ResponseFuture, recorder::Recorder};
use crate::error::MaybeProblem;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    task::{Context, Poll},
};
use tower_service::Service;

/// Answers a panic of a service with 500.
#[derive(Clone, Debug)]
pub struct CatchPanic<S> {
    inner: S,
    recorder: Arc<Recorder>,
}

impl<S> CatchPanic<S> {
    pub(super) fn new(inner: S, recorder: Arc<Recorder>) -> Self {
        Self { inner, recorder }
    }
}

impl<S, Req, B> Service<Request<Req>> for CatchPanic<S>
where
    S: Service<Request<Req>, Response = Response<B>>,
    B: Body<Data = Bytes>,
{
    type Response = Response<MaybeProblem<B>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, req: Request<Req>) -> Self::Future {
        let recorder = self.recorder.clone();
        match catch_unwind(AssertUnwindSafe(|| self.inner.call(req))) {
            Ok(inner) => ResponseFuture::new(inner, recorder),
            Err(panic) => ResponseFuture::panicked(panic, recorder),
        }
    }
}
