//! How long to wait before a retry.
use crate::config::{Checker, DurationText, Section, duration};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Waits that grow with each retry, and are spread at random so that clients that failed together do not come back together
/// ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015: *full jitter* does the least work in all).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct BackoffConfig {
    /// The longest wait before the first retry. More than 0, at most `max`. 100 ms is gRPC's `initialBackoff` in A6, and
    /// Google SRE's advice.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub base: Duration,
    /// By how much it grows with every further retry, 1 to 10. 2 as in the AWS SDKs.
    pub factor: f64,
    /// The longest wait of all, at most 1h.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub max: Duration,
    /// Whether a wait is uniform between 0 and what the other settings say, or exactly that.
    pub jitter: bool,
}

// === impl BackoffConfig ===

impl BackoffConfig {
    /// Sets the longest wait before the first retry.
    #[must_use]
    pub fn base(mut self, base: Duration) -> Self {
        self.base = base;
        self
    }

    /// Sets by how much the wait grows.
    #[must_use]
    pub fn factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    /// Sets the longest wait of all.
    #[must_use]
    pub fn max(mut self, max: Duration) -> Self {
        self.max = max;
        self
    }

    /// Sets whether waits are spread at random.
    #[must_use]
    pub fn jitter(mut self, jitter: bool) -> Self {
        self.jitter = jitter;
        self
    }

    /// The wait before retry number `retry`, the first of which is 1. Of `random` every value is as likely as any other.
    #[must_use]
    pub fn wait(&self, retry: u32, random: u64) -> Duration {
        let steps = i32::try_from(retry.saturating_sub(1)).unwrap_or(i32::MAX);
        let grown = self.base.as_secs_f64() * self.factor.powi(steps);
        let most = Duration::try_from_secs_f64(grown).map_or(self.max, |wait| wait.min(self.max));
        if !self.jitter {
            return most;
        }
        let nanos = u64::try_from(most.as_nanos()).unwrap_or(u64::MAX);
        let part = ((u128::from(nanos) + 1) * u128::from(random)) >> 64;
        Duration::from_nanos(part as u64)
    }
}

impl Section for BackoffConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        if self.base.is_zero() || self.base > self.max {
            check.problem(
                "base",
                "is 0 or longer than `max`",
                "write a time such as `100ms`, at most that of `max`",
            );
        }
        if !(1.0..=10.0).contains(&self.factor) {
            check.problem("factor", "is not from 1 to 10", "write `2`");
        }
        if self.max > Duration::from_secs(3_600) {
            check.problem("max", "is more than an hour", "write a time such as `2s`");
        }
    }
}

impl Default for BackoffConfig {
    fn default() -> Self {
        Self {
            base: Duration::from_millis(100),
            factor: 2.0,
            max: Duration::from_secs(2),
            jitter: true,
        }
    }
}
