//! Runs hyper's connections as tasks of the store, and ends them with it.
use detectviz_core::task::{Spawner, Tasks};
use std::future::Future;

/// What hyper spawns with.
#[derive(Clone, Debug)]
pub(super) struct Executor {
    spawner: Spawner,
    tasks: Tasks,
}

// === impl Executor ===

impl Executor {
    pub(super) fn new(tasks: &Tasks) -> Self {
        Self {
            spawner: tasks.spawner("kubernetes connection"),
            tasks: tasks.clone(),
        }
    }
}

impl<F> hyper::rt::Executor<F> for Executor
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, future: F) {
        let stopping = self.tasks.token();
        let run = async move { stopping.run_until_cancelled(future).await.map(drop) };
        drop(self.spawner.spawn(run));
    }
}
