//! Finished spans, and the queue that they wait in.
//!
//! A span is a plain [`SpanRecord`] that its maker fills in and hands to [`Spans::record`] when it ends: nothing is shared,
//! locked or allocated while it runs, and a span that is not sampled costs nothing. [`Sampler`] decides at the root of a
//! trace; everybody below follows the caller's flag.
//!
//! The queue holds a fixed number of spans. When nobody fetches them fast enough, further ones are dropped and counted, so
//! that a dead collector costs memory that was there from the start and no time at all.
//!
//! ```
//! use detectviz_core::telemetry::{context::TraceContext, span::{Sampler, SpanKind, SpanRecord, Spans}};
//!
//! let spans = Spans::new(Sampler::always_on());
//! let context = TraceContext::root(true);
//! let mut span = SpanRecord::new(context, SpanKind::Server, "GET /orders/{id}", 1_000, 2_000);
//! span.attributes.push("http.request.method", "GET");
//! span.attributes.push("http.response.status_code", 200);
//! span.attributes.push_str("url.path", &format!("/orders/{}", 7));
//! spans.record(span);
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
    text::{InlineText, Text},
};
