//! What a user may set.
use detectviz_core::config::{Checker, DurationText, Section};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// For how long what a store answered is good. Leases, and what the store says of its own rotation, go before these times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct CacheConfig {
    /// How long an answer is served without asking the store again (at least 1s). A secret that nobody watches, holds or
    /// asks for in this time is forgotten, and its lease given back.
    #[serde(with = "detectviz_core::config::duration")]
    #[schemars(with = "DurationText")]
    pub ttl: Duration,
    /// When an answer that is in use is fetched anew, ahead of the end of `ttl` (at most `ttl`).
    #[serde(with = "detectviz_core::config::duration")]
    #[schemars(with = "DurationText")]
    pub refresh: Duration,
    /// By how much `refresh` varies in both directions, so that replicas do not ask at the same moment.
    #[serde(with = "detectviz_core::config::duration")]
    #[schemars(with = "DurationText")]
    pub refresh_jitter: Duration,
    /// How old an answer may become while the store gives no other; 0s serves nothing that is older than `ttl`. No lease is
    /// served past its end, whatever stands here.
    #[serde(with = "detectviz_core::config::duration")]
    #[schemars(with = "DurationText")]
    pub stale: Duration,
    /// How long one call to the store may take (at least 1ms).
    #[serde(with = "detectviz_core::config::duration")]
    #[schemars(with = "DurationText")]
    pub timeout: Duration,
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(3600),
            refresh: Duration::from_secs(30 * 60),
            refresh_jitter: Duration::from_secs(5 * 60),
            stale: Duration::from_secs(24 * 3600),
            timeout: Duration::from_secs(5),
        }
    }
}

impl CacheConfig {
    /// Sets how long an answer is served without asking again.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// Sets when an answer in use is fetched anew, and by how much that varies.
    #[must_use]
    pub fn refresh(mut self, refresh: Duration, jitter: Duration) -> Self {
        self.refresh = refresh;
        self.refresh_jitter = jitter;
        self
    }

    /// Sets how old an answer may become while the store gives no other.
    #[must_use]
    pub fn stale(mut self, stale: Duration) -> Self {
        self.stale = stale;
        self
    }

    /// Sets how long one call to the store may take.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

impl Section for CacheConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        if self.ttl < Duration::from_secs(1) {
            check.problem(
                "ttl",
                "asks the store for every use",
                "write at least `1s`; `1h` is the default",
            );
        }
        if self.refresh > self.ttl {
            check.problem(
                "refresh",
                "comes after the end of `ttl`",
                "write less than `ttl`, for example half of it",
            );
        }
        if self.refresh_jitter > self.refresh {
            check.problem(
                "refresh_jitter",
                "is more than `refresh` itself",
                "write for example a sixth of `refresh`",
            );
        }
        if self.timeout < Duration::from_millis(1) {
            check.problem(
                "timeout",
                "leaves the store no time to answer",
                "write for example `5s`",
            );
        }
    }
}
