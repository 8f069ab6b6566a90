//! One endpoint, and who has a call on it.
use super::{shared::Shared, vitals::Vitals};
use crate::discovery::Endpoint;
use arc_swap::ArcSwap;
use std::{fmt, sync::Arc};

/// Names one endpoint of a [`Balancer`](super::Balancer), for as long as it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct EndpointId(pub(super) u64);

/// What makes an endpoint the same one in the next set.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) host: String,
    pub(super) port: u16,
}

/// One endpoint with all that is known of it. Apart from its [`Seat`], only calls hold it, so that the count of those who
/// hold it is the number of calls in flight: one addition takes a call and keeps what it needs alive (`tower::load::PeakEwma`
/// counts in this way too).
#[repr(C)]
pub(super) struct EndpointState<T> {
    pub(super) vitals: Vitals,
    pub(super) shared: Arc<Shared>,
    pub(super) key: Key,
    pub(super) authority: Box<str>,
    pub(super) endpoint: ArcSwap<Endpoint>,
    pub(super) transport: T,
}

/// The one place that holds an [`EndpointState`] without having a call on it.
pub(super) struct Seat<T> {
    state: Arc<EndpointState<T>>,
}

// === impl Key ===

impl Key {
    pub(super) fn of(endpoint: &Endpoint) -> Self {
        Self {
            host: endpoint.host.clone(),
            port: endpoint.port,
        }
    }
}

// === impl Seat ===

impl<T> Seat<T> {
    pub(super) fn new(state: EndpointState<T>) -> Self {
        Self {
            state: Arc::new(state),
        }
    }

    #[inline]
    pub(super) fn vitals(&self) -> &Vitals {
        &self.state.vitals
    }

    pub(super) fn state(&self) -> &EndpointState<T> {
        &self.state
    }

    /// Calls in flight.
    #[inline]
    pub(super) fn in_flight(&self) -> usize {
        Arc::strong_count(&self.state) - 1
    }

    /// Takes a call, unless there are `most` already. Of two at once for the last place, both may be refused.
    #[inline]
    pub(super) fn take(&self, most: usize) -> Option<Arc<EndpointState<T>>> {
        let state = Arc::clone(&self.state);
        (most == usize::MAX || self.in_flight() <= most).then_some(state)
    }
}

impl<T> fmt::Debug for EndpointState<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointState")
            .field("authority", &self.authority)
            .field("vitals", &self.vitals)
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Seat<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seat")
            .field("in_flight", &self.in_flight())
            .field("state", &self.state)
            .finish()
    }
}
