//! The HTTP server: any `tower` service over HTTP/1.1 and HTTP/2, in clear or through TLS, with limits and a drain.
//!
//! The states are types: [`ServerConfig`] → [`Server`] → [`Bound`] → [`Serving`]. As a
//! [`Component`](detectviz_core::task::Component) a [`Server`] takes the steps by itself. It knows nothing of layers: what
//! it serves is any [`HttpService`], such as our stack, an axum `Router` or a tonic service.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! use bytes::Bytes;
//! use detectviz_core::{lifecycle::PhaseControl, task::Tasks, telemetry::metrics::Registry};
//! use detectviz_http::{body::RequestBody, server::{Server, ServerConfig, ServerDeps}};
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use std::convert::Infallible;
//!
//! let hello = tower::service_fn(async |_: Request<RequestBody>| {
//!     Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"hello"))))
//! });
//! let phase = PhaseControl::new();
//! let deps = ServerDeps::new(Tasks::new(), phase.watch(), Registry::new());
//! let mut config = ServerConfig::default();
//! config.port = 0;
//! let serving = Server::new(config, "http", deps, hello).bind()?.serve()?;
//! assert_ne!(serving.local_addr().port(), 0);
//! serving.drain().await;
//! serving.stop().await?;
//! # Ok(()) }
//! ```
//!
//! # Slow and hostile clients
//! A head must end within `header_timeout` of its first byte, or is answered with 408; a body must make progress while
//! the handler waits for it; a client must read its response. One timer per connection watches all of it: a busy
//! connection costs no timer operation and no reading of the clock. A connection that says nothing holds a few kilobytes.
//! A client of HTTP/2 that opens no flow-control window for a response is not cut as long as it answers pings: what it can
//! hold is bounded by `max_concurrent_streams`.
//!
//! # Drain
//! From [`PreStop`](detectviz_core::lifecycle::Phase::PreStop) on every HTTP/1 response says `Connection: close`, and new
//! connections are served. When the drain begins, new handshakes are held back, the backlog is accepted to the last, and
//! the port closed. Connections with a request finish it. Connections without one stay for `linger`, because a request may
//! be on its way; HTTP/2 is sent away with GOAWAY, a PING and GOAWAY. Event streams end, and upgraded connections are
//! told by the [`DrainToken`] and waited for. A stop cuts what is left.
//!
//! # gRPC
//! A client stream that lives long is cut by the limits of request bodies unless a layer before the service lifts them:
//! `request.map(RequestBody::streaming)`.
mod accept;
mod bound;
mod component;
mod config;
mod config_http2;
mod connection;
mod control;
mod deps;
mod drive;
mod exec;
mod future;
mod host;
mod http_service;
mod io;
mod link;
mod listen;
mod recorder;
mod reply;
mod response;
mod service;
mod shared;
mod sniff;
mod state;
mod stream;
#[cfg(test)]
mod tests;
#[cfg(feature = "tls")]
mod tls;

#[cfg(feature = "tls")]
pub use self::tls::TlsConfig;
pub use self::{
    bound::{Bound, Serving},
    component::Server,
    config::ServerConfig,
    config_http2::Http2Config,
    control::DrainToken,
    deps::ServerDeps,
    http_service::HttpService,
};
