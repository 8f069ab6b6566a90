//! What a user may set.
use super::{PolicyConfig, upstream::host_of};
use detectviz_core::config::{Checker, DurationText, Section, duration};
use http::HeaderValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, iter, path::PathBuf, time::Duration};

/// Settings of a [`Client`](super::Client).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ClientConfig {
    /// The longest that a new connection may take: name, TCP and TLS together. At most `total_timeout`.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText", extend("x-reload" = "live"))]
    pub connect_timeout: Duration,
    /// The longest that one call may take, from its start to the last byte of the response's body. A stream that is meant
    /// to last needs a client with a longer one.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText", extend("x-reload" = "live"))]
    pub total_timeout: Duration,
    /// How long an idle connection is kept. Shorter than the idle timeout of the servers, or requests meet connections
    /// that are being closed.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub pool_idle_timeout: Duration,
    /// How many idle connections are kept for each endpoint; 0 keeps none.
    pub pool_max_idle_per_host: usize,
    /// Speak HTTP/2, over cleartext too (h2c, by prior knowledge). Off, speak HTTP/1.1, whatever else the server can.
    pub h2: bool,
    /// Whom to trust on `https`.
    pub tls: ClientTlsConfig,
    /// The `User-Agent` of requests that bring none; empty sends none.
    pub user_agent: String,
    /// How many hosts are remembered, with their connections and counts. Those that `upstreams` names always are, and those
    /// that nobody has called for a minute make way. Requests to more are slower, not refused: they share one set of
    /// protections, called `_other`.
    #[schemars(extend("x-reload" = "live"))]
    pub max_upstreams: usize,
    /// How long a host that discovery did not know goes to DNS before discovery is asked again.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText", extend("x-reload" = "live"))]
    pub unknown_ttl: Duration,
    /// What protects the calls to every host that `upstreams` does not name.
    pub policy: PolicyConfig,
    /// What protects the calls to a host, by its name, with a port or without. Such a section stands alone: what it leaves
    /// out has its default, and not what `policy` says.
    #[schemars(extend("x-reload" = "live"))]
    pub upstreams: BTreeMap<String, PolicyConfig>,
}

/// Whom a [`Client`](super::Client) trusts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ClientTlsConfig {
    /// A PEM file of the certificate authorities to trust, such as `/etc/ssl/certs/ca-certificates.crt`. Without it
    /// `https` is refused.
    pub ca_file: Option<PathBuf>,
}

// === impl ClientConfig ===

impl ClientConfig {
    /// Sets the longest time to connect.
    #[must_use]
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// Sets the longest time of a call.
    #[must_use]
    pub fn total_timeout(mut self, limit: Duration) -> Self {
        self.total_timeout = limit;
        self
    }

    /// Sets what protects the calls.
    #[must_use]
    pub fn policy(mut self, policy: PolicyConfig) -> Self {
        self.policy = policy;
        self
    }

    /// Sets what protects the calls to one host.
    #[must_use]
    pub fn upstream(mut self, host: impl Into<String>, policy: PolicyConfig) -> Self {
        self.upstreams.insert(host.into(), policy);
        self
    }

    /// What protects the calls to `authority`: the policy of the host with this port, else that of the host.
    pub(super) fn policy_of(&self, authority: &str) -> &PolicyConfig {
        self.own_policy_of(authority).unwrap_or(&self.policy)
    }

    /// Whether there is a policy for `authority` alone.
    pub(super) fn names(&self, authority: &str) -> bool {
        self.own_policy_of(authority).is_some()
    }

    fn own_policy_of(&self, authority: &str) -> Option<&PolicyConfig> {
        let policies = &self.upstreams;
        let of_host = || policies.get(host_of(authority));
        policies.get(authority).or_else(of_host)
    }

    /// Every policy, and its key.
    fn policies(&self) -> impl Iterator<Item = (String, &PolicyConfig)> {
        let upstreams = self.upstreams.iter();
        let upstreams = upstreams.map(|(host, policy)| (format!("upstreams.{host}"), policy));
        iter::once(("policy".to_owned(), &self.policy)).chain(upstreams)
    }

    /// Sets how long an idle connection is kept.
    #[must_use]
    pub fn pool_idle_timeout(mut self, timeout: Duration) -> Self {
        self.pool_idle_timeout = timeout;
        self
    }

    /// Sets whether HTTP/2 is spoken.
    #[must_use]
    pub fn h2(mut self, on: bool) -> Self {
        self.h2 = on;
        self
    }

    /// Sets whom to trust on `https`.
    #[must_use]
    pub fn tls(mut self, tls: ClientTlsConfig) -> Self {
        self.tls = tls;
        self
    }

    /// Sets the `User-Agent`.
    #[must_use]
    pub fn user_agent(mut self, name: impl Into<String>) -> Self {
        self.user_agent = name.into();
        self
    }

    /// Sets how many hosts are remembered.
    #[must_use]
    pub fn max_upstreams(mut self, hosts: usize) -> Self {
        self.max_upstreams = hosts;
        self
    }

    /// Sets how long a host that discovery did not know goes to DNS.
    #[must_use]
    pub fn unknown_ttl(mut self, ttl: Duration) -> Self {
        self.unknown_ttl = ttl;
        self
    }
}

impl Section for ClientConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        if self.total_timeout.is_zero() {
            check.problem(
                "total_timeout",
                "every call would fail",
                "write a time such as `3s`",
            );
        }
        if self.connect_timeout.is_zero() || self.connect_timeout > self.total_timeout {
            check.problem(
                "connect_timeout",
                "it must be more than 0 and at most total_timeout",
                "write a time such as `1s`, or raise total_timeout",
            );
        }
        for (key, policy) in self.policies() {
            for (of, attempt, total) in policy.timeouts(self.total_timeout) {
                if attempt >= total {
                    check.problem(
                        &format!("{key}.{of}"),
                        "an attempt may take as long as the whole call, so that none could follow",
                        "make it less than total_timeout",
                    );
                }
            }
            check.nested(&key, policy);
        }
        if self.max_upstreams == 0 {
            check.problem(
                "max_upstreams",
                "no host could be remembered",
                "write a number such as 1024",
            );
        }
        if HeaderValue::from_str(&self.user_agent).is_err() {
            check.problem(
                "user_agent",
                "it holds characters that no header may hold",
                "write printable ASCII",
            );
        }
    }
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(1),
            total_timeout: Duration::from_secs(3),
            pool_idle_timeout: Duration::from_secs(50),
            pool_max_idle_per_host: 64,
            h2: false,
            tls: ClientTlsConfig::default(),
            user_agent: concat!("detectviz/", env!("CARGO_PKG_VERSION")).to_owned(),
            max_upstreams: 1024,
            unknown_ttl: Duration::from_secs(30),
            policy: PolicyConfig::default(),
            upstreams: BTreeMap::new(),
        }
    }
}

// === impl ClientTlsConfig ===

impl ClientTlsConfig {
    /// Sets the file of certificate authorities.
    #[must_use]
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(path.into());
        self
    }
}
