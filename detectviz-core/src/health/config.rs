//! How health is judged, and how often a check runs.
use crate::config::{Checker, Section};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How the process itself is judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct HealthConfig {
    /// How long the application's runtime may make no progress before liveness fails (at least 1s).
    #[serde(with = "crate::config::duration")]
    #[schemars(with = "crate::config::DurationText")]
    pub stall_after: Duration,
}

/// How often one check runs, and what its results mean.
///
/// The thresholds mean what they mean in a Kubernetes probe. Kubernetes' default of three failures is not repeated here:
/// the kubelet counts to three again on what this process answers, so a flicker is already forgiven there, and a
/// dependency that died shows within one interval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct CheckConfig {
    /// How long one run may take (more than 0s, less than the interval). Kubernetes' `timeoutSeconds` is 1 as well.
    #[serde(with = "crate::config::duration")]
    #[schemars(with = "crate::config::DurationText")]
    pub timeout: Duration,
    /// The longest time that a failure goes unseen, even one that hangs: a run starts at most `interval - timeout` after
    /// the one before. A result older than two intervals counts as a failure.
    #[serde(with = "crate::config::duration")]
    #[schemars(with = "crate::config::DurationText")]
    pub interval: Duration,
    /// What a failure means for readiness.
    pub criticality: Criticality,
    /// How many failures in a row make a passing check fail (at least 1).
    pub failure_threshold: u32,
    /// How many successes in a row make a failing or a new check pass (at least 1).
    pub success_threshold: u32,
}

/// What the failure of a check means for readiness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Criticality {
    /// Without it the service cannot do its work: not ready.
    Critical,
    /// The service does less without it: ready, and reported as degraded.
    Optional,
}

// === impl HealthConfig ===

impl HealthConfig {
    /// What is wrong: the key, what about it, and what to write instead.
    #[must_use]
    pub fn problems(&self) -> Vec<(&'static str, String, String)> {
        let mut problems = Vec::new();
        if self.stall_after < Duration::from_secs(1) {
            problems.push((
                "stall_after",
                "is so short that an ordinary pause looks like a stall".to_owned(),
                "write at least `1s`".to_owned(),
            ));
        }
        problems
    }
}

impl Section for HealthConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        for (key, what, remedy) in self.problems() {
            check.problem(key, what, remedy);
        }
    }
}

impl Default for HealthConfig {
    fn default() -> Self {
        Self {
            stall_after: Duration::from_secs(10),
        }
    }
}

// === impl CheckConfig ===

impl CheckConfig {
    /// What is wrong: the key, what about it, and what to write instead.
    #[must_use]
    pub fn problems(&self) -> Vec<(&'static str, String, String)> {
        let mut problems = Vec::new();
        if self.timeout.is_zero() {
            problems.push((
                "timeout",
                "leaves the check no time".to_owned(),
                "write for example `1s`".to_owned(),
            ));
        }
        if self.interval <= self.timeout {
            problems.push((
                "interval",
                "is not longer than the timeout".to_owned(),
                "make it longer than `timeout`, for example `5s` with a timeout of `1s`".to_owned(),
            ));
        }
        for (key, value) in [
            ("failure_threshold", self.failure_threshold),
            ("success_threshold", self.success_threshold),
        ] {
            if value == 0 {
                problems.push((key, "is 0".to_owned(), "write at least `1`".to_owned()));
            }
        }
        problems
    }

    /// The longest time between the starts of two runs.
    pub(super) fn period(&self) -> Duration {
        // The floor only matters for a config that was never validated.
        self.interval
            .saturating_sub(self.timeout)
            .max(Duration::from_millis(10))
    }

    /// The age from which a result counts as a failure.
    pub(super) fn stale_after(&self) -> Duration {
        self.interval.max(self.timeout).saturating_mul(2)
    }
}

impl Section for CheckConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        for (key, what, remedy) in self.problems() {
            check.problem(key, what, remedy);
        }
    }
}

impl Default for CheckConfig {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(1),
            interval: Duration::from_secs(5),
            criticality: Criticality::Critical,
            failure_threshold: 1,
            success_threshold: 1,
        }
    }
}
