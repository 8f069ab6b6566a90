//! The set of tasks itself.
use super::RuntimeId;
use std::{
    collections::BTreeMap,
    error, fmt,
    future::Future,
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::Notify, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// A set of tasks and threads that can be cancelled together and waited for.
///
/// # Clone
/// Clones are the same set. A [child](Self::child) has a cancellation of its own and is counted by its parents too.
#[derive(Clone)]
pub struct Tasks {
    runtime: RuntimeId,
    token: CancellationToken,
    counts: Arc<[Arc<Count>]>,
}

/// Tasks that did not end in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    names: Vec<&'static str>,
}

/// Who is running, in one set.
#[derive(Default)]
struct Count {
    next: AtomicU64,
    running: Mutex<BTreeMap<u64, &'static str>>,
    empty: Notify,
}

/// Counts one task in its set and in every set above it, until dropped.
struct Tracked {
    counts: Arc<[Arc<Count>]>,
    keys: Vec<u64>,
}

// === impl Tasks ===

impl Tasks {
    /// A root set with a [`RuntimeId`] of its own.
    #[must_use]
    pub fn new() -> Self {
        Self::for_runtime(RuntimeId::next())
    }

    /// A root set that works for `runtime`.
    #[must_use]
    pub fn for_runtime(runtime: RuntimeId) -> Self {
        Self {
            runtime,
            token: CancellationToken::new(),
            counts: Arc::new([Arc::default()]),
        }
    }

    /// A set that is cancelled with this one, or on its own.
    #[must_use]
    pub fn child(&self) -> Self {
        Self {
            runtime: self.runtime,
            token: self.token.child_token(),
            counts: self
                .counts
                .iter()
                .cloned()
                .chain([Arc::default()])
                .collect(),
        }
    }

    /// The runtime that these tasks work for.
    #[must_use]
    pub fn runtime(&self) -> RuntimeId {
        self.runtime
    }

    /// Runs `future` on the current tokio runtime. `name` says what it does; it is how a stuck task is reported.
    ///
    /// The future is not aborted by [`cancel`](Self::cancel): it is expected to watch the [token](Self::token).
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn spawn<F>(&self, name: &'static str, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let tracked = self.track(name);
        let runtime = self.runtime;
        #[expect(clippy::disallowed_methods, reason = "the one place that spawns")]
        tokio::spawn(runtime.scope(async move {
            let _tracked = tracked;
            future.await
        }))
    }

    /// Runs blocking `work` on tokio's blocking pool.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn spawn_blocking<T: Send + 'static>(
        &self,
        name: &'static str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        let tracked = self.track(name);
        let runtime = self.runtime;
        #[expect(clippy::disallowed_methods, reason = "the one place that spawns")]
        tokio::task::spawn_blocking(move || {
            let _tracked = tracked;
            let _entered = runtime.enter();
            work()
        })
    }

    /// Starts a thread of its own. `work` is expected to watch the [token](Self::token).
    ///
    /// # Errors
    /// When the system refuses another thread.
    pub fn spawn_thread(
        &self,
        name: &'static str,
        work: impl FnOnce() + Send + 'static,
    ) -> io::Result<()> {
        let tracked = self.track(name);
        let runtime = self.runtime;
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                let _tracked = tracked;
                runtime.adopt_thread();
                work();
            })?;
        Ok(())
    }

    /// Tells every task of this set and its children to end.
    pub fn cancel(&self) {
        self.token.cancel();
    }

    /// What a task watches to know that it should end.
    #[must_use]
    pub fn token(&self) -> CancellationToken {
        self.token.clone()
    }

    /// How many tasks and threads are running, those of children included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.own().running().len()
    }

    /// Whether nothing is running.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Waits until nothing is running, for at most `within`.
    ///
    /// # Errors
    /// [`Stuck`], which names what is still running.
    ///
    /// # Cancel safety
    /// Dropping the future stops the waiting and nothing else.
    pub async fn join(&self, within: Duration) -> Result<(), Stuck> {
        let count = self.own();
        let idle = async {
            loop {
                let emptied = count.empty.notified();
                if count.running().is_empty() {
                    return;
                }
                emptied.await;
            }
        };
        if tokio::time::timeout(within, idle).await.is_ok() {
            return Ok(());
        }
        let names = count.running().values().copied().collect::<Vec<_>>();
        if names.is_empty() {
            Ok(())
        } else {
            Err(Stuck { names })
        }
    }

    fn own(&self) -> &Count {
        &self.counts[self.counts.len() - 1]
    }

    fn track(&self, name: &'static str) -> Tracked {
        let keys = self.counts.iter().map(|count| count.add(name)).collect();
        Tracked {
            counts: self.counts.clone(),
            keys,
        }
    }
}

impl Default for Tasks {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tasks")
            .field("runtime", &self.runtime)
            .field("running", &self.len())
            .finish_non_exhaustive()
    }
}

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
    fn running(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, &'static str>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, name: &'static str) -> u64 {
        let key = self.next.fetch_add(1, Ordering::Relaxed);
        self.running().insert(key, name);
        key
    }

    fn remove(&self, key: u64) {
        let mut running = self.running();
        running.remove(&key);
        if running.is_empty() {
            self.empty.notify_waiters();
        }
    }
}

// === impl Tracked ===

impl Drop for Tracked {
    fn drop(&mut self) {
        for (count, key) in self.counts.iter().zip(&self.keys) {
            count.remove(*key);
        }
    }
}
