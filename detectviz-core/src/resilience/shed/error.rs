//! Why a call was refused.
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{error, fmt, time::Duration};

/// The process has more to do than it can, and this call was among those that matter least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shedding {
    reason: ShedReason,
    retry_after: Duration,
}

/// What there was too little of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShedReason {
    /// CPU time.
    Cpu,
    /// Memory.
    Memory,
    /// Threads of the executor: work waits before it is begun.
    QueueDelay,
}

// === impl Shedding ===

impl Shedding {
    /// The refusal of a call that may come again after `retry_after`.
    #[must_use]
    pub fn new(reason: ShedReason, retry_after: Duration) -> Self {
        Self {
            reason,
            retry_after,
        }
    }

    /// What there was too little of.
    #[must_use]
    pub fn reason(&self) -> ShedReason {
        self.reason
    }

    /// When to come again: a time that differs from caller to caller, so that they do not come all at once.
    #[must_use]
    pub fn retry_after(&self) -> Duration {
        self.retry_after
    }
}

impl fmt::Display for Shedding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "load is shed on {}", self.reason.as_str())
    }
}

impl error::Error for Shedding {}

// === impl ShedReason ===

impl ShedReason {
    /// All reasons.
    pub const ALL: [Self; 3] = [Self::Cpu, Self::Memory, Self::QueueDelay];

    /// The name, as it stands on a label.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::QueueDelay => "queue_delay",
        }
    }

    /// The name of the event on a request's span.
    pub(super) fn note(self) -> &'static str {
        match self {
            Self::Cpu => "shed.cpu",
            Self::Memory => "shed.memory",
            Self::QueueDelay => "shed.queue_delay",
        }
    }
}
