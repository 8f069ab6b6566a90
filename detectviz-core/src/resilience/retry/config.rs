//! What a user may set.
use super::{backoff::BackoffConfig, budget::BudgetConfig};
use crate::config::{Checker, DurationText, Section, duration};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Settings of [`Retry`](super::Retry). All of them may change while it runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct RetryConfig {
    /// How often a call is tried in all, 1 to 10; with 1 there are no retries. 3 is the default of the AWS SDKs (retry
    /// behavior, standard mode).
    pub attempts: u32,
    /// How long to wait before a retry.
    pub backoff: BackoffConfig,
    /// How much longer than the backoff a server may make us wait by `Retry-After` or gRPC push-back; 0s ignores it. 5s is
    /// the default of the AWS SDKs (retry behavior 2.1).
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub retry_after_cap: Duration,
    /// An attempt is not started with less than this before the deadline: it could only fail, and load the upstream. Of the
    /// order of a good answer's time.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub min_attempt: Duration,
    /// How many retries there may be, over all calls.
    pub budget: BudgetConfig,
}

// === impl RetryConfig ===

impl RetryConfig {
    /// Sets how often a call is tried in all.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// Sets how long to wait before a retry.
    #[must_use]
    pub fn backoff(mut self, backoff: BackoffConfig) -> Self {
        self.backoff = backoff;
        self
    }

    /// Sets how much longer than the backoff a server may make us wait.
    #[must_use]
    pub fn retry_after_cap(mut self, cap: Duration) -> Self {
        self.retry_after_cap = cap;
        self
    }

    /// Sets the time that an attempt needs at least.
    #[must_use]
    pub fn min_attempt(mut self, time: Duration) -> Self {
        self.min_attempt = time;
        self
    }

    /// Sets how many retries there may be, over all calls.
    #[must_use]
    pub fn budget(mut self, budget: BudgetConfig) -> Self {
        self.budget = budget;
        self
    }
}

impl Section for RetryConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        if !(1..=10).contains(&self.attempts) {
            check.problem(
                "attempts",
                "is not from 1 to 10",
                "write `3`, or `1` for a call that is not retried",
            );
        }
        if self.retry_after_cap > Duration::from_secs(3_600) {
            check.problem(
                "retry_after_cap",
                "lets a server hold a call for more than an hour",
                "write a time such as `5s`",
            );
        }
        check.nested("backoff", &self.backoff);
        check.nested("budget", &self.budget);
    }
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            attempts: 3,
            backoff: BackoffConfig::default(),
            retry_after_cap: Duration::from_secs(5),
            min_attempt: Duration::from_millis(10),
            budget: BudgetConfig::default(),
        }
    }
}
