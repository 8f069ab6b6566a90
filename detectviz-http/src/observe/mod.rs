//! Metrics and the access log of a request.
//!
//! | metric | labels |
//! |---|---|
//! | `http.server.request.duration`, histogram with exemplars | method, scheme, route, status, `error.type`, protocol version |
//! | `http.server.active_requests` | method, scheme |
//! | `http_requests_total` | `method`, `route`, `status` |
//! | `detectviz_http_server_requests_started_total` | |
//! | `detectviz_http_server_requests_total` | `outcome` |
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
//! # Outcomes
//! Every request that gets as far as this stack ends in exactly one of five, and once nothing is under way, `…_started_total`
//! is their sum:
//!
//! | `outcome` | in the log | the request | `error.type` |
//! |---|---|---|---|
//! | `ok` | `ok` | was answered whole, with a status below 500; a 4xx that the handler chose is an answer | |
//! | `failed` | `error` | was answered with 500 or more by the handler or a probe, or for an error of it, such as an upstream's timeout | the status |
//! | | | its handler panicked, or the thread did while its body was sent | `panic` |
//! | | | its head was sent, and its body failed | `body` |
//! | `shed` | `refused` | was refused by [admission](crate::admission): 429 by a rate limit | `rate_limited` |
//! | | | 503 by a limit on concurrency, or on a connection that is kept for probes | `overloaded` |
//! | | | 503 by shedding | `shed` |
//! | `timed_out` | `timed_out` | had a deadline that passed, on arrival or before its handler answered: 504 | `timeout` |
//! | `cancelled` | `client_gone` | its client went away before the last byte of the response was given to the connection | `cancelled` |
//!
//! What the transport answers itself, a malformed or oversized head, never becomes a request here. Both are read from the
//! histogram and the gauge when somebody asks, so that a request pays nothing for them; what exceeds the limit of the
//! histogram's series has its outcome all the same.
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
mod outcomes;
mod recorder;
mod series;
#[cfg(test)]
mod tests;

pub use self::config::ObserveConfig;
pub(crate) use self::recorder::{Ended, Recorder};
