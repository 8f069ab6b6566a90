//! HTTP for detectviz: a server that loses no request when it is told to stop, a client that finds its upstreams by name, and the
//! middleware of both.
//!
//! | module | holds |
//! |---|---|
//! | [`server`] | HTTP/1.1 and HTTP/2, with limits against slow and hostile clients, TLS, and a drain |
//! | [`stack`] | the server's stack in its order: [`catch_panic`] ▸ [`trace`] ▸ [`observe`] ▸ [`probe`] ▸ [`admission`] |
//! | [`admission`] | limits on how many requests, and how often: what is refused, and how |
//! | [`probe`] | `/livez`, `/readyz`, `/startupz` and their aliases, as a layer |
//! | [`admin`] | the admin port: probes, metrics, configuration, log levels, version |
//! | [`client`] | pooled and protected: deadlines, retries, breaker, bulkhead, balancing; discovery by name, the trace passed on |
//! | [`head_scan`] | one pass over the headers of a request for all that the layers read |
//! | [`propagation`] | trace context and baggage in and out of headers |
//! | [`route`] | which route a request is for |
//! | [`error`] | the one table from cause to status, and problem+json |
//! | [`kinds`] | what a [runtime](detectviz_core::runtime) registers |
//!
//! Nothing here depends on a web framework: the server takes any `tower_service::Service` over `http::Request`, so that an axum
//! `Router` or a tonic server fits as it is, and every layer can be put on either alone.
//!
//! # Features
//! - `tls` (default): TLS for the server and the client, by rustls with ring. No process-wide provider is installed.
#[cfg(test)]
mod captured;
pub mod names;
pub mod error;
pub mod conn;
pub mod body;
pub mod head_scan;
pub mod propagation;
pub mod route;
mod call;
pub mod admission;
pub mod catch_panic;
pub mod trace;
pub mod observe;
pub mod probe;
mod scrape;
pub mod stack;
pub mod server;
pub mod admin;
pub mod client;
pub mod kinds;
