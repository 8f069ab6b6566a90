//! The read-only view.
use super::{
    AdmissionSnapshot,
    plan::{Limit, Plan},
    snapshot::{
        AdaptiveSnapshot, ConcurrencySnapshot, RateLimitSnapshot, RouteAdmissionSnapshot,
        ShedSnapshot,
    },
};
use std::{collections::BTreeMap, sync::Arc, time::Instant};

/// Looks at the limits of a server while they are in use; a live, read-only view. The kind `http-server` provides one, and
/// the admin port shows it at `/admission`.
///
/// # Clone
/// Clones look at the same limits.
#[derive(Clone, Debug)]
pub struct AdmissionHandle {
    plan: Arc<Plan>,
}

impl AdmissionHandle {
    pub(super) fn new(plan: Arc<Plan>) -> Self {
        Self { plan }
    }

    /// The limits and how full they are at `now`. The numbers are read one after another, while requests come and go.
    ///
    /// For `keys_in_use` it looks at every slot of the tables of the rate limits: it is for people and dashboards, not for
    /// each request.
    #[must_use]
    pub fn snapshot(&self, now: Instant) -> AdmissionSnapshot {
        let plan = &*self.plan;
        let routes = plan.routes().map(|(template, route)| {
            let shown = RouteAdmissionSnapshot {
                priority: route.priority,
                concurrency: route.concurrency.as_ref().map(ConcurrencySnapshot::of),
                rate_limits: rate_limits(&route.limits, now),
            };
            (template.to_owned(), shown)
        });
        AdmissionSnapshot {
            concurrency: ConcurrencySnapshot::of(&plan.concurrency),
            adaptive: plan.adaptive.as_ref().map(|adaptive| AdaptiveSnapshot {
                baseline: adaptive.baseline(),
            }),
            shed: plan.shedding.is_on().then(|| shed(plan)),
            rate_limits: rate_limits(&plan.limits, now),
            routes: routes.collect(),
        }
    }
}

fn shed(plan: &Plan) -> ShedSnapshot {
    let shedder = plan.shedding.shedder();
    let (verdict, readings) = (shedder.verdict(), shedder.readings());
    ShedSnapshot {
        reason: verdict.reason,
        drop: verdict.drop,
        cpu: readings.cpu,
        memory: readings.memory,
        queue_delay: readings.queue_delay,
    }
}

fn rate_limits(limits: &[Limit], now: Instant) -> BTreeMap<String, RateLimitSnapshot> {
    let shown = limits.iter().map(|limit| {
        let quota = limit.limiter.quota();
        let shown = RateLimitSnapshot {
            key: limit.limiter.key_kind().to_string(),
            per_second: 1e9 / quota.interval() as f64,
            burst: quota.burst(),
            keys_in_use: limit.limiter.keys_in_use(now),
        };
        (limit.limiter.policy().to_owned(), shown)
    });
    shown.collect()
}
