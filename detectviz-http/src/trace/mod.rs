//! The trace of a request.
//!
//! Reads the caller's trace from the headers or starts one, and puts it into the [`Slot`] that is in place whenever the
//! service's future, or the body it answers with, is polled. Log lines and outgoing calls find their trace in the slot, the
//! other parts of the [stack](crate::stack) the time at which the request began.
//!
//! ```
//! use axum::{Router, routing::get};
//! use detectviz_core::telemetry::{context::current, span::{Sampler, Spans}};
//! use detectviz_http::stack::{Stack, StackConfig, StackDeps};
//!
//! let deps = StackDeps::default().with_spans(Spans::new(Sampler::ratio(0.01)));
//! let app: Router = Router::new()
//!     .route("/", get(|| async { current(|slot| slot.map(|s| s.context.trace_id().to_string())).unwrap_or_default() }))
//!     .layer(Stack::new(&StackConfig::default(), deps)?);
//! # Ok::<(), detectviz_core::error::Error>(())
//! ```
//!
//! # The span
//! Kind `SERVER`, named after method and route, with the attributes of OpenTelemetry's semantic conventions for HTTP
//! servers, and what was [noted](detectviz_core::telemetry::context::note) as events. It ends with the response's body, or
//! when the client goes away before (`error.type` is `cancelled`). A trace that is not sampled costs no more than its ids.
//!
//! [`Slot`]: detectviz_core::telemetry::context::Slot
mod config;
mod recorder;
mod span;
#[cfg(test)]
mod tests;

pub use self::config::TraceConfig;
pub(crate) use self::recorder::{Ended, Recorder};
