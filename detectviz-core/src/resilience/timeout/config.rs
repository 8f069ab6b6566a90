//! What a user may set.
use crate::config::{Checker, DurationText, Section, duration};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Settings of [`Timeout`](super::Timeout).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct TimeoutConfig {
    /// The longest one call may take, from the moment it first has to wait. More than 0.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub limit: Duration,
}

impl TimeoutConfig {
    /// Sets the limit.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }
}

impl Section for TimeoutConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        if self.limit.is_zero() {
            check.problem(
                "limit",
                "every call would fail",
                "write a time such as `10s`",
            );
        }
    }
}

impl Default for TimeoutConfig {
    fn default() -> Self {
        Self {
            limit: Duration::from_secs(10),
        }
    }
}
