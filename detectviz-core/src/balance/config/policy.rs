//! How an endpoint is chosen.
use super::within;
use crate::config::{Checker, DurationText, Section, duration};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How an endpoint is chosen. Every policy heeds weights, ejections, limits and slow starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Policy {
    /// Of two at random, the one with the smaller product of latency (the peak-sensitive average of Finagle's
    /// `PeakEwma`) and calls in flight. Mitzenmacher, The power of two choices in randomized load balancing, 2001; the default
    /// of Finagle and linkerd.
    #[default]
    P2cEwma,
    /// Of two at random, the one with fewer calls in flight: Envoy's `LEAST_REQUEST`, with `choice_count` 2.
    LeastRequest,
    /// In turn. Over as many calls as the weights add up to, each gets exactly its weight.
    RoundRobin,
    /// At random, by weight: Vose's alias method.
    WeightedRandom,
    /// By the hash of the call, so that calls of one key go to one endpoint: a ring with several points for each endpoint, after
    /// ketama, and a bound on the load of one. A call without a hash goes anywhere.
    RingHash,
}

/// How an endpoint that joins others is warmed up; after Envoy's `SlowStartConfig`.
///
/// It is offered its share of the calls times `(time / window)^(1 / aggression)`, but no less than `min_weight`. Endpoints that
/// are all new are not warmed up: somebody must take the calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct SlowStartConfig {
    /// How long it takes; 0s for no slow start. Envoy leaves the choice to its users; 15 s is within the 10–30 s that JIT
    /// compilers, pools and caches usually need.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub window: Duration,
    /// How fast it grows (0.1 to 10): 1 in proportion to time, more sooner. Envoy's default is 1.
    pub aggression: f64,
    /// The share that it starts with, 0.01 to 1. Envoy's default is 0.1.
    pub min_weight: f64,
}

/// The ring of [`Policy::RingHash`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct RingConfig {
    /// Points of one endpoint, 1 to 10,000; more are more even. The share of an endpoint deviates by 1/√points (160: 8 %).
    /// 160 is what libketama has.
    pub points: u32,
    /// The most points of the whole ring, 1,024 to 8,388,608 (Envoy's maximum); above, each endpoint has fewer, and at
    /// least one.
    pub max_size: u32,
    /// The most load of one endpoint as a multiple of the mean, 1.05 to 100; what exceeds it goes to the next on the ring.
    /// Mirrokni, Thorup and Zadimoghaddam, Consistent hashing with bounded loads, 2018; 1.25 is what HAProxy
    /// (`hash-balance-factor`) advises and Vimeo reported.
    pub bounded_load: f64,
}

// === impl SlowStartConfig ===

impl SlowStartConfig {
    /// Sets how long it takes.
    #[must_use]
    pub fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// Sets how fast it grows.
    #[must_use]
    pub fn aggression(mut self, aggression: f64) -> Self {
        self.aggression = aggression;
        self
    }

    /// Sets the share that it starts with.
    #[must_use]
    pub fn min_weight(mut self, share: f64) -> Self {
        self.min_weight = share;
        self
    }
}

impl Section for SlowStartConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        within(check, "aggression", self.aggression, 0.1, 10.0);
        within(check, "min_weight", self.min_weight, 0.01, 1.0);
    }
}

impl Default for SlowStartConfig {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(15),
            aggression: 1.0,
            min_weight: 0.1,
        }
    }
}

// === impl RingConfig ===

impl RingConfig {
    /// Sets the points of one endpoint.
    #[must_use]
    pub fn points(mut self, points: u32) -> Self {
        self.points = points;
        self
    }

    /// Sets the most points of the whole ring.
    #[must_use]
    pub fn max_size(mut self, size: u32) -> Self {
        self.max_size = size;
        self
    }

    /// Sets the most load of one endpoint as a multiple of the mean.
    #[must_use]
    pub fn bounded_load(mut self, multiple: f64) -> Self {
        self.bounded_load = multiple;
        self
    }
}

impl Section for RingConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        within(check, "points", f64::from(self.points), 1.0, 10_000.0);
        let most = f64::from(1 << 23);
        within(check, "max_size", f64::from(self.max_size), 1024.0, most);
        within(check, "bounded_load", self.bounded_load, 1.05, 100.0);
    }
}

impl Default for RingConfig {
    fn default() -> Self {
        Self {
            points: 160,
            max_size: 1 << 20,
            bounded_load: 1.25,
        }
    }
}
