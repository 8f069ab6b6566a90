//! What operators see of a client, and what they can do.
use super::{
    PolicyConfig,
    policies::Policies,
    service::Shared,
    upstream::{Route, Upstream},
};
use detectviz_core::{
    balance::{BalancerHandle, EndpointView},
    resilience::breaker::BreakerHandle,
};
use serde_json::{Map, Value, json};
use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

/// A live view of a [`Client`](super::Client): the hosts that it remembers and what protects their calls. It reads; what it
/// lets through to the breakers and balancers can be stepped in with by hand.
///
/// ```
/// use detectviz_core::{resilience::breaker::State, task::Tasks};
/// use detectviz_http::client::{ClientBuilder, ClientConfig};
///
/// let client = ClientBuilder::new(ClientConfig::default()).build(&Tasks::new()).expect("the defaults are valid");
/// let handle = client.handle();
/// for upstream in handle.upstreams() {
///     if upstream.breaker().state() == State::Open {
///         println!("{} is left alone", upstream.name());
///     }
/// }
/// assert_eq!(handle.in_flight(), 0);
/// ```
///
/// # Clone
/// Clones view the same client.
#[derive(Clone)]
pub struct ClientHandle {
    shared: Arc<Shared>,
}

/// A live view of one host that a client remembers.
///
/// # Clone
/// Clones view the same host.
#[derive(Clone)]
pub struct UpstreamHandle {
    name: Arc<str>,
    policies: Arc<Policies>,
    balancer: Option<BalancerHandle>,
}

/// A bulkhead at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BulkheadView {
    /// How many calls may run at once.
    pub limit: u32,
    /// How many run.
    pub in_flight: u32,
    /// How many wait.
    pub queued: u32,
}

// === impl ClientHandle ===

impl ClientHandle {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// How many calls are under way: begun, and the body of the response not yet read, nor dropped.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.shared.in_flight.len()
    }

    /// Every host that is remembered, by name; and `_other`, once there were too many.
    #[must_use]
    pub fn upstreams(&self) -> Vec<UpstreamHandle> {
        let hosts = self.shared.upstreams.hosts();
        let mut all = Vec::new();
        hosts.each(|upstream| all.push(UpstreamHandle::of(upstream)));
        all.extend(hosts.others().map(|(name, policies)| UpstreamHandle {
            name: name.into(),
            policies,
            balancer: None,
        }));
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// The host `name`, as it is written in URIs: with the port when there is one. `None` before its first call.
    #[must_use]
    pub fn upstream(&self, name: &str) -> Option<UpstreamHandle> {
        let mut all = self.upstreams().into_iter();
        all.find(|upstream| upstream.name() == name)
    }

    /// All of it as of `now`, for the admin port.
    #[must_use]
    pub fn to_json(&self, now: Instant) -> Value {
        let upstreams = self.upstreams().into_iter();
        let upstreams =
            upstreams.map(|upstream| (upstream.name().to_owned(), upstream.to_json(now)));
        json!({
            "in_flight": self.in_flight(),
            "upstreams": upstreams.collect::<Map<_, _>>(),
        })
    }
}

impl fmt::Debug for ClientHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientHandle")
            .field("upstreams", &self.upstreams())
            .finish_non_exhaustive()
    }
}

// === impl UpstreamHandle ===

impl UpstreamHandle {
    fn of(upstream: &Upstream) -> Self {
        Self {
            name: upstream.authority().into(),
            policies: Arc::clone(upstream.policies()),
            balancer: match upstream.route() {
                Route::Discovered(found) => Some(found.balancer.handle()),
                Route::Direct(_) => None,
            },
        }
    }

    /// The host, with the port when there is one.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its breaker: state, counts, `force_open`, `force_close`, `reset`.
    #[must_use]
    pub fn breaker(&self) -> BreakerHandle {
        self.policies.breaker.handle()
    }

    /// What chooses among its endpoints; `None` for a host that goes to DNS.
    #[must_use]
    pub fn balancer(&self) -> Option<&BalancerHandle> {
        self.balancer.as_ref()
    }

    /// How many of its calls run and wait.
    #[must_use]
    pub fn bulkhead(&self) -> BulkheadView {
        let bulkhead = &self.policies.bulkhead;
        BulkheadView {
            limit: bulkhead.limit(),
            in_flight: bulkhead.in_flight(),
            queued: bulkhead.queued(),
        }
    }

    /// How many retries its budget has left at `now`.
    #[must_use]
    pub fn retry_budget(&self, now: Instant) -> u64 {
        self.policies.retry.budget().balance(now)
    }

    /// The settings in force.
    #[must_use]
    pub fn policy(&self) -> PolicyConfig {
        self.policies.config()
    }

    fn to_json(&self, now: Instant) -> Value {
        let (breaker, bulkhead) = (self.breaker(), self.bulkhead());
        let counts = breaker.counts_at(now);
        let endpoints = self.balancer.as_ref().map(|balancer| {
            let endpoints = balancer.endpoints(now).into_iter();
            let endpoints = endpoints.map(|endpoint| endpoint_json(&endpoint, now));
            endpoints.collect::<Vec<_>>()
        });
        json!({
            "breaker": {
                "state": breaker.state().as_str(),
                "calls": counts.calls,
                "failures": counts.failures,
                "slow": counts.slow,
                "refused": counts.refused,
                "failure_rate": counts.failure_rate(),
                "slow_call_rate": counts.slow_call_rate(),
            },
            "bulkhead": {
                "limit": bulkhead.limit,
                "in_flight": bulkhead.in_flight,
                "queued": bulkhead.queued,
            },
            "retry_budget": self.retry_budget(now),
            "endpoints": endpoints,
        })
    }
}

impl fmt::Debug for UpstreamHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamHandle")
            .field("name", &self.name)
            .field("breaker", &self.breaker().state())
            .field("bulkhead", &self.bulkhead())
            .finish_non_exhaustive()
    }
}

fn endpoint_json(endpoint: &EndpointView, now: Instant) -> Value {
    let ejected_for = endpoint.ejected_until;
    let ejected_for = ejected_for.map(|until| until.saturating_duration_since(now));
    json!({
        "authority": endpoint.authority,
        "status": endpoint.status.as_str(),
        "weight": endpoint.weight,
        "in_flight": endpoint.in_flight,
        "ewma_ms": endpoint.ewma.map(millis),
        "ejections": endpoint.ejections,
        "ejected_for_ms": ejected_for.map(millis),
    })
}

/// In milliseconds, to the microsecond.
fn millis(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1e3
}
