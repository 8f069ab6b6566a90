//! Spawns what hyper wants to run beside a connection.
use detectviz_core::task::{Spawner, Tasks};
use hyper::rt::Executor;

/// The requests of HTTP/2 connections, each a counted task.
#[derive(Clone, Debug)]
pub(super) struct Exec(Spawner);

// === impl Exec ===

impl Exec {
    pub(super) fn new(tasks: &Tasks) -> Self {
        Self(tasks.spawner("http2-stream"))
    }
}

impl<F> Executor<F> for Exec
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, future: F) {
        self.0.spawn(future);
    }
}
