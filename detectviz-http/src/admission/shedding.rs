//! Shedding that can be switched on and off while requests come.
use detectviz_core::{
    resilience::shed::{ShedConfig, Shedder},
    task::Tasks,
    telemetry::metrics::Registry,
};
use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// A shedder, and whether anything is read for it.
#[derive(Debug)]
pub(super) struct ShedSwitch {
    shedder: Shedder,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    is_on: bool,
    /// Where readings are taken, once that is known.
    place: Option<(Tasks, PathBuf)>,
    /// Those of the reader.
    reading: Option<Tasks>,
}

// === impl ShedSwitch ===

impl ShedSwitch {
    pub(super) fn new(config: Option<&ShedConfig>, metrics: &Registry) -> Self {
        Self {
            shedder: Shedder::new(config.cloned().unwrap_or_default(), metrics),
            state: Mutex::new(State {
                is_on: config.is_some(),
                place: None,
                reading: None,
            }),
        }
    }

    /// Refuses nothing while it is switched off.
    #[inline]
    pub(super) fn shedder(&self) -> &Shedder {
        &self.shedder
    }

    pub(super) fn is_on(&self) -> bool {
        self.state().is_on
    }

    /// Readings are taken in tasks of `tasks` from now on, whenever it is switched on.
    pub(super) fn start(&self, tasks: &Tasks, root: &Path) {
        let mut state = self.state();
        state.place = Some((tasks.clone(), root.to_owned()));
        self.follow(&mut state);
    }

    pub(super) fn reconfigure(&self, config: Option<&ShedConfig>) {
        let mut state = self.state();
        if let Some(config) = config {
            self.shedder.reconfigure(config);
        }
        state.is_on = config.is_some();
        self.follow(&mut state);
    }

    fn follow(&self, state: &mut State) {
        if !state.is_on {
            // The reader lets everything in again when it ends.
            if let Some(reading) = state.reading.take() {
                reading.cancel();
            }
        } else if state.reading.is_none()
            && let Some((tasks, root)) = &state.place
        {
            let reading = tasks.child();
            self.shedder.start(&reading, root);
            state.reading = Some(reading);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
