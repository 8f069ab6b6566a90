//! What protects the calls to one upstream.
use super::{endpoint::Endpoint, hedging::Hedging};
use detectviz_core::{
    balance::{BalanceConfig, BalanceMetrics, Balancer},
    config::{Checker, DurationText, Section, duration},
    resilience::{
        breaker::{self, BreakerConfig, Circuit, WindowConfig},
        bulkhead::{Bulkhead, BulkheadConfig, BulkheadMetrics},
        fallback,
        hedge::{self, HedgeConfig},
        retry::{self, Retry, RetryConfig},
    },
    telemetry::metrics::Registry,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

/// What protects the calls to one upstream: each of them, and all together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct PolicyConfig {
    /// The longest that one attempt may take until its response begins; less than the client's `total_timeout`. 1 s unless
    /// set: a third of the total, so that three attempts fit.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText", extend("x-reload" = "live"))]
    pub attempt_timeout: Duration,
    /// How failed attempts are repeated.
    pub retry: RetryConfig,
    /// When an attempt that is slow gets company, unless `null`: calls that may be repeated are then sent to a second
    /// endpoint, and the first answer counts.
    pub hedge: Option<HedgeConfig>,
    /// When the upstream as a whole is left alone for a while. It counts attempts.
    pub breaker: BreakerConfig,
    /// How many calls run at once, and how many wait for their turn.
    pub bulkhead: BulkheadConfig,
    /// Which endpoint gets the call, and which is left alone for a while.
    pub balance: BalanceConfig,
    /// The header whose value calls have in common that belong to one endpoint, for the policy `ring_hash`.
    pub hash_header: Option<String>,
}

/// The protections of one upstream, live.
#[derive(Debug)]
pub(super) struct Policies {
    pub(super) retry: Retry,
    pub(super) hedging: Hedging,
    pub(super) breaker: Circuit,
    pub(super) bulkhead: Bulkhead,
    /// In nanoseconds.
    attempt_timeout: AtomicU64,
    pub(super) balance: BalanceConfig,
    pub(super) hash_header: Option<http::HeaderName>,
}

/// Makes the protections of upstreams.
#[derive(Debug)]
pub(super) struct PolicyMaker {
    config: super::ClientConfig,
    metrics: Registry,
    bulkheads: BulkheadMetrics,
    balancers: BalanceMetrics,
}

// === impl PolicyConfig ===

impl PolicyConfig {
    /// Sets the longest that one attempt may take.
    #[must_use]
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.attempt_timeout = limit;
        self
    }

    /// Sets how failed attempts are repeated.
    #[must_use]
    pub fn retry(mut self, retry: RetryConfig) -> Self {
        self.retry = retry;
        self
    }

    /// Has slow attempts get company.
    #[must_use]
    pub fn hedge(mut self, hedge: HedgeConfig) -> Self {
        self.hedge = Some(hedge);
        self
    }

    /// Sets when the upstream is left alone.
    #[must_use]
    pub fn breaker(mut self, breaker: BreakerConfig) -> Self {
        self.breaker = breaker;
        self
    }

    /// Sets how many calls run at once.
    #[must_use]
    pub fn bulkhead(mut self, bulkhead: BulkheadConfig) -> Self {
        self.bulkhead = bulkhead;
        self
    }

    /// Sets which endpoint gets the call.
    #[must_use]
    pub fn balance(mut self, balance: BalanceConfig) -> Self {
        self.balance = balance;
        self
    }
}

impl Default for PolicyConfig {
    fn default() -> Self {
        Self {
            attempt_timeout: Duration::from_secs(1),
            retry: RetryConfig::default(),
            hedge: None,
            breaker: BreakerConfig::default(),
            bulkhead: BulkheadConfig::default(),
            balance: BalanceConfig::default(),
            hash_header: None,
        }
    }
}

impl Section for PolicyConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        if self.attempt_timeout.is_zero() {
            let remedy = "write a time such as `1s`";
            check.problem("attempt_timeout", "every call would fail", remedy);
        }
        if let WindowConfig::Time(duration) = self.breaker.window
            && duration < 2 * self.attempt_timeout
        {
            check.problem(
                "breaker.window",
                "a window shorter than two attempts forgets them before they end",
                "make it at least twice attempt_timeout",
            );
        }
        if let Some(header) = &self.hash_header
            && header.parse::<http::HeaderName>().is_err()
        {
            let remedy = "write the name of a header, such as `x-user-id`";
            check.problem("hash_header", "it is no name of a header", remedy);
        }
        check.nested("retry", &self.retry);
        if let Some(hedge) = &self.hedge {
            check.nested("hedge", hedge);
        }
        check.nested("breaker", &self.breaker);
        check.nested("bulkhead", &self.bulkhead);
        check.nested("balance", &self.balance);
    }
}

// === impl PolicyMaker ===

impl PolicyMaker {
    pub(super) fn new(config: super::ClientConfig, metrics: &Registry) -> Self {
        breaker::register(metrics);
        retry::register(metrics);
        hedge::register(metrics);
        fallback::register(metrics);
        Self {
            bulkheads: BulkheadMetrics::new(metrics),
            balancers: BalanceMetrics::new(metrics),
            metrics: metrics.clone(),
            config,
        }
    }

    /// The protections of the calls to `host`.
    pub(super) fn policies(&self, host: &str) -> Policies {
        let config = self
            .config
            .upstreams
            .get(host)
            .unwrap_or(&self.config.policy);
        let nanos = u64::try_from(config.attempt_timeout.as_nanos()).unwrap_or(u64::MAX);
        let header = config.hash_header.as_ref();
        let hedging = Hedging::new(host, &self.metrics);
        hedging.set(config.hedge.as_ref());
        Policies {
            hedging,
            retry: Retry::with_metrics(&config.retry, host, &self.metrics),
            breaker: Circuit::new(host, &config.breaker, &self.metrics),
            bulkhead: Bulkhead::with_metrics(&config.bulkhead, host, &self.bulkheads),
            attempt_timeout: AtomicU64::new(nanos),
            balance: config.balance.clone(),
            hash_header: header.and_then(|name| name.parse().ok()),
        }
    }

    /// What chooses among the endpoints of `service`.
    pub(super) fn balancer(&self, service: &str, policies: &Policies) -> Balancer<Endpoint> {
        let balancer = Balancer::new(service, &policies.balance, Instant::now(), |endpoint| {
            let authority = endpoint.authority().parse().ok()?;
            Some(Endpoint::new(authority))
        });
        balancer.observed_by(&self.balancers);
        balancer
    }
}

// === impl Policies ===

impl Policies {
    pub(super) fn attempt_timeout(&self) -> Duration {
        Duration::from_nanos(self.attempt_timeout.load(Relaxed))
    }
}
