//! A panic in a handler becomes a 500.
//!
//! The outermost layer of a server. A panic while the inner service is called or its future is polled is caught, logged as
//! one ERROR line with the ids of its trace, counted, and answered with problem+json. The service and the connection live
//! on: the future that panicked is dropped and nothing else.
//!
//! ```
//! use axum::{Router, routing::get};
//! use detectviz_core::telemetry::{logs::Logs, metrics::Registry};
//! use detectviz_http::catch_panic::CatchPanicLayer;
//!
//! async fn broken() -> &'static str {
//!     panic!("a bug")
//! }
//! let app: Router = Router::new()
//!     .route("/", get(broken))
//!     .layer(CatchPanicLayer::new(&Registry::new(), Logs::disabled()));
//! ```
//!
//! # What is not caught
//! A panic while a response body is polled: its head is sent, so the connection breaks. And panics in a program built with
//! `panic = "abort"`.
//!
//! # Unwind safety
//! What a handler shares with others, such as a map behind a mutex, may be left half-changed, as with any panic that a
//! thread survives.
mod future;
mod layer;
mod recorder;
mod service;
#[cfg(test)]
mod tests;

pub use self::{future::ResponseFuture, layer::CatchPanicLayer, service::CatchPanic};

pub(crate) use self::recorder::NoteOnUnwind;
