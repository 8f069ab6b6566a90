//! What operators see of a circuit, and what they can do.
use super::{BreakerConfig, Counts, IllegalTransition, State, circuit::Shared};
use crate::clock;
use std::{
    sync::{Arc, MutexGuard, PoisonError},
    time::Instant,
};

/// A live view of a circuit, for those who watch it and may step in.
///
/// # Clone
/// Clones are views of the same circuit.
#[derive(Clone, Debug)]
pub struct BreakerHandle {
    shared: Arc<Shared>,
}

// === impl BreakerHandle ===

impl BreakerHandle {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// What the circuit is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// Its state; an open circuit stays so until a call asks after its duration.
    #[must_use]
    pub fn state(&self) -> State {
        self.shared.core.state()
    }

    /// What it has seen in its present state, as of now.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts_at(clock::now())
    }

    /// The same as of `now`, for those who have read the clock.
    #[must_use]
    pub fn counts_at(&self, now: Instant) -> Counts {
        self.shared.core.counts(self.shared.nanos(now))
    }

    /// The settings in force.
    #[must_use]
    pub fn config(&self) -> BreakerConfig {
        self.config_mut().clone()
    }

    /// Refuses all calls, for as long as nobody says otherwise.
    pub fn force_open(&self) {
        self.force(State::ForcedOpen);
    }

    /// Closes the circuit, whatever its mode, with an empty window.
    pub fn force_close(&self) {
        self.force(State::Closed);
    }

    /// Lets all calls through and records nothing, for as long as nobody says otherwise.
    pub fn disable(&self) {
        self.force(State::Disabled);
    }

    /// Starts anew in the state that the mode of the settings says, with an empty window.
    pub fn reset(&self) {
        let config = self.config_mut();
        self.force(config.state());
    }

    /// Lets probes through now.
    ///
    /// # Errors
    /// [`IllegalTransition`], unless the circuit is open or forced open.
    pub fn half_open(&self) -> Result<(), IllegalTransition> {
        let to = State::HalfOpen;
        let now = self.shared.nanos(clock::now());
        let forced = self.shared.core.force(to, now);
        let transition = forced.map_err(|from| IllegalTransition { from, to })?;
        self.shared.tell(Some(transition));
        Ok(())
    }

    /// Changes the settings, as from a reload, and judges the circuit by them.
    ///
    /// Counts stay: when the window is cut anew, what it held counts as if it had just happened, in proportion when it no
    /// longer fits. An open circuit stays open as long as it would have, unless that is longer than the new settings ever
    /// allow: then it lets probes through. A change of mode is a [`reset`](Self::reset). Settings that do not pass
    /// [`validate`](crate::config::Section::validate) are taken for the nearest that do.
    pub fn reconfigure(&self, config: &BreakerConfig) {
        let mut present = self.config_mut();
        let core = &self.shared.core;
        let now = self.shared.nanos(clock::now());
        core.change(
            &config.limits(),
            config.slow_after(),
            config.geometry(),
            now,
        );
        let changed = present.mode != config.mode;
        present.clone_from(config);
        if changed {
            self.force(config.state());
        }
        self.shared.tell(core.review(now, fastrand::u64(..)));
    }

    fn force(&self, to: State) {
        let now = self.shared.nanos(clock::now());
        self.shared.tell(self.shared.core.force(to, now).ok());
    }

    fn config_mut(&self) -> MutexGuard<'_, BreakerConfig> {
        let config = self.shared.config.lock();
        config.unwrap_or_else(PoisonError::into_inner)
    }
}
