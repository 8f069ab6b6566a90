//! What a user may set.
use crate::probe::ProbeConfig;
use detectviz_core::config::{Checker, Section};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr};

/// Settings of the [`Admin`](super::Admin) port.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct AdminConfig {
    /// The address to listen on. In Kubernetes the kubelet and Prometheus come from outside of the pod.
    pub address: IpAddr,
    /// The port to listen on; 0 lets the system choose one.
    pub port: u16,
    /// Which paths are probes.
    pub probes: ProbeConfig,
}

impl AdminConfig {
    /// Sets the address.
    #[must_use]
    pub fn address(mut self, address: IpAddr) -> Self {
        self.address = address;
        self
    }

    /// Listens on 127.0.0.1 only.
    #[must_use]
    pub fn loopback(self) -> Self {
        self.address(IpAddr::V4(Ipv4Addr::LOCALHOST))
    }

    /// Sets the port.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }
}

impl Section for AdminConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        check.nested("probes", &self.probes);
    }
}

impl Default for AdminConfig {
    fn default() -> Self {
        Self {
            address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            port: 9090,
            probes: ProbeConfig::default(),
        }
    }
}
