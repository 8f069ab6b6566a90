//! The HTTP client: pooled, bounded in time, traced, and it finds services by name.
//!
//! `http://orders/v1/items` goes to one of the endpoints that the [provider](ClientBuilder::with_discovery) knows for
//! `orders`, and `Host` and `:authority` keep the name. A host with a port, an IP address, and a host that the
//! provider does not know go to DNS as they are. The request path reads a snapshot of the endpoints and waits for
//! nobody; only the first request to a name asks the provider.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use detectviz_core::{error::cause_ref, task::Tasks};
//! use detectviz_http::client::{ClientBuilder, ClientConfig, ConnectFailed};
//!
//! let client = ClientBuilder::new(ClientConfig::default()).build(&Tasks::new()).expect("the defaults are valid");
//! let refused = client.get("http://127.0.0.1:1/".parse().expect("a URI")).await.expect_err("nobody listens there");
//! assert!(cause_ref::<ConnectFailed>(&*refused).is_some());
//! # }
//! ```
//!
//! # Time
//! `total_timeout` covers everything from the first poll of a call to the last byte of the response's body: a lookup,
//! connecting, the answer. When it passes while the body is being read, the [`ResponseBody`] fails with
//! [`Elapsed`](detectviz_core::resilience::timeout::Elapsed). A deadline of the request that is being served, when it is
//! nearer, counts instead; when it has passed, nothing is sent.
//!
//! # What protects a call
//! ```text
//! total deadline ▸ bulkhead ▸ retry and budget ▸ hedge ▸ breaker (counts attempts) ▸ balance ▸ attempt timeout ▸ inject ▸ endpoint
//! ```
//! The [policy](PolicyConfig) of an upstream says how. Repeated is what failed in a way that may mend itself: no connection,
//! whatever the request does, since nothing was sent; and 429, 502, 503, 504, a broken connection and a timeout where the method
//! is idempotent, there is an `Idempotency-Key`, or the caller says that the call is [safe](SafeToRepeat). Bodies are sent
//! again up to 64 KiB; one that comes in pieces is kept, without a copy, as it is sent. What is left of the deadline of the
//! request that is being served goes along as `grpc-timeout` or `x-request-timeout-ms`.
//!
//! With [`hedge`](PolicyConfig::hedge), a call that may be repeated and is slow is sent to a second endpoint; the first
//! answer counts, and the other attempt is cancelled, which counts neither as a failure nor as a success. It costs a token of
//! the retry budget, since to the upstream it is a retry.
//!
//! A gRPC answer says how it went in its trailers. They decide what the breaker and the endpoint learn of it, as a status in the
//! head does, unless the answer flows for longer than an attempt may take: then it is a stream, and has answered well. A call
//! that has been given a message is not repeated.
//!
//! # Fallback
//! A client is a `tower` service, so that what answers instead of an upstream that fails is a
//! [`FallbackLayer`](detectviz_core::resilience::fallback::FallbackLayer) around it: no API of its own, and the choice is
//! made per client, or per call with another stack around a clone. Its answers are counted in
//! `detectviz_fallback_calls_total` and noted on the span of the request that is being served; the span of the call keeps its
//! failure. A status such as 503 is no error; whoever wants to answer that otherwise as well, makes it one first.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use detectviz_core::{
//!     resilience::fallback::{Fallback, FallbackLayer},
//!     task::Tasks, telemetry::metrics::Registry,
//! };
//! use detectviz_http::client::{Body, ClientBuilder, ClientConfig, ConnectFailed, ResponseBody};
//! use http::{Request, Response};
//! use http_body_util::BodyExt;
//! use std::future::ready;
//! use tower::{Layer, ServiceExt};
//!
//! let metrics = Registry::new();
//! let client = ClientBuilder::new(ClientConfig::default()).build(&Tasks::new()).expect("the defaults are valid");
//! let fallback = Fallback::with_metrics("prices", &metrics).on::<ConnectFailed>("connect_failed");
//! let client = FallbackLayer::new(fallback, |_| ready(Ok(Response::new(ResponseBody::from("[]"))))).layer(client);
//!
//! let request = Request::get("http://127.0.0.1:1/prices").body(Body::empty()).expect("a request");
//! let answer = client.oneshot(request).await.expect("the fallback");
//! assert_eq!(answer.into_body().collect().await.expect("a body").to_bytes(), "[]");
//! # }
//! ```
//!
//! # Routes
//! What makes sense for a single call may differ by its route: times, attempts, whether it is safe to repeat, whether it is
//! hedged, priority. Of the `routes` of a policy the first counts that matches. Breaker, bulkhead, retry budget and balance are one for the upstream.
//!
//! ```yaml
//! client:
//!   upstreams:
//!     orders:
//!       bulkhead: {max_concurrent: 200}
//!       routes:
//!         - match: {method: GET, path: "/reports/{id}"}
//!           total_timeout: 30s
//!           attempt_timeout: 20s
//!           hedge: false
//!         - match: {path_prefix: /internal}
//!           retry: {attempts: 1}
//!           priority: sheddable
//! ```
//!
//! # While it runs
//! Policies, the times of connections and calls, and `max_upstreams` follow the configuration without a restart, as do those
//! who [say so](Client::reconfigure) themselves: windows, budgets, permits, connections and what is known of endpoints stay.
//! [`ClientHandle`] shows all of it, and the admin port under `/clients`.
//!
//! # Log
//! A line of target `http.client` for each call, when it has ended: `GET orders:8080 503`, with path, attempts, duration and the
//! ids of the call's span. Failed ones, and those answered with 429 or 5xx, have the level INFO, all others DEBUG and are not
//! written unless the levels say `http.client=debug`; `http.client=off` writes none. Whether a failure is worth a warning is for
//! the caller to say.
//!
//! # Many hosts
//! What protects a host is remembered for `max_upstreams` of them. Calls to further ones share one policy, `_other`, and are
//! counted by `detectviz_http_client_upstream_overflow_total`; a host that nobody has called for a minute makes way.
//!
//! # Errors
//! A [`BoxError`](detectviz_core::error::BoxError) in whose chain [`cause_ref`](detectviz_core::error::cause_ref) finds
//! what went wrong: `Elapsed`, [`ConnectTimeout`], [`ConnectFailed`], [`NoEndpoints`], [`LookupFailed`],
//! [`NoTrustRoots`], [`InvalidTarget`], [`TooManyPending`] or [`SendFailed`]; or what refused it:
//! [`Open`](detectviz_core::resilience::breaker::Open), [`Overloaded`](detectviz_core::resilience::bulkhead::Overloaded), and
//! [`BudgetExhausted`](detectviz_core::resilience::retry::BudgetExhausted) around what would have been tried again. A status such as 404 or 503 is an answer and no error.
//!
//! # Cancel safety
//! A dropped call is cancelled: over HTTP/2 its stream is reset, over HTTP/1 its connection is closed. What the server
//! has done by then is done.
//!
//! # What it does not do
//! It follows no redirects, keeps no cookies and reads no proxy settings.
mod aim;
mod answering;
mod attempt;
mod body;
mod builder;
mod call;
mod config;
mod connect;
mod endpoint;
mod error;
mod executor;
mod failure;
mod future;
mod handle;
mod hedging;
mod hosts;
mod housekeeping;
mod in_flight;
mod line;
mod live;
mod policies;
mod policy;
mod pool;
mod recorder;
mod replay;
mod route_policy;
mod rules;
mod saved;
mod sending;
mod service;
#[cfg(feature = "tls")]
mod source;
mod span;
mod state;
#[cfg(test)]
mod tests;
mod upstream;
mod upstreams;
mod verdict;

pub use self::{
    body::{Body, ResponseBody},
    builder::ClientBuilder,
    config::{ClientConfig, ClientTlsConfig},
    error::{InvalidTarget, LookupFailed, NoTrustRoots},
    future::ResponseFuture,
    handle::{BulkheadView, ClientHandle, UpstreamHandle},
    policy::PolicyConfig,
    route_policy::{RouteMatchConfig, RoutePolicyConfig, RouteRetryConfig},
    service::Client,
    verdict::SafeToRepeat,
};
pub use crate::error::{ConnectFailed, ConnectTimeout, SendFailed, TooManyPending};
pub use detectviz_core::balance::NoEndpoints;
