//! A call that may be repeated and need not be: a request with four headers, kept and counted.
use crate::{
    contestant::Contestant,
    harness::{Bounds, Row, Table},
    services::{Answers, call},
};
use bytes::Bytes;
use detectviz_core::resilience::retry::{
    Outcome, Policy, Reason, Retry, RetryConfig, RetryLayer, Snapshot,
};
use http::{HeaderName, HeaderValue, Method, Request, Response, Uri};
use std::{
    convert::Infallible,
    future::{Ready, ready},
    hint::black_box,
    sync::Arc,
};
use tower::Layer;
use tower::retry::{
    Retry as PeerRetry,
    budget::{Budget, TpsBudget},
};
use tower_resilience::retry::RetryLayer as OtherLayer;

/// Keeps what a request is made anew from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept;

/// Clones requests, as tower's documentation shows it.
#[derive(Clone, Debug)]
pub(crate) struct Cloned(Arc<TpsBudget>);

/// What [`Kept`] keeps.
pub(crate) struct Saved {
    method: Method,
    /// And the URI: a copy of its text costs less than to count one more owner of each of its parts.
    headers: Snapshot,
}

/// Under what the URI is kept, as HTTP/2 names it.
const PATH: &[u8] = b":path";

pub(crate) fn rows(table: &mut Table) {
    let name = "retry and budget, success, four headers";
    if !table.wants(name) {
        return;
    }
    let request = request();
    let mut bare = Answers;
    let mut ours = RetryLayer::new(Retry::new(&RetryConfig::default()), Kept).layer(Answers);
    let mut theirs = PeerRetry::new(Cloned::new(), Answers);
    let layer = OtherLayer::<Request<()>, Response<()>, Infallible>::exponential_backoff();
    let mut other = layer.build().layer(Answers);
    let row = Row::new(
        name,
        Contestant::new("detectviz, the layer", || {
            let _ = black_box(call(&mut ours, request.clone()));
        }),
    );
    let row = row.over(Contestant::new("a service that answers at once", || {
        let _ = black_box(call(&mut bare, request.clone()));
    }));
    let theirs = Contestant::new("tower, TpsBudget", || {
        let _ = black_box(call(&mut theirs, request.clone()));
    });
    let other = Contestant::new("tower-resilience, no budget", || {
        let _ = black_box(call(&mut other, request.clone()));
    });
    table.row(row.beside(theirs, Bounds::parts(2.2, 4.0)).shown(other));
}

fn request() -> Request<()> {
    let mut request = Request::new(());
    *request.uri_mut() = Uri::from_static("/orders/7");
    for (name, value) in [
        ("host", "shop.example:8080"),
        ("user-agent", "curl/8.5.0"),
        ("accept", "*/*"),
        ("x-request-id", "7f3c1e52"),
    ] {
        let value = Bytes::copy_from_slice(value.as_bytes());
        // A buffer that is shared once stays so, and its clones allocate nothing.
        drop(value.clone());
        let value = HeaderValue::from_maybe_shared(value).expect("a value");
        request.headers_mut().insert(name, value);
    }
    request
}

// === impl Kept ===

impl<ReqBody, ResBody, E> Policy<Request<ReqBody>, Response<ResBody>, E> for Kept
where
    ReqBody: Default,
{
    type Saved = Saved;

    fn save(&self, request: &Request<ReqBody>) -> Option<Saved> {
        let mut headers = Snapshot::new();
        // The requests here name no host in it.
        let path = request
            .uri()
            .path_and_query()
            .map_or("/", |path| path.as_str());
        headers.push(PATH, path.as_bytes(), false);
        for (name, value) in request.headers() {
            headers.push(name.as_ref(), value.as_bytes(), value.is_sensitive());
        }
        Some(Saved {
            method: request.method().clone(),
            headers,
        })
    }

    fn restore(&self, saved: &Saved, _attempt: u32) -> Request<ReqBody> {
        let mut request = Request::new(ReqBody::default());
        *request.method_mut() = saved.method.clone();
        for (name, value, _) in saved.headers.iter() {
            if name == PATH {
                *request.uri_mut() = Uri::try_from(value).unwrap_or_default();
                continue;
            }
            let name = HeaderName::from_bytes(name);
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value)) {
                request.headers_mut().append(name, value);
            }
        }
        request
    }

    fn classify(&self, _: Option<&Saved>, answer: &Result<Response<ResBody>, E>) -> Outcome {
        match answer {
            Ok(response) if !response.status().is_server_error() => Outcome::Success,
            _ => Outcome::retryable(Reason::Other),
        }
    }
}

// === impl Cloned ===

impl Cloned {
    pub(crate) fn new() -> Self {
        Self(Arc::new(TpsBudget::default()))
    }
}

impl<ReqBody, ResBody, E> tower::retry::Policy<Request<ReqBody>, Response<ResBody>, E> for Cloned
where
    ReqBody: Clone,
{
    type Future = Ready<()>;

    fn retry(
        &mut self,
        _: &mut Request<ReqBody>,
        answer: &mut Result<Response<ResBody>, E>,
    ) -> Option<Ready<()>> {
        match answer {
            Ok(response) if !response.status().is_server_error() => {
                self.0.deposit();
                None
            }
            _ => self.0.withdraw().then(|| ready(())),
        }
    }

    fn clone_request(&mut self, request: &Request<ReqBody>) -> Option<Request<ReqBody>> {
        Some(request.clone())
    }
}
