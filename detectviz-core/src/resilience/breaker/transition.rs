//! What happened to a circuit, and what it knew then.
use super::{
    limits::Limits,
    window::Held,
    word::{State, Trial},
};
use std::time::Duration;

/// What a circuit has seen in its present state.
///
/// Closed, and while it only measures, that is its window; half-open, the results of its probes; open, what opened it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Calls that succeeded or failed.
    pub calls: u64,
    /// Those that failed.
    pub failures: u64,
    /// Those that took at least the slow-call duration, whether they failed or not.
    pub slow: u64,
    /// Calls that were refused since the present state began.
    pub refused: u64,
    pub(super) is_enough: bool,
}

/// A change of state, or the news that a circuit which only measures would have opened.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Transition {
    /// The state before.
    pub from: State,
    /// The state now; the same as before when only a threshold was reached.
    pub to: State,
    /// Why.
    pub cause: Cause,
    /// What the state before had seen.
    pub counts: Counts,
    /// How long the circuit stays open, when it opened.
    pub open_for: Option<Duration>,
}

/// Why a circuit changed its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// As many of the calls failed as the failure rate allows.
    FailureRate,
    /// As many of the calls were slow as the slow-call rate allows.
    SlowRate,
    /// As many calls failed in a row as are allowed.
    Consecutive,
    /// The probes of a half-open circuit have their results.
    Probes,
    /// The open duration has passed.
    Waited,
    /// Somebody said so.
    ByHand,
}

// === impl Counts ===

impl Counts {
    /// The share of calls that failed, from 0 to 1; `None` while there are too few calls to judge.
    #[must_use]
    pub fn failure_rate(&self) -> Option<f64> {
        self.rate(self.failures)
    }

    /// The share of calls that were slow, from 0 to 1; `None` while there are too few calls to judge.
    #[must_use]
    pub fn slow_call_rate(&self) -> Option<f64> {
        self.rate(self.slow)
    }

    pub(super) fn of_window(held: Held, limits: &Limits) -> Self {
        let Held {
            calls,
            failures,
            slow,
            is_full,
            ..
        } = held;
        Self {
            calls,
            failures,
            slow,
            refused: 0,
            is_enough: calls >= limits.minimum || is_full,
        }
    }

    pub(super) fn of_trial(trial: Trial, limits: &Limits) -> Self {
        let Trial {
            calls,
            failures,
            slow,
            ..
        } = trial;
        Self {
            calls,
            failures,
            slow,
            refused: 0,
            is_enough: calls >= limits.probes,
        }
    }

    fn rate(&self, part: u64) -> Option<f64> {
        (self.is_enough && self.calls > 0).then(|| part as f64 / self.calls as f64)
    }
}

// === impl Transition ===

impl Transition {
    /// Whether a threshold was reached: the circuit opened, or would have.
    #[must_use]
    pub fn is_exceeded(&self) -> bool {
        matches!(
            self.cause,
            Cause::FailureRate | Cause::SlowRate | Cause::Consecutive
        )
    }

    pub(super) fn new(from: State, to: State, cause: Cause, counts: Counts) -> Self {
        Self {
            from,
            to,
            cause,
            counts,
            open_for: None,
        }
    }

    pub(super) fn told(cause: Cause, counts: Counts) -> Self {
        Self::new(State::MetricsOnly, State::MetricsOnly, cause, counts)
    }

    pub(super) fn open_for(mut self, nanos: u64) -> Self {
        self.open_for = Some(Duration::from_nanos(nanos));
        self
    }
}

// === impl Cause ===

impl Cause {
    /// The name in logs, such as `failure_rate`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FailureRate => "failure_rate",
            Self::SlowRate => "slow_rate",
            Self::Consecutive => "consecutive_failures",
            Self::Probes => "probes",
            Self::Waited => "waited",
            Self::ByHand => "by_hand",
        }
    }
}
