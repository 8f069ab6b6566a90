//! `/metrics` on the port of the application, where that is wanted.
use crate::{admin, error::MaybeProblem};
use bytes::Bytes;
use detectviz_core::telemetry::metrics::Registry;
use http::{Method, Request, Response};
use http_body_util::Full;
use pin_project_lite::pin_project;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tower_service::Service;

/// Answers `GET /metrics` before the service within.
#[derive(Clone, Debug)]
pub(super) struct MetricsPage<S> {
    inner: S,
    metrics: Option<Registry>,
}

pin_project! {
    /// The page, or the answer of the service within.
    #[project = AnswerProj]
    pub(super) enum Answer<F> {
        Page { page: Option<Response<Full<Bytes>>> },
        Inner { #[pin] inner: F },
    }
}

impl<S> MetricsPage<S> {
    /// Without `metrics` every request goes to `inner`.
    pub(super) fn new(inner: S, metrics: Option<Registry>) -> Self {
        Self { inner, metrics }
    }
}

impl<S, Q, B> Service<Request<Q>> for MetricsPage<S>
where
    S: Service<Request<Q>, Response = Response<B>>,
{
    type Response = Response<MaybeProblem<B>>;
    type Error = S::Error;
    type Future = Answer<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        if let Some(metrics) = &self.metrics
            && request.uri().path() == "/metrics"
            && matches!(*request.method(), Method::GET | Method::HEAD)
        {
            let page = Some(admin::metrics(metrics, request.headers()));
            return Answer::Page { page };
        }
        let inner = self.inner.call(request);
        Answer::Inner { inner }
    }
}

impl<F, B, E> Future for Answer<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<MaybeProblem<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            AnswerProj::Page { page } => {
                let page = page.take().expect("polled once after it was ready");
                Poll::Ready(Ok(page.map(MaybeProblem::problem)))
            }
            AnswerProj::Inner { inner } => {
                let response = ready!(inner.poll(cx))?;
                Poll::Ready(Ok(response.map(MaybeProblem::inner)))
            }
        }
    }
}
