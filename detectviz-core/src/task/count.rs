//! Who is running, in one set of tasks.
use std::{
    collections::BTreeMap,
    error, fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::sync::Notify;

/// Tasks that did not end in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    names: Vec<&'static str>,
}

/// How many tasks of a set are running, in all and by name.
#[derive(Default)]
pub(super) struct Count {
    total: AtomicUsize,
    empty: Notify,
    names: Mutex<BTreeMap<&'static str, Arc<AtomicUsize>>>,
}

/// One name in one set.
pub(super) struct Entry {
    count: Arc<Count>,
    named: Arc<AtomicUsize>,
}

/// Counts one task in its set and in every set above it, until dropped.
pub(super) struct Tracked(Arc<[Entry]>);

// === impl Stuck ===

impl Stuck {
    /// The names of the tasks that were still running, one entry each.
    #[must_use]
    pub fn names(&self) -> &[&'static str] {
        &self.names
    }
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut counts = BTreeMap::new();
        for name in &self.names {
            *counts.entry(name).or_insert(0_usize) += 1;
        }
        f.write_str("still running:")?;
        for (name, count) in counts {
            write!(f, " {name} ({count})")?;
        }
        Ok(())
    }
}

impl error::Error for Stuck {}

// === impl Count ===

impl Count {
    pub(super) fn entry(count: &Arc<Self>, name: &'static str) -> Entry {
        let mut names = count.names.lock().unwrap_or_else(PoisonError::into_inner);
        Entry {
            count: Arc::clone(count),
            named: Arc::clone(names.entry(name).or_default()),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.total.load(Ordering::Acquire)
    }

    /// Waits until nothing is running. Cancel safe.
    pub(super) async fn emptied(&self) {
        loop {
            let emptied = self.empty.notified();
            if self.len() == 0 {
                return;
            }
            emptied.await;
        }
    }

    pub(super) fn stuck(&self) -> Stuck {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let running = names.iter().flat_map(|(name, running)| {
            std::iter::repeat_n(*name, running.load(Ordering::Acquire))
        });
        Stuck {
            names: running.collect(),
        }
    }
}

// === impl Tracked ===

impl Tracked {
    pub(super) fn new(entries: &Arc<[Entry]>) -> Self {
        for Entry { count, named } in entries.iter() {
            named.fetch_add(1, Ordering::AcqRel);
            count.total.fetch_add(1, Ordering::AcqRel);
        }
        Self(Arc::clone(entries))
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        for Entry { count, named } in self.0.iter() {
            named.fetch_sub(1, Ordering::AcqRel);
            if count.total.fetch_sub(1, Ordering::AcqRel) == 1 {
                count.empty.notify_waiters();
            }
        }
    }
}
