//! The limits of a pool.
use detectviz_core::balance::EndpointLimits;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

/// What bounds the connections to one endpoint.
#[derive(Clone, Debug)]
pub(in super::super) struct PoolSettings {
    /// Speak HTTP/2, where one connection carries all calls.
    pub(in super::super) h2: bool,
    /// What may change while the pool is in use.
    pub(in super::super) limits: Arc<PoolLimits>,
    /// Idle connections that are kept; 0 keeps none.
    pub(in super::super) max_idle: usize,
    /// How long they are kept.
    pub(in super::super) idle_timeout: Duration,
}

/// What bounds the connections to each endpoint of one upstream; a change holds from the next call on. Connections beyond a
/// lower limit carry the calls that they have, and go when they are idle.
#[derive(Debug)]
pub(in super::super) struct PoolLimits {
    connections: AtomicUsize,
    pending: AtomicUsize,
    requests_per_connection: AtomicU32,
}

// === impl PoolLimits ===

impl PoolLimits {
    pub(in super::super) fn set(&self, limits: &EndpointLimits) {
        self.connections.store(most(limits.connections), Relaxed);
        self.pending.store(most(limits.pending), Relaxed);
        let requests = limits.requests_per_connection.unwrap_or(0);
        self.requests_per_connection.store(requests, Relaxed);
    }

    /// Connections, open or being made. At least 1.
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Relaxed)
    }

    /// Calls that wait for a connection.
    pub(super) fn pending(&self) -> usize {
        self.pending.load(Relaxed)
    }

    /// Whether a connection that has carried `served` calls has carried its share.
    pub(super) fn is_share(&self, served: u32) -> bool {
        let most = self.requests_per_connection.load(Relaxed);
        most > 0 && served >= most
    }
}

impl Default for PoolLimits {
    /// No limits.
    fn default() -> Self {
        Self {
            connections: AtomicUsize::new(usize::MAX),
            pending: AtomicUsize::new(usize::MAX),
            requests_per_connection: AtomicU32::new(0),
        }
    }
}

/// A limit, or none.
fn most(limit: Option<u32>) -> usize {
    limit.map_or(usize::MAX, |limit| {
        usize::try_from(limit).unwrap_or(usize::MAX)
    })
}
