//! How much one endpoint is given at a time.
use crate::config::{Checker, Section};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most that one endpoint is given at a time; `null` sets no limit.
///
/// The balancer keeps `in_flight` itself; the others are for the transport that opens the connections. There is no limit
/// unless one is set: what an endpoint can bear is not known here, and the bulkhead of the upstream bounds the whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct EndpointLimits {
    /// Calls in flight, at least 1. An endpoint that has so many is not chosen.
    pub in_flight: Option<u32>,
    /// Connections, at least 1: Envoy's `max_connections`, of one endpoint.
    pub connections: Option<u32>,
    /// Calls that wait for a connection: Envoy's `max_pending_requests`, of one endpoint.
    pub pending: Option<u32>,
    /// Calls on one connection before it is closed, at least 1: Envoy's `max_requests_per_connection`.
    pub requests_per_connection: Option<u32>,
}

impl EndpointLimits {
    /// Sets the most calls in flight.
    #[must_use]
    pub fn in_flight(mut self, most: impl Into<Option<u32>>) -> Self {
        self.in_flight = most.into();
        self
    }

    /// Sets the most connections.
    #[must_use]
    pub fn connections(mut self, most: impl Into<Option<u32>>) -> Self {
        self.connections = most.into();
        self
    }

    /// Sets the most calls that wait for a connection.
    #[must_use]
    pub fn pending(mut self, most: impl Into<Option<u32>>) -> Self {
        self.pending = most.into();
        self
    }

    /// Sets the most calls on one connection.
    #[must_use]
    pub fn requests_per_connection(mut self, most: impl Into<Option<u32>>) -> Self {
        self.requests_per_connection = most.into();
        self
    }
}

impl Section for EndpointLimits {
    fn validate(&self, check: &mut Checker<'_>) {
        for (key, value) in [
            ("in_flight", self.in_flight),
            ("connections", self.connections),
            ("requests_per_connection", self.requests_per_connection),
        ] {
            if value == Some(0) {
                check.problem(
                    key,
                    "no call could be made",
                    "write a number from 1 on, or `null` for no limit",
                );
            }
        }
    }
}
