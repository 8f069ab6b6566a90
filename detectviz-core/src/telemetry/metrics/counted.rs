//! A counter whose numbers a histogram has already.
use super::{
    Family, Histogram, Labels, MetricSnapshot, SeriesSnapshot, Value,
    exposed::{Exposed, Prefixes},
    family::Series,
    format::Format,
    sorted::Sorted,
    text,
};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

/// Counts the values of a histogram by some of its labels, when it is asked.
pub(super) struct Counted {
    exposed: Arc<Exposed>,
    histogram: Family<Histogram>,
    /// For each label of the counter, which one of the histogram's it is.
    labels: Box<[usize]>,
    /// Made anew when the histogram has other series. Only who scrapes or exports takes this lock.
    groups: Mutex<Groups>,
}

#[derive(Default)]
struct Groups {
    of: Option<Arc<Sorted<Series<Histogram>>>>,
    groups: Vec<Group>,
    overflow: Option<Group>,
}

/// The series of the histogram that make one of the counter.
struct Group {
    labels: Labels,
    prefixes: Prefixes,
    start_unix_nanos: u64,
    members: Vec<Arc<Histogram>>,
}

// === impl Counted ===

impl Counted {
    /// # Panics
    /// When the histogram has none of that name among `labels`, or there are more or fewer than the counter has.
    pub(super) fn new(
        exposed: Arc<Exposed>,
        histogram: &Family<Histogram>,
        labels: &[&str],
    ) -> Self {
        let described = histogram.exposed().desc;
        let place = |label: &&str| described.labels.iter().position(|known| known == label);
        let places: Option<Box<[usize]>> = labels.iter().map(place).collect();
        let places = places.filter(|places| places.len() == exposed.desc.labels.len());
        let Some(labels) = places else {
            panic!(
                "metric `{}` has the labels {:?}: name one of {:?} of `{}` for each, not {labels:?}",
                exposed.desc.name, exposed.desc.labels, described.labels, described.name
            );
        };
        Self {
            exposed,
            histogram: histogram.clone(),
            labels,
            groups: Mutex::default(),
        }
    }

    pub(super) fn exposed(&self) -> &Arc<Exposed> {
        &self.exposed
    }

    /// Writes all series; nothing when there is none.
    pub(super) fn write(&self, format: Format, out: &mut Vec<u8>) {
        self.with_groups(|groups| {
            let mut groups = groups.peekable();
            if groups.peek().is_some() {
                self.exposed.write_header(format, out);
            }
            for group in groups {
                text::sample(out, &group.prefixes.value, |out| {
                    text::integer(out, group.count());
                });
            }
        });
    }

    /// The values of all series.
    pub(super) fn read(&self) -> MetricSnapshot {
        let read = |group: &Group| SeriesSnapshot {
            labels: group.labels.clone(),
            start_unix_nanos: group.start_unix_nanos,
            value: Value::Counter(group.count()),
        };
        self.with_groups(|groups| MetricSnapshot {
            desc: self.exposed.desc,
            series: groups.map(read).collect(),
        })
    }

    fn with_groups<R>(&self, work: impl FnOnce(&mut dyn Iterator<Item = &Group>) -> R) -> R {
        let groups = self.groups.lock();
        let mut groups = groups.unwrap_or_else(PoisonError::into_inner);
        let series = self.histogram.series();
        if !groups
            .of
            .as_ref()
            .is_some_and(|of| Arc::ptr_eq(of, &series))
        {
            groups.groups = self.group(&series);
            groups.of = Some(series);
        }
        if groups.overflow.is_none() {
            let overflow = self.histogram.overflow();
            groups.overflow = overflow.map(|series| {
                let mut group = self.empty(series.labels.clone(), series.start_unix_nanos);
                group.members.push(series.value.clone());
                group
            });
        }
        work(&mut groups.groups.iter().chain(&groups.overflow))
    }

    fn group(&self, series: &Sorted<Series<Histogram>>) -> Vec<Group> {
        let mut groups = BTreeMap::<Vec<&str>, Group>::new();
        for one in series.iter() {
            let values: Vec<&str> = self.labels.iter().map(|at| &*one.labels[*at].1).collect();
            let labels = self.exposed.labels(&values);
            let group = groups.entry(values);
            let group = group.or_insert_with(|| self.empty(labels, one.start_unix_nanos));
            group.start_unix_nanos = group.start_unix_nanos.min(one.start_unix_nanos);
            group.members.push(one.value.clone());
        }
        groups.into_values().collect()
    }

    fn empty(&self, labels: Labels, start_unix_nanos: u64) -> Group {
        Group {
            prefixes: self.exposed.prefixes(&labels),
            labels,
            start_unix_nanos,
            members: Vec::new(),
        }
    }
}

impl fmt::Debug for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counted")
            .field("name", &self.exposed.name)
            .field("histogram", &self.histogram)
            .finish_non_exhaustive()
    }
}

// === impl Group ===

impl Group {
    fn count(&self) -> u64 {
        let counts = self.members.iter().map(|histogram| histogram.count());
        counts.fold(0, u64::wrapping_add)
    }
}
