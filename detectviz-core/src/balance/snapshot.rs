//! The endpoints that may be chosen at one moment, and what the policy computed of them.
use super::{
    NoEndpointsReason, PickContext, Picked, Policy,
    endpoint::Seat,
    ewma::Decay,
    policy::{Alias, Ring, Turns, hash_of},
    settings::Settings,
    shared::Shared,
    state::SlowStart,
    table::Seats,
};
use std::sync::atomic::Ordering::Relaxed;

/// Immutable; what changes stands in the endpoints.
#[derive(Debug)]
pub(super) struct Snapshot<T> {
    pub(super) seats: Seats<Seat<T>>,
    pub(super) chooser: Chooser,
    pub(super) decay: Decay,
    /// Whether weights differ.
    pub(super) weighted: bool,
    /// The most calls in flight at one endpoint.
    pub(super) in_flight: usize,
    pub(super) slow_start: SlowStart,
    /// The part of the endpoints below which ejections are ignored.
    pub(super) panic_threshold: f64,
    /// How many are known, usable or not.
    pub(super) known: usize,
}

/// A policy with what it computed ahead.
#[derive(Debug)]
pub(super) enum Chooser {
    Two {
        by_latency: bool,
        draw: Option<Alias>,
    },
    Turns(Turns),
    Random(Option<Alias>),
    Ring {
        ring: Ring,
        bounded_load: f64,
    },
}

/// An endpoint that takes the call.
#[derive(Debug)]
pub(super) struct Chosen<'a, T> {
    pub(super) seat: &'a Seat<T>,
    pub(super) probe: bool,
}

/// How often an endpoint that was found with room is full when the call is to be taken, before it is given up.
const FILLED_MEANWHILE: u32 = 8;

impl<T> Snapshot<T> {
    /// Only policies that compute with weights go through all endpoints.
    pub(super) fn new(
        seats: Seats<Seat<T>>,
        settings: &Settings,
        weighted: bool,
        known: usize,
    ) -> Self {
        let all = || (0..seats.len()).map(|at| seats.at(at));
        let weight = |seat: &Seat<T>| seat.vitals().rare.weight.load(Relaxed);
        let weights = || all().map(weight).collect::<Vec<_>>();
        let alias = || weighted.then(|| Alias::new(&weights())).flatten();
        let config = &settings.config;
        let chooser = match config.policy {
            Policy::P2cEwma | Policy::LeastRequest => Chooser::Two {
                by_latency: config.policy == Policy::P2cEwma,
                draw: alias(),
            },
            Policy::RoundRobin => Chooser::Turns(Turns::new(&weights())),
            Policy::WeightedRandom => Chooser::Random(alias()),
            Policy::RingHash => {
                let name = |seat: &Seat<T>| hash_of(seat.about().authority.as_bytes());
                let endpoints: Vec<_> = all().map(|seat| (name(seat), weight(seat))).collect();
                Chooser::Ring {
                    ring: Ring::new(&endpoints, config.ring.points, config.ring.max_size),
                    bounded_load: config.ring.bounded_load,
                }
            }
        };
        Self {
            chooser,
            decay: settings.decay,
            weighted,
            in_flight: settings.in_flight,
            slow_start: settings.slow_start,
            panic_threshold: settings.outlier().panic_threshold,
            known,
            seats,
        }
    }

    /// Chooses an endpoint of which there is nothing special to know, and takes the call; `None` when that takes more care.
    #[inline]
    pub(super) fn pick_plain(&self, shared: &Shared, cx: &PickContext<'_>) -> Option<Picked<T>> {
        let now = shared.nanos(cx.now);
        let seat = self.choose_plain(shared, cx, now)?;
        let limited = self.in_flight != usize::MAX;
        if limited && !seat.vitals().take(self.in_flight) {
            return None;
        }
        Some(Picked::new(seat.take(), now).with(false, false, limited))
    }

    /// Chooses an endpoint and takes the call.
    pub(super) fn pick(
        &self,
        shared: &Shared,
        cx: &PickContext<'_>,
    ) -> Result<Picked<T>, NoEndpointsReason> {
        let now = shared.nanos(cx.now);
        let counted = matches!(self.chooser, Chooser::Ring { .. });
        let limited = self.in_flight != usize::MAX;
        for _ in 0..FILLED_MEANWHILE {
            let Chosen { seat, probe } = self.choose(shared, cx, now)?;
            if limited && !seat.vitals().take(self.in_flight) {
                if probe {
                    seat.vitals().gate.shut(now, now);
                }
                continue;
            }
            if counted {
                shared.in_flight.fetch_add(1, Relaxed);
            }
            let picked = Picked::new(seat.take(), now);
            return Ok(picked.with(probe, counted, limited));
        }
        Err(NoEndpointsReason::Full)
    }
}
