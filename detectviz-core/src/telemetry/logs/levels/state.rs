//! Which levels hold now: those that were set, and for a time others on top of them.
use super::{Directives, InvalidLevels};
use std::time::{Duration, Instant};

/// The levels that were set, and what lies over them for a time.
#[derive(Clone, Debug)]
pub(super) struct State {
    base: Directives,
    over: Option<Override>,
}

/// Levels that end by themselves.
#[derive(Clone, Debug)]
pub(super) struct Override {
    pub(super) directives: Directives,
    pub(super) until: Instant,
}

const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(3600);

// === impl State ===

impl State {
    pub(super) fn new(base: Directives) -> Self {
        Self { base, over: None }
    }

    /// Sets the levels that last; an override stays on top of them.
    pub(super) fn set(&mut self, base: Directives) {
        self.base = base;
    }

    /// Puts `directives` on top for `ttl`, in the place of any other override. Returns when that ends.
    pub(super) fn override_for(
        &mut self,
        directives: Directives,
        ttl: Duration,
        now: Instant,
    ) -> Result<Instant, InvalidLevels> {
        if !(SHORTEST..=LONGEST).contains(&ttl) {
            return Err(InvalidLevels::new(
                "the time to live must be from 1s to 1h, such as `300s`",
            ));
        }
        let until = now + ttl;
        self.over = Some(Override { directives, until });
        Ok(until)
    }

    /// Ends the override when its time has come; returns whether it did.
    pub(super) fn expire(&mut self, now: Instant) -> bool {
        self.over.take_if(|over| over.until <= now).is_some()
    }

    /// Ends the override at once; returns whether there was one.
    pub(super) fn restore(&mut self) -> bool {
        self.over.take().is_some()
    }

    pub(super) fn over(&self) -> Option<&Override> {
        self.over.as_ref()
    }

    pub(super) fn base(&self) -> &Directives {
        &self.base
    }

    /// What holds now.
    pub(super) fn effective(&self) -> Directives {
        match &self.over {
            Some(over) => self.base.overlaid(&over.directives),
            None => self.base.clone(),
        }
    }
}
