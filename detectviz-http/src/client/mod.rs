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
//! `total_timeout` covers everything from the call to the last byte of the response's body: a lookup, connecting, the
//! answer. When it passes while the body is being read, the [`ResponseBody`] fails with
//! [`Elapsed`](detectviz_core::resilience::timeout::Elapsed). A deadline of the request that is being served, when it is
//! nearer, counts instead.
//!
//! # What protects a call
//! ```text
//! total deadline ▸ bulkhead ▸ retry and budget ▸ breaker (counts attempts) ▸ balance ▸ attempt timeout ▸ inject ▸ endpoint
//! ```
//! The [policy](PolicyConfig) of an upstream says how. Repeated is what failed in a way that may mend itself: no connection,
//! whatever the request does, since nothing was sent; and 429, 502, 503, 504, a broken connection and a timeout where the method
//! is idempotent, there is an `Idempotency-Key`, or the caller says that the call is [safe](SafeToRepeat). Bodies are sent
//! again up to 64 KiB, streams never. What is left of the deadline of the request that is being served goes along as
//! `grpc-timeout` or `x-request-timeout-ms`.
//!
//! # Routes
//! What makes sense for a single call may differ by its route: times, attempts, whether it is safe to repeat, priority. Of the
//! `routes` of a policy the first counts that matches. Breaker, bulkhead, retry budget and balance are one for the upstream.
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
mod hosts;
mod housekeeping;
mod in_flight;
mod live;
mod policies;
mod policy;
mod pool;
mod recorder;
mod route_policy;
mod rules;
mod saved;
mod sending;
mod service;
#[cfg(feature = "tls")]
mod source;
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
