//! What protects the calls to one upstream, as a user sets it.
use super::RoutePolicyConfig;
use detectviz_core::{
    balance::BalanceConfig,
    config::{Checker, DurationText, Section, duration, optional_duration},
    resilience::{
        breaker::{BreakerConfig, WindowConfig},
        bulkhead::BulkheadConfig,
        hedge::HedgeConfig,
        retry::RetryConfig,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What protects the calls to one upstream: each of them, and all together. All of it may change while the client runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("x-reload" = "live"))]
#[non_exhaustive]
pub struct PolicyConfig {
    /// The longest that one attempt may take until its response begins; less than the client's `total_timeout`. 1 s unless
    /// set: a third of the total, so that three attempts fit.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub attempt_timeout: Duration,
    /// The longest that one call may take, from its start to the last byte of the response's body; the client's
    /// `total_timeout` unless set.
    #[serde(with = "optional_duration")]
    #[schemars(with = "Option<DurationText>")]
    pub total_timeout: Option<Duration>,
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
    /// What is special about the calls of some routes. Of those that match a call the first counts, as in a route table of
    /// Envoy.
    pub routes: Vec<RoutePolicyConfig>,
}

// === impl PolicyConfig ===

impl PolicyConfig {
    /// Sets the longest that one attempt may take.
    #[must_use]
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.attempt_timeout = limit;
        self
    }

    /// Sets the longest that one call may take.
    #[must_use]
    pub fn total_timeout(mut self, limit: Duration) -> Self {
        self.total_timeout = Some(limit);
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

    /// Sets the header whose value calls have in common that belong to one endpoint.
    #[must_use]
    pub fn hash_header(mut self, name: impl Into<String>) -> Self {
        self.hash_header = Some(name.into());
        self
    }

    /// Sets what is special about the calls of some routes.
    #[must_use]
    pub fn routes(mut self, routes: impl IntoIterator<Item = RoutePolicyConfig>) -> Self {
        self.routes = routes.into_iter().collect();
        self
    }

    /// Every pair of times that a call may have: the key, and the longest attempt and call. `total` is the client's.
    pub(super) fn timeouts(
        &self,
        total: Duration,
    ) -> impl Iterator<Item = (String, Duration, Duration)> {
        let (attempt, total) = (self.attempt_timeout, self.total_timeout.unwrap_or(total));
        let routes = self.routes.iter().enumerate().map(move |(at, route)| {
            let attempt = route.attempt_timeout.unwrap_or(attempt);
            let total = route.total_timeout.unwrap_or(total);
            (format!("routes[{at}].attempt_timeout"), attempt, total)
        });
        std::iter::once(("attempt_timeout".to_owned(), attempt, total)).chain(routes)
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
            total_timeout: None,
            routes: Vec::new(),
        }
    }
}

impl Section for PolicyConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        if self.attempt_timeout.is_zero() {
            let remedy = "write a time such as `1s`";
            check.problem("attempt_timeout", "every call would fail", remedy);
        }
        let longest = self.timeouts(Duration::ZERO).map(|(_, attempt, _)| attempt);
        if let WindowConfig::Time(duration) = self.breaker.window
            && duration < 2 * longest.max().unwrap_or_default()
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
        for (at, route) in self.routes.iter().enumerate() {
            check.nested(&format!("routes[{at}]"), route);
        }
    }
}
