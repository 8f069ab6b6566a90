//! The state behind every clone of [`Health`](super::Health).
use super::{
    HealthConfig, Report, Status,
    progress::Progress,
    recorder::{CheckRecorder, Recorder},
    state::HealthState,
};
use crate::{clock, config::show_duration};
use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// What probes read and checks write. The lock is held for a few instructions, never across a check.
pub(super) struct Shared {
    state: Mutex<HealthState>,
    ready: AtomicBool,
    changed: watch::Sender<bool>,
    started: watch::Sender<bool>,
    pub(super) progress: Progress,
    pub(super) recorder: Recorder,
}

// === impl Shared ===

impl Shared {
    pub(super) fn new(config: &HealthConfig, recorder: Recorder) -> Self {
        recorder.ready(false);
        Self {
            state: Mutex::default(),
            ready: AtomicBool::new(false),
            changed: watch::Sender::new(false),
            started: watch::Sender::new(false),
            progress: Progress::new(clock::now(), config.stall_after),
            recorder,
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    pub(super) fn ready_changes(&self) -> watch::Receiver<bool> {
        self.changed.subscribe()
    }

    pub(super) fn started(&self) {
        self.update(|state, _| state.started());
        self.started.send_replace(true);
    }

    /// Waits until every part has started.
    pub(super) async fn has_started(&self) {
        let started = self
            .started
            .subscribe()
            .wait_for(|started| *started)
            .await
            .is_ok();
        debug_assert!(started, "the sender lives as long as this");
    }

    /// Lets `change` have the state, and makes known what follows for readiness.
    pub(super) fn update<T>(&self, change: impl FnOnce(&mut HealthState, Instant) -> T) -> T {
        let now = clock::now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let out = change(&mut state, now);
        let ready = state.is_ready(now);
        // Within the lock, so that the last word is the newest.
        self.ready.store(ready, Ordering::Relaxed);
        let changed = self.changed.send_if_modified(|known| {
            let changed = *known != ready;
            *known = ready;
            changed
        });
        drop(state);
        if changed {
            self.recorder.ready(ready);
            tracing::info!(ready, "readiness changed");
        }
        out
    }

    /// Takes the result of the check that goes by `key`.
    pub(super) fn record(
        &self,
        (key, name): (u64, &str),
        recorder: &CheckRecorder,
        took: Duration,
        error: Option<String>,
    ) {
        let shown = error.clone();
        let verdict = self.update(|state, now| state.record(key, now, took, error));
        // No verdict: the check was unregistered while it ran.
        let Some(verdict) = verdict else { return };
        recorder.result(verdict.passing, took);
        match shown {
            Some(error) if verdict.changed => {
                tracing::warn!(check = name, error, "health check fails");
            }
            None if verdict.changed && verdict.passing => {
                tracing::info!(check = name, "health check passes");
            }
            _ => {}
        }
    }

    pub(super) fn liveness(&self) -> Report {
        match self.progress.stalled(clock::now()) {
            None => Report::pass(),
            Some(silent) => {
                let whole = Duration::from_secs(silent.as_secs());
                let cause = format!(
                    "stalled: the runtime has made no progress for {}",
                    show_duration(whole)
                );
                Report::because(Status::Fail, cause)
            }
        }
    }
}
