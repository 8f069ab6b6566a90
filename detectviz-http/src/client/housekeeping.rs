//! What a client does now and then, beside its calls.
use super::service::Shared;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

/// Starts with the first call, as a client may be built before its runtime runs.
#[derive(Debug, Default)]
pub(super) struct Housekeeping {
    started: AtomicBool,
}

// === impl Housekeeping ===

impl Housekeeping {
    /// Starts the task, once. It ends with the client.
    pub(super) fn start(&self, shared: &Arc<Shared>) {
        if self.started.load(Ordering::Relaxed) || self.started.swap(true, Ordering::Relaxed) {
            return;
        }
        let (tasks, interval) = (shared.executor.tasks(), shared.reap_interval());
        let (token, client) = (tasks.token(), Arc::downgrade(shared));
        tasks.spawn("http client housekeeping", async move {
            while token
                .run_until_cancelled(tokio::time::sleep(interval))
                .await
                .is_some()
            {
                let Some(client) = client.upgrade() else {
                    return;
                };
                client.reap(Instant::now());
            }
        });
    }
}
