//! Metrics: handles that are registered once and recorded without a lock.
mod desc;
mod snapshot;

pub use self::{
    desc::{DURATION_BUCKETS, Desc, Kind, Unit},
    snapshot::{
        Exemplar, HistogramSnapshot, Labels, MetricSnapshot, OVERFLOW_LABEL, SeriesSnapshot,
        Snapshot, Value,
    },
};
