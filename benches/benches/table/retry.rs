//! A call that may be repeated and need not be: a request with four headers, kept and counted.
use crate::{
    contestant::Contestant,
    harness::{Bounds, Row, Table},
    services::{Answers, call},
};
use bytes::Bytes;
use detectviz_benches::kept::Kept;
use detectviz_core::resilience::retry::{Retry, RetryConfig, RetryLayer};
use http::{HeaderValue, Request, Response, Uri};
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

/// Clones requests, as tower's documentation shows it.
#[derive(Clone, Debug)]
pub(crate) struct Cloned(Arc<TpsBudget>);

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
