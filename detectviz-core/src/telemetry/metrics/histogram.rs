//! Values counted by size.
use super::{
    Exemplar, HistogramSnapshot, Value,
    bounds::Bounds,
    cells::{Cells, Shards},
    exemplar::ExemplarCell,
    exposed::{Measured, Prefixes},
    format::Format,
    text,
};
use crate::{clock, telemetry::context::TraceContext};
use std::{sync::Arc, time::Duration};

/// Values counted by size. Recording finds the bucket and makes two additions to numbers that no other busy thread writes.
///
/// The sum is kept as an integer, in nanoseconds for a histogram of seconds. It wraps around when a thread has recorded 584
/// years.
#[derive(Debug)]
pub struct Histogram {
    bounds: Arc<Bounds>,
    /// The sum, then the count of each bucket.
    cells: Cells,
    exemplars: Box<[ExemplarCell]>,
}

const SUM: usize = 0;
const FIRST_BUCKET: usize = 1;

impl Histogram {
    pub(super) fn new(shards: Shards, bounds: Arc<Bounds>) -> Self {
        let mut exemplars = Vec::new();
        exemplars.resize_with(bounds.buckets(), ExemplarCell::default);
        Self {
            cells: Cells::new(shards, FIRST_BUCKET + bounds.buckets()),
            bounds,
            exemplars: exemplars.into_boxed_slice(),
        }
    }

    /// Records a duration, in a histogram of [seconds](super::Unit::Seconds).
    #[inline]
    pub fn observe(&self, value: Duration) {
        self.count_in(nanos(value));
    }

    /// Records a duration and, when `trace` is sampled, keeps it as the exemplar of its bucket. The time of an exemplar is
    /// read from the clock; who has read it already calls [`observe_traced_at`](Self::observe_traced_at).
    #[inline]
    pub fn observe_traced(&self, value: Duration, trace: &TraceContext) {
        let bucket = self.count_in(nanos(value));
        if trace.is_sampled() {
            self.exemplars[bucket].store(nanos(value), trace, clock::unix_nanos());
        }
    }

    /// Records a duration that ended at `unix_nanos`, in nanoseconds since 1970, and, when `trace` is sampled, keeps it as
    /// the exemplar of its bucket.
    #[inline]
    pub fn observe_traced_at(&self, value: Duration, trace: &TraceContext, unix_nanos: u64) {
        let bucket = self.count_in(nanos(value));
        if trace.is_sampled() {
            self.exemplars[bucket].store(nanos(value), trace, unix_nanos);
        }
    }

    /// Records a whole number in the metric's unit, such as bytes; in a histogram of seconds, nanoseconds.
    #[inline]
    pub fn record(&self, value: u64) {
        self.count_in(value);
    }

    /// How many values were recorded.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.with_sums(|_, counts| counts.iter().fold(0, |sum, count| count.wrapping_add(sum)))
    }

    #[inline]
    fn count_in(&self, value: u64) -> usize {
        let bucket = self.bounds.bucket(value);
        let mine = self.cells.mine();
        mine.add(SUM, value);
        mine.add(FIRST_BUCKET + bucket, 1);
        bucket
    }

    /// Gives `work` the sum and the count of each bucket.
    fn with_sums<R>(&self, work: impl FnOnce(u64, &[u64]) -> R) -> R {
        let mut sums = [0; FIRST_BUCKET + Bounds::MOST_BUCKETS];
        let sums = &mut sums[..FIRST_BUCKET + self.bounds.buckets()];
        self.cells.sums(sums);
        work(sums[SUM], &sums[FIRST_BUCKET..])
    }
}

impl Measured for Histogram {
    fn write(&self, prefixes: &Prefixes, format: Format, out: &mut Vec<u8>) {
        self.with_sums(|sum, counts| {
            let mut total = 0_u64;
            let cells = self.bounds.le.iter().zip(&self.exemplars);
            for (count, (le, exemplar)) in counts.iter().zip(cells) {
                total = total.wrapping_add(*count);
                out.extend_from_slice(&prefixes.value);
                out.extend_from_slice(le);
                text::integer(out, total);
                if format == Format::OpenMetrics100
                    && let Some(found) = exemplar.load()
                {
                    text::exemplar(out, &found, |out| self.bounds.write(out, found.value));
                }
                out.push(b'\n');
            }
            text::sample(out, &prefixes.sum, |out| self.bounds.write(out, sum));
            text::sample(out, &prefixes.count, |out| text::integer(out, total));
        });
    }

    fn read(&self) -> Value {
        let found = |(bucket, cell): (usize, &ExemplarCell)| {
            let found = cell.load()?;
            Some(Exemplar {
                bucket,
                value: self.bounds.in_unit(found.value),
                trace_id: found.trace_id,
                span_id: found.span_id,
                unix_nanos: found.unix_nanos,
            })
        };
        self.with_sums(|sum, counts| {
            Value::Histogram(HistogramSnapshot {
                bounds: self.bounds.described,
                count: counts.iter().sum(),
                counts: counts.to_vec(),
                sum: self.bounds.in_unit(sum),
                exemplars: self
                    .exemplars
                    .iter()
                    .enumerate()
                    .filter_map(found)
                    .collect(),
            })
        })
    }
}

/// At most 584 years.
#[inline]
fn nanos(value: Duration) -> u64 {
    let seconds = value.as_secs().saturating_mul(1_000_000_000);
    seconds.saturating_add(u64::from(value.subsec_nanos()))
}
