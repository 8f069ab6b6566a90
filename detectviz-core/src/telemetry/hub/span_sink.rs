//! Where the spans of users go when they end.
use crate::telemetry::context::{SpanId, TraceContext, TraceId};
use std::fmt;
use tracing::Level;

/// Takes the spans that users make with `tracing`.
pub trait SpanSink: Send + Sync + 'static {
    /// Whether a trace that begins here is recorded.
    fn sample_root(&self, trace_id: TraceId) -> bool;

    /// Whether anybody wants spans at all; when not, none is put together.
    fn is_recording(&self) -> bool;

    /// Takes a sampled span that has ended. Must not block.
    fn record(&self, span: SpanClosed<'_>);
}

/// A span of a user that has ended.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SpanClosed<'a> {
    /// Its place in the trace.
    pub context: TraceContext,
    /// The span around it, if any.
    pub parent: Option<SpanId>,
    /// Its name in the source.
    pub name: &'static str,
    /// The module that made it.
    pub target: &'static str,
    /// Its level.
    pub level: Level,
    /// When it was made, in nanoseconds since 1970.
    pub start_unix_nanos: u64,
    /// When its last handle was dropped, in nanoseconds since 1970.
    pub end_unix_nanos: u64,
    /// At most 32 fields as text, each of at most 1 KiB, secrets masked.
    pub fields: &'a [(&'static str, String)],
    /// How many fields more there were.
    pub dropped_fields: u32,
    /// Whether an event of level ERROR was logged in it.
    pub failed: bool,
}

/// Takes no spans.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSpans;

// === impl SpanSink ===

impl fmt::Debug for dyn SpanSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SpanSink")
    }
}

// === impl NoSpans ===

impl SpanSink for NoSpans {
    fn sample_root(&self, _: TraceId) -> bool {
        false
    }

    fn is_recording(&self) -> bool {
        false
    }

    fn record(&self, _: SpanClosed<'_>) {}
}
