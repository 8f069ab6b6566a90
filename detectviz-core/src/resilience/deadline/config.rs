//! What a user may set.
use crate::config::{Checker, DurationText, Section, duration, optional_duration};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Settings of [`Deadline`](super::Deadline).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct DeadlineConfig {
    /// The longest that a request may take, whatever its caller asks for. More than 0. Sixty seconds are what the usual
    /// gateways wait for an answer (nginx's `proxy_read_timeout`, the idle timeout of an AWS load balancer).
    #[serde(with = "duration")]
    #[schemars(with = "DurationText", extend("x-reload" = "live"))]
    pub max: Duration,
    /// How long a request may take whose caller asks for nothing. More than 0, at most `max`; without it such a request has
    /// no deadline, which is gRPC's default.
    #[serde(with = "optional_duration")]
    #[schemars(with = "Option<DurationText>", extend("x-reload" = "live"))]
    pub default: Option<Duration>,
    /// Whether what callers ask for counts. `false` at the edge of a system, where callers are strangers.
    #[schemars(extend("x-reload" = "live"))]
    pub trust_remote: bool,
}

// === impl DeadlineConfig ===

impl DeadlineConfig {
    /// Sets the longest that a request may take.
    #[must_use]
    pub fn max(mut self, max: Duration) -> Self {
        self.max = max;
        self
    }

    /// Sets how long a request may take whose caller asks for nothing.
    #[must_use]
    pub fn default_limit(mut self, default: Option<Duration>) -> Self {
        self.default = default;
        self
    }

    /// Sets whether what callers ask for counts.
    #[must_use]
    pub fn trust_remote(mut self, trust_remote: bool) -> Self {
        self.trust_remote = trust_remote;
        self
    }
}

impl Section for DeadlineConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        if self.max.is_zero() {
            check.problem(
                "max",
                "every request would be refused",
                "write a time such as `60s`",
            );
        }
        if self.default.is_some_and(|default| default.is_zero()) {
            check.problem(
                "default",
                "every request that asks for nothing would be refused",
                "write a time such as `15s`, or leave it out for no deadline",
            );
        }
        if self.default.is_some_and(|default| default > self.max) {
            check.problem(
                "default",
                "is longer than `max`",
                "write at most what stands at `max`",
            );
        }
    }
}

impl Default for DeadlineConfig {
    fn default() -> Self {
        Self {
            max: Duration::from_secs(60),
            default: None,
            trust_remote: true,
        }
    }
}
