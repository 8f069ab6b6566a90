//! Opens the slot of a request.
//!
//! Reads the caller's trace from the headers or starts one, puts it into the [`Slot`] that is in place whenever the inner
//! future, or the body it answers with, is polled, and records a span when the trace is sampled. Log lines and outgoing
//! calls find their trace in the slot, the other layers the time at which the request began.
//!
//! ```
//! use axum::{Router, routing::get};
//! use detectviz_core::telemetry::{context::current, metrics::Registry, span::{Sampler, Spans}};
//! use detectviz_http::trace::{TraceConfig, TraceLayer};
//!
//! let spans = Spans::new(Sampler::ratio(0.01));
//! let app: Router = Router::new()
//!     .route("/", get(|| async { current(|slot| slot.map(|s| s.context.trace_id().to_string())).unwrap_or_default() }))
//!     .layer(TraceLayer::new(&TraceConfig::default(), &Registry::new(), spans));
//! ```
//!
//! # The span
//! Kind `SERVER`, named after method and route, with the attributes of OpenTelemetry's semantic conventions for HTTP
//! servers. It ends with the response's body, or when the client goes away before (`error.type` is `cancelled`). A trace
//! that is not sampled costs no more than its ids.
//!
//! [`Slot`]: detectviz_core::telemetry::context::Slot
mod body;
mod config;
mod future;
mod head;
mod layer;
mod recorder;
mod service;
mod span;
mod state;
mod text;
#[cfg(test)]
mod tests;

pub use self::{
    body::ResponseBody, config::TraceConfig, future::ResponseFuture, layer::TraceLayer,
    service::Trace,
};

pub(crate) use self::{
    head::{bodiless, is_head, protocol_version, scheme},
    span::digits,
    state::{Ending, Progress},
    text::InlineText,
};
