//! One place that a service can be reached at.
use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
};

/// What an endpoint says of itself, after Kubernetes' EndpointSlice conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Conditions {
    /// Takes new calls.
    pub ready: bool,
    /// Still answers, though it may be leaving.
    pub serving: bool,
    /// Is leaving.
    pub terminating: bool,
}

/// One address of a service, and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Endpoint {
    /// An IP address (IPv6 without brackets), or a host name that the connector resolves.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// The failure domain, such as a cloud's availability zone.
    pub zone: Option<String>,
    /// The share of traffic relative to its siblings; 0 takes none.
    pub weight: u32,
    /// The `version` label, for subset routing.
    pub version: Option<String>,
    /// Other labels.
    pub metadata: BTreeMap<String, String>,
    /// Whether it takes calls.
    pub conditions: Conditions,
}

/// An endpoint that belongs to a service and can be registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceInstance {
    /// The name that callers ask for.
    pub service: String,
    /// Unique among the instances of the service; the pod's name in Kubernetes.
    pub id: String,
    /// Where it is reached.
    pub endpoint: Endpoint,
}

// === impl Conditions ===

impl Conditions {
    /// Ready and serving.
    pub const READY: Self = Self {
        ready: true,
        serving: true,
        terminating: false,
    };
}

impl Default for Conditions {
    fn default() -> Self {
        Self::READY
    }
}

// === impl Endpoint ===

impl Endpoint {
    /// A ready endpoint of weight 1.
    #[must_use]
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
            zone: None,
            weight: 1,
            version: None,
            metadata: BTreeMap::new(),
            conditions: Conditions::READY,
        }
    }

    /// Sets the zone.
    #[must_use]
    pub fn with_zone(mut self, zone: impl Into<String>) -> Self {
        self.zone = Some(zone.into());
        self
    }

    /// Sets the version label.
    #[must_use]
    pub fn with_version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Sets the weight.
    #[must_use]
    pub fn with_weight(mut self, weight: u32) -> Self {
        self.weight = weight;
        self
    }

    /// Sets the conditions.
    #[must_use]
    pub fn with_conditions(mut self, conditions: Conditions) -> Self {
        self.conditions = conditions;
        self
    }

    /// `host:port`, with brackets around an IPv6 address.
    #[must_use]
    pub fn authority(&self) -> String {
        match self.socket_addr() {
            Some(addr) => addr.to_string(),
            None => format!("{}:{}", self.host, self.port),
        }
    }

    /// The socket address, or `None` when the host is a name.
    #[must_use]
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        let ip: IpAddr = self.host.parse().ok()?;
        Some(SocketAddr::new(ip, self.port))
    }
}
