//! The middleware itself.
use super::{ResponseBody, ResponseFuture, recorder::Recorder};
use http::{Request, Response};
use http_body::Body;
use std::{
    sync::Arc,
    task::{Context, Poll},
};
use tower_service::Service;

/// Measures and logs every request of a service.
#[derive(Clone, Debug)]
pub struct Observe<S> {
    inner: S,
    recorder: Arc<Recorder>,
}

impl<S> Observe<S> {
    pub(super) fn new(inner: S, recorder: Arc<Recorder>) -> Self {
        Self { inner, recorder }
    }
}

impl<S, Req, B> Service<Request<Req>> for Observe<S>
where
    S: Service<Request<Req>, Response = Response<B>>,
    Req: Body,
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
        active.running = true;
        let inner = active.enter(|| self.inner.call(req));
        active.running = false;
        ResponseFuture::new(inner, active)
    }
}
