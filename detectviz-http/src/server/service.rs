//! How a request gets to what the server serves.
use super::{
    future::{ConnFuture, Start},
    host,
    http_service::HttpService,
    link::Link,
    reply::Refusal,
    response::ResponseBody,
};
use crate::body::{Exchange, RequestBody};
use detectviz_core::error::BoxError;
use http::{Method, Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use std::{
    cell::RefCell,
    mem,
    sync::Arc,
    task::{Context, Poll, Waker},
};

/// The service of one connection.
///
/// Requests of a connection come one after the other here, so that one instance is kept and readied again, rather than
/// cloned for each.
pub(super) struct ConnService<S> {
    service: RefCell<S>,
    exchange: RefCell<Arc<Exchange>>,
    link: Arc<Link>,
}

// === impl ConnService ===

impl<S: HttpService> ConnService<S> {
    pub(super) fn new(service: S, link: Arc<Link>) -> Self {
        Self {
            service: RefCell::new(service),
            exchange: RefCell::default(),
            link,
        }
    }

    /// What RFC 9112 and the limits ask of a head that hyper let through.
    fn refusal(&self, request: &Request<Incoming>) -> Option<Refusal> {
        let config = &self.link.shared().config;
        if !self.link.info().is_http2() {
            if !host::is_acceptable(request.version(), request.headers()) {
                return Some(Refusal::BadRequest);
            }
            if request.headers().len() > self.link.shared().max_headers {
                return Some(Refusal::HeadersTooLarge);
            }
        }
        let uri = request.uri();
        let target = uri
            .path_and_query()
            .map_or(0, |target| target.as_str().len());
        if target as u64 > config.max_uri.0 {
            return Some(Refusal::UriTooLong);
        }
        if request.body().size_hint().lower() > config.max_body.0 {
            return Some(Refusal::TooLarge);
        }
        None
    }

    fn exchange(&self) -> Arc<Exchange> {
        let mut kept = self.exchange.borrow_mut();
        match Arc::get_mut(&mut kept) {
            Some(unused) => unused.reset(),
            None => *kept = Arc::default(),
        }
        Arc::clone(&kept)
    }

    fn body(&self, incoming: Incoming) -> (RequestBody, Option<Arc<Exchange>>) {
        if incoming.is_end_stream() {
            return (RequestBody::empty(), None);
        }
        let config = &self.link.shared().config;
        let exchange = self.exchange();
        let body = RequestBody::incoming(
            incoming,
            config.max_body.0,
            config.progress_timeout,
            config.min_body_rate.0,
            Arc::clone(&exchange),
        );
        (body, Some(exchange))
    }
}

impl<S: HttpService> hyper::service::Service<Request<Incoming>> for ConnService<S> {
    type Response = Response<ResponseBody<S::ResponseBody>>;
    type Error = BoxError;
    type Future = ConnFuture<S>;

    fn call(&self, request: Request<Incoming>) -> ConnFuture<S> {
        let in_flight = self.link.begin();
        let headless = request.method() == Method::HEAD && self.link.info().is_http2();
        if let Some(refusal) = self.refusal(&request) {
            if !request.body().is_end_stream() {
                self.link.leave_unread();
            }
            let refused = Start::Refused { refusal };
            return ConnFuture::new(refused, in_flight, headless);
        }
        let (request, exchange) = {
            let (parts, incoming) = request.into_parts();
            let (body, exchange) = self.body(incoming);
            (Request::from_parts(parts, body), exchange)
        };
        let mut service = self.service.borrow_mut();
        let start = match service.poll_ready(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(())) => {
                let _entered = self.link.info().enter();
                let future = service.call(request);
                Start::Called { future }
            }
            Poll::Ready(Err(err)) => Start::Failed {
                err: Some(err.into()),
            },
            Poll::Pending => {
                // The instance that was asked may stand in a queue already: it is the one that waits.
                let next = service.clone();
                Start::Waiting {
                    service: mem::replace(&mut *service, next),
                    request: Some(Box::new(request)),
                }
            }
        };
        let in_flight = in_flight.with_body(exchange);
        ConnFuture::new(start, in_flight, headless)
    }
}
