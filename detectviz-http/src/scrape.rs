//! What a scrape is answered with.
use bytes::Bytes;
use detectviz_core::telemetry::metrics::{Format, Registry};
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use http_body_util::Full;

/// The answer to a scrape: every metric in the format that `headers` ask for. For the application's port too, where
/// metrics are wanted there.
#[must_use]
pub fn metrics(registry: &Registry, headers: &HeaderMap) -> Response<Full<Bytes>> {
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok());
    let format = Format::negotiate(accept);
    let mut page = Vec::new();
    registry.encode(format, &mut page);
    let mut answer = Response::new(Full::new(page.into()));
    let headers = answer.headers_mut();
    let kind = HeaderValue::from_static(format.content_type());
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    answer
}

/// The answer to `GET /metrics`.
pub(crate) fn answer<B>(
    registry: &Registry,
    request: &Request<B>,
) -> Option<Response<Full<Bytes>>> {
    let asked = request.uri().path() == "/metrics"
        && matches!(*request.method(), Method::GET | Method::HEAD);
    asked.then(|| metrics(registry, request.headers()))
}
