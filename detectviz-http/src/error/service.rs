//! The middleware that answers errors.
use super::{MaybeProblem, ResponseFuture};
use bytes::Bytes;
use detectviz_core::error::BoxError;
use http::{Request, Response};
use http_body::Body;
use std::{
    convert::Infallible,
    task::{Context, Poll},
};
use tower_service::Service;

/// Answers the errors of a service with problem+json; no error is left.
///
/// A service that fails to become ready counts as ready here, and the next call answers with why it failed.
///
/// # Clone
/// A clone starts without the readiness, or the failure, of the original.
#[derive(Debug)]
pub struct Responder<S> {
    inner: S,
    failed: Option<BoxError>,
}

impl<S> Responder<S> {
    /// Wraps `inner`.
    pub fn new(inner: S) -> Self {
        Self {
            inner,
            failed: None,
        }
    }
}

impl<S: Clone> Clone for Responder<S> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone())
    }
}

impl<S, Req, B> Service<Request<Req>> for Responder<S>
where
    S: Service<Request<Req>, Response = Response<B>>,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes>,
{
    type Response = Response<MaybeProblem<B>>;
    type Error = Infallible;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx).map(|ready| {
            self.failed = ready.err().map(Into::into);
            Ok(())
        })
    }

    fn call(&mut self, req: Request<Req>) -> Self::Future {
        match self.failed.take() {
            Some(err) => ResponseFuture::failed(err),
            None => ResponseFuture::new(self.inner.call(req)),
        }
    }
}
