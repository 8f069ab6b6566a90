//! The set of tasks itself.
use super::{
    RuntimeId, Spawner,
    count::{Count, Stuck},
};
use std::{fmt, future::Future, io, sync::Arc, time::Duration};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A set of tasks and threads that can be cancelled together and waited for.
///
/// # Clone
/// Clones are the same set. A [child](Self::child) has a cancellation of its own and is counted by its parents too.
#[derive(Clone)]
pub struct Tasks {
    runtime: RuntimeId,
    token: CancellationToken,
    /// This set last, and before it every set above.
    counts: Arc<[Arc<Count>]>,
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

    /// Spawns tasks that share a name. Keep it where many are spawned: unlike [`spawn`](Self::spawn) it looks nothing up
    /// and takes no lock.
    #[must_use]
    pub fn spawner(&self, name: &'static str) -> Spawner {
        Spawner::new(self.runtime, &self.counts, name)
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
        self.spawner(name).spawn(future)
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
        self.spawner(name).spawn_blocking(work)
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
        self.spawner(name).spawn_thread(name, work)
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
        self.own().len()
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
        if tokio::time::timeout(within, count.emptied()).await.is_ok() {
            return Ok(());
        }
        let stuck = count.stuck();
        if stuck.names().is_empty() {
            Ok(())
        } else {
            Err(stuck)
        }
    }

    fn own(&self) -> &Count {
        &self.counts[self.counts.len() - 1]
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
