//! What a user may set.
mod limits;
mod outlier;
mod policy;

pub use self::{
    limits::EndpointLimits,
    outlier::OutlierConfig,
    policy::{Policy, RingConfig, SlowStartConfig},
};
use crate::config::{Checker, DurationText, Section, duration};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Settings of a [`Balancer`](super::Balancer). All of them may be changed while it runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct BalanceConfig {
    /// How an endpoint is chosen.
    pub policy: Policy,
    /// The time in which a latency loses its weight in the average (more than 0s). 10 s is the decay time of Finagle's
    /// `PeakEwma` and linkerd's default.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub decay: Duration,
    /// The most latency that a failure counts as, unless it took longer (more than 0s). A failure counts as twice the endpoint's
    /// own average, and never as less than twice that of all. 1 s is what linkerd and tower assume while nothing is known.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub failure_penalty: Duration,
    /// The longest that a `Retry-After` keeps an endpoint from being chosen while there are others; 0s heeds none.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub max_retry_after: Duration,
    /// How a new endpoint is warmed up.
    pub slow_start: SlowStartConfig,
    /// The ring of `ring_hash`.
    pub ring: RingConfig,
    /// How much one endpoint is given at a time.
    pub limits: EndpointLimits,
    /// Which endpoints are ejected, and for how long.
    pub outlier: OutlierConfig,
}

impl BalanceConfig {
    /// Sets the policy.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets the time of decay.
    #[must_use]
    pub fn decay(mut self, decay: Duration) -> Self {
        self.decay = decay;
        self
    }

    /// Sets the most latency that a failure counts as.
    #[must_use]
    pub fn failure_penalty(mut self, penalty: Duration) -> Self {
        self.failure_penalty = penalty;
        self
    }

    /// Sets the longest that a `Retry-After` is heeded.
    #[must_use]
    pub fn max_retry_after(mut self, most: Duration) -> Self {
        self.max_retry_after = most;
        self
    }

    /// Sets how a new endpoint is warmed up.
    #[must_use]
    pub fn slow_start(mut self, slow_start: SlowStartConfig) -> Self {
        self.slow_start = slow_start;
        self
    }

    /// Sets the ring of `ring_hash`.
    #[must_use]
    pub fn ring(mut self, ring: RingConfig) -> Self {
        self.ring = ring;
        self
    }

    /// Sets how much one endpoint is given at a time.
    #[must_use]
    pub fn limits(mut self, limits: EndpointLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets which endpoints are ejected.
    #[must_use]
    pub fn outlier(mut self, outlier: OutlierConfig) -> Self {
        self.outlier = outlier;
        self
    }
}

impl Section for BalanceConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        for (key, value) in [
            ("decay", self.decay),
            ("failure_penalty", self.failure_penalty),
        ] {
            if value.is_zero() {
                check.problem(
                    key,
                    "latencies could not be weighed",
                    "write a time such as `1s`",
                );
            }
        }
        check.nested("slow_start", &self.slow_start);
        check.nested("ring", &self.ring);
        check.nested("limits", &self.limits);
        check.nested("outlier", &self.outlier);
    }
}

impl Default for BalanceConfig {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            decay: Duration::from_secs(10),
            failure_penalty: Duration::from_secs(1),
            max_retry_after: Duration::from_secs(30),
            slow_start: SlowStartConfig::default(),
            ring: RingConfig::default(),
            limits: EndpointLimits::default(),
            outlier: OutlierConfig::default(),
        }
    }
}

/// Reports `key` unless `value` is from `least` to `most`.
fn within(check: &mut Checker<'_>, key: &str, value: f64, least: f64, most: f64) {
    if !(least..=most).contains(&value) {
        check.problem(
            key,
            format!("{value} is out of range"),
            format!("write a number from {least} to {most}"),
        );
    }
}
