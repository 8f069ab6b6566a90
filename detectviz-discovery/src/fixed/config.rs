//! What a user may set.
use super::StaticProvider;
use detectviz_core::{
    config::{Checker, Section},
    discovery::Endpoint,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The endpoints of services, by hand.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct StaticConfig {
    /// The endpoints of each service, by the name that callers ask for.
    pub services: BTreeMap<String, Vec<EndpointConfig>>,
}

/// One endpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct EndpointConfig {
    /// `host:port`; the host an IP address, in brackets when it is IPv6, or a name.
    pub address: String,
    /// The failure domain.
    pub zone: Option<String>,
    /// The share of traffic relative to its siblings; 0 takes none.
    pub weight: u32,
    /// The `version` label.
    pub version: Option<String>,
    /// Other labels.
    pub metadata: BTreeMap<String, String>,
}

// === impl StaticConfig ===

impl StaticConfig {
    /// Adds a service with its endpoints, each `host:port`.
    #[must_use]
    pub fn service(
        mut self,
        name: impl Into<String>,
        addresses: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let endpoints = addresses.into_iter().map(EndpointConfig::at).collect();
        self.services.insert(name.into(), endpoints);
        self
    }

    /// Makes the provider. An endpoint whose address is malformed, which [`Section::validate`] reports, is left out.
    #[must_use]
    pub fn build(self) -> StaticProvider {
        StaticProvider::new(&self)
    }
}

impl Section for StaticConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        for (service, endpoints) in &self.services {
            for (n, endpoint) in endpoints.iter().enumerate() {
                if endpoint.parse().is_none() {
                    check.problem(
                        &format!("services.{service}.{n}.address"),
                        format!("`{}` is no address", endpoint.address),
                        "write `host:port`, for example `127.0.0.1:8081` or `[::1]:8081`",
                    );
                }
            }
        }
    }
}

// === impl EndpointConfig ===

impl EndpointConfig {
    /// An endpoint of weight 1 at `host:port`.
    #[must_use]
    pub fn at(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            ..Self::default()
        }
    }

    /// The endpoint, or `None` when the address is malformed.
    pub(super) fn parse(&self) -> Option<Endpoint> {
        let (host, port) = self.address.rsplit_once(':')?;
        let port = port.parse().ok().filter(|port| *port != 0)?;
        let host = match host.strip_prefix('[') {
            Some(v6) => v6.strip_suffix(']').filter(|v6| v6.contains(':'))?,
            None if host.contains(':') => return None,
            None => host,
        };
        if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c == '/') {
            return None;
        }
        let mut endpoint = Endpoint::new(host, port).with_weight(self.weight);
        endpoint.zone.clone_from(&self.zone);
        endpoint.version.clone_from(&self.version);
        endpoint.metadata.clone_from(&self.metadata);
        Some(endpoint)
    }
}

impl Default for EndpointConfig {
    fn default() -> Self {
        Self {
            address: String::new(),
            zone: None,
            weight: 1,
            version: None,
            metadata: BTreeMap::new(),
        }
    }
}
