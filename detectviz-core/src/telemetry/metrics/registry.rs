//! All metrics of one runtime.
use super::{
    Collected, Counter, Desc, Family, Gauge, Histogram, Kind, Labels, MetricSnapshot, Snapshot,
    Unit, bounds::Bounds, cells::Shards, classified::Classified, counted::Counted,
    exposed::Exposed, format::Format,
};
use crate::{clock, names};
use std::{
    any::Any,
    fmt,
    sync::{Arc, PoisonError, RwLock, Weak},
};

/// OpenTelemetry's default (Metrics SDK, cardinality limits).
const SERIES_PER_METRIC: usize = 2000;

static OVERFLOW: Desc = Desc {
    name: names::METRICS_OVERFLOW,
    help: "Lookups of series beyond the limit of a metric, which went to its overflow series.",
    unit: Unit::None,
    kind: Kind::Counter,
    labels: &["metric"],
    buckets: &[],
};

/// All metrics of one runtime: where handles come from, and what a scrape or an export reads.
///
/// # Clone
/// Clones are the same registry.
#[derive(Clone)]
pub struct Registry {
    inner: Arc<Inner>,
}

struct Inner {
    limit: usize,
    shards: Shards,
    start_unix_nanos: u64,
    overflow: Family<Counter>,
    /// In the order of registration.
    metrics: RwLock<Vec<Metric>>,
    collectors: RwLock<Vec<Collector>>,
}

#[derive(Clone)]
struct Collector {
    /// When this is gone, there is nothing left to collect.
    source: Option<Weak<dyn Any + Send + Sync>>,
    run: Arc<dyn Fn(&mut Collected) + Send + Sync>,
}

#[derive(Clone, Debug)]
enum Metric {
    Counter(Family<Counter>),
    Gauge(Family<Gauge>),
    Histogram(Family<Histogram>),
    /// Its values are those of a histogram.
    Counted(Arc<Counted>),
    /// Its values are those of a histogram, and of handles for what that has no series for.
    Classified(Arc<Classified>),
    /// Its values come from collectors.
    Collected(Arc<Exposed>),
}

// === impl Registry ===

impl Registry {
    /// An empty registry with at most 2000 series per metric.
    #[must_use]
    pub fn new() -> Self {
        Self::with_limit(SERIES_PER_METRIC)
    }

    /// An empty registry with at most `series_per_metric` series per metric, and one more for what exceeds them.
    #[must_use]
    pub fn with_limit(series_per_metric: usize) -> Self {
        let shards = Shards::of_machine();
        let exposed = Arc::new(Exposed::new(&OVERFLOW));
        let overflow = Family::new(exposed, usize::MAX, None, move || Counter::new(shards));
        Self {
            inner: Arc::new(Inner {
                limit: series_per_metric,
                shards,
                start_unix_nanos: clock::unix_nanos(),
                metrics: RwLock::new(vec![Metric::Counter(overflow.clone())]),
                overflow,
                collectors: RwLock::default(),
            }),
        }
    }

    /// The counter that `desc` describes. The same description gives the same family again.
    ///
    /// # Panics
    /// When `desc` is of another kind or malformed, or its name is taken by another description.
    pub fn counter(&self, desc: &'static Desc) -> Family<Counter> {
        let shards = self.inner.shards;
        let make = |exposed| Metric::Counter(self.family(exposed, move || Counter::new(shards)));
        match self.register(desc, Kind::Counter, make) {
            Metric::Counter(family) => family,
            _ => collected_already(desc),
        }
    }

    /// The gauge that `desc` describes. The same description gives the same family again.
    ///
    /// # Panics
    /// As [`counter`](Self::counter).
    pub fn gauge(&self, desc: &'static Desc) -> Family<Gauge> {
        let shards = self.inner.shards;
        let make = |exposed| Metric::Gauge(self.family(exposed, move || Gauge::new(shards)));
        match self.register(desc, Kind::Gauge, make) {
            Metric::Gauge(family) => family,
            _ => collected_already(desc),
        }
    }

    /// The histogram that `desc` describes. The same description gives the same family again.
    ///
    /// # Panics
    /// As [`counter`](Self::counter).
    pub fn histogram(&self, desc: &'static Desc) -> Family<Histogram> {
        let shards = self.inner.shards;
        let make = |exposed: Arc<Exposed>| {
            let bounds = exposed.bounds.clone();
            let bounds = bounds.unwrap_or_else(|| Arc::new(Bounds::new(desc)));
            let make = move || Histogram::new(shards, bounds.clone());
            Metric::Histogram(self.family(exposed, make))
        };
        match self.register(desc, Kind::Histogram, make) {
            Metric::Histogram(family) => family,
            _ => collected_already(desc),
        }
    }

