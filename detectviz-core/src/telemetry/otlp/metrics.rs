//! The loop that exports metrics.
use super::delivery::{Delivered, Delivery};
use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest, metrics::v1::metric::Data,
};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// Exports what `source` gives at every `interval`, and once more at the end.
pub(super) struct Metrics {
    pub(super) source: Source,
    pub(super) interval: Duration,
    pub(super) points: Arc<PointCounters>,
    pub(super) delivery: Delivery,
}

/// Reads all metrics, cumulative since the start.
pub(super) type Source = Arc<dyn Fn() -> ExportMetricsServiceRequest + Send + Sync>;

/// What became of the data points of metrics. They are cumulative: what one export lost, the next one brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct PointCounts {
    /// Read from the registry to be exported.
    pub produced: u64,
    /// Accepted by the Collector.
    pub exported: u64,
    /// Dropped because the Collector refused them or could not be reached for too long.
    pub export_failed: u64,
    /// Dropped by a Collector that accepted the rest (`partial_success`).
    pub rejected: u64,
    /// Dropped because the process ended.
    pub shutdown: u64,
}

#[derive(Debug, Default)]
pub(super) struct PointCounters {
    produced: AtomicU64,
    exported: AtomicU64,
    export_failed: AtomicU64,
    rejected: AtomicU64,
    shutdown: AtomicU64,
}

/// Points that are under way. Dropped without a word, they count as lost at shutdown.
struct Points {
    open: u64,
    counters: Arc<PointCounters>,
}

// === impl Metrics ===

impl Metrics {
    /// Runs until told to stop.
    pub(super) async fn run(mut self) {
        let mut ticks = interval_at(Instant::now() + self.interval, self.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut ending = false;
        while !ending {
            tokio::select! {
                biased;
                () = self.delivery.stop.told() => ending = true,
                _ = ticks.tick() => {}
            }
            ending |= self.send().await == Delivered::Stopped;
        }
    }

    async fn send(&mut self) -> Delivered {
        let request = (self.source)();
        let points = self.points.open(points_of(&request));
        if points.open == 0 {
            return Delivered::Accepted(0);
        }
        let body = self.delivery.client.body(&request);
        drop(request);
        let delivered = self.delivery.deliver(body).await;
        match delivered {
            Delivered::Accepted(rejected) => points.exported(rejected),
            Delivered::Failed => points.failed(),
            Delivered::Stopped => drop(points),
        }
        delivered
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics")
            .field("interval", &self.interval)
            .finish_non_exhaustive()
    }
}

// === impl PointCounts ===

impl PointCounts {
    /// All that was dropped, for whatever reason.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.export_failed + self.rejected + self.shutdown
    }
}

// === impl PointCounters ===

impl PointCounters {
    pub(super) fn read(&self) -> PointCounts {
        PointCounts {
            produced: self.produced.load(Relaxed),
            exported: self.exported.load(Relaxed),
            export_failed: self.export_failed.load(Relaxed),
            rejected: self.rejected.load(Relaxed),
            shutdown: self.shutdown.load(Relaxed),
        }
    }

    fn open(self: &Arc<Self>, n: u64) -> Points {
        self.produced.fetch_add(n, Relaxed);
        Points {
            open: n,
            counters: Arc::clone(self),
        }
    }
}

// === impl Points ===

impl Points {
    fn exported(mut self, rejected: u64) {
        let rejected = rejected.min(self.open);
        self.counters
            .exported
            .fetch_add(self.open - rejected, Relaxed);
        self.counters.rejected.fetch_add(rejected, Relaxed);
        self.open = 0;
    }

    fn failed(mut self) {
        self.counters.export_failed.fetch_add(self.open, Relaxed);
        self.open = 0;
    }
}

impl Drop for Points {
    fn drop(&mut self) {
        self.counters.shutdown.fetch_add(self.open, Relaxed);
    }
}

/// How many data points a request holds.
fn points_of(request: &ExportMetricsServiceRequest) -> u64 {
    let points = |data: &Data| match data {
        Data::Gauge(gauge) => gauge.data_points.len(),
        Data::Sum(sum) => sum.data_points.len(),
        Data::Histogram(histogram) => histogram.data_points.len(),
        Data::ExponentialHistogram(histogram) => histogram.data_points.len(),
        Data::Summary(summary) => summary.data_points.len(),
    };
    let all = request
        .resource_metrics
        .iter()
        .flat_map(|resource| &resource.scope_metrics)
        .flat_map(|scope| &scope.metrics)
        .filter_map(|metric| metric.data.as_ref())
        .map(points);
    all.sum::<usize>() as u64
}
