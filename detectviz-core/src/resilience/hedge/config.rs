//! What a user may set.
use crate::{
    config::{Checker, DurationText, Section, duration},
    resilience::retry::budget::BudgetConfig,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Settings of [`Hedge`](super::Hedge). All of them may change while it runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct HedgeConfig {
    /// How many attempts may join the first, 0 to 4; with 0 nothing is hedged. 1 is what "The Tail at Scale" measures, 4
    /// gRPC's limit in A6 (`maxAttempts` 5).
    pub max_hedges: u32,
    /// A call is hedged when it takes longer than this share of the calls of the last seconds, 0.5 to 0.999. 0.95 is the
    /// advice of "The Tail at Scale": it adds 5 % of load.
    pub quantile: f64,
    /// A call is hedged after this time, whatever others take, as by gRPC's `hedgingDelay`. 0s: the quantile decides.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub delay: Duration,
    /// No call is hedged earlier than this. 1 ms is Finagle's default, and as exact as a timer is.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub min_delay: Duration,
    /// How many hedges there may be for one call, over 10 s, 0 to 1; Finagle's `maxExtraLoad`.
    pub max_extra_load: f64,
    /// Hedges per second that are allowed however little traffic there is.
    pub min_per_second: u32,
}

// === impl HedgeConfig ===

impl HedgeConfig {
    /// Sets how many attempts may join the first.
    #[must_use]
    pub fn max_hedges(mut self, hedges: u32) -> Self {
        self.max_hedges = hedges;
        self
    }

    /// Sets the share of calls that are not hedged.
    #[must_use]
    pub fn quantile(mut self, quantile: f64) -> Self {
        self.quantile = quantile;
        self
    }

    /// Sets a fixed time after which a call is hedged.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Sets the time before which no call is hedged.
    #[must_use]
    pub fn min_delay(mut self, delay: Duration) -> Self {
        self.min_delay = delay;
        self
    }

    /// Sets how many hedges there may be for one call.
    #[must_use]
    pub fn max_extra_load(mut self, ratio: f64) -> Self {
        self.max_extra_load = ratio;
        self
    }

    /// Sets how many hedges per second need no traffic.
    #[must_use]
    pub fn min_per_second(mut self, hedges: u32) -> Self {
        self.min_per_second = hedges;
        self
    }

    pub(super) fn budget(&self) -> BudgetConfig {
        let budget = BudgetConfig::default().ratio(self.max_extra_load);
        budget.min_per_second(self.min_per_second)
    }
}

impl Section for HedgeConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        if self.max_hedges > 4 {
            check.problem(
                "max_hedges",
                "is more than 4",
                "write `1`: a second hedge gains little and costs as much as the first",
            );
        }
        if !(0.5..=0.999).contains(&self.quantile) {
            check.problem(
                "quantile",
                "is not from 0.5 to 0.999",
                "write `0.95` to hedge the slowest twentieth of calls",
            );
        }
        if !(0.0..=1.0).contains(&self.max_extra_load) {
            check.problem(
                "max_extra_load",
                "is not a share from 0 to 1",
                "write `0.05` for a twentieth",
            );
        }
    }
}

impl Default for HedgeConfig {
    fn default() -> Self {
        Self {
            max_hedges: 1,
            quantile: 0.95,
            delay: Duration::ZERO,
            min_delay: Duration::from_millis(1),
            max_extra_load: 0.05,
            min_per_second: 1,
        }
    }
}
