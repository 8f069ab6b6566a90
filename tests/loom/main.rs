//! Every order in which threads can go through a lock-free piece: its file is compiled here once more, with the atomics of
//! loom in place of the library's own.
//!
//! Such a file names nothing but `std`, `crate::sync` and its neighbours that are listed here.

mod timer;

/// Stands where `detectviz_core::sync` stands.
mod sync {
    pub(crate) use loom::sync::{Mutex, MutexGuard, atomic};
}

mod bulkhead;
mod retry_budget;
mod hedge_latencies;
mod rate_limit;
mod breaker;
mod balance;
#[expect(dead_code, reason = "the library uses the rest")]
#[path = "../../detectviz-core/src/telemetry/span/queue.rs"]
mod queue;

#[path = "../../detectviz-core/src/telemetry/metrics/lease.rs"]
mod lease;

mod metric_leases;
mod span_queue;
