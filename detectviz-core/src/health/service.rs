//! The registry of checks and the answers to probes.
use super::{
    Check, CheckConfig, HealthConfig, Report, recorder::Recorder, runner::Runner, shared::Shared,
};
use crate::{clock, task::Tasks, telemetry::metrics::Registry};
use std::{fmt, sync::Arc};
use tokio::{sync::watch, time::sleep};

/// The health of one runtime.
///
/// # Clone
/// Clones are the same health.
#[derive(Clone)]
pub struct Health {
    shared: Arc<Shared>,
    tasks: Tasks,
}

/// Keeps a check registered; dropping it ends the check and takes it out of every answer.
#[must_use = "the check ends when this is dropped"]
pub struct Registration {
    shared: Arc<Shared>,
    tasks: Tasks,
    key: u64,
    name: String,
}

// === impl Health ===

impl Health {
    /// Nothing is registered, and nothing has started: not ready. Checks run as tasks of `tasks` and are measured in
    /// `metrics`.
    #[must_use]
    pub fn new(config: &HealthConfig, tasks: &Tasks, metrics: &Registry) -> Self {
        Self {
            shared: Arc::new(Shared::new(config, Recorder::new(metrics))),
            tasks: tasks.clone(),
        }
    }

    /// Runs `check` in the background, from the moment on at which every part [has started](Self::started): before that
    /// it could only find what the start has not yet made. When `name` is taken, a number is added to it.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn register(&self, name: &str, config: CheckConfig, check: Arc<dyn Check>) -> Registration {
        let tasks = self.tasks.child();
        let (key, name) = self.shared.update(|state, _| state.register(name, &config));
        let runner = Runner {
            shared: Arc::clone(&self.shared),
            key,
            recorder: self.shared.recorder.check(&name),
            name: name.clone(),
            config,
            check,
            tasks: tasks.clone(),
        };
        tasks.spawn("health-runner", runner.run());
        Registration {
            shared: Arc::clone(&self.shared),
            tasks,
            key,
            name,
        }
    }

    /// Whether the process itself is alive, whatever it depends on: fails when the runtime that
    /// [`watch_progress`](Self::watch_progress) was called on has made no progress for `stall_after`.
    #[must_use]
    pub fn liveness(&self) -> Report {
        self.shared.liveness()
    }

    /// Whether the process deserves traffic, from the last result of each check.
    #[must_use]
    pub fn readiness(&self) -> Report {
        self.shared.update(|state, now| state.readiness(now))
    }

    /// Whether start-up is complete: every part has started and every critical check has a first result. Once complete
    /// it stays so.
    #[must_use]
    pub fn startup(&self) -> Report {
        self.shared.update(|state, _| state.startup())
    }

    /// Whether [`readiness`](Self::readiness) is not a failure: one atomic load. A result that turns stale shows here
    /// with the next tick of [`watch_progress`](Self::watch_progress) or the next probe.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.shared.is_ready()
    }

    /// Follows [`is_ready`](Self::is_ready).
    #[must_use]
    pub fn ready_changes(&self) -> watch::Receiver<bool> {
        self.shared.ready_changes()
    }

    /// Names parts that have to start; the lifecycle does this.
    pub fn expect_parts(&self, parts: impl IntoIterator<Item = String>) {
        self.shared.update(|state, _| state.expect(parts));
    }

    /// One part has started; the lifecycle does this.
    pub fn part_started(&self, part: &str) {
        self.shared.update(|state, _| state.part_started(part));
    }

    /// Every part has started, and the checks begin. The lifecycle says so; a service without one says it itself.
    pub fn started(&self) {
        self.shared.started();
    }

    /// The process was told to end: readiness fails from now on. The lifecycle says so.
    pub fn shutting_down(&self) {
        self.shared.update(|state, _| state.shutting_down());
    }

    /// Watches whether the current tokio runtime makes progress, until `tasks` are cancelled.
    ///
    /// It takes a thread outside of that runtime, such as the admin port's, to see that it does not. However often this is
    /// called, one watch ticks; the next takes its place when its tasks are cancelled.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn watch_progress(&self, tasks: &Tasks) {
        let shared = Arc::clone(&self.shared);
        let token = tasks.token();
        shared.progress.note(clock::now());
        tasks.spawn("health-progress", async move {
            let tick = shared.progress.tick();
            let ticking = async {
                let _turn = shared.progress.turn().await;
                loop {
                    shared.progress.note(clock::now());
                    shared.update(|_, _| ());
                    sleep(tick).await;
                }
            };
            token.run_until_cancelled(ticking).await;
            shared.progress.leave();
        });
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health")
            .field("ready", &self.is_ready())
            .finish_non_exhaustive()
    }
}

// === impl Registration ===

impl Registration {
    /// The name under which the check is reported.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.tasks.cancel();
        // The series go first, while nobody else can have the name.
        self.shared.recorder.removed(&self.name);
        self.shared.update(|state, _| state.unregister(self.key));
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Registration").field(&self.name).finish()
    }
}
