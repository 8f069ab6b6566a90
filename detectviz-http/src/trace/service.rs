//! The middleware itself.
use super::{ResponseBody, ResponseFuture, recorder::Recorder};
use http::{Request, Response};
use http_body::Body;
use std::{
    sync::Arc,
    task::{Context, Poll},
};
use tower_service::Service;

/// Runs every request of a service in its trace.
#[derive(Clone, Debug)]
pub struct Trace<S> {
    inner: S,
    recorder: Arc<Recorder>,
}

impl<S> Trace<S> {
    pub(super) fn new(inner: S, recorder: Arc<Recorder>) -> Self {
        Self { inner, recorder }
    }
}

impl<S, Req, B> Service<Request<Req>> for Trace<S>
where
    S: Service<Request<Req>, Response = Response<B>>,
    B: Body,
{
    type Response = Response<ResponseBody<B>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, req: Request<Req>) -> Self::Future {
        let mut active = Recorder::open(&self.recorder, &req);
        let inner = active.enter(|| self.inner.call(req));
        ResponseFuture::new(inner, active)
    }
}
