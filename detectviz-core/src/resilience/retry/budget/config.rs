//! What a user may set.
use super::state::{LONGEST, Limits};
use crate::config::{Checker, DurationText, Section, duration};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Settings of a [`Budget`](super::Budget).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct BudgetConfig {
    /// Retries per call, 0 to 1000; exact to the ninth decimal. 0.2 is Finagle's and linkerd's default: the load of an
    /// upstream that fails grows by a fifth.
    pub ratio: f64,
    /// Retries per second that are allowed however little traffic there is; the window has them all at once. 10 is Finagle's
    /// default.
    pub min_per_second: u32,
    /// How long a call or a retry counts: 2s to 60s, rounded up to whole seconds. 10s is linkerd's default.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub window: Duration,
}

// === impl BudgetConfig ===

impl BudgetConfig {
    /// Sets the retries per call.
    #[must_use]
    pub fn ratio(mut self, ratio: f64) -> Self {
        self.ratio = ratio;
        self
    }

    /// Sets how many retries per second need no traffic.
    #[must_use]
    pub fn min_per_second(mut self, retries: u32) -> Self {
        self.min_per_second = retries;
        self
    }

    /// Sets how long a call or a retry counts.
    #[must_use]
    pub fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// The same as whole numbers. What [`validate`](Section::validate) refuses is brought into its range.
    pub(super) fn limits(&self) -> Limits {
        let seconds = self.window.as_nanos().div_ceil(1_000_000_000);
        let window = u32::try_from(seconds).map_or(LONGEST, |s| s.clamp(1, LONGEST));
        Limits {
            ratio_nanos: (self.ratio.clamp(0.0, 1_000.0) * 1e9).round() as u64,
            floor: u64::from(self.min_per_second) * u64::from(window),
            window,
        }
    }
}

impl Section for BudgetConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        if !(0.0..=1_000.0).contains(&self.ratio) {
            check.problem(
                "ratio",
                "is not a share of the traffic",
                "write a number from 0 to 1000, such as `0.2` for a fifth",
            );
        }
        if !(Duration::from_secs(2)..=Duration::from_secs(60)).contains(&self.window) {
            check.problem(
                "window",
                "counts are kept by the second, for a minute",
                "write a time from `2s` to `60s`",
            );
        }
    }
}

impl Default for BudgetConfig {
    fn default() -> Self {
        Self {
            ratio: 0.2,
            min_per_second: 10,
            window: Duration::from_secs(10),
        }
    }
}
