//! What a user may set.
use crate::{
    config::{Checker, DurationText, Section, duration},
    resilience::{
        breaker::{BreakerConfig, WindowConfig},
        bulkhead::BulkheadConfig,
        hedge::HedgeConfig,
        retry::RetryConfig,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Settings of a [`Policy`](super::Policy). All of them may change while it runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("x-reload" = "live"))]
#[non_exhaustive]
pub struct PolicyConfig {
    /// The longest that a call may take, with the wait for its turn, all attempts and the waits between them; more than
    /// `attempt_timeout`. 3s unless set: `retry.attempts` times `attempt_timeout`.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub total_timeout: Duration,
    /// The longest that one attempt may take; more than 0. 1s unless set: a third of the total, so that three attempts
    /// fit.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub attempt_timeout: Duration,
    /// How failed attempts are repeated.
    pub retry: RetryConfig,
    /// When the other side is left alone for a while. It counts attempts.
    pub breaker: BreakerConfig,
    /// How many calls run at once, and how many wait for their turn.
    pub bulkhead: BulkheadConfig,
    /// When a slow attempt of an idempotent call gets a second one beside it; `null` for never.
    pub hedge: Option<HedgeConfig>,
}

// === impl PolicyConfig ===

impl PolicyConfig {
    /// Sets the longest that a call may take.
    #[must_use]
    pub fn total_timeout(mut self, limit: Duration) -> Self {
        self.total_timeout = limit;
        self
    }

    /// Sets the longest that one attempt may take.
    #[must_use]
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.attempt_timeout = limit;
        self
    }

    /// Sets how failed attempts are repeated.
    #[must_use]
    pub fn retry(mut self, retry: RetryConfig) -> Self {
        self.retry = retry;
        self
    }

    /// Sets when the other side is left alone.
    #[must_use]
    pub fn breaker(mut self, breaker: BreakerConfig) -> Self {
        self.breaker = breaker;
        self
    }

    /// Sets how many calls run at once.
    #[must_use]
    pub fn bulkhead(mut self, bulkhead: BulkheadConfig) -> Self {
        self.bulkhead = bulkhead;
        self
    }

    /// Sets when a slow attempt gets a second one beside it.
    #[must_use]
    pub fn hedge(mut self, hedge: impl Into<Option<HedgeConfig>>) -> Self {
        self.hedge = hedge.into();
        self
    }

    /// What hedges go by; without hedges, one that never sends any.
    pub(super) fn hedges(&self) -> HedgeConfig {
        let never = || HedgeConfig::default().max_hedges(0);
        self.hedge.clone().unwrap_or_else(never)
    }
}

impl Section for PolicyConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        if self.attempt_timeout.is_zero() {
            let remedy = "write a time such as `1s`";
            check.problem("attempt_timeout", "every call would fail", remedy);
        }
        if self.total_timeout <= self.attempt_timeout {
            check.problem(
                "total_timeout",
                "is not more than `attempt_timeout`, so that a slow attempt is never repeated",
                "write a longer time, such as three times `attempt_timeout`",
            );
        }
        if let WindowConfig::Time(window) = self.breaker.window
            && window < self.attempt_timeout.saturating_mul(2)
        {
            check.problem(
                "breaker.window",
                "a window shorter than two attempts forgets them before they end",
                "make it at least twice `attempt_timeout`",
            );
        }
        check.nested("retry", &self.retry);
        check.nested("breaker", &self.breaker);
        check.nested("bulkhead", &self.bulkhead);
        if let Some(hedge) = &self.hedge {
            check.nested("hedge", hedge);
        }
    }
}

impl Default for PolicyConfig {
    fn default() -> Self {
        Self {
            total_timeout: Duration::from_secs(3),
            attempt_timeout: Duration::from_secs(1),
            retry: RetryConfig::default(),
            breaker: BreakerConfig::default(),
            bulkhead: BulkheadConfig::default(),
            hedge: None,
        }
    }
}
