//! Whether and when a call is tried again.
use super::{Hint, RetryConfig};
use std::time::Duration;

/// How an attempt ended, as a [`Policy`](super::Policy) sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Well.
    Success,
    /// Badly, in a way that another attempt may mend.
    Retryable {
        /// In which way.
        reason: Reason,
        /// What the server said about when to come back.
        hint: Hint,
    },
    /// As [`Retryable`](Self::Retryable), but the call may have had an effect that must not happen twice.
    NotSafe,
    /// Badly, and another attempt would end the same: a bad request, say.
    Fatal,
}

/// In which way an attempt failed that is worth another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// There was no connection; nothing was sent.
    Connect,
    /// There was no answer in time.
    Timeout,
    /// The connection broke.
    Reset,
    /// The server could not serve it: HTTP 502, 503 and 504, gRPC `UNAVAILABLE`.
    Unavailable,
    /// The server has had enough from us: HTTP 429, gRPC `RESOURCE_EXHAUSTED`.
    RateLimited,
    /// The server failed: HTTP 500.
    ServerError,
    /// Another.
    Other,
}

/// What follows an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// The call ends with this attempt.
    Stop(Stop),
    /// The next attempt starts after this time.
    Wait(Duration),
}

/// Why a call ends with an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stop {
    /// It ended well.
    Success,
    /// Another attempt would end the same.
    Fatal,
    /// Another attempt could do harm.
    NotSafe,
    /// It was the last attempt.
    Attempts,
    /// The next attempt would start with less than [`min_attempt`](RetryConfig::min_attempt) before the deadline.
    Deadline,
    /// The server said [never](Hint::Never).
    PushBack,
    /// There were too many retries already, over all calls.
    Budget,
}

/// What follows attempt number `attempt`, the first of which is 1; the budget is not asked. `left` is the time until the
/// deadline, if there is one. Of `random` every value is as likely as any other.
///
/// A server's hint is honoured between the backoff and [`retry_after_cap`](RetryConfig::retry_after_cap) more (AWS SDKs,
/// retry behavior 2.1): a server does not make us come back sooner than we would, nor hold us for as long as it likes.
#[must_use]
pub fn decide(
    config: &RetryConfig,
    attempt: u32,
    outcome: Outcome,
    left: Option<Duration>,
    random: u64,
) -> Decision {
    decide_within(config.attempts, config, attempt, outcome, left, random)
}

/// As [`decide`], with `attempts` in place of what `config` says.
pub(super) fn decide_within(
    attempts: u32,
    config: &RetryConfig,
    attempt: u32,
    outcome: Outcome,
    left: Option<Duration>,
    random: u64,
) -> Decision {
    let hint = match outcome {
        Outcome::Success => return Decision::Stop(Stop::Success),
        Outcome::Fatal => return Decision::Stop(Stop::Fatal),
        Outcome::NotSafe => return Decision::Stop(Stop::NotSafe),
        Outcome::Retryable { hint, .. } => hint,
    };
    if attempt >= attempts {
        return Decision::Stop(Stop::Attempts);
    }
    let backoff = config.backoff.wait(attempt, random);
    let wait = match hint {
        Hint::None => backoff,
        Hint::After(after) => after.clamp(backoff, backoff.saturating_add(config.retry_after_cap)),
        Hint::Never => return Decision::Stop(Stop::PushBack),
    };
    match left {
        Some(left) if left < wait.saturating_add(config.min_attempt) => {
            Decision::Stop(Stop::Deadline)
        }
        _ => Decision::Wait(wait),
    }
}

// === impl Outcome ===

impl Outcome {
    /// An attempt that is worth another, without a hint.
    #[must_use]
    pub fn retryable(reason: Reason) -> Self {
        let hint = Hint::None;
        Self::Retryable { reason, hint }
    }

    /// Adds what the server said; only an attempt that is worth another takes it.
    #[must_use]
    pub fn with_hint(self, hint: Hint) -> Self {
        match self {
            Self::Retryable { reason, .. } => Self::Retryable { reason, hint },
            other => other,
        }
    }
}

// === impl Reason ===

impl Reason {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Connect,
        Self::Timeout,
        Self::Reset,
        Self::Unavailable,
        Self::RateLimited,
        Self::ServerError,
        Self::Other,
    ];

    /// As the label of a metric.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Timeout => "timeout",
            Self::Reset => "reset",
            Self::Unavailable => "unavailable",
            Self::RateLimited => "rate_limited",
            Self::ServerError => "server_error",
            Self::Other => "other",
        }
    }
}

// === impl Stop ===

impl Stop {
    /// The reasons for which a call that failed is not retried, though a later attempt might have ended well.
    pub const REFUSED: [Self; 5] = [
        Self::NotSafe,
        Self::Attempts,
        Self::Deadline,
        Self::PushBack,
        Self::Budget,
    ];

    /// As the label of a metric.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Fatal => "fatal",
            Self::NotSafe => "not_safe",
            Self::Attempts => "attempts",
            Self::Deadline => "deadline",
            Self::PushBack => "push_back",
            Self::Budget => "budget",
        }
    }
}
