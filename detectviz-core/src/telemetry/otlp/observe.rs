//! What the exporter says of itself, by OpenTelemetry's conventions for SDK metrics.
use super::metrics::PointCounters;
use crate::{
    names,
    telemetry::{
        metrics::{Collected, Desc, Kind, Registry, Unit},
        span::Spans,
    },
};
use std::sync::Arc;

/// Absent where all went well.
const ERROR: &[&str] = &["error.type"];

static PROCESSED: Desc = Desc {
    name: names::OTEL_PROCESSOR_SPAN_PROCESSED,
    help: "Sampled spans that left the queue for the exporter, or that the queue did not take.",
    unit: Unit::Of("{span}"),
    kind: Kind::Counter,
    labels: ERROR,
    buckets: &[],
};

static QUEUE_SIZE: Desc = Desc {
    name: names::OTEL_PROCESSOR_SPAN_QUEUE_SIZE,
    help: "Finished spans that wait to be exported.",
    unit: Unit::Of("{span}"),
    kind: Kind::Gauge,
    labels: &[],
    buckets: &[],
};

static QUEUE_CAPACITY: Desc = Desc {
    name: names::OTEL_PROCESSOR_SPAN_QUEUE_CAPACITY,
    help: "How many finished spans may wait.",
    unit: Unit::Of("{span}"),
    kind: Kind::Gauge,
    labels: &[],
    buckets: &[],
};

static SPANS: Desc = Desc {
    name: names::OTEL_EXPORTER_SPAN_EXPORTED,
    help: "Spans whose export has ended, well or not.",
    unit: Unit::Of("{span}"),
    kind: Kind::Counter,
    labels: ERROR,
    buckets: &[],
};

static POINTS: Desc = Desc {
    name: names::OTEL_EXPORTER_POINT_EXPORTED,
    help: "Data points of metrics whose export has ended, well or not.",
    unit: Unit::Of("{data_point}"),
    kind: Kind::Counter,
    labels: ERROR,
    buckets: &[],
};

/// Shows the accounts of spans and points in `registry`. At the end, all that was processed is the sum of all that was
/// exported and of what the queue did not take.
pub(super) fn register(registry: &Registry, spans: &Spans, points: &Arc<PointCounters>) {
    registry.declare(&[&PROCESSED, &QUEUE_SIZE, &QUEUE_CAPACITY, &SPANS, &POINTS]);
    let (spans, points) = (spans.clone(), Arc::clone(points));
    registry.collect(move |collected| {
        if spans.is_recording() {
            of_spans(&spans, collected);
        }
        let points = points.read();
        for (error, total) in [
            ("", points.exported),
            ("rejected", points.rejected),
            ("export_failed", points.export_failed),
            ("shutdown", points.shutdown),
        ] {
            collected.counter(&POINTS, &[error], total);
        }
    });
}

fn of_spans(spans: &Spans, collected: &mut Collected) {
    let (counts, waiting) = (spans.counts(), spans.waiting());
    let processed = counts
        .produced
        .saturating_sub(counts.queue_full + counts.late + waiting as u64);
    for (error, total) in [
        ("", processed),
        ("queue_full", counts.queue_full),
        ("already_shutdown", counts.late),
    ] {
        collected.counter(&PROCESSED, &[error], total);
    }
    #[expect(clippy::cast_precision_loss, reason = "a queue is shorter than 2^52")]
    {
        collected.gauge(&QUEUE_SIZE, &[], waiting as f64);
        collected.gauge(&QUEUE_CAPACITY, &[], spans.capacity() as f64);
    }
    for (error, total) in [
        ("", counts.exported),
        ("rejected", counts.rejected),
        ("export_failed", counts.export_failed),
        ("shutdown", counts.shutdown - counts.late),
    ] {
        collected.counter(&SPANS, &[error], total);
    }
}
