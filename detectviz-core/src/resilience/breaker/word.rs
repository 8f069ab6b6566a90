//! Where a circuit stands, in one word: each transition is one compare-and-swap, and happens once.
//!
//! | bits | what |
//! |---|---|
//! | 20 | generation: one more at each transition, so that a result of an earlier one is known |
//! | 5 | series: one more whenever a state begins that has a window, which is then empty |
//! | 4 | streak: how often in a row the circuit has opened again |
//! | 3 | state |
//! | 32 | closed: flags; open: the millisecond from which probes are let through; half-open: the trial |
use std::fmt;

/// Where a circuit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// Calls go through and are judged.
    Closed,
    /// Calls are refused, until the open duration has passed and one asks.
    Open,
    /// A few calls go through as probes, and decide what comes next.
    HalfOpen,
    /// Calls are refused until somebody says otherwise.
    ForcedOpen,
    /// Calls go through and nothing is recorded.
    Disabled,
    /// Calls go through and are recorded; the circuit never opens.
    MetricsOnly,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word(pub(super) u64);

/// What has become of the probes of a half-open circuit; each number is at most [`Trial::MOST`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Trial {
    /// Permits that were given out and not given back.
    pub(super) granted: u64,
    /// Results.
    pub(super) calls: u64,
    pub(super) failures: u64,
    pub(super) slow: u64,
}

pub(super) const GENERATIONS: u64 = 1 << 20;
pub(super) const SERIES: u64 = 1 << 5;
const STREAKS: u64 = 1 << 4;
const PAYLOAD: u64 = (1 << 32) - 1;

/// Successes are judged as well: one of them can open the circuit.
const WATCHED: u64 = 1;
/// That a threshold was exceeded has been told.
const TOLD: u64 = 2;
/// Above the flags: changes whenever a bad result asks for the watch anew.
const WATCH: u64 = 4;

// === impl State ===

impl State {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Closed,
        Self::Open,
        Self::HalfOpen,
        Self::ForcedOpen,
        Self::Disabled,
        Self::MetricsOnly,
    ];

    /// The name in metrics and logs, such as `half_open`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
            Self::ForcedOpen => "forced_open",
            Self::Disabled => "disabled",
            Self::MetricsOnly => "metrics_only",
        }
    }

    /// Whether results are kept in a window.
    pub(super) fn has_window(self) -> bool {
        matches!(self, Self::Closed | Self::MetricsOnly)
    }

    /// The states that let every call through have the third bit.
    fn code(self) -> u64 {
        match self {
            Self::Open => 0,
            Self::HalfOpen => 1,
            Self::ForcedOpen => 2,
            Self::Closed => 4,
            Self::MetricsOnly => 5,
            Self::Disabled => 6,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

// === impl Word ===

impl Word {
    pub(super) fn new(state: State) -> Self {
        Self(state.code() << 32)
    }

    /// Whether every call goes through.
    #[inline]
    pub(super) fn admits_all(self) -> bool {
        self.0 & (4 << 32) != 0
    }

    /// Whether results are kept in a window.
    #[inline]
    pub(super) fn has_window(self) -> bool {
        self.0 & (6 << 32) == 4 << 32
    }

    pub(super) fn state(self) -> State {
        match self.0 >> 32 & 7 {
            0 => State::Open,
            1 => State::HalfOpen,
            2 => State::ForcedOpen,
            4 => State::Closed,
            5 => State::MetricsOnly,
            _ => State::Disabled,
        }
    }

    #[inline]
    pub(super) fn generation(self) -> u32 {
        (self.0 >> 44) as u32
    }

    #[inline]
    pub(super) fn series(self) -> u64 {
        self.0 >> 39 & (SERIES - 1)
    }

    pub(super) fn streak(self) -> u64 {
        self.0 >> 35 & (STREAKS - 1)
    }

    /// The next generation, in `state`, with an empty window and a trial without probes. The streak lasts until the circuit
    /// is closed.
    pub(super) fn next(self, state: State) -> Self {
        let generation = (u64::from(self.generation()) + 1) % GENERATIONS;
        let series = (self.series() + u64::from(state.has_window())) % SERIES;
        let streak = match state {
            State::Open | State::HalfOpen => self.streak(),
            _ => 0,
        };
        Self(generation << 44 | series << 39 | streak << 35 | state.code() << 32)
    }

    /// The next generation, open until `until`, in milliseconds.
    pub(super) fn opened(self, until: u64) -> Self {
        let mut next = self.next(State::Open);
        if self.state() == State::HalfOpen {
            let streak = (self.streak() + 1).min(STREAKS - 1);
            next.0 = next.0 & !((STREAKS - 1) << 35) | streak << 35;
        }
        Self(next.0 | until & PAYLOAD)
    }

    /// How many milliseconds an open circuit still refuses calls. More than `longest` is a moment that has passed: the
    /// clock goes round in 49 days. A circuit that nobody asked for so long may be open for its duration once more.
    pub(super) fn left(self, now: u64, longest: u64) -> Option<u64> {
        let left = self.0.wrapping_sub(now) & PAYLOAD;
        (left > 0 && left <= longest).then_some(left)
    }

    #[inline]
    pub(super) fn is_watched(self) -> bool {
        self.0 & WATCHED != 0
    }

    pub(super) fn watched(self) -> Self {
        let payload = (self.0 + WATCH) & PAYLOAD | WATCHED;
        Self(self.0 & !PAYLOAD | payload)
    }

    pub(super) fn unwatched(self) -> Self {
        Self(self.0 & !WATCHED)
    }

    pub(super) fn is_told(self) -> bool {
        self.0 & TOLD != 0
    }

    /// Told, so that there is nothing left to watch for.
    pub(super) fn told(self) -> Self {
        Self(self.unwatched().0 | TOLD)
    }

    pub(super) fn trial(self) -> Trial {
        let at = |place: u32| self.0 >> (8 * place) & Trial::MOST;
        Trial {
            granted: at(0),
            calls: at(1),
            failures: at(2),
            slow: at(3),
        }
    }

    pub(super) fn with_trial(self, trial: Trial) -> Self {
        let Trial {
            granted,
            calls,
            failures,
            slow,
        } = trial;
        Self(self.0 & !PAYLOAD | granted | calls << 8 | failures << 16 | slow << 24)
    }
}

// === impl Trial ===

impl Trial {
    /// The largest number of probes.
    pub(super) const MOST: u64 = (1 << 8) - 1;
}
