//! The series of one metric.
use super::{
    Counter, Labels, MetricSnapshot, SeriesSnapshot,
    exposed::{Exposed, Measured, Prefixes},
    format::Format,
    sorted::Sorted,
};
use crate::clock;
use arc_swap::ArcSwap;
use std::{
    cmp::Ordering,
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

/// The series of one metric, by the values of its labels.
///
/// A series that exists is found without a lock or an allocation; making one copies a part of their list. The request path
/// still keeps what [`with`](Self::with) gives, and does not look it up again.
///
/// # Clone
/// Clones share their series.
pub struct Family<T> {
    inner: Arc<Inner<T>>,
}

struct Inner<T> {
    exposed: Arc<Exposed>,
    make: Box<dyn Fn() -> T + Send + Sync>,
    limit: usize,
    /// Counts what exceeded the limit.
    folded: Option<Family<Counter>>,
    /// Sorted by label values.
    series: ArcSwap<Sorted<Series<T>>>,
    /// Held while `series` is replaced.
    replacing: Mutex<()>,
    overflow: OnceLock<Series<T>>,
}

pub(super) struct Series<T> {
    pub(super) labels: Labels,
    pub(super) prefixes: Prefixes,
    pub(super) start_unix_nanos: u64,
    pub(super) value: Arc<T>,
}

// === impl Family ===

impl<T> Family<T> {
    pub(super) fn new(
        exposed: Arc<Exposed>,
        limit: usize,
        folded: Option<Family<Counter>>,
        make: impl Fn() -> T + Send + Sync + 'static,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                exposed,
                make: Box::new(make),
                limit,
                folded,
                series: ArcSwap::default(),
                replacing: Mutex::new(()),
                overflow: OnceLock::new(),
            }),
        }
    }

    /// The series with these label values, in the order of [`Desc::labels`](super::Desc::labels). It is made when it does
    /// not exist.
    ///
    /// Once the metric has as many series as the registry allows, a new one is not made: what it would have counted goes to
    /// one series for all such, whose only label is `otel_metric_overflow="true"`, as OpenTelemetry specifies it (Metrics
    /// SDK, cardinality limits).
    ///
    /// # Panics
    /// When there are more or fewer values than labels.
    pub fn with(&self, label_values: &[&str]) -> Arc<T> {
        let Inner { series, limit, .. } = &*self.inner;
        self.check(label_values);
        let known = series.load();
        match find(&known, label_values) {
            Ok(known) => return known.value.clone(),
            Err(_) if known.len() >= *limit => return self.fold(),
            Err(_) => drop(known),
        }
        let _replacing = self.replacing();
        let known = series.load();
        match find(&known, label_values) {
            Ok(known) => known.value.clone(),
            Err(_) if known.len() >= *limit => self.fold(),
            Err(place) => {
                let new = self.make(self.inner.exposed.labels(label_values));
                let value = new.value.clone();
                series.store(Arc::new(known.with(place, Arc::new(new))));
                value
            }
        }
    }

    /// Takes the series with these label values out, if it exists; who holds it records into the void.
    ///
    /// # Panics
    /// When there are more or fewer values than labels.
    pub fn remove(&self, label_values: &[&str]) {
        self.check(label_values);
        let _replacing = self.replacing();
        let known = self.inner.series.load();
        if let Some(fewer) = known.without(|series| by_values(&series.labels, label_values)) {
            self.inner.series.store(Arc::new(fewer));
        }
    }

    /// Whether `handle` is the series for what exceeds the limit.
    #[must_use]
    pub fn is_overflow(&self, handle: &Arc<T>) -> bool {
        let overflow = self.inner.overflow.get();
        overflow.is_some_and(|overflow| Arc::ptr_eq(&overflow.value, handle))
    }

    /// Shows `look` every series, that for what exceeds the limit last. For collectors: it takes no lock, and is no more
    /// than a walk along a list.
    pub fn visit(&self, mut look: impl FnMut(&Labels, &T)) {
        let known = self.inner.series.load_full();
        let all = known.iter().map(|series| &**series);
        for series in all.chain(self.inner.overflow.get()) {
            look(&series.labels, &series.value);
        }
    }

    /// All series but the one for what exceeds the limit. As long as none is made or removed it is the same list.
    pub(super) fn series(&self) -> Arc<Sorted<Series<T>>> {
        self.inner.series.load_full()
    }

    /// The series for what exceeds the limit.
    pub(super) fn overflow(&self) -> Option<&Series<T>> {
        self.inner.overflow.get()
    }

    pub(super) fn exposed(&self) -> &Arc<Exposed> {
        &self.inner.exposed
    }

    /// Writes all series; nothing when there is none.
    pub(super) fn write(&self, format: Format, out: &mut Vec<u8>)
    where
        T: Measured,
    {
        let known = self.inner.series.load_full();
        let all = known.iter().map(|series| &**series);
        let mut all = all.chain(self.inner.overflow.get()).peekable();
        if all.peek().is_some() {
            self.inner.exposed.write_header(format, out);
        }
        for series in all {
            series.value.write(&series.prefixes, format, out);
        }
    }

    /// The values of all series.
    pub(super) fn read(&self) -> MetricSnapshot
    where
        T: Measured,
    {
        let known = self.inner.series.load_full();
        let all = known.iter().map(|series| &**series);
        let read = |series: &Series<T>| SeriesSnapshot {
            labels: series.labels.clone(),
            start_unix_nanos: series.start_unix_nanos,
            value: series.value.read(),
        };
        MetricSnapshot {
            desc: self.inner.exposed.desc,
            series: all.chain(self.inner.overflow.get()).map(read).collect(),
        }
    }

    fn check(&self, label_values: &[&str]) {
        let desc = self.inner.exposed.desc;
        assert!(
            desc.labels.len() == label_values.len(),
            "metric `{}` has the labels {:?}: give each one a value, not {label_values:?}",
            desc.name,
            desc.labels
        );
    }

    fn replacing(&self) -> impl Sized + '_ {
        let lock = self.inner.replacing.lock();
        lock.unwrap_or_else(PoisonError::into_inner)
    }

    fn make(&self, labels: Labels) -> Series<T> {
        Series {
            prefixes: self.inner.exposed.prefixes(&labels),
            labels,
            start_unix_nanos: clock::unix_nanos(),
            value: Arc::new((self.inner.make)()),
        }
    }

    fn fold(&self) -> Arc<T> {
        if let Some(folded) = &self.inner.folded {
            folded.with(&[&self.inner.exposed.name]).inc();
        }
        let make = || self.make(Exposed::overflow_labels());
        self.inner.overflow.get_or_init(make).value.clone()
    }
}

impl<T> Clone for Family<T> {
    fn clone(&self) -> Self {
        let inner = self.inner.clone();
        Self { inner }
    }
}

impl<T> fmt::Debug for Family<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Family")
            .field("name", &self.inner.exposed.name)
            .field("series", &self.inner.series.load().len())
            .finish_non_exhaustive()
    }
}

/// The series with these label values, or where it would be.
fn find<'a, T>(
    series: &'a Sorted<Series<T>>,
    values: &[&str],
) -> Result<&'a Arc<Series<T>>, (usize, usize)> {
    series.find(|series| by_values(&series.labels, values))
}

/// How the values of `labels` stand to `values`.
pub(super) fn by_values(labels: &Labels, values: &[&str]) -> Ordering {
    let known = labels.iter().map(|(_, value)| &**value);
    known.cmp(values.iter().copied())
}
