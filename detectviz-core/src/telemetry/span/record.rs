//! One finished span.
use super::{Attributes, Events, SpanName, Text};
use crate::telemetry::context::{SpanId, TraceContext};
use bytes::Bytes;
use std::mem;

/// Which side of a call a span stands on, after OpenTelemetry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum SpanKind {
    /// Work within the process.
    #[default]
    Internal,
    /// Answers a call.
    Server,
    /// Makes a call.
    Client,
    /// Sends a message.
    Producer,
    /// Handles a message.
    Consumer,
}

/// How a span ended.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum SpanStatus {
    /// Nobody said; it is taken for good.
    #[default]
    Unset,
    /// The author of the service says that it went well.
    Ok,
    /// It failed; the text says how and may be empty.
    Error(Text),
}

/// One finished span.
///
/// Filled in on the request path by the layer that made the span, in place where it then waits to be exported; see
/// [`Spans::record_with`](super::Spans::record_with).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SpanRecord {
    /// The trace, the span itself, and the flags.
    pub context: TraceContext,
    /// The span above, unless this one starts the trace.
    pub parent: Option<SpanId>,
    /// Whether the span above is in another process.
    pub parent_is_remote: bool,
    /// Which side of a call it stands on.
    pub kind: SpanKind,
    /// Of low cardinality, such as `GET /orders/{id}`.
    pub name: SpanName,
    /// When it began, in nanoseconds since the Unix epoch.
    pub start_unix_nanos: u64,
    /// When it ended, in nanoseconds since the Unix epoch.
    pub end_unix_nanos: u64,
    /// The `tracestate` of the trace, at most 512 bytes; empty when there is none.
    pub tracestate: Bytes,
    /// What is known about it.
    pub attributes: Attributes,
    /// What happened within it.
    pub events: Events,
    /// How it ended.
    pub status: SpanStatus,
}

// === impl SpanRecord ===

impl SpanRecord {
    /// A span from `start_unix_nanos` to `end_unix_nanos`, both since the Unix epoch, without a parent.
    #[must_use]
    pub fn new(
        context: TraceContext,
        kind: SpanKind,
        name: impl Into<SpanName>,
        start_unix_nanos: u64,
        end_unix_nanos: u64,
    ) -> Self {
        Self {
            context,
            parent: None,
            parent_is_remote: false,
            kind,
            name: name.into(),
            start_unix_nanos,
            end_unix_nanos,
            tracestate: Bytes::new(),
            attributes: Attributes::new(),
            events: Events::new(),
            status: SpanStatus::Unset,
        }
    }

    /// A record to be filled in; its ids mean nothing.
    pub(super) fn empty() -> Self {
        Self::new(TraceContext::root(false), SpanKind::Internal, "", 0, 0)
    }

    /// What is in the record; it is empty afterwards.
    pub(super) fn take(&mut self) -> Self {
        Self {
            context: self.context,
            parent: self.parent.take(),
            parent_is_remote: mem::take(&mut self.parent_is_remote),
            kind: mem::take(&mut self.kind),
            name: mem::take(&mut self.name),
            start_unix_nanos: mem::take(&mut self.start_unix_nanos),
            end_unix_nanos: mem::take(&mut self.end_unix_nanos),
            tracestate: mem::take(&mut self.tracestate),
            attributes: self.attributes.take(),
            events: mem::take(&mut self.events),
            status: mem::take(&mut self.status),
        }
    }
}
