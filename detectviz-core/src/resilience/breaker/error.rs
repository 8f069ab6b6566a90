//! Why a call was refused, and why a circuit could not be told what to do.
use super::State;
use std::{error, fmt, sync::Arc, time::Duration};

/// The circuit is not closed: the call was not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    name: Arc<str>,
    state: State,
    retry_after: Option<Duration>,
}

/// There is no way from the state that the circuit is in to the one that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IllegalTransition {
    pub(super) from: State,
    pub(super) to: State,
}

// === impl Open ===

impl Open {
    /// The error of a call that the circuit `name` refused; for those who keep circuits of their own.
    #[must_use]
    pub fn new(name: Arc<str>, state: State, retry_after: Option<Duration>) -> Self {
        Self {
            name,
            state,
            retry_after,
        }
    }

    /// The circuit.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The state that refused the call: open, half-open when all probes are on their way, or forced open.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// When the circuit lets probes through; `None` when that depends on probes under way, or on somebody.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl fmt::Display for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, state, .. } = self;
        write!(f, "circuit `{name}` is {state}: the call was not made")?;
        match self.retry_after {
            Some(after) => write!(f, "; try again in {after:?}"),
            None => Ok(()),
        }
    }
}

impl error::Error for Open {}

// === impl IllegalTransition ===

impl IllegalTransition {
    /// The state that the circuit is in.
    #[must_use]
    pub fn from(&self) -> State {
        self.from
    }

    /// The state that was asked for.
    #[must_use]
    pub fn to(&self) -> State {
        self.to
    }
}

impl fmt::Display for IllegalTransition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to } = self;
        write!(
            f,
            "a circuit that is {from} does not become {to}: open it first"
        )
    }
}

impl error::Error for IllegalTransition {}