    /// A counter of what `histogram` counts already, so that nobody records it twice: each time it is asked for, a series is
    /// the sum of those of the histogram that have its label values. `labels` names, for each label of `desc`, the one of the
    /// histogram that it is. What exceeds the histogram's limit is in a series of its own here too.
    ///
    /// A series that is [removed](Family::remove) from the histogram is gone from the sum.
    ///
    /// # Panics
    /// As [`counter`](Self::counter), when a name among `labels` is none of the histogram's, and when there are more or fewer
    /// than `desc` has labels.
    pub fn counter_of(
        &self,
        desc: &'static Desc,
        histogram: &Family<Histogram>,
        labels: &[&'static str],
    ) {
        let make = |exposed| Metric::Counted(Arc::new(Counted::new(exposed, histogram, labels)));
        let metric = self.register(desc, Kind::Counter, make);
        assert!(
            matches!(metric, Metric::Counted(_)),
            "metric `{}` is recorded with handles: do not count it from `{}` as well",
            desc.name,
            histogram.exposed().desc.name
        );
    }

    /// A counter of what `histogram` counts already, by what `class` says of the labels of a series: the value of the only
    /// label of `desc`. It must be one of few, and depend on nothing but the labels.
    ///
    /// It stays exact where the histogram has met its limit: who records into a histogram that
    /// [is the overflow](Family::is_overflow) counts in the returned family too, under the class that the value has.
    ///
    /// # Panics
    /// As [`counter`](Self::counter), and when `desc` has not one label.
    pub fn counter_by(
        &self,
        desc: &'static Desc,
        histogram: &Family<Histogram>,
        class: fn(&Labels) -> &'static str,
    ) -> Family<Counter> {
        assert!(
            desc.labels.len() == 1,
            "metric `{}` has the labels {:?}: give it one, for the class",
            desc.name,
            desc.labels
        );
        let shards = self.inner.shards;
        let make = |exposed| {
            // The classes are few by contract.
            let beyond = Family::new(exposed, usize::MAX, None, move || Counter::new(shards));
            Metric::Classified(Arc::new(Classified::new(beyond, histogram, class)))
        };
        match self.register(desc, Kind::Counter, make) {
            Metric::Classified(classified) => classified.beyond().clone(),
            _ => collected_already(desc),
        }
    }

    /// Adds a collector: it is called at each scrape, export and [`snapshot`](Self::snapshot), on the thread that asks, and
    /// gives values that nobody records, such as those of the process. It may also set gauges that it holds.
    ///
    /// Its metrics are [declared](Self::declare) beforehand, or are so when they are first seen; a fault in a description is
    /// then met by whoever asks.
    pub fn collect(&self, collector: impl Fn(&mut Collected) + Send + Sync + 'static) {
        self.add(Collector {
            source: None,
            run: Arc::new(collector),
        });
    }

    /// Adds a collector as [`collect`](Self::collect) does, that reads `source` for as long as somebody else holds it, and is
    /// forgotten afterwards.
    pub fn collect_from<T: Send + Sync + 'static>(
        &self,
        source: &Arc<T>,
        read: impl Fn(&T, &mut Collected) + Send + Sync + 'static,
    ) {
        let weak = Arc::downgrade(source);
        self.add(Collector {
            source: Some(weak.clone()),
            run: Arc::new(move |collected| {
                if let Some(source) = weak.upgrade() {
                    read(&source, collected);
                }
            }),
        });
    }

    #[cfg(test)]
    pub(super) fn collectors(&self) -> usize {
        let collectors = self.inner.collectors.read();
        collectors.unwrap_or_else(PoisonError::into_inner).len()
    }

    fn add(&self, collector: Collector) {
        let collectors = self.inner.collectors.write();
        let mut collectors = collectors.unwrap_or_else(PoisonError::into_inner);
        // Only when the list would grow, so that adding stays cheap.
        if collectors.len() == collectors.capacity() {
            collectors.retain(Collector::is_alive);
        }
        collectors.push(collector);
    }

    /// Gives metrics that only collectors fill their place in a scrape and in [`describe`](Self::describe), whether or not
    /// there is anything to collect on this machine.
    ///
    /// # Panics
    /// When a description is malformed or of a histogram, or its name is taken by another metric.
    pub fn declare(&self, descs: &[&'static Desc]) {
        for desc in descs {
            assert!(
                desc.kind != Kind::Histogram,
                "collectors give counters and gauges: `{}` is a histogram",
                desc.name
            );
            let metric = self.register(desc, desc.kind, Metric::Collected);
            assert!(
                matches!(metric, Metric::Collected(_)),
                "metric `{}` is recorded with handles: give the collector another name",
                desc.name
            );
        }
    }

    /// The values of all metrics now, as plain data.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let collected = self.run_collectors();
        let metrics = self.metrics();
        let read = metrics.iter().filter_map(|metric| metric.read(&collected));
        Snapshot {
            start_unix_nanos: self.inner.start_unix_nanos,
            unix_nanos: clock::unix_nanos(),
            metrics: read.filter(|metric| !metric.series.is_empty()).collect(),
        }
    }

