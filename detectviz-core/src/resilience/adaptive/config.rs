//! What a user may set.
use super::state::Rules;
use crate::{
    config::{Checker, DurationText, Section, duration},
    resilience::bulkhead::{BulkheadConfig, QueueConfig},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Settings of an [`Adaptive`](super::Adaptive) limit. All of them can change while it is in use, except `initial_limit`.
///
/// Defaults are those of Netflix' concurrency-limits (`Gradient2Limit`, `WindowedLimit`) where nothing else is said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct AdaptiveConfig {
    /// The limit to begin with: 20 unless set.
    pub initial_limit: u32,
    /// The least limit, at least 1. The default is Envoy's, 3 (adaptive concurrency, `min_concurrency`).
    #[schemars(range(min = 1), extend("x-reload" = "live"))]
    pub min_limit: u32,
    /// The largest limit, at most 1000000. The default is Envoy's, 1000 (`max_concurrency_limit`).
    #[schemars(range(max = 1_000_000), extend("x-reload" = "live"))]
    pub max_limit: u32,
    /// How many times the usual latency is still no sign of a queue: 1 to 10, 1.5 unless set.
    #[schemars(range(min = 1.0, max = 10.0), extend("x-reload" = "live"))]
    pub tolerance: f64,
    /// How much of each new limit is taken over: more than 0, at most 1; 0.2 unless set.
    #[schemars(extend("x-reload" = "live"))]
    pub smoothing: f64,
    /// How many calls may queue inside of the server, which is also what the limit grows by: at least 1, 4 unless set.
    #[schemars(range(min = 1), extend("x-reload" = "live"))]
    pub queue_size: u32,
    /// Whether that queue may be as long as the square root of the limit where this is more (`SquareRootFunction` there, and
    /// Envoy's headroom). Grows faster; not so unless set.
    #[schemars(extend("x-reload" = "live"))]
    pub square_root: bool,
    /// How many windows the usual latency is averaged over: at least 10, 600 unless set.
    #[schemars(range(min = 10), extend("x-reload" = "live"))]
    pub long_window: u32,
    /// The shortest window that the limit is changed after, more than 0. 100 ms unless set, as Envoy's
    /// `concurrency_update_interval`.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText", extend("x-reload" = "live"))]
    pub min_window: Duration,
    /// The longest window, 1 s unless set; what had too few calls until then is forgotten.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText", extend("x-reload" = "live"))]
    pub max_window: Duration,
    /// How many calls a window needs to say something: at least 1, 10 unless set.
    #[schemars(range(min = 1), extend("x-reload" = "live"))]
    pub min_samples: u32,
    /// How often the limit is cut to a quarter for a moment (100 ms or more) to see the latency without a queue, while calls
    /// fill it. 30 s unless set;
    /// `0s` never does, and the limit then drifts upwards in a lasting overload, as the published algorithm does.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText", extend("x-reload" = "live"))]
    pub probe_interval: Duration,
    /// The calls that wait for their turn.
    #[schemars(extend("x-reload" = "live"))]
    pub queue: QueueConfig,
    /// What a refused caller is told to wait before it tries again, as in
    /// [`BulkheadConfig`](crate::resilience::bulkhead::BulkheadConfig).
    #[serde(with = "duration")]
    #[schemars(with = "DurationText", extend("x-reload" = "live"))]
    pub retry_after: Duration,
}

// === impl AdaptiveConfig ===

impl AdaptiveConfig {
    const MOST: u32 = 1_000_000;

    /// Sets the limit to begin with.
    #[must_use]
    pub fn initial_limit(mut self, initial_limit: u32) -> Self {
        self.initial_limit = initial_limit;
        self
    }

    /// Sets the least limit.
    #[must_use]
    pub fn min_limit(mut self, min_limit: u32) -> Self {
        self.min_limit = min_limit;
        self
    }

    /// Sets the largest limit.
    #[must_use]
    pub fn max_limit(mut self, max_limit: u32) -> Self {
        self.max_limit = max_limit;
        self
    }

