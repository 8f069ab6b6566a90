//! One endpoint, and who has a call on it.
use super::{
    shared::Shared,
    vitals::{Rare, Vitals},
};
use crate::discovery::Endpoint;
use arc_swap::ArcSwap;
use std::{
    fmt,
    sync::{Arc, atomic::Ordering::Relaxed},
};

/// Names one endpoint of a [`Balancer`](super::Balancer), for as long as it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct EndpointId(pub(super) u64);

/// What makes an endpoint the same one in the next set.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) host: String,
    pub(super) port: u16,
}

/// One endpoint with all that is known of it. The vitals stand first, beside the count of those who hold it.
#[repr(C)]
pub(super) struct EndpointState<T> {
    pub(super) vitals: Vitals,
    pub(super) shared: Arc<Shared>,
    pub(super) about: Box<About<T>>,
}

/// What an endpoint is.
pub(super) struct About<T> {
    pub(super) key: Key,
    pub(super) authority: Box<str>,
    pub(super) endpoint: ArcSwap<Endpoint>,
    pub(super) transport: T,
}

/// A place among the endpoints that are known or may be chosen: holds an [`EndpointState`] without having a call on it.
///
/// All others who hold it are calls, so that one addition takes a call and keeps what it needs alive (`tower::load::PeakEwma`
/// counts in this way too). The number is off by one while a seat is made or given up; limits have a count of their own.
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

// === impl EndpointState ===

impl<T> EndpointState<T> {
    /// The endpoint's first seat.
    pub(super) fn seated(rare: Box<Rare>, about: Box<About<T>>, shared: &Arc<Shared>) -> Seat<T> {
        let state = Self {
            vitals: Vitals::new(rare),
            shared: Arc::clone(shared),
            about,
        };
        Seat {
            state: Arc::new(state),
        }
    }
}

// === impl About ===

impl<T> About<T> {
    pub(super) fn new(key: Key, endpoint: &Endpoint, transport: T) -> Self {
        Self {
            key,
            authority: endpoint.authority().into(),
            endpoint: ArcSwap::from_pointee(endpoint.clone()),
            transport,
        }
    }
}

// === impl Seat ===

impl<T> Seat<T> {
    #[inline]
    pub(super) fn vitals(&self) -> &Vitals {
        &self.state.vitals
    }

    pub(super) fn about(&self) -> &About<T> {
        &self.state.about
    }

    /// Calls in flight.
    #[inline]
    pub(super) fn in_flight(&self) -> usize {
        let seats = self.vitals().seats.load(Relaxed) as usize;
        Arc::strong_count(&self.state).saturating_sub(seats)
    }

    /// The calls in flight with a further one; in relation to the weight, if weights differ.
    #[inline]
    pub(super) fn load(&self, weighted: bool) -> f32 {
        // One instruction, where a number of 64 bits without a sign takes several.
        let in_flight = self.in_flight().cast_signed() as f32;
        let burden = if weighted {
            self.vitals().burden()
        } else {
            1.0
        };
        in_flight * burden + 1.0
    }

    /// Takes a call.
    #[inline]
    pub(super) fn take(&self) -> Arc<EndpointState<T>> {
        Arc::clone(&self.state)
    }
}

impl<T> Clone for Seat<T> {
    fn clone(&self) -> Self {
        let state = Arc::clone(&self.state);
        state.vitals.seats.fetch_add(1, Relaxed);
        Self { state }
    }
}

impl<T> Drop for Seat<T> {
    fn drop(&mut self) {
        self.state.vitals.seats.fetch_sub(1, Relaxed);
    }
}

impl<T> fmt::Debug for EndpointState<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointState")
            .field("authority", &self.about.authority)
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
