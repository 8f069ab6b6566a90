//! The middleware itself.
use super::{Fallback, ResponseFuture};
use crate::error::BoxError;
use std::{
    future::Future,
    sync::Arc,
    task::{Context, Poll},
};
use tower_service::Service;

/// Answers calls that failed in a way that its [`Fallback`] selects.
///
/// # Clone
/// Clones share their counts and the closure.
#[derive(Debug)]
pub struct FallbackService<S, A> {
    inner: S,
    shared: Arc<(Fallback, A)>,
}

// === impl FallbackService ===

impl<S, A> FallbackService<S, A> {
    pub(super) fn new(inner: S, shared: Arc<(Fallback, A)>) -> Self {
        Self { inner, shared }
    }
}

impl<S: Clone, A> Clone for FallbackService<S, A> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<S, A, G, Req> Service<Req> for FallbackService<S, A>
where
    S: Service<Req>,
    S::Error: Into<BoxError>,
    A: Fn(BoxError) -> G,
    G: Future<Output = Result<S::Response, BoxError>>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = ResponseFuture<S::Future, A, G>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, req: Req) -> Self::Future {
        let call = self.inner.call(req);
        ResponseFuture::new(call, Arc::clone(&self.shared))
    }
}
