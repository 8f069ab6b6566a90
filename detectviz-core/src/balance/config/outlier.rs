//! Which endpoints are ejected, and for how long.
use super::within;
use crate::config::{Checker, DurationText, Section, duration};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Which endpoints are ejected, and for how long; after Envoy's outlier detection.
///
/// When the time of an ejection has passed, one call at a time is let through as a probe: the first that goes well admits the
/// endpoint again, with a slow start; one that fails ejects it for longer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct OutlierConfig {
    /// Whether endpoints are ejected at all.
    pub enabled: bool,
    /// Failed answers in a row (such as 5xx) that eject; 0 for never. 7 is linkerd's failure accrual; Envoy has 5.
    pub consecutive_failures: u16,
    /// Calls in a row that failed before there was an answer (refused, reset, timed out) that eject; 0 for never. An answer of any
    /// kind ends the row. 7 as well; Envoy's `consecutive_local_origin_failure` is 5.
    pub consecutive_local_failures: u16,
    /// How often success rates are compared (at least 1s). Envoy's default is 10 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub interval: Duration,
    /// The fewest endpoints with enough calls in the interval for rates to be compared, at least 2; 0 for never. Envoy's
    /// default is 5.
    pub success_rate_hosts: u32,
    /// The fewest calls in the interval for an endpoint's rate to count. Envoy's default is 100.
    pub success_rate_requests: u32,
    /// How many standard deviations below the mean a success rate is an outlier, 0.1 to 10. Envoy's default is 1.9.
    pub success_rate_stdev_factor: f64,
    /// How long an ejection lasts, times the number of ejections in a row (more than 0s). Envoy's default is 30 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub base_ejection_time: Duration,
    /// The longest ejection (at least the base). Envoy's default is 300 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub max_ejection_time: Duration,
    /// The largest part of an ejection's time that chance adds, 0 to 1, so that endpoints do not come back together.
    pub jitter: f64,
    /// The largest part of the endpoints that are ejected at once, 0 to 1; rounded down, so that one half of three is one. Envoy
    /// has 0.1, and linkerd no bound; one half is where the panic threshold begins.
    pub max_ejected: f64,
    /// When a smaller part of the endpoints than this is left, ejections are ignored, 0 to 1; 0 for never. Envoy's
    /// `healthy_panic_threshold` is 0.5. Those ejected by hand stay ejected.
    pub panic_threshold: f64,
}

// === impl OutlierConfig ===

impl OutlierConfig {
    /// Sets whether endpoints are ejected at all.
    #[must_use]
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// Sets how many failed answers in a row eject.
    #[must_use]
    pub fn consecutive_failures(mut self, row: u16) -> Self {
        self.consecutive_failures = row;
        self
    }

    /// Sets how many calls in a row without an answer eject.
    #[must_use]
    pub fn consecutive_local_failures(mut self, row: u16) -> Self {
        self.consecutive_local_failures = row;
        self
    }

    /// Sets how often success rates are compared.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// Sets the fewest endpoints, and the fewest calls of each, for rates to be compared.
    #[must_use]
    pub fn success_rate(mut self, hosts: u32, requests: u32) -> Self {
        self.success_rate_hosts = hosts;
        self.success_rate_requests = requests;
        self
    }

    /// Sets how many standard deviations below the mean a success rate is an outlier.
    #[must_use]
    pub fn success_rate_stdev_factor(mut self, factor: f64) -> Self {
        self.success_rate_stdev_factor = factor;
        self
    }

    /// Sets how long the first ejection and the longest one last.
    #[must_use]
    pub fn ejection_time(mut self, base: Duration, max: Duration) -> Self {
        self.base_ejection_time = base;
        self.max_ejection_time = max;
        self
    }

    /// Sets the largest part of an ejection's time that chance adds.
    #[must_use]
    pub fn jitter(mut self, part: f64) -> Self {
        self.jitter = part;
        self
    }

    /// Sets the largest part of the endpoints that are ejected at once.
    #[must_use]
    pub fn max_ejected(mut self, part: f64) -> Self {
        self.max_ejected = part;
        self
    }

    /// Sets the part of the endpoints below which ejections are ignored.
    #[must_use]
    pub fn panic_threshold(mut self, part: f64) -> Self {
        self.panic_threshold = part;
        self
    }
}

impl Section for OutlierConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        if self.interval < Duration::from_secs(1) {
            check.problem(
                "interval",
                "too few calls would be compared",
                "write a time from `1s` on",
            );
        }
        if self.success_rate_hosts == 1 {
            check.problem(
                "success_rate_hosts",
                "one endpoint has nobody to be compared with",
                "write a number from 2 on, or 0 to compare none",
            );
        }
        let factor = self.success_rate_stdev_factor;
        within(check, "success_rate_stdev_factor", factor, 0.1, 10.0);
        if self.base_ejection_time.is_zero() {
            check.problem(
                "base_ejection_time",
                "an ejection would end at once",
                "write a time such as `30s`",
            );
        }
        if self.max_ejection_time < self.base_ejection_time {
            check.problem(
                "max_ejection_time",
                "it is less than `base_ejection_time`",
                "write at least the same time",
            );
        }
        within(check, "jitter", self.jitter, 0.0, 1.0);
        within(check, "max_ejected", self.max_ejected, 0.0, 1.0);
        within(check, "panic_threshold", self.panic_threshold, 0.0, 1.0);
    }
}

impl Default for OutlierConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            consecutive_failures: 7,
            consecutive_local_failures: 7,
            interval: Duration::from_secs(10),
            success_rate_hosts: 5,
            success_rate_requests: 100,
            success_rate_stdev_factor: 1.9,
            base_ejection_time: Duration::from_secs(30),
            max_ejection_time: Duration::from_secs(300),
            jitter: 0.1,
            max_ejected: 0.5,
            panic_threshold: 0.5,
        }
    }
}
