//! Why a call was refused.
use std::{error, fmt, time::Duration};

/// The call was not let through: as many as may run were running. Small and plain, so that refusing costs next to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overloaded {
    reason: Reason,
    limit: u32,
    retry_after: Duration,
}

/// What ended the call's hope of running.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The limit was reached, and calls do not queue here, or this one did not want to.
    LimitReached,
    /// The limit was reached and the queue was full.
    QueueFull,
    /// It waited in the queue for as long as it may, or the deadline of its request passed.
    QueueTimeout,
    /// It waited, and gave its place in the full queue to a call of higher priority.
    Displaced,
}

// === impl Overloaded ===

impl Overloaded {
    /// The error of a call that met `limit`; for those who keep a limit of their own.
    #[must_use]
    pub fn new(reason: Reason, limit: u32, retry_after: Duration) -> Self {
        Self {
            reason,
            limit,
            retry_after,
        }
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// How many calls could run at once at that moment.
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// How long the caller should wait before it tries again; 0 says nothing.
    #[must_use]
    pub fn retry_after(&self) -> Duration {
        self.retry_after
    }
}

impl fmt::Display for Overloaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.reason {
            Reason::LimitReached => "calls are running",
            Reason::QueueFull => "calls are running and the queue is full",
            Reason::QueueTimeout => "calls were running for as long as this one could wait",
            Reason::Displaced => "calls are running and the queue is full of more important ones",
        };
        write!(f, "overloaded: {} {what}", self.limit)
    }
}

impl error::Error for Overloaded {}

// === impl Reason ===

impl Reason {
    /// Every reason there is.
    pub const ALL: [Self; 4] = [
        Self::LimitReached,
        Self::QueueFull,
        Self::QueueTimeout,
        Self::Displaced,
    ];

    /// What metrics and spans call it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LimitReached => "limit_reached",
            Self::QueueFull => "queue_full",
            Self::QueueTimeout => "queue_timeout",
            Self::Displaced => "displaced",
        }
    }
}
