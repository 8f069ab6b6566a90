//! The middleware itself.
use super::{
    ResponseBody, ResponseFuture,
    call::{Active, Shared},
};
use bytes::Bytes;
use detectviz_core::error::BoxError;
use http::{Request, Response};
use http_body::Body;
use std::{
    convert::Infallible,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    task::{Context, Poll},
};
use tower_service::Service;

/// A handler within the [`Stack`](super::Stack). No error is left: each is answered.
///
/// A handler that fails to become ready counts as ready here, and the next call answers with why it failed.
///
/// # Clone
/// A clone starts without the readiness, or the failure, of the original, and shares what the stack shares.
#[derive(Debug)]
pub struct Stacked<S> {
    inner: S,
    failed: Option<BoxError>,
    shared: Arc<Shared>,
}

impl<S> Stacked<S> {
    pub(super) fn new(inner: S, shared: Arc<Shared>) -> Self {
        Self {
            inner,
            failed: None,
            shared,
        }
    }
}

impl<S: Clone> Clone for Stacked<S> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), self.shared.clone())
    }
}

impl<S, ReqBody, B> Service<Request<ReqBody>> for Stacked<S>
where
    S: Service<Request<ReqBody>, Response = Response<B>>,
    S::Error: Into<BoxError>,
    ReqBody: Body,
    B: Body<Data = Bytes>,
{
    type Response = Response<ResponseBody<B>>;
    type Error = Infallible;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx).map(|ready| {
            self.failed = ready.err().map(Into::into);
            Ok(())
        })
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let mut active = Active::begin(&self.shared, &request);
        if let Some(err) = self.failed.take() {
            return ResponseFuture::failed(active, err);
        }
        match active.enter(|| catch_unwind(AssertUnwindSafe(|| self.inner.call(request)))) {
            Ok(inner) => ResponseFuture::new(active, inner),
            Err(panic) => ResponseFuture::panicked(active, &*panic),
        }
    }
}
