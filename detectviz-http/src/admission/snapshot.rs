//! What the limits hold at one moment, as plain data.
use detectviz_core::{
    config::duration,
    resilience::{bulkhead::Bulkhead, priority::Priority, shed::ShedReason},
};
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};

/// What [`AdmissionHandle`](super::AdmissionHandle) shows: the limits of a server, and how full they are.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct AdmissionSnapshot {
    /// Of the whole server.
    pub concurrency: ConcurrencySnapshot,
    /// What moves that limit, if anything does.
    pub adaptive: Option<AdaptiveSnapshot>,
    /// What is shed, when that is switched on.
    pub shed: Option<ShedSnapshot>,
    /// Of the whole server, by the name that callers read.
    pub rate_limits: BTreeMap<String, RateLimitSnapshot>,
    /// Of the routes that have settings of their own, by template.
    pub routes: BTreeMap<String, RouteAdmissionSnapshot>,
}

/// The limits of one route.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RouteAdmissionSnapshot {
    /// How much its requests matter.
    pub priority: Priority,
    /// How many of its requests run, where it has a limit of its own.
    pub concurrency: Option<ConcurrencySnapshot>,
    /// Its rate limits.
    pub rate_limits: BTreeMap<String, RateLimitSnapshot>,
}

/// A limit on how many requests run at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ConcurrencySnapshot {
    /// How many may run; an adaptive limit as it is now.
    pub limit: u32,
    /// How many run.
    pub in_flight: u32,
    /// How many wait.
    pub queued: u32,
}

/// What an adaptive limit has learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AdaptiveSnapshot {
    /// How long requests take without a queue; 0 as long as that is not known.
    #[serde(serialize_with = "duration::serialize")]
    pub baseline: Duration,
}

/// What is shed, and why.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ShedSnapshot {
    /// What there is too little of; `None` when nothing is shed.
    pub reason: Option<ShedReason>,
    /// The share of all requests that is refused, from 0 to 0.98.
    pub drop: f64,
    /// CPU time as it was read last, as a share of what the process may use.
    pub cpu: Option<f64>,
    /// Memory as it was read last, as a share of the limit.
    pub memory: Option<f64>,
    /// The least time that work waited in the last interval.
    #[serde(serialize_with = "optional")]
    pub queue_delay: Option<Duration>,
}

/// A rate limit.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RateLimitSnapshot {
    /// Who shares a bucket, as the configuration has it.
    pub key: String,
    /// How many requests may pass in a second.
    pub per_second: f64,
    /// How many may pass at once.
    pub burst: u32,
    /// How many callers have used some of theirs; of a global limit 0 or 1.
    pub keys_in_use: usize,
}

// === impl ConcurrencySnapshot ===

impl ConcurrencySnapshot {
    pub(super) fn of(limit: &Bulkhead) -> Self {
        Self {
            limit: limit.limit(),
            in_flight: limit.in_flight(),
            queued: limit.queued(),
        }
    }
}

#[expect(clippy::ref_option, reason = "serde's signature")]
fn optional<S: serde::Serializer>(
    value: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => duration::serialize(value, serializer),
        None => serializer.serialize_none(),
    }
}
