//! How long the caller of a request still waits, and what follows: no work that nobody waits for.
//!
//! A caller says with `grpc-timeout` or `x-request-timeout-ms` how long it waits, relative to the moment at which the
//! request arrives. That becomes the deadline in the request's [`Slot`](crate::telemetry::context::Slot); each
//! call that the handler makes passes on what is left of it, so that a whole tree of calls ends when its root gives up. This
//! is the deadline propagation of gRPC (*gRPC and Deadlines*) and of Finagle (`c.t.finagle.context.Deadline`).
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use detectviz_core::{
//!     error::cause_ref,
//!     resilience::deadline::{Asked, DeadlineConfig, DeadlineExceeded, DeadlineLayer, parse_grpc_timeout},
//! };
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! let stuck = service_fn(|_: &str| std::future::pending::<Result<(), std::io::Error>>());
//! let asked = |header: &&str| Asked::read(parse_grpc_timeout(header.as_bytes()));
//! let service = DeadlineLayer::new(&DeadlineConfig::default()).asking(asked).layer(stuck);
//! let err = service.oneshot("5m").await.expect_err("nobody waits for more than five milliseconds");
//! assert!(cause_ref::<DeadlineExceeded>(&*err).is_some());
//! # }
//! ```
//!
//! # Nested deadlines
//! A deadline within another only ever shortens it. [`Deadline`] puts its deadline into the slot while the service that
//! it wraps is called and polled, and what stood there before back afterwards.
//!
//! # Cancel safety
//! When the deadline passes, the inner future is dropped with the [`ResponseFuture`]; what that means is up to it.
mod ask;
mod config;
mod error;
mod future;
mod handle;
mod layer;
mod recorder;
pub(super) mod scope;
mod service;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub use self::{
    ask::{AskTimeout, NotAsked},
    config::DeadlineConfig,
    error::DeadlineExceeded,
    future::ResponseFuture,
    handle::Deadlines,
    layer::DeadlineLayer,
    service::Deadline,
    state::{Asked, nearest, remaining},
    wire::{MalformedTimeout, TimeoutText, parse_grpc_timeout, parse_timeout_ms},
};
