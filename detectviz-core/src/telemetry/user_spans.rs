//! Spans that users make with `tracing`, on their way to the Collector.
use super::{
    context::TraceId,
    hub::{SpanClosed, SpanSink},
    span::{SpanKind, SpanRecord, SpanStatus, Spans, Text},
};

/// Turns the spans of users into records.
#[derive(Debug)]
pub(super) struct UserSpans {
    spans: Spans,
}

impl UserSpans {
    pub(super) fn new(spans: Spans) -> Self {
        Self { spans }
    }
}

impl SpanSink for UserSpans {
    fn sample_root(&self, trace_id: TraceId) -> bool {
        self.spans.sample_root(trace_id)
    }

    fn is_recording(&self) -> bool {
        self.spans.is_recording()
    }

    fn record(&self, span: SpanClosed<'_>) {
        let mut record = SpanRecord::new(
            span.context,
            SpanKind::Internal,
            Text::Static(span.name),
            span.start_unix_nanos,
            span.end_unix_nanos,
        );
        record.parent = span.parent;
        record
            .attributes
            .push("code.namespace", Text::Static(span.target));
        for (key, value) in span.fields {
            record.attributes.push_str(key, value);
        }
        record.attributes.drop_more(span.dropped_fields);
        if span.failed {
            record.status = SpanStatus::Error(Text::Static(""));
        }
        self.spans.record(record);
    }
}
