//! What a user may set.
use super::{
    gate::Gate,
    state::{Rules, Standing},
};
use crate::config::{Checker, DurationText, Section, duration};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Settings of a [`Bulkhead`](super::Bulkhead). All of them can change while it is in use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct BulkheadConfig {
    /// How many calls may run at once: 1 to 2147483647. The default is Envoy's, 1024 (circuit breakers, `max_requests`).
    #[schemars(range(min = 1, max = 2_147_483_647), extend("x-reload" = "live"))]
    pub max_concurrent: u32,
    /// The calls that wait for their turn.
    #[schemars(extend("x-reload" = "live"))]
    pub queue: QueueConfig,
    /// What a refused caller is told to wait before it tries again; `0s` tells nothing. 1 s unless set: the least that a
    /// `Retry-After` header can say (RFC 9110, 10.2.3).
    #[serde(with = "duration")]
    #[schemars(with = "DurationText", extend("x-reload" = "live"))]
    pub retry_after: Duration,
}

/// Settings of the queue in front of a limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct QueueConfig {
    /// How many calls may wait at once; 0 refuses at once what cannot run. The default is Envoy's, 1024
    /// (`max_pending_requests`).
    #[schemars(extend("x-reload" = "live"))]
    pub max_queue: u32,
    /// The longest one call may wait, at most `1h`; the deadline of its request may end it earlier. 100 ms unless set, the
    /// limit of an ordinary queue in "Fail at Scale" (Maurer, ACM Queue 13.8, 2015).
    #[serde(with = "duration")]
    #[schemars(with = "DurationText", extend("x-reload" = "live"))]
    pub max_wait: Duration,
    /// Who goes first.
    #[schemars(extend("x-reload" = "live"))]
    pub order: QueueOrder,
    /// With the order `adaptive_lifo`: how long the queue must not have been empty to count as standing. 100 ms unless set,
    /// as in "Fail at Scale".
    #[serde(with = "duration")]
    #[schemars(with = "DurationText", extend("x-reload" = "live"))]
    pub standing_after: Duration,
    /// With the order `adaptive_lifo`: the longest that one call may wait which joins a standing queue. 5 ms unless set, as
    /// in "Fail at Scale".
    #[serde(with = "duration")]
    #[schemars(with = "DurationText", extend("x-reload" = "live"))]
    pub standing_wait: Duration,
}

/// Who goes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum QueueOrder {
    /// Who came first.
    #[default]
    Fifo,
    /// Who came first, but while the queue stands, who came last: those who have waited long have callers that have given
    /// up. Newcomers then wait for `standing_wait` only.
    AdaptiveLifo,
}

// === impl BulkheadConfig ===

impl BulkheadConfig {
    /// Sets how many calls may run at once.
    #[must_use]
    pub fn max_concurrent(mut self, max_concurrent: u32) -> Self {
        self.max_concurrent = max_concurrent;
        self
    }

    /// Sets how many calls may wait at once.
    #[must_use]
    pub fn max_queue(mut self, max_queue: u32) -> Self {
        self.queue.max_queue = max_queue;
        self
    }

    /// Sets the longest one call may wait.
    #[must_use]
    pub fn max_wait(mut self, max_wait: Duration) -> Self {
        self.queue.max_wait = max_wait;
        self
    }

    /// Sets who goes first.
    #[must_use]
    pub fn order(mut self, order: QueueOrder) -> Self {
        self.queue.order = order;
        self
    }

    /// Sets what a refused caller is told to wait.
    #[must_use]
    pub fn retry_after(mut self, retry_after: Duration) -> Self {
        self.retry_after = retry_after;
        self
    }
}

impl Default for BulkheadConfig {
    fn default() -> Self {
        Self {
            max_concurrent: 1024,
            queue: QueueConfig::default(),
            retry_after: Duration::from_secs(1),
        }
    }
}

impl Section for BulkheadConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        if self.max_concurrent == 0 {
            check.problem(
                "max_concurrent",
                "no call could ever run",
                "write at least 1",
            );
        }
        if self.max_concurrent > Gate::MAX {
            check.problem(
                "max_concurrent",
                "so many cannot be counted",
                format!("write at most {}", Gate::MAX),
            );
        }
        check.nested("queue", &self.queue);
    }
}

// === impl QueueConfig ===

impl QueueConfig {
    const LONGEST: Duration = Duration::from_secs(3600);

    pub(super) fn rules(&self) -> Rules {
        Rules {
            max_queue: self.max_queue,
            max_wait: self.max_wait,
            standing: (self.order == QueueOrder::AdaptiveLifo).then_some(Standing {
                after: self.standing_after,
                wait: self.standing_wait,
            }),
        }
    }
}

impl Default for QueueConfig {
    fn default() -> Self {
        Self {
            max_queue: 1024,
            max_wait: Duration::from_millis(100),
            order: QueueOrder::Fifo,
            standing_after: Duration::from_millis(100),
            standing_wait: Duration::from_millis(5),
        }
    }
}

impl Section for QueueConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        if self.max_queue > 0 && self.max_wait.is_zero() {
            check.problem(
                "max_wait",
                "no call could wait in the queue",
                "write a time such as `100ms`, or `max_queue: 0` for no queue",
            );
        }
        if self.max_wait > Self::LONGEST {
            check.problem(
                "max_wait",
                "nobody waits so long for an answer",
                "write at most `1h`",
            );
        }
        if self.order != QueueOrder::AdaptiveLifo {
            return;
        }
        if self.standing_wait.is_zero() || self.standing_wait >= self.max_wait {
            check.problem(
                "standing_wait",
                "a standing queue must be shorter than others, but not nothing",
                "write a time below `max_wait`, such as `5ms`",
            );
        }
    }
}
