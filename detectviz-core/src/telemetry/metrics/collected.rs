//! What collectors read at the moment of a scrape.
use super::{
    Desc, Kind, MetricSnapshot, SeriesSnapshot, Value, exposed::Exposed, family::by_values,
    format::Format, text,
};

/// Takes the values that a collector reads at the moment of a scrape; see [`Registry::collect`](super::Registry::collect).
#[derive(Debug, Default)]
pub struct Collected {
    limit: usize,
    metrics: Vec<MetricSnapshot>,
    /// The metrics that had more series than the limit, as often as they had.
    folded: Vec<&'static Desc>,
}

// === impl Collected ===

impl Collected {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    /// The total of a counter, such as one that the system keeps.
    ///
    /// # Panics
    /// As [`gauge`](Self::gauge).
    pub fn counter(&mut self, desc: &'static Desc, label_values: &[&str], total: u64) {
        self.add(desc, Kind::Counter, label_values, Value::Counter(total));
    }

    /// The total of a counter that has a fraction, such as CPU seconds.
    ///
    /// # Panics
    /// As [`gauge`](Self::gauge).
    pub fn counter_f64(&mut self, desc: &'static Desc, label_values: &[&str], total: f64) {
        self.add(desc, Kind::Counter, label_values, Value::CounterF64(total));
    }

    /// The value of a gauge. Of two values for the same labels the first counts; series beyond the registry's limit are left
    /// out and counted.
    ///
    /// # Panics
    /// When `desc` is of another kind, or there are more or fewer values than labels.
    pub fn gauge(&mut self, desc: &'static Desc, label_values: &[&str], value: f64) {
        self.add(desc, Kind::Gauge, label_values, Value::Gauge(value));
    }

    /// The metrics that were collected, in the order of their first values.
    pub(super) fn descs(&self) -> impl Iterator<Item = &'static Desc> {
        self.metrics.iter().map(|metric| metric.desc)
    }

    pub(super) fn folded(&self) -> &[&'static Desc] {
        &self.folded
    }

    pub(super) fn of(&self, desc: &Desc) -> Option<&MetricSnapshot> {
        self.metrics.iter().find(|m| m.desc.name == desc.name)
    }

    /// Writes the values of one metric; nothing when there are none.
    pub(super) fn write(&self, exposed: &Exposed, format: Format, out: &mut Vec<u8>) {
        let Some(metric) = self.of(exposed.desc) else {
            return;
        };
        exposed.write_header(format, out);
        for series in &metric.series {
            let prefix = exposed.prefixes(&series.labels).value;
            text::sample(out, &prefix, |out| match series.value {
                Value::Counter(total) => text::integer(out, total),
                Value::CounterF64(value) | Value::Gauge(value) => text::float(out, value),
                // Collectors give none.
                Value::Histogram(_) => {}
            });
        }
    }

    fn add(&mut self, desc: &'static Desc, kind: Kind, label_values: &[&str], value: Value) {
        assert!(
            desc.kind == kind && desc.labels.len() == label_values.len(),
            "metric `{}` is a {} with the labels {:?}, not a {} with {label_values:?}",
            desc.name,
            desc.kind.as_str(),
            desc.labels,
            kind.as_str(),
        );
        let known = self.metrics.iter().position(|m| m.desc.name == desc.name);
        let at = known.unwrap_or_else(|| {
            let series = Vec::new();
            self.metrics.push(MetricSnapshot { desc, series });
            self.metrics.len() - 1
        });
        let series = &mut self.metrics[at].series;
        let place = series.binary_search_by(|s| by_values(&s.labels, label_values));
        let Err(place) = place else { return };
        if series.len() >= self.limit {
            self.folded.push(desc);
            return;
        }
        let values = label_values.iter().map(|v| Box::from(*v));
        let new = SeriesSnapshot {
            labels: desc.labels.iter().copied().zip(values).collect(),
            start_unix_nanos: 0,
            value,
        };
        series.insert(place, new);
    }
}
