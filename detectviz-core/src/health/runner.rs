//! Runs one check again and again.
use super::{
    Check, CheckConfig,
    recorder::CheckRecorder,
    report::{error_text, panic_text},
    shared::Shared,
};
use crate::{clock, config::show_duration, error::BoxError, task::Tasks};
use std::{sync::Arc, time::Duration};
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    task::{JoinError, JoinHandle},
    time::{Instant, error::Elapsed, sleep_until, timeout},
};

/// One check and where its results go.
pub(super) struct Runner {
    pub(super) shared: Arc<Shared>,
    pub(super) key: u64,
    pub(super) name: String,
    pub(super) recorder: CheckRecorder,
    pub(super) config: CheckConfig,
    pub(super) check: Arc<dyn Check>,
    pub(super) tasks: Tasks,
}

/// What a run comes to; `None` when it was cancelled.
type Ended = Option<Result<Result<(), BoxError>, Elapsed>>;

// === impl Runner ===

impl Runner {
    /// Runs until the tasks are cancelled.
    pub(super) async fn run(self) {
        let token = self.tasks.token();
        token.run_until_cancelled_owned(self.repeat()).await;
    }

    async fn repeat(&self) {
        self.shared.has_started().await;
        let period = self.config.period();
        // The first run is at once, since startup waits for it. The second comes after a random part of the period, so
        // that replicas which started together do not keep asking together.
        let mut gap = period.mul_f64(fastrand::f64());
        loop {
            let begun = Instant::now();
            self.once().await;
            sleep_until((begun + gap).max(Instant::now() + period / 10)).await;
            // Jitter only shortens: `interval` is a promise.
            gap = period.mul_f64(1.0 - 0.1 * fastrand::f64());
        }
    }

    /// One run, and whatever it takes until another may follow.
    async fn once(&self) {
        let begun = clock::now();
        let mut run = self.begin();
        match timeout(self.config.timeout, &mut run).await {
            Ok(ended) => {
                let error = outcome(ended, self.config.timeout);
                self.record(clock::now().saturating_duration_since(begun), error);
            }
            Err(_) => {
                self.record(self.config.timeout, Some(no_answer(self.config.timeout)));
                // Returns at once where the timeout dropped the check's future, and only after the check itself where it
                // blocks its thread. The result comes too late to count.
                let _late = run.await;
            }
        }
    }

    fn begin(&self) -> JoinHandle<Ended> {
        let check = Arc::clone(&self.check);
        let limit = self.config.timeout;
        let token = self.tasks.token();
        let bounded = async move {
            let answer = timeout(limit, check.check());
            token.run_until_cancelled(answer).await
        };
        let handle = Handle::current();
        match handle.runtime_flavor() {
            RuntimeFlavor::CurrentThread => self.tasks.spawn("health-check", bounded),
            _ => self
                .tasks
                .spawn_blocking("health-check", move || handle.block_on(bounded)),
        }
    }

    fn record(&self, took: Duration, error: Option<String>) {
        self.shared
            .record((self.key, &self.name), &self.recorder, took, error);
    }
}

/// Why the run failed, if it did.
fn outcome(ended: Result<Ended, JoinError>, limit: Duration) -> Option<String> {
    match ended {
        Ok(Some(Ok(Ok(())))) => None,
        Ok(Some(Ok(Err(err)))) => Some(error_text(&*err)),
        Ok(Some(Err(_))) => Some(no_answer(limit)),
        Ok(None) => Some("cancelled".to_owned()),
        Err(err) => Some(match err.try_into_panic() {
            Ok(panic) => format!("the check panicked: {}", panic_text(&*panic)),
            Err(_) => "the runtime is shutting down".to_owned(),
        }),
    }
}

fn no_answer(limit: Duration) -> String {
    format!("no answer within {}", show_duration(limit))
}
