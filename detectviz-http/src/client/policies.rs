//! What protects the calls to one upstream, while it runs.
use super::{
    PolicyConfig,
    endpoint::Endpoint,
    hedging::Hedging,
    live::LiveDuration,
    pool::PoolLimits,
    rules::{Rule, Rules},
};
use crate::names;
use arc_swap::ArcSwap;
use detectviz_core::{
    balance::{BalanceConfig, BalanceMetrics, Balancer, hash_of},
    resilience::{
        breaker::{self, Circuit},
        bulkhead::{Bulkhead, BulkheadMetrics},
        fallback, hedge,
        retry::{self, Retry},
    },
    telemetry::metrics::{Counter, Desc, Kind, Registry, Unit},
};
use http::{HeaderMap, HeaderName, Method};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// The protections of one upstream. What they count outlives a change of their settings.
#[derive(Debug)]
pub(super) struct Policies {
    pub(super) retry: Retry,
    pub(super) hedging: Hedging,
    pub(super) breaker: Circuit,
    pub(super) bulkhead: Bulkhead,
    /// Of the pool of each endpoint.
    pub(super) limits: Arc<PoolLimits>,
    /// What holds for a call that no route is about.
    rest: (LiveDuration, LiveDuration),
    /// Whether there are routes, and whether there is a `hash_header`: few have them, and this is the cheaper question.
    has_routes: AtomicBool,
    hashes: AtomicBool,
    settings: ArcSwap<Settings>,
}

#[derive(Debug)]
struct Settings {
    config: PolicyConfig,
    /// The client's.
    total_timeout: Duration,
    rules: Rules,
    hash_header: Option<HeaderName>,
}

/// Makes the protections of upstreams.
#[derive(Debug)]
pub(super) struct PolicyMaker {
    metrics: Registry,
    bulkheads: BulkheadMetrics,
    balancers: BalanceMetrics,
    /// Calls to hosts that are not remembered.
    pub(super) overflow: Arc<Counter>,
}

static OVERFLOW: Desc = Desc {
    name: names::CLIENT_UPSTREAM_OVERFLOW,
    help: "How often a host was called that was one too many to be remembered.",
    unit: Unit::Of("{call}"),
    kind: Kind::Counter,
    labels: &[],
    buckets: &[],
};

// === impl Policies ===

impl Policies {
    /// What holds for a call with this method and path.
    pub(super) fn rule(&self, method: &Method, path: &str) -> Rule {
        if self.has_routes.load(Relaxed) {
            return self.settings.load().rules.find(method, path);
        }
        let (total, attempt) = &self.rest;
        Rule {
            attempt_timeout: attempt.get(),
            ..Rule::new(total.get())
        }
    }

    /// The hash of what calls have in common that belong to one endpoint, where there is such a header.
    pub(super) fn hash(&self, headers: &HeaderMap) -> Option<u64> {
        if !self.hashes.load(Relaxed) {
            return None;
        }
        let settings = self.settings.load();
        let value = headers.get(settings.hash_header.as_ref()?)?;
        Some(hash_of(value.as_bytes()))
    }

    /// The settings now.
    pub(super) fn config(&self) -> PolicyConfig {
        self.settings.load().config.clone()
    }

    /// Goes on with other settings, in all but the rules also for the calls under way; all counts stay. `false` when they are
    /// the same. `total_timeout` is the client's.
    pub(super) fn reconfigure(&self, config: &PolicyConfig, total_timeout: Duration) -> bool {
        let present = self.settings.load();
        if present.config == *config && present.total_timeout == total_timeout {
            return false;
        }
        self.retry.reconfigure(&config.retry);
        self.hedging.set(config.hedge.as_ref());
        self.breaker.handle().reconfigure(&config.breaker);
        self.bulkhead.reconfigure(&config.bulkhead);
        self.limits.set(&config.balance.limits);
        let settings = Settings::new(config, total_timeout);
        let (hashes, has_routes) = (settings.hash_header.is_some(), !config.routes.is_empty());
        let rest = settings.rules.rest();
        self.settings.store(Arc::new(settings));
        self.rest.0.set(rest.total_timeout);
        self.rest.1.set(rest.attempt_timeout);
        self.hashes.store(hashes, Relaxed);
        self.has_routes.store(has_routes, Relaxed);
        true
    }
}

// === impl Settings ===

impl Settings {
    fn new(config: &PolicyConfig, total_timeout: Duration) -> Self {
        let header = config.hash_header.as_ref();
        Self {
            rules: Rules::new(config, total_timeout),
            hash_header: header.and_then(|name| name.parse().ok()),
            config: config.clone(),
            total_timeout,
        }
    }
}

// === impl PolicyMaker ===

impl PolicyMaker {
    pub(super) fn new(metrics: &Registry) -> Self {
        breaker::register(metrics);
        retry::register(metrics);
        hedge::register(metrics);
        fallback::register(metrics);
        Self {
            bulkheads: BulkheadMetrics::new(metrics),
            balancers: BalanceMetrics::new(metrics),
            overflow: metrics.counter(&OVERFLOW).with(&[]),
            metrics: metrics.clone(),
        }
    }

    /// The protections of the calls to `upstream`, a label of their metrics.
    pub(super) fn policies(
        &self,
        upstream: &str,
        config: &PolicyConfig,
        total_timeout: Duration,
    ) -> Policies {
        let settings = Settings::new(config, total_timeout);
        let rest = settings.rules.rest();
        let limits = PoolLimits::default();
        limits.set(&config.balance.limits);
        let hedging = Hedging::new(upstream, &self.metrics);
        hedging.set(config.hedge.as_ref());
        Policies {
            hedging,
            retry: Retry::with_metrics(&config.retry, upstream, &self.metrics),
            breaker: Circuit::new(upstream, &config.breaker, &self.metrics),
            bulkhead: Bulkhead::with_metrics(&config.bulkhead, upstream, &self.bulkheads),
            limits: Arc::new(limits),
            rest: (
                LiveDuration::new(rest.total_timeout),
                LiveDuration::new(rest.attempt_timeout),
            ),
            has_routes: AtomicBool::new(!config.routes.is_empty()),
            hashes: AtomicBool::new(settings.hash_header.is_some()),
            settings: ArcSwap::from_pointee(settings),
        }
    }

    /// What chooses among the endpoints of `service`; `observed` unless it is gone in a moment.
    pub(super) fn balancer(
        &self,
        service: &str,
        config: &BalanceConfig,
        observed: bool,
    ) -> Balancer<Endpoint> {
        let balancer = Balancer::new(service, config, Instant::now(), |endpoint| {
            let authority = endpoint.authority().parse().ok()?;
            Some(Endpoint::new(authority))
        });
        if observed {
            balancer.observed_by(&self.balancers);
        }
        balancer
    }
}
