//! Metrics: handles that are registered once and recorded without a lock.
//!
//! A [`Desc`] says what a metric is; a [`Registry`] gives the [`Family`] of its series; the family gives a handle for the
//! values of its labels. Whoever records keeps the handle: recording then takes no lock, allocates nothing, formats nothing,
//! and two busy threads do not write to the same cache line. All work is left to the scrape: [`Registry::encode`] writes the
//! text that Prometheus reads, [`Registry::snapshot`] gives the same numbers as plain data.
//!
//! ```
//! use detectviz_core::telemetry::metrics::{Desc, Format, Kind, Registry, Unit};
//!
//! static ORDERS: Desc = Desc {
//!     name: "shop.orders",
//!     help: "Orders that were placed.",
//!     unit: Unit::Of("{order}"),
//!     kind: Kind::Counter,
//!     labels: &["payment.method"],
//!     buckets: &[],
//! };
//!
//! let registry = Registry::new();
//! let by_card = registry.counter(&ORDERS).with(&["card"]);
//! by_card.inc();
//!
//! let mut page = Vec::new();
//! registry.encode(Format::OpenMetrics100, &mut page);
//! let page = String::from_utf8(page).expect("metrics are text");
//! assert!(page.contains("shop_orders_total{payment_method=\"card\"} 1\n"));
//! ```
//!
//! # Cardinality
//! A metric has a limited number of series; see [`Family::with`]. `detectviz_metrics_overflow_total` says which metric met its
//! limit.
//!
//! # Collectors
//! What the system counts is read when it is asked for: [`process`], [`cgroup`], [`executor`], and [`Registry::collect`] for
//! your own. [`build_info`] says what runs.
mod bounds;
pub mod build_info;
mod catalog;
mod cells;
pub mod cgroup;
mod classified;
mod collected;
mod counted;
mod counter;
mod desc;
mod exemplar;
pub mod executor;
mod exposed;
mod family;
mod format;
mod gauge;
mod histogram;
mod lease;
pub mod process;
mod registry;
mod snapshot;
mod sorted;
#[cfg(test)]
mod tests;
mod text;

pub use self::{
    catalog::catalog,
    collected::Collected,
    counter::Counter,
    desc::{DURATION_BUCKETS, Desc, Kind, Unit},
    family::Family,
    format::Format,
    gauge::Gauge,
    histogram::Histogram,
    registry::Registry,
    snapshot::{
        Exemplar, HistogramSnapshot, Labels, MetricSnapshot, OVERFLOW_LABEL, SeriesSnapshot,
        Snapshot, Value,
    },
};
