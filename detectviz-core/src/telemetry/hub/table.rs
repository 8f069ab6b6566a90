//! The outputs of every runtime in this process.
use crate::{
    task::RuntimeId,
    telemetry::{logs::Logs, span::Spans},
};
use arc_swap::ArcSwap;
use std::sync::{
    LazyLock,
    atomic::{AtomicU64, Ordering},
};
use tracing::{Level, level_filters::LevelFilter};

/// The one table of the process. It says where telemetry goes and decides nothing else.
static TABLE: LazyLock<ArcSwap<Vec<Entry>>> = LazyLock::new(ArcSwap::default);

/// Where the telemetry of one runtime goes.
#[derive(Clone, Debug)]
pub struct Outputs {
    logs: Logs,
    spans: Spans,
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
    find(&TABLE.load(), runtime).map(read)
}

/// The most that any registered runtime logs.
pub(super) fn max_level() -> LevelFilter {
    let entries = TABLE.load();
    let levels = entries
        .iter()
        .map(|entry| entry.outputs.logs.levels().max());
    levels.max().unwrap_or(LevelFilter::OFF)
}

/// Whether every registered runtime logs this level and target, or none does; `None` when they differ.
pub(super) fn is_logged_everywhere(level: Level, target: &str) -> Option<bool> {
    let entries = TABLE.load();
    let mut logged = entries
        .iter()
        .map(|entry| entry.outputs.logs.enabled(level, target));
    let first = logged.next().unwrap_or(false);
    logged.all(|logged| logged == first).then_some(first)
}

// === impl Outputs ===

impl Outputs {
    /// Log lines go to `logs`, spans to `spans`.
    #[must_use]
    pub fn new(logs: Logs, spans: Spans) -> Self {
        Self { logs, spans }
    }

    /// Where log lines go.
    #[must_use]
    pub fn logs(&self) -> &Logs {
        &self.logs
    }

    /// Where spans go.
    #[must_use]
    pub fn spans(&self) -> &Spans {
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

fn find(entries: &[Entry], runtime: Option<RuntimeId>) -> Option<&Outputs> {
    let own = runtime.and_then(|id| entries.iter().rev().find(|entry| entry.runtime == id));
    own.or(entries.first()).map(|entry| &entry.outputs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_finds_its_latest_outputs_and_anybody_else_the_first() {
        let (one, two) = (RuntimeId::next(), RuntimeId::next());
        let outputs = || Outputs::new(Logs::disabled(), Spans::disabled());
        let entry = |key, runtime| Entry {
            key,
            runtime,
            outputs: outputs(),
        };
        assert!(find(&[], Some(one)).is_none());
        let entries = [entry(0, one), entry(1, two), entry(2, two)];
        for (runtime, expected) in [
            (Some(one), 0),
            (Some(two), 2),
            (None, 0),
            (Some(RuntimeId::next()), 0),
        ] {
            let found = find(&entries, runtime).unwrap();
            assert!(
                std::ptr::eq(found, &entries[expected].outputs),
                "{runtime:?}"
            );
        }
    }
}
