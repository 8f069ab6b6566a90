//! What protects the calls to one upstream, while it runs.
use super::{PolicyConfig, endpoint::Endpoint, live::LiveDuration, pool::PoolLimits};
use crate::names;
use arc_swap::ArcSwapOption;
use detectviz_core::{
    balance::{BalanceConfig, BalanceMetrics, Balancer},
    resilience::{
        breaker::{self, Circuit},
        bulkhead::{Bulkhead, BulkheadMetrics},
        fallback, hedge,
        retry::{self, Retry},
    },
    telemetry::metrics::{Counter, Desc, Kind, Registry, Unit},
};
use http::HeaderName;
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
    pub(super) breaker: Circuit,
    pub(super) bulkhead: Bulkhead,
    /// Of the pool of each endpoint.
    pub(super) limits: Arc<PoolLimits>,
    attempt_timeout: LiveDuration,
    /// Whether there is a `hash_header`: few have one, and this is the cheaper question.
    hashes: AtomicBool,
    hash_header: ArcSwapOption<HeaderName>,
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
    /// The longest that one attempt may take.
    pub(super) fn attempt_timeout(&self) -> Duration {
        self.attempt_timeout.get()
    }

    /// The header whose value calls have in common that belong to one endpoint.
    pub(super) fn hash_header(&self) -> Option<Arc<HeaderName>> {
        let hashes = self.hashes.load(Relaxed);
        hashes.then(|| self.hash_header.load_full()).flatten()
    }

    /// Goes on with other settings, also for the calls under way; all counts stay.
    pub(super) fn reconfigure(&self, config: &PolicyConfig) {
        self.retry.reconfigure(&config.retry);
        self.breaker.handle().reconfigure(&config.breaker);
        self.bulkhead.reconfigure(&config.bulkhead);
        self.set(config);
    }

    fn set(&self, config: &PolicyConfig) {
        self.limits.set(&config.balance.limits);
        self.attempt_timeout.set(config.attempt_timeout);
        let header = config.hash_header.as_ref();
        let header = header.and_then(|name| name.parse().ok());
        self.hashes.store(header.is_some(), Relaxed);
        self.hash_header.store(header.map(Arc::new));
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
    pub(super) fn policies(&self, upstream: &str, config: &PolicyConfig) -> Policies {
        let policies = Policies {
            retry: Retry::with_metrics(&config.retry, upstream, &self.metrics),
            breaker: Circuit::new(upstream, &config.breaker, &self.metrics),
            bulkhead: Bulkhead::with_metrics(&config.bulkhead, upstream, &self.bulkheads),
            limits: Arc::default(),
            attempt_timeout: LiveDuration::default(),
            hashes: AtomicBool::default(),
            hash_header: ArcSwapOption::empty(),
        };
        policies.set(config);
        policies
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
