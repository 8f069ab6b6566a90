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