    /// Sets how often to look for the latency without a queue; 0 is never.
    #[must_use]
    pub fn probe_interval(mut self, probe_interval: Duration) -> Self {
        self.probe_interval = probe_interval;
        self
    }

    /// Sets the queue in front of the limit.
    #[must_use]
    pub fn queue(mut self, queue: QueueConfig) -> Self {
        self.queue = queue;
        self
    }

    pub(super) fn bulkhead(&self) -> BulkheadConfig {
        let mut config = BulkheadConfig::default()
            .max_concurrent(self.initial_limit)
            .retry_after(self.retry_after);
        config.queue = self.queue.clone();
        config
    }

    pub(super) fn rules(&self) -> Rules {
        let max = self.max_limit.clamp(1, Self::MOST);
        let min = self.min_limit.clamp(1, max);
        let probes = !self.probe_interval.is_zero();
        Rules {
            initial: f64::from(self.initial_limit.clamp(min, max)),
            min: f64::from(min),
            max: f64::from(max),
            tolerance: self.tolerance,
            smoothing: self.smoothing,
            queue_size: f64::from(self.queue_size),
            square_root: self.square_root,
            long_window: self.long_window,
            min_window: self.min_window,
            max_window: self.max_window,
            min_samples: self.min_samples,
            probe_interval: probes.then_some(self.probe_interval),
        }
    }
}

impl Default for AdaptiveConfig {
    fn default() -> Self {
        let bulkhead = BulkheadConfig::default();
        Self {
            initial_limit: 20,
            min_limit: 3,
            max_limit: 1000,
            tolerance: 1.5,
            smoothing: 0.2,
            queue_size: 4,
            square_root: false,
            long_window: 600,
            min_window: Duration::from_millis(100),
            max_window: Duration::from_secs(1),
            min_samples: 10,
            probe_interval: Duration::from_secs(30),
            queue: bulkhead.queue,
            retry_after: bulkhead.retry_after,
        }
    }
}

impl Section for AdaptiveConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        let mut expect = |holds: bool, key: &str, what: &str, remedy: &str| {
            if !holds {
                check.problem(key, what, remedy);
            }
        };
        let (min, max) = (self.min_limit, self.max_limit);
        expect(
            min > 0,
            "min_limit",
            "no call could run",
            "write at least 1",
        );
        expect(
            max <= Self::MOST,
            "max_limit",
            "no server runs so many calls at once",
            "write at most 1000000",
        );
        expect(
            min <= max,
            "min_limit",
            "it is larger than `max_limit`",
            "write at most `max_limit`",
        );
        expect(
            min > max || (min..=max).contains(&self.initial_limit),
            "initial_limit",
            "it does not lie between `min_limit` and `max_limit`",
            "write a number between them",
        );
        expect(
            (1.0..=10.0).contains(&self.tolerance),
            "tolerance",
            "the limit would fall whatever happens, or never",
            "write a number from 1 to 10, such as 1.5",
        );
        expect(
            self.smoothing > 0.0 && self.smoothing <= 1.0,
            "smoothing",
            "the limit would never change, or swing",
            "write a number above 0 and up to 1, such as 0.2",
        );
        expect(
            self.queue_size > 0,
            "queue_size",
            "the limit could never grow",
            "write at least 1",
        );
        expect(
            self.long_window >= 10,
            "long_window",
            "an overload would soon be taken for usual",
            "write at least 10",
        );
        expect(
            self.min_samples > 0,
            "min_samples",
            "a window without calls says nothing",
            "write at least 1",
        );
        expect(
            !self.min_window.is_zero(),
            "min_window",
            "the limit would follow every single call",
            "write a time such as `100ms`",
        );
        expect(
            self.max_window >= self.min_window,
            "max_window",
            "it is shorter than `min_window`",
            "write at least `min_window`",
        );
        expect(
            self.probe_interval.is_zero() || self.probe_interval >= 5 * self.max_window,
            "probe_interval",
            "the limit would be cut most of the time",
            "write at least five times `max_window`, such as `30s`, or `0s` for never",
        );
        check.nested("queue", &self.queue);
    }
}
