//! What a user may set.
use super::Trust;
use detectviz_core::{
    config::{Checker, Section},
    resilience::{
        adaptive::AdaptiveConfig, bulkhead::BulkheadConfig, deadline::DeadlineConfig,
        priority::Priority, rate_limit::RateLimitConfig, shed::ShedConfig,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Settings of [`Admission`](super::Admission).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct AdmissionConfig {
    /// How long requests may take: what their callers ask for in `grpc-timeout` or `x-request-timeout-ms`, within limits.
    pub deadline: DeadlineConfig,
    /// Which peers' deadlines count, while `deadline.trust_remote` holds: `all`, `none`, or a list of networks such as
    /// `10.0.0.0/8`. Everybody's unless set, within `deadline.max`: a deadline only ever shortens what its own request gets.
    #[schemars(extend("x-reload" = "live"))]
    pub trust: Trust,
    /// When load is shed; not at all unless set, since a healthy service may give the same signals: see the module. May be
    /// switched on and off while the server runs.
    #[schemars(extend("x-reload" = "live"))]
    pub shed: Option<ShedConfig>,
    /// How many requests the server works on at once, and how many wait for their turn.
    pub concurrency: BulkheadConfig,
    /// In place of `concurrency`: a limit that finds out by itself how many the server can work on at once, from how long
    /// they take (gradient2). Off unless set, since a server whose requests differ a lot in length misleads it.
    pub adaptive: Option<AdaptiveConfig>,
    /// Rate limits of all requests, by the name that callers read in `RateLimit-Policy`. At most 4 apply to one request,
    /// those of its route included.
    pub rate_limits: BTreeMap<String, RateLimitConfig>,
    /// Which callers read of their rate limits, in `RateLimit-Policy` and `RateLimit`.
    #[schemars(extend("x-reload" = "live"))]
    pub rate_limit_headers: RateLimitHeaders,
    /// What is different for a route, by its template, such as `/orders/{id}`.
    pub routes: BTreeMap<String, RouteAdmissionConfig>,
}

/// Which callers read of their rate limits, by draft-ietf-httpapi-ratelimit-headers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RateLimitHeaders {
    /// All to whom a limit applies, so that they can slow down before they are refused; of several limits, the one that leaves
    /// them the least.
    #[default]
    Always,
    /// Those who are refused.
    Refusals,
    /// Nobody.
    Never,
}

/// Settings of [`Admission`](super::Admission) for one route.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct RouteAdmissionConfig {
    /// How much its requests matter when not all can be served.
    pub priority: Priority,
    /// How many of its requests run at once, within what the server allows; none but that limit unless set.
    pub concurrency: Option<BulkheadConfig>,
    /// Rate limits of its requests, beside those of the server.
    pub rate_limits: BTreeMap<String, RateLimitConfig>,
}

/// How many rate limits can apply to one request.
pub(super) const MOST_LIMITS: usize = 4;

// === impl AdmissionConfig ===

impl AdmissionConfig {
    /// Sets how many requests the server works on at once.
    #[must_use]
    pub fn concurrency(mut self, concurrency: BulkheadConfig) -> Self {
        self.concurrency = concurrency;
        self
    }

    /// Lets the server find out by itself how many requests it works on at once.
    #[must_use]
    pub fn adaptive(mut self, adaptive: AdaptiveConfig) -> Self {
        self.adaptive = Some(adaptive);
        self
    }

    /// Sets whose deadlines count.
    #[must_use]
    pub fn trust(mut self, trust: Trust) -> Self {
        self.trust = trust;
        self
    }

    /// Sets which callers read of their rate limits.
    #[must_use]
    pub fn rate_limit_headers(mut self, headers: RateLimitHeaders) -> Self {
        self.rate_limit_headers = headers;
        self
    }

    /// Sets when load is shed.
    #[must_use]
    pub fn shed(mut self, shed: ShedConfig) -> Self {
        self.shed = Some(shed);
        self
    }

    /// Sets how long requests may take.
    #[must_use]
    pub fn deadline(mut self, deadline: DeadlineConfig) -> Self {
        self.deadline = deadline;
        self
    }
}

impl Section for AdmissionConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        check.nested("deadline", &self.deadline);
        if let Some(shed) = &self.shed {
            check.nested("shed", shed);
        }
        check.nested("concurrency", &self.concurrency);
        if let Some(adaptive) = &self.adaptive {
            check.nested("adaptive", adaptive);
        }
        let most = self.routes.values().map(|route| route.rate_limits.len());
        if self.rate_limits.len() + most.max().unwrap_or(0) > MOST_LIMITS {
            check.problem(
                "rate_limits",
                "more than 4 rate limits would apply to one request",
                "leave some out: those of a route count as well",
            );
        }
        for (name, limit) in &self.rate_limits {
            check.nested(&format!("rate_limits.{name}"), limit);
        }
        for (template, route) in &self.routes {
            check.nested(&format!("routes.{template}"), route);
        }
    }
}

// === impl RouteAdmissionConfig ===

impl RouteAdmissionConfig {
    /// Sets how much its requests matter.
    #[must_use]
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// Sets how many of its requests run at once.
    #[must_use]
    pub fn concurrency(mut self, concurrency: BulkheadConfig) -> Self {
        self.concurrency = Some(concurrency);
        self
    }
}

impl Section for RouteAdmissionConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        if let Some(concurrency) = &self.concurrency {
            check.nested("concurrency", concurrency);
        }
        for (name, limit) in &self.rate_limits {
            check.nested(&format!("rate_limits.{name}"), limit);
        }
    }
}
