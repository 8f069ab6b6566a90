//! The values of all metrics at one moment, as plain data.
use super::Desc;
use crate::telemetry::context::{SpanId, TraceId};
use std::sync::Arc;

/// The one label of the series that takes what exceeds the limit. In a scrape it is `otel_metric_overflow="true"`; in OTLP
/// it is the boolean `true`.
pub const OVERFLOW_LABEL: &str = "otel.metric.overflow";

/// The values of all metrics of a registry at one moment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// When the registry was made, in nanoseconds since 1970.
    pub start_unix_nanos: u64,
    /// When the values were read, in nanoseconds since 1970.
    pub unix_nanos: u64,
    /// The metrics that have a series, in the order of their registration.
    pub metrics: Vec<MetricSnapshot>,
}

/// The values of one metric.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MetricSnapshot {
    /// Which metric.
    pub desc: &'static Desc,
    /// Its series, sorted by label values; the [overflow](OVERFLOW_LABEL) last. At least one.
    pub series: Vec<SeriesSnapshot>,
}

/// One series of a metric.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SeriesSnapshot {
    /// Names and values of the labels, the names as in [`Desc::labels`] and in that order.
    pub labels: Labels,
    /// When counting began, in nanoseconds since 1970; 0 when that is not known, as for totals that the system keeps.
    pub start_unix_nanos: u64,
    /// Its value.
    pub value: Value,
}

/// Names and values of labels.
pub type Labels = Arc<[(&'static str, Box<str>)]>;

/// The value of one series.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// A total of whole things.
    Counter(u64),
    /// A total with a fraction, such as CPU seconds; only collectors give it.
    CounterF64(f64),
    /// What it is now.
    Gauge(f64),
    /// Values counted by size.
    Histogram(HistogramSnapshot),
}

/// The value of a histogram.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct HistogramSnapshot {
    /// The upper bounds of the buckets, in the metric's unit, without `+Inf`.
    pub bounds: &'static [f64],
    /// How many values fell into each bucket, not cumulative; one more than `bounds`.
    pub counts: Vec<u64>,
    /// The sum of the values, in the metric's unit.
    pub sum: f64,
    /// How many values there were: the sum of `counts`.
    pub count: u64,
    /// The latest traced value of each bucket that has one, in the buckets' order.
    pub exemplars: Vec<Exemplar>,
}

/// A value together with the trace that it was seen in.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Exemplar {
    /// The index of its bucket in [`HistogramSnapshot::counts`].
    pub bucket: usize,
    /// The value, in the metric's unit.
    pub value: f64,
    /// The trace.
    pub trace_id: TraceId,
    /// The span of it.
    pub span_id: SpanId,
    /// When it was recorded, in nanoseconds since 1970.
    pub unix_nanos: u64,
}

// === impl Snapshot ===

impl Snapshot {
    /// The value of the series of metric `name` (as in [`Desc::name`]) whose label values are `labels`, if there is one.
    #[must_use]
    pub fn value(&self, name: &str, labels: &[&str]) -> Option<&Value> {
        let metric = self.metrics.iter().find(|m| m.desc.name == name)?;
        let same = |series: &&SeriesSnapshot| {
            let values = series.labels.iter().map(|(_, value)| &**value);
            values.eq(labels.iter().copied())
        };
        metric.series.iter().find(same).map(|series| &series.value)
    }
}
