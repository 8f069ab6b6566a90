//! A counter by what a histogram's series say of the values in them.
use super::{
    Counter, Family, Histogram, Labels, MetricSnapshot, SeriesSnapshot, Value, exposed::Exposed,
    format::Format, text,
};
use std::{collections::BTreeMap, fmt, sync::Arc};

/// Counts the values of a histogram by a class of its series, when it is asked.
pub(super) struct Classified {
    histogram: Family<Histogram>,
    class: fn(&Labels) -> &'static str,
    /// What the histogram had no series for, and with it every class that is shown.
    beyond: Family<Counter>,
}

// === impl Classified ===

impl Classified {
    pub(super) fn new(
        beyond: Family<Counter>,
        histogram: &Family<Histogram>,
        class: fn(&Labels) -> &'static str,
    ) -> Self {
        let histogram = histogram.clone();
        Self {
            histogram,
            class,
            beyond,
        }
    }

    pub(super) fn exposed(&self) -> &Arc<Exposed> {
        self.beyond.exposed()
    }

    pub(super) fn beyond(&self) -> &Family<Counter> {
        &self.beyond
    }

    /// Writes all series; nothing when there is none.
    pub(super) fn write(&self, format: Format, out: &mut Vec<u8>) {
        let counts = self.counts();
        let series = self.beyond.series();
        if series.len() > 0 {
            self.exposed().write_header(format, out);
        }
        for one in series.iter() {
            let total = total(&counts, &one.labels, &one.value);
            text::sample(out, &one.prefixes.value, |out| text::integer(out, total));
        }
    }

    /// The values of all series.
    pub(super) fn read(&self) -> MetricSnapshot {
        let counts = self.counts();
        let series = self.beyond.series();
        let read = series.iter().map(|one| SeriesSnapshot {
            labels: one.labels.clone(),
            start_unix_nanos: one.start_unix_nanos,
            value: Value::Counter(total(&counts, &one.labels, &one.value)),
        });
        MetricSnapshot {
            desc: self.exposed().desc,
            series: read.collect(),
        }
    }

    /// What the histogram has, by class. Each has a series afterwards.
    fn counts(&self) -> BTreeMap<&'static str, u64> {
        let mut counts = BTreeMap::<_, u64>::new();
        for series in self.histogram.series().iter() {
            let count = counts.entry((self.class)(&series.labels)).or_default();
            *count = count.wrapping_add(series.value.count());
        }
        for class in counts.keys() {
            self.beyond.with(&[class]);
        }
        counts
    }
}

impl fmt::Debug for Classified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Classified")
            .field("name", &self.exposed().name)
            .field("histogram", &self.histogram)
            .finish_non_exhaustive()
    }
}

fn total(counts: &BTreeMap<&'static str, u64>, labels: &Labels, beyond: &Counter) -> u64 {
    let class = labels.first().map_or("", |(_, value)| value);
    let counted = counts.get(class).copied().unwrap_or(0);
    counted.wrapping_add(beyond.value())
}
