//! The pages as a service.
use super::pages::Pages;
use bytes::Bytes;
use detectviz_core::error::BoxError;
use http::{Request, Response};
use http_body_util::Full;
use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tower_service::Service;

/// Serves the pages.
#[derive(Clone, Debug)]
pub(super) struct AdminService(Arc<Pages>);

impl AdminService {
    pub(super) fn new(pages: Arc<Pages>) -> Self {
        Self(pages)
    }
}

impl<B> Service<Request<B>> for AdminService
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    // Boxed: this is the control plane.
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let pages = Arc::clone(&self.0);
        Box::pin(async move {
            let (head, body) = request.into_parts();
            Ok(pages.answer(&head, body).await)
        })
    }
}
