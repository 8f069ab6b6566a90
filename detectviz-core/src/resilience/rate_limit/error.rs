//! Why a call was refused.
use super::Decision;
use std::{error, fmt, sync::Arc, time::Duration};

/// The caller sent more than its limit allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimited {
    policy: Arc<str>,
    decision: Decision,
}

// === impl RateLimited ===

impl RateLimited {
    pub(super) fn new(policy: Arc<str>, decision: Decision) -> Self {
        Self { policy, decision }
    }

    /// The name of the limiter.
    #[must_use]
    pub fn policy(&self) -> &str {
        &self.policy
    }

    /// What the caller may be told.
    #[must_use]
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// When the call would have been allowed, if nothing else comes before it; `None` when it costs more than the limit.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.decision.retry_after()
    }
}

impl fmt::Display for RateLimited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rate limit `{}` exceeded", self.policy)?;
        match self.retry_after() {
            Some(after) => write!(f, "; retry after {after:?}"),
            None => f.write_str("; the call costs more than the limit"),
        }
    }
}

impl error::Error for RateLimited {}
