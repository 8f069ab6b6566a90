//! The future of one request.
use crate::error::MaybeProblem;
use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

pin_project_lite::pin_project! {
    /// Future of [`Probe`](super::Probe).
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        kind: Kind<F>,
    }
}

pin_project_lite::pin_project! {
    #[project = KindProj]
    #[derive(Debug)]
    enum Kind<F> {
        Inner { #[pin] inner: F },
        Answered { answer: Option<Response<Full<Bytes>>> },
    }
}

impl<F> ResponseFuture<F> {
    pub(super) fn inner(inner: F) -> Self {
        Self {
            kind: Kind::Inner { inner },
        }
    }

    pub(super) fn answered(answer: Response<Full<Bytes>>) -> Self {
        Self {
            kind: Kind::Answered {
                answer: Some(answer),
            },
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<MaybeProblem<B>>, E>;

    /// # Panics
    /// When it is polled after it has ended.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().kind.project() {
            KindProj::Inner { inner } => {
                let response = ready!(inner.poll(cx))?;
                Poll::Ready(Ok(response.map(MaybeProblem::inner)))
            }
            KindProj::Answered { answer } => {
                let answer = answer.take().expect("not polled after its end");
                Poll::Ready(Ok(answer.map(MaybeProblem::problem)))
            }
        }
    }
}