    /// Appends the values of all metrics to `out`, as text. Metrics stand in the order of their registration, series in that
    /// of their label values.
    pub fn encode(&self, format: Format, out: &mut Vec<u8>) {
        let collected = self.run_collectors();
        for metric in self.metrics() {
            metric.write(&collected, format, out);
        }
        if format == Format::OpenMetrics100 {
            out.extend_from_slice(b"# EOF\n");
        }
    }

    /// The descriptions of all metrics, in the order of their registration.
    #[must_use]
    pub fn describe(&self) -> Vec<&'static Desc> {
        self.metrics().iter().map(|m| m.exposed().desc).collect()
    }

    fn family<T>(
        &self,
        exposed: Arc<Exposed>,
        make: impl Fn() -> T + Send + Sync + 'static,
    ) -> Family<T> {
        let folded = Some(self.inner.overflow.clone());
        Family::new(exposed, self.inner.limit, folded, make)
    }

    fn metrics(&self) -> Vec<Metric> {
        let metrics = self.inner.metrics.read();
        metrics.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The metric of `desc`, which `make` makes when it is not known.
    fn register(
        &self,
        desc: &'static Desc,
        kind: Kind,
        make: impl FnOnce(Arc<Exposed>) -> Metric,
    ) -> Metric {
        if let Some(known) = self.known(desc) {
            return known;
        }
        assert!(
            desc.kind == kind,
            "metric `{}` is described as a {}: do not register it as a {}",
            desc.name,
            desc.kind.as_str(),
            kind.as_str()
        );
        if let Some(fault) = desc.fault() {
            panic!("metric `{}` is described wrongly: {fault}", desc.name);
        }
        let new = make(Arc::new(Exposed::new(desc)));
        let metrics = self.inner.metrics.write();
        let mut metrics = metrics.unwrap_or_else(PoisonError::into_inner);
        let names = desc.reserved_names();
        for metric in metrics.iter() {
            let other = metric.exposed().desc;
            if other == desc {
                return metric.clone();
            }
            let taken = other.reserved_names();
            assert!(
                !names.iter().any(|name| taken.contains(name)),
                "the name of metric `{}` is taken by `{}`: give one of them another name",
                desc.name,
                other.name
            );
        }
        metrics.push(new.clone());
        new
    }

    fn known(&self, desc: &Desc) -> Option<Metric> {
        let metrics = self.inner.metrics.read();
        let metrics = metrics.unwrap_or_else(PoisonError::into_inner);
        let mut metrics = metrics.iter();
        metrics.find(|m| m.exposed().desc == desc).cloned()
    }

    fn run_collectors(&self) -> Collected {
        let collectors = self.inner.collectors.read();
        let collectors = collectors.unwrap_or_else(PoisonError::into_inner).clone();
        let mut collected = Collected::new(self.inner.limit);
        for collector in collectors {
            (collector.run)(&mut collected);
        }
        for desc in collected.descs() {
            self.declare(&[desc]);
        }
        for desc in collected.folded() {
            let name = desc.exposition_name();
            self.inner.overflow.with(&[&name]).inc();
        }
        collected
    }
}

// === impl Collector ===

impl Collector {
    fn is_alive(&self) -> bool {
        let source = self.source.as_ref();
        source.is_none_or(|source| source.strong_count() > 0)
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("limit", &self.inner.limit)
            .field("metrics", &self.metrics().len())
            .finish_non_exhaustive()
    }
}

// === impl Metric ===

impl Metric {
    fn exposed(&self) -> &Exposed {
        match self {
            Self::Counter(family) => family.exposed(),
            Self::Gauge(family) => family.exposed(),
            Self::Histogram(family) => family.exposed(),
            Self::Counted(counted) => counted.exposed(),
            Self::Classified(classified) => classified.exposed(),
            Self::Collected(exposed) => exposed,
        }
    }

    fn write(&self, collected: &Collected, format: Format, out: &mut Vec<u8>) {
        match self {
            Self::Counter(family) => family.write(format, out),
            Self::Gauge(family) => family.write(format, out),
            Self::Histogram(family) => family.write(format, out),
            Self::Counted(counted) => counted.write(format, out),
            Self::Classified(classified) => classified.write(format, out),
            Self::Collected(exposed) => collected.write(exposed, format, out),
        }
    }

    fn read(&self, collected: &Collected) -> Option<MetricSnapshot> {
        match self {
            Self::Counter(family) => Some(family.read()),
            Self::Gauge(family) => Some(family.read()),
            Self::Histogram(family) => Some(family.read()),
            Self::Counted(counted) => Some(counted.read()),
            Self::Classified(classified) => Some(classified.read()),
            Self::Collected(exposed) => collected.of(exposed.desc).cloned(),
        }
    }
}

fn collected_already(desc: &Desc) -> ! {
    panic!(
        "metric `{}` comes from a collector or a histogram: give the handles another name",
        desc.name
    )
}
