//! The limits of a pool.
use std::time::Duration;

/// What bounds the connections to one endpoint.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct PoolSettings {
    /// Speak HTTP/2, where one connection carries all calls.
    pub(in super::super) h2: bool,
    /// Connections, open or being made. At least 1.
    pub(in super::super) max_connections: usize,
    /// Calls that wait for a connection.
    pub(in super::super) max_pending: usize,
    /// Calls that one connection carries before it is closed; 0 for any number.
    pub(in super::super) requests_per_connection: u32,
    /// Idle connections that are kept; 0 keeps none.
    pub(in super::super) max_idle: usize,
    /// How long they are kept.
    pub(in super::super) idle_timeout: Duration,
}
