//! Wraps services in [`Deadline`].
use super::{Deadline, DeadlineConfig, Deadlines, NotAsked};
use crate::resilience::timer::Timer;
use tower_layer::Layer;

/// Applies [`Deadline`] to a service.
#[derive(Clone, Debug)]
pub struct DeadlineLayer<A = NotAsked> {
    deadlines: Deadlines,
    timer: Timer,
    ask: A,
}

// === impl DeadlineLayer ===

impl DeadlineLayer {
    /// Creates the layer from its settings, with a timer of its own. No request says how long its caller waits.
    #[must_use]
    pub fn new(config: &DeadlineConfig) -> Self {
        Self::of(Deadlines::new(config))
    }

    /// Creates the layer of `deadlines`.
    #[must_use]
    pub fn of(deadlines: Deadlines) -> Self {
        Self {
            deadlines,
            timer: Timer::new(),
            ask: NotAsked,
        }
    }
}

impl<A> DeadlineLayer<A> {
    /// Finds with `ask` how long the caller of a request waits; see [`AskTimeout`](super::AskTimeout).
    #[must_use]
    pub fn asking<B>(self, ask: B) -> DeadlineLayer<B> {
        DeadlineLayer {
            deadlines: self.deadlines,
            timer: self.timer,
            ask,
        }
    }

    /// Uses `timer`, which other layers use too.
    #[must_use]
    pub fn with_timer(mut self, timer: Timer) -> Self {
        self.timer = timer;
        self
    }
}

impl<S, A: Clone> Layer<S> for DeadlineLayer<A> {
    type Service = Deadline<S, A>;

    fn layer(&self, inner: S) -> Self::Service {
        let ask = self.ask.clone();
        Deadline::new(inner, self.deadlines.clone(), self.timer.clone(), ask)
    }
}
