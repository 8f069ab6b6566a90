//! The limits of a server, by route.
use super::{
    AdmissionConfig, RouteAdmissionConfig, Trust, allowance::Telling, shedding::ShedSwitch,
};
use crate::route::{Route, RouteTable};
use arc_swap::ArcSwap;
use detectviz_core::{
    error::{Error, ErrorKind},
    resilience::{
        adaptive::{Adaptive, AdaptiveMetrics},
        bulkhead::{Bulkhead, BulkheadMetrics},
        deadline::Deadlines,
        priority::Priority,
        rate_limit::{self, KeySeed, RateLimitConfig, RateLimiter},
    },
    telemetry::metrics::Registry,
};
use http::HeaderName;
use std::{collections::BTreeMap, sync::Arc, time::Instant};

/// The limits of a server. What they are is fixed; how high they are is not.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) deadlines: Deadlines,
    /// Whose deadlines count.
    pub(super) trust: ArcSwap<Trust>,
    pub(super) shedding: ShedSwitch,
    pub(super) concurrency: Bulkhead,
    /// What moves that limit, if anything does.
    pub(super) adaptive: Option<Adaptive>,
    pub(super) limits: Vec<Limit>,
    pub(super) telling: Telling,
    routes: Vec<(String, RoutePlan)>,
    /// By the index of a route, one more than the index in `routes`; 0 for what has no settings of its own.
    by_route: Vec<u16>,
}

/// The limits of one route.
#[derive(Debug)]
pub(super) struct RoutePlan {
    pub(super) priority: Priority,
    pub(super) concurrency: Option<Bulkhead>,
    pub(super) limits: Vec<Limit>,
}

/// A rate limit.
#[derive(Debug)]
pub(super) struct Limit {
    pub(super) limiter: RateLimiter,
    /// Whose value tells callers apart, when it is one.
    pub(super) header: Option<HeaderName>,
}

// === impl Plan ===

impl Plan {
    /// # Errors
    /// `Config` for a route that the table does not know.
    pub(super) fn new(
        config: &AdmissionConfig,
        table: &RouteTable,
        metrics: &Registry,
        now: Instant,
    ) -> Result<Self, Error> {
        let bulkheads = BulkheadMetrics::new(metrics);
        rate_limit::register(metrics);
        let adaptives = AdaptiveMetrics::new(metrics, &bulkheads);
        let adaptive = config.adaptive.as_ref();
        let adaptive = adaptive.map(|c| Adaptive::with_metrics(c, "server", &adaptives));
        let fixed = || Bulkhead::with_metrics(&config.concurrency, "server", &bulkheads);
        let mut plan = Self {
            deadlines: Deadlines::with_metrics(&config.deadline, metrics, "server"),
            trust: ArcSwap::from_pointee(config.trust.clone()),
            shedding: ShedSwitch::new(config.shed.as_ref(), metrics),
            concurrency: adaptive
                .as_ref()
                .map_or_else(fixed, |a| a.bulkhead().clone()),
            adaptive,
            limits: limits(&config.rate_limits, "", metrics, now),
            telling: Telling::new(config.rate_limit_headers),
            routes: Vec::new(),
            by_route: Vec::new(),
        };
        for (template, route) in &config.routes {
            let known = table
                .declared(template)
                .ok_or_else(|| unknown(template, table))?;
            let at = known.index();
            plan.by_route.resize(plan.by_route.len().max(at + 1), 0);
            let concurrency = route.concurrency.as_ref();
            let route = RoutePlan {
                priority: route.priority,
                concurrency: concurrency
                    .map(|config| Bulkhead::with_metrics(config, template, &bulkheads)),
                limits: limits(&route.rate_limits, template, metrics, now),
            };
            plan.routes.push((template.clone(), route));
            plan.by_route[at] = u16::try_from(plan.routes.len()).unwrap_or(0);
        }
        Ok(plan)
    }

    /// What is different for a route.
    #[inline]
    pub(super) fn route(&self, route: Route) -> Option<&RoutePlan> {
        let at = self.by_route.get(route.index())?.checked_sub(1)?;
        self.routes.get(usize::from(at)).map(|(_, plan)| plan)
    }

    /// The routes that have settings of their own, by template.
    pub(super) fn routes(&self) -> impl Iterator<Item = (&str, &RoutePlan)> {
        self.routes.iter().map(|(name, plan)| (name.as_str(), plan))
    }

    /// Puts other numbers in force. Limits that come or go wait for the next start.
    pub(super) fn reconfigure(&self, config: &AdmissionConfig, now: Instant) {
        self.deadlines.reconfigure(&config.deadline);
        self.trust.store(Arc::new(config.trust.clone()));
        self.telling.set(config.rate_limit_headers);
        self.shedding.reconfigure(config.shed.as_ref());
        match (&self.adaptive, &config.adaptive) {
            (Some(adaptive), Some(config)) => adaptive.reconfigure(config),
            (Some(_), None) => {}
            (None, _) => self.concurrency.reconfigure(&config.concurrency),
        }
        reconfigure(&self.limits, &config.rate_limits, "", now);
        let none = RouteAdmissionConfig::default();
        for (template, plan) in &self.routes {
            let route = config.routes.get(template).unwrap_or(&none);
            if let (Some(bulkhead), Some(config)) = (&plan.concurrency, &route.concurrency) {
                bulkhead.reconfigure(config);
            }
            reconfigure(&plan.limits, &route.rate_limits, template, now);
        }
    }
}

fn limits(
    configs: &BTreeMap<String, RateLimitConfig>,
    template: &str,
    metrics: &Registry,
    now: Instant,
) -> Vec<Limit> {
    use detectviz_core::resilience::rate_limit::RateLimitKey;
    let limit = |(name, config): (&String, &RateLimitConfig)| {
        let policy = policy(template, name);
        Limit {
            limiter: RateLimiter::new(&policy, config, KeySeed::random(), now, metrics),
            header: match &config.key {
                RateLimitKey::Header(name) => name.parse().ok(),
                _ => None,
            },
        }
    };
    configs.iter().map(limit).collect()
}

fn reconfigure(
    limits: &[Limit],
    configs: &BTreeMap<String, RateLimitConfig>,
    template: &str,
    now: Instant,
) {
    for (name, config) in configs {
        let policy = policy(template, name);
        if let Some(limit) = limits.iter().find(|l| l.limiter.policy() == policy) {
            limit.limiter.reconfigure(config, now);
        }
    }
}

/// The name that callers read: that of the limit, behind that of its route.
fn policy(template: &str, name: &str) -> String {
    let space = if template.is_empty() { "" } else { " " };
    format!("{template}{space}{name}")
}

fn unknown(template: &str, table: &RouteTable) -> Error {
    let message = format!(
        "admission.routes names `{template}`, which is no route of the service: it knows {table:?}"
    );
    Error::new(ErrorKind::Config, message)
}
