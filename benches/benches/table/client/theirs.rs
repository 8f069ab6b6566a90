//! The stacks that people put around their clients.
use crate::retry::Cloned;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use std::{fmt, time::Duration};
use tower::{
    ServiceBuilder, limit::ConcurrencyLimitLayer, retry::RetryLayer, timeout::TimeoutLayer,
};
use tower_http::trace::{DefaultOnRequest, DefaultOnResponse, TraceLayer};
use tower_resilience::{
    bulkhead::BulkheadLayer, circuitbreaker::CircuitBreakerLayer, ratelimiter::RateLimiterLayer,
    retry::RetryLayer as OtherRetryLayer, timelimiter::TimeLimiterLayer,
};
use tower_service::Service;
use tracing::{Level, Span};

/// A line of JSON, retry with a budget, breaker, limit and timeout.
pub(super) fn with_log<S, ReqBody, ResBody>(
    service: S,
) -> impl Service<
    Request<ReqBody>,
    Response = Response<impl Body<Data = Bytes, Error = ResBody::Error>>,
    Error: fmt::Debug,
> + Clone
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone + Send + 'static,
    S::Error: Into<tower::BoxError>,
    S::Future: Send + 'static,
    ReqBody: Clone + Body + Send + 'static,
    ResBody: Body<Data = Bytes, Error: fmt::Display> + Send + 'static,
{
    let trace = TraceLayer::new_for_http()
        .make_span_with(|request: &Request<ReqBody>| {
            tracing::info_span!(
                "call",
                method = %request.method(),
                uri = %request.uri().path(),
                version = ?request.version(),
                upstream = "orders",
            )
        })
        .on_request(DefaultOnRequest::new().level(Level::DEBUG))
        .on_response(DefaultOnResponse::new().level(Level::INFO))
        .on_body_chunk(|_: &Bytes, _: Duration, _: &Span| {})
        .on_eos(());
    let breaker = CircuitBreakerLayer::standard().build();
    ServiceBuilder::new()
        .layer(trace)
        .layer(RetryLayer::new(Cloned::new()))
        .layer(breaker.expect("it is valid"))
        .layer(ConcurrencyLimitLayer::new(1024))
        .layer(TimeoutLayer::new(Duration::from_secs(1)))
        .service(service)
}

/// Five layers of tower-resilience, with its metrics and tracing left out.
pub(super) fn without_observability<S, ReqBody, ResBody>(
    service: S,
) -> impl Service<Request<ReqBody>, Response = Response<ResBody>, Error: fmt::Debug> + Clone
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone + Send + 'static,
    S::Error: fmt::Debug + Send,
    S::Future: Send + 'static,
    ReqBody: Clone + Send + 'static,
    ResBody: Send + 'static,
{
    let limit = TimeLimiterLayer::builder().timeout_duration(Duration::from_secs(3));
    let bulkhead = BulkheadLayer::builder().max_concurrent_calls(1024).build();
    let breaker = CircuitBreakerLayer::standard().build();
    let rate = RateLimiterLayer::per_second(1_000_000_000).build();
    ServiceBuilder::new()
        .layer(limit.build())
        .layer(bulkhead.expect("it is valid"))
        .layer(OtherRetryLayer::exponential_backoff().build())
        .layer(breaker.expect("it is valid"))
        .layer(rate.expect("it is valid"))
        .service(service)
}
