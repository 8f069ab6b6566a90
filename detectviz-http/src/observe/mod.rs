//! Metrics and the access log of a request.
//!
//! | metric | labels |
//! |---|---|
//! | `http.server.request.duration`, histogram with exemplars | method, scheme, route, status, `error.type`, protocol version |
//! | `http.server.active_requests` | method, scheme |
//! | `http_requests_total` | `method`, `route`, `status` |
//!
//! and one INFO line of target `http.access` for each request. All of it is recorded once, when the response's body ends,
//! or when the request is given up before.
//!
//! ```
//! use axum::{Router, routing::get};
//! use detectviz_core::telemetry::metrics::Registry;
//! use detectviz_http::{route::RouteTable, stack::{Stack, StackConfig, StackDeps}};
//!
//! let routes = RouteTable::builder().route("/orders/{id}").build()?;
//! let deps = StackDeps::default().with_metrics(Registry::new()).with_routes(routes);
//! let app: Router = Router::new()
//!     .route("/orders/{id}", get(|| async { "an order" }))
//!     .layer(Stack::new(&StackConfig::default(), deps)?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Labels
//! Unknown methods are `_OTHER`. A request that matches no route carries no route, never its path. `status` is the number
//! that the client was sent.
//!
//! # A client that goes away
//! Before the head of the response: no status was sent, so `status` is empty and `error.type` is `cancelled`; the log says
//! 499, as nginx does, and the outcome `client_gone`. While the body is sent: the status that was sent, `error.type`
//! `cancelled` and the outcome `client_gone`.
//!
//! # Allocation
//! The first request of a series, that is of route, method, status, scheme, version and ending, looks its handles up and
//! keeps them with the route; later ones allocate nothing. A route and method with more than 16 series looks up the
//! further ones each time.
mod access;
mod config;
mod recorder;
mod series;
#[cfg(test)]
mod tests;

pub use self::config::ObserveConfig;
pub(crate) use self::recorder::{Ended, Recorder};
