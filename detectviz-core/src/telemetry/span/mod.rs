//! Finished spans, and the queue that they wait in.
//!
//! A span is a plain [`SpanRecord`]. When it ends, its maker fills it in where it then waits, by [`Spans::record_with`]: nothing
//! is shared, locked or allocated while it runs, each text is copied once, and a span that is not sampled costs nothing.
//! [`Sampler`] decides at the root of a trace; everybody below follows the caller's flag.
//!
//! The queue holds a fixed number of spans. When nobody fetches them fast enough, further ones are dropped and counted, so
//! that a dead collector costs memory that was there from the start and no time at all.
//!
//! ```
//! use detectviz_core::telemetry::{context::TraceContext, span::{Sampler, SpanKind, Spans}};
//!
//! let spans = Spans::new(Sampler::always_on());
//! spans.record_with(TraceContext::root(true), SpanKind::Server, |span| {
//!     span.name = "GET /orders/{id}".into();
//!     (span.start_unix_nanos, span.end_unix_nanos) = (1_000, 2_000);
//!     span.attributes.push("http.request.method", "GET");
//!     span.attributes.push("http.response.status_code", 200);
//!     span.attributes.push_str("url.path", "/orders/7");
//! });
//!
//! let batch = spans.take(512).expect("one span waits");
//! assert_eq!(batch.spans()[0].name.as_str(), "GET /orders/{id}");
//! batch.exported(0);
//! assert_eq!(spans.counts().produced, spans.counts().exported);
//! ```
mod attributes;
mod counts;
mod event;
mod queue;
mod record;
mod sampler;
mod spans;
#[cfg(test)]
mod tests;
mod text;

pub use self::{
    attributes::{Attributes, Value, ValueRef},
    counts::SpanCounts,
    event::{Event, Events},
    record::{SpanKind, SpanRecord, SpanStatus},
    sampler::Sampler,
    spans::{SpanBatch, Spans},
    text::{InlineText, SpanName, Text},
};
