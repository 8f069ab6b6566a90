//! Metrics as OTLP writes them.
use super::{
    Resource,
    encode_spans::{key_value, resource_of, scope},
};
use crate::telemetry::{
    metrics::{
        Exemplar, HistogramSnapshot, Kind, MetricSnapshot, OVERFLOW_LABEL, SeriesSnapshot,
        Snapshot, Value,
    },
    span::ValueRef,
};
use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    common::v1::KeyValue,
    metrics::v1::{
        AggregationTemporality, Exemplar as ProtoExemplar, Gauge, Histogram, HistogramDataPoint,
        Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, exemplar, metric::Data,
        number_data_point,
    },
};

/// Attributes that the semantic conventions define as numbers.
const NUMBERS: [&str; 2] = ["http.response.status_code", "server.port"];

/// One request with all of `snapshot`, cumulative.
pub(super) fn request(resource: &Resource, snapshot: &Snapshot) -> ExportMetricsServiceRequest {
    let now = snapshot.unix_nanos;
    let metrics = snapshot.metrics.iter().map(|metric| metric_of(metric, now));
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(resource_of(resource)),
            scope_metrics: vec![ScopeMetrics {
                scope: Some(scope()),
                metrics: metrics.collect(),
                schema_url: String::new(),
            }],
            schema_url: String::new(),
        }],
    }
}

fn metric_of(metric: &MetricSnapshot, now: u64) -> Metric {
    let series = metric.series.iter();
    let cumulative = AggregationTemporality::Cumulative.into();
    let data = match metric.desc.kind {
        Kind::Counter => Data::Sum(Sum {
            data_points: series.filter_map(|series| number(series, now)).collect(),
            aggregation_temporality: cumulative,
            is_monotonic: true,
        }),
        Kind::Gauge => Data::Gauge(Gauge {
            data_points: series.filter_map(|series| number(series, now)).collect(),
        }),
        Kind::Histogram => Data::Histogram(Histogram {
            data_points: series.filter_map(|series| sizes(series, now)).collect(),
            aggregation_temporality: cumulative,
        }),
    };
    Metric {
        name: metric.desc.name.to_owned(),
        description: metric.desc.help.to_owned(),
        unit: metric.desc.unit.ucum().to_owned(),
        metadata: Vec::new(),
        data: Some(data),
    }
}

fn number(series: &SeriesSnapshot, now: u64) -> Option<NumberDataPoint> {
    let value = match series.value {
        Value::Counter(total) => {
            number_data_point::Value::AsInt(i64::try_from(total).unwrap_or(i64::MAX))
        }
        Value::CounterF64(value) | Value::Gauge(value) => number_data_point::Value::AsDouble(value),
        Value::Histogram(_) => return None,
    };
    Some(NumberDataPoint {
        attributes: attributes(series),
        start_time_unix_nano: series.start_unix_nanos,
        time_unix_nano: now,
        value: Some(value),
        ..NumberDataPoint::default()
    })
}

fn sizes(series: &SeriesSnapshot, now: u64) -> Option<HistogramDataPoint> {
    let Value::Histogram(histogram) = &series.value else {
        return None;
    };
    let HistogramSnapshot {
        bounds,
        counts,
        sum,
        count,
        exemplars,
        ..
    } = histogram;
    Some(HistogramDataPoint {
        attributes: attributes(series),
        start_time_unix_nano: series.start_unix_nanos,
        time_unix_nano: now,
        count: *count,
        sum: Some(*sum),
        bucket_counts: counts.clone(),
        explicit_bounds: bounds.to_vec(),
        exemplars: exemplars.iter().map(exemplar_of).collect(),
        ..HistogramDataPoint::default()
    })
}

fn exemplar_of(exemplar: &Exemplar) -> ProtoExemplar {
    ProtoExemplar {
        time_unix_nano: exemplar.unix_nanos,
        span_id: exemplar.span_id.to_bytes().to_vec(),
        trace_id: exemplar.trace_id.to_bytes().to_vec(),
        value: Some(exemplar::Value::AsDouble(exemplar.value)),
        ..ProtoExemplar::default()
    }
}

/// An empty value says that there is no such attribute, as it does in a scrape.
fn attributes(series: &SeriesSnapshot) -> Vec<KeyValue> {
    let given = series.labels.iter().filter(|(_, value)| !value.is_empty());
    given
        .map(|(key, value)| {
            let number = NUMBERS.contains(key).then(|| value.parse().ok()).flatten();
            let value = match number {
                Some(number) => ValueRef::I64(number),
                None if *key == OVERFLOW_LABEL => ValueRef::Bool(&**value == "true"),
                None => ValueRef::Text(value),
            };
            key_value(key, value)
        })
        .collect()
}
