//! The outputs of every runtime in this process.
use super::SpanSink;
use crate::{task::RuntimeId, telemetry::logs::Logs};
use arc_swap::ArcSwap;
use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicU64, Ordering},
};
use tracing::level_filters::LevelFilter;

/// The one table of the process. It says where telemetry goes and decides nothing else.
static TABLE: LazyLock<ArcSwap<Vec<Entry>>> = LazyLock::new(ArcSwap::default);

/// Where the telemetry of one runtime goes.
#[derive(Clone, Debug)]
pub struct Outputs {
    logs: Logs,
    spans: Arc<dyn SpanSink>,
}

/// Keeps the outputs of a runtime in the table; dropping it takes them out.
#[derive(Debug)]
#[must_use = "the outputs are taken out of the table when this is dropped"]
pub struct Registration {
    key: u64,
}

#[derive(Clone)]
struct Entry {
    key: u64,
    runtime: RuntimeId,
    outputs: Outputs,
}

/// Sends the telemetry of `runtime` to `outputs`, until the registration is dropped. The latest registration of a runtime
/// counts; the runtime registered first also gets what belongs to none.
pub fn register(runtime: RuntimeId, outputs: Outputs) -> Registration {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let key = NEXT.fetch_add(1, Ordering::Relaxed);
    let entry = Entry {
        key,
        runtime,
        outputs,
    };
    TABLE.rcu(|entries| {
        entries
            .iter()
            .cloned()
            .chain([entry.clone()])
            .collect::<Vec<_>>()
    });
    tracing_core::callsite::rebuild_interest_cache();
    Registration { key }
}

/// Gives `read` the outputs of `runtime`, or of the first that registered; `None` while there is none.
pub(super) fn with<R>(runtime: Option<RuntimeId>, read: impl FnOnce(&Outputs) -> R) -> Option<R> {
    let entries = TABLE.load();
    let own = runtime.and_then(|id| entries.iter().rev().find(|entry| entry.runtime == id));
    own.or(entries.first()).map(|entry| read(&entry.outputs))
}

/// The most that any registered runtime logs.
pub(super) fn max_level() -> LevelFilter {
    let entries = TABLE.load();
    let levels = entries
        .iter()
        .map(|entry| entry.outputs.logs.levels().max());
    levels.max().unwrap_or(LevelFilter::OFF)
}

// === impl Outputs ===

impl Outputs {
    /// Log lines go to `logs`, spans to `spans`.
    #[must_use]
    pub fn new(logs: Logs, spans: Arc<dyn SpanSink>) -> Self {
        Self { logs, spans }
    }

    /// Where log lines go.
    #[must_use]
    pub fn logs(&self) -> &Logs {
        &self.logs
    }

    /// Where spans go.
    #[must_use]
    pub fn spans(&self) -> &Arc<dyn SpanSink> {
        &self.spans
    }
}

// === impl Registration ===

impl Drop for Registration {
    fn drop(&mut self) {
        let keeps = |entry: &&Entry| entry.key != self.key;
        TABLE.rcu(|entries| entries.iter().filter(keeps).cloned().collect::<Vec<_>>());
        tracing_core::callsite::rebuild_interest_cache();
    }
}
