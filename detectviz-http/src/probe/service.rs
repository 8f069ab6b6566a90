//! The middleware itself.
use super::{Probes, ResponseFuture};
use crate::{
    conn,
    error::{MaybeProblem, Problem},
    route,
};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::Full;
use std::task::{Context, Poll};
use tower_service::Service;

/// Answers probes, and on a connection that is reserved for them refuses everything else.
///
/// # Clone
/// Clones share the paths and the health.
#[derive(Clone, Debug)]
pub struct Probe<S> {
    inner: S,
    probes: Probes,
}

impl<S> Probe<S> {
    /// Wraps `inner`.
    pub fn new(inner: S, probes: Probes) -> Self {
        Self { inner, probes }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Probe<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Response = Response<MaybeProblem<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        match answer(&self.probes, &request) {
            Some(Answer { response, .. }) => {
                // A kubelet that asks every second would drown the access log.
                route::quiet();
                ResponseFuture::answered(response)
            }
            None => ResponseFuture::inner(self.inner.call(request)),
        }
    }
}

/// What is answered before the service sees it.
pub(crate) struct Answer {
    pub(crate) response: Response<Full<Bytes>>,
    /// It is no probe, and was refused.
    pub(crate) refused: bool,
}

/// The answer to a probe and, on a connection that is reserved for them, to everything else.
#[inline]
pub(crate) fn answer<B>(probes: &Probes, request: &Request<B>) -> Option<Answer> {
    let told = |refused| move |response| Answer { response, refused };
    let answer = probes.answer(request.method(), request.uri());
    answer.map(told(false)).or_else(|| {
        let is_reserved = conn::current().is_some_and(|conn| conn.reserved);
        is_reserved.then(reserved).map(told(true))
    })
}

fn reserved() -> Response<Full<Bytes>> {
    let mut response = Problem::new(StatusCode::SERVICE_UNAVAILABLE)
        .detail("every connection is taken: this one serves probes only")
        .into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
