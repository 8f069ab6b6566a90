//! What the endpoints of one service have in common.
use super::{EjectionReason, NoEndpointsReason, ewma::Decay, gate::Quota, settings::Settings};
use crate::origin::Origin;
use arc_swap::ArcSwap;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) service: Arc<str>,
    epoch: Origin,
    pub(super) settings: ArcSwap<Settings>,
    pub(super) quota: Quota,
    /// What every call's end needs of the settings.
    decay: AtomicU32,
    /// The mean of the endpoints' latencies in nanoseconds; 0 while nothing is known.
    mean: AtomicU32,
    /// The turn of a round robin.
    pub(super) turn: AtomicU64,
    /// Calls in flight, counted for a ring only.
    pub(super) in_flight: AtomicU64,
    ejections: [AtomicU64; EjectionReason::ALL.len()],
    refusals: [AtomicU64; NoEndpointsReason::ALL.len()],
}

impl Shared {
    pub(super) fn new(service: Arc<str>, settings: Settings, epoch: Instant) -> Self {
        Self {
            service,
            epoch: Origin::new(epoch),
            quota: Quota::new(),
            decay: AtomicU32::new(settings.decay.0.to_bits()),
            settings: ArcSwap::from_pointee(settings),
            mean: AtomicU32::new(0),
            turn: AtomicU64::new(0),
            in_flight: AtomicU64::new(0),
            ejections: Default::default(),
            refusals: Default::default(),
        }
    }

    /// `now` in nanoseconds since the balancer was made; 0 before.
    #[inline]
    pub(super) fn nanos(&self, now: Instant) -> u64 {
        self.epoch.nanos(now)
    }

    /// The moment of `nanos`, unless the clock cannot say it.
    pub(super) fn instant(&self, nanos: u64) -> Option<Instant> {
        self.epoch.at().checked_add(Duration::from_nanos(nanos))
    }

    #[inline]
    pub(super) fn decay(&self) -> Decay {
        Decay(f32::from_bits(self.decay.load(Relaxed)))
    }

    pub(super) fn set(&self, settings: Settings) {
        self.decay.store(settings.decay.0.to_bits(), Relaxed);
        self.settings.store(Arc::new(settings));
    }

    pub(super) fn mean(&self) -> f32 {
        f32::from_bits(self.mean.load(Relaxed))
    }

    pub(super) fn set_mean(&self, mean: f32) {
        self.mean.store(mean.to_bits(), Relaxed);
    }

    pub(super) fn ejected(&self, reason: EjectionReason) {
        self.ejections[reason as usize].fetch_add(1, Relaxed);
    }

    pub(super) fn ejections(&self, reason: EjectionReason) -> u64 {
        self.ejections[reason as usize].load(Relaxed)
    }

    pub(super) fn refused(&self, reason: NoEndpointsReason) {
        self.refusals[reason as usize].fetch_add(1, Relaxed);
    }

    pub(super) fn refusals(&self, reason: NoEndpointsReason) -> u64 {
        self.refusals[reason as usize].load(Relaxed)
    }
}
