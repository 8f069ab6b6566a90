//! Spans as OTLP writes them.
use super::Resource;
use crate::telemetry::span::{Event, SpanKind, SpanRecord, SpanStatus, ValueRef};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value},
    resource::v1::Resource as ProtoResource,
    trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span, status},
};

/// Bits 8 and 9 of the flags: whether it is known where the parent is, and whether it is in another process.
const HAS_IS_REMOTE: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;

/// One request with all of `spans`.
pub(super) fn request(resource: &Resource, spans: &[SpanRecord]) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(resource_of(resource)),
            scope_spans: vec![ScopeSpans {
                scope: Some(scope()),
                spans: spans.iter().map(span_of).collect(),
                schema_url: String::new(),
            }],
            schema_url: String::new(),
        }],
    }
}

pub(super) fn resource_of(resource: &Resource) -> ProtoResource {
    ProtoResource {
        attributes: resource
            .attributes()
            .map(|(key, value)| key_value(key, ValueRef::Text(value)))
            .collect(),
        ..ProtoResource::default()
    }
}

pub(super) fn scope() -> InstrumentationScope {
    InstrumentationScope {
        name: "detectviz".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    }
}

pub(super) fn key_value(key: &str, value: ValueRef<'_>) -> KeyValue {
    let value = match value {
        ValueRef::Text(text) => any_value::Value::StringValue(text.to_owned()),
        ValueRef::I64(value) => any_value::Value::IntValue(value),
        ValueRef::F64(value) => any_value::Value::DoubleValue(value),
        ValueRef::Bool(value) => any_value::Value::BoolValue(value),
    };
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

fn span_of(record: &SpanRecord) -> Span {
    let remote = if record.parent_is_remote {
        HAS_IS_REMOTE | IS_REMOTE
    } else {
        HAS_IS_REMOTE
    };
    let kind = match record.kind {
        SpanKind::Internal => span::SpanKind::Internal,
        SpanKind::Server => span::SpanKind::Server,
        SpanKind::Client => span::SpanKind::Client,
        SpanKind::Producer => span::SpanKind::Producer,
        SpanKind::Consumer => span::SpanKind::Consumer,
    };
    Span {
        trace_id: record.context.trace_id().to_bytes().to_vec(),
        span_id: record.context.span_id().to_bytes().to_vec(),
        trace_state: String::from_utf8_lossy(&record.tracestate).into_owned(),
        parent_span_id: record
            .parent
            .map(|parent| parent.to_bytes().to_vec())
            .unwrap_or_default(),
        flags: u32::from(record.context.flags()) | remote,
        name: record.name.as_str().to_owned(),
        kind: kind.into(),
        start_time_unix_nano: record.start_unix_nanos,
        end_time_unix_nano: record.end_unix_nanos,
        attributes: record
            .attributes
            .iter()
            .map(|(key, value)| key_value(key, value))
            .collect(),
        dropped_attributes_count: record.attributes.dropped(),
        events: record.events.as_slice().iter().map(event_of).collect(),
        dropped_events_count: record.events.dropped(),
        links: Vec::new(),
        dropped_links_count: 0,
        status: status_of(&record.status),
    }
}

fn event_of(event: &Event) -> span::Event {
    span::Event {
        time_unix_nano: event.time_unix_nanos,
        name: event.name.as_str().to_owned(),
        attributes: event
            .attributes()
            .iter()
            .map(|(key, value)| key_value(key, value.as_ref()))
            .collect(),
        dropped_attributes_count: event.dropped(),
    }
}

fn status_of(record: &SpanStatus) -> Option<Status> {
    let (code, message) = match record {
        SpanStatus::Unset => return None,
        SpanStatus::Ok => (status::StatusCode::Ok, String::new()),
        SpanStatus::Error(text) => (status::StatusCode::Error, text.as_str().to_owned()),
    };
    Some(Status {
        code: code.into(),
        message,
    })
}
