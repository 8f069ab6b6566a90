//! The future of one call.
use super::{MaybeProblem, Problem};
use bytes::Bytes;
use detectviz_core::error::BoxError;
use http::Response;
use http_body::Body;
use std::{
    convert::Infallible,
    error::Error,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

pin_project_lite::pin_project! {
    /// Future of [`Responder`](super::Responder).
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: Option<F>,
        failed: Option<BoxError>,
    }
}

/// Shows an error and all its sources on one line.
struct Chain<'a>(&'a (dyn Error + 'static));

impl<F> ResponseFuture<F> {
    pub(super) fn new(inner: F) -> Self {
        Self {
            inner: Some(inner),
            failed: None,
        }
    }

    pub(super) fn failed(err: BoxError) -> Self {
        Self {
            inner: None,
            failed: Some(err),
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<BoxError>,
    B: Body<Data = Bytes>,
{
    type Output = Result<Response<MaybeProblem<B>>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let err = match this.inner.as_pin_mut() {
            Some(inner) => match inner.poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(response)) => {
                    return Poll::Ready(Ok(response.map(MaybeProblem::inner)));
                }
                Poll::Ready(Err(err)) => Some(err.into()),
            },
            None => this.failed.take(),
        };
        Poll::Ready(Ok(match err {
            Some(err) => answer(&*err),
            // Polled after it was ready, which nobody may do.
            None => super::problem(http::StatusCode::INTERNAL_SERVER_ERROR),
        }
        .map(MaybeProblem::problem)))
    }
}

// === impl Chain ===

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.0, f)?;
        let mut next = self.0.source();
        while let Some(err) = next {
            write!(f, ": {err}")?;
            next = err.source();
        }
        Ok(())
    }
}

/// Answers `err`: the client reads the kind of the error, the log its text.
pub(crate) fn answer(err: &(dyn Error + 'static)) -> Response<http_body_util::Full<Bytes>> {
    let problem = Problem::of(err);
    let status = problem.status().as_u16();
    if problem.status().is_server_error() {
        tracing::error!(status, error = %Chain(err), "request failed");
    } else {
        tracing::debug!(status, error = %Chain(err), "request refused");
    }
    problem.into_response()
}
