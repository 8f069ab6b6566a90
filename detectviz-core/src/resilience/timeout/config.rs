//! What a user may set.
use crate::config::{DurationText, duration};
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

    /// What is wrong with the settings: the key, the problem, the remedy.
    #[must_use]
    pub fn problems(&self) -> Vec<(&'static str, String, String)> {
        if self.limit.is_zero() {
            let problem = "every call would fail".to_owned();
            return vec![("limit", problem, "write a time such as `10s`".to_owned())];
        }
        Vec::new()
    }
}

impl Default for TimeoutConfig {
    fn default() -> Self {
        Self {
            limit: Duration::from_secs(10),
        }
    }
}
