//! The choice itself: who takes the next call.
//!
//! An endpoint of which there is nothing special to know is chosen in a few nanoseconds. All else is looked at with care:
//! ejections, probes, back-off, slow starts, limits, endpoints that were tried already. They are met with further draws; only
//! when these find nobody is every endpoint asked.
use super::{
    EndpointId, NoEndpointsReason, PickContext,
    endpoint::Seat,
    ewma::PeakEwma,
    gate::Standing,
    policy::{Alias, below, point_of},
    shared::Shared,
    snapshot::{Chooser, Chosen, Snapshot},
    state::{mix, slow_start_share, unit},
};
use std::{hint::select_unpredictable, mem, sync::atomic::Ordering::Relaxed};

/// What a look with care finds.
enum Found {
    /// It takes the call.
    Yes,
    /// It takes the call as a probe, which has been claimed.
    Probe,
    /// It takes the call when there is nobody better; the less the better.
    Rather(Rank),
    /// It has as many calls as it may have.
    Full,
    /// It takes no calls.
    Shut,
}

/// Why somebody else is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// It is warmed up, and this call is not within its share.
    Slow,
    /// A ring is to be even.
    Overloaded,
    /// It was tried already.
    Tried,
    /// It asked to be left alone.
    Backoff,
}

/// The best of those that are not really wanted, and what is said when there are none.
struct Second {
    best: Option<(Rank, usize)>,
    full: bool,
}

/// Draws before all endpoints are asked: with half of them shut, all draws fail once in 4 × 10⁹.
const DRAWS: u64 = 32;
/// Draws for somebody to compare with.
const COMPARED: u64 = 8;
/// Points of a ring that are asked before any endpoint will do.
const POINTS: usize = 1024;

impl<T> Snapshot<T> {
    /// Chooses among endpoints of which there is nothing special to know; `None` where that takes more care.
    #[inline]
    pub(super) fn choose_plain(
        &self,
        shared: &Shared,
        cx: &PickContext<'_>,
        now: u64,
    ) -> Option<&Seat<T>> {
        if !self.may_be_plain(cx) {
            return None;
        }
        let at = match &self.chooser {
            Chooser::Two { by_latency, draw } => {
                let (a, b) = self.two(draw.as_ref(), cx.random);
                let (a, b) = (self.seats.at(a), self.seats.at(b));
                let plain = self.is_plain(a, now) && self.is_plain(b, now);
                return plain.then(|| self.cheaper(a, b, *by_latency));
            }
            Chooser::Turns(turns) => turns.at(shared.turn.fetch_add(1, Relaxed)),
            Chooser::Random(alias) => self.draw(alias.as_ref(), cx.random),
            Chooser::Ring { .. } => return None,
        };
        let seat = self.seats.at(at);
        self.is_plain(seat, now).then_some(seat)
    }

    /// Chooses by policy; `now` is the moment of `cx`.
    pub(super) fn choose(
        &self,
        shared: &Shared,
        cx: &PickContext<'_>,
        now: u64,
    ) -> Result<Chosen<'_, T>, NoEndpointsReason> {
        if self.seats.len() == 0 {
            return Err(NoEndpointsReason::Unusable);
        }
        match &self.chooser {
            Chooser::Two { by_latency, draw } => {
                self.two_with_care(*by_latency, draw.as_ref(), shared, cx, now)
            }
            Chooser::Turns(turns) => {
                // Whoever was not plain is looked at with care, not passed over.
                let mut again = self.may_be_plain(cx);
                let mut turn = || match mem::take(&mut again) {
                    true => shared.turn.load(Relaxed).wrapping_sub(1),
                    false => shared.turn.fetch_add(1, Relaxed),
                };
                self.one(|| turns.at(turn()), shared, cx, now)
            }
            Chooser::Random(alias) => {
                let mut random = cx.random;
                let draw = || {
                    let at = self.draw(alias.as_ref(), random);
                    random = mix(random);
                    at
                };
                self.one(draw, shared, cx, now)
            }
            Chooser::Ring { ring, bounded_load } => {
                let point = point_of(cx.hash.unwrap_or(cx.random));
                let bound = self.bound(*bounded_load, shared);
                let candidates = ring.from(point).take(POINTS);
                self.on_ring(candidates, bound, shared, cx, now)
            }
        }
    }

    /// Whether there is nothing special about the call.
    #[inline]
    fn may_be_plain(&self, cx: &PickContext<'_>) -> bool {
        self.seats.len() > 1 && cx.exclude.is_empty()
    }

    #[inline]
    fn is_plain(&self, seat: &Seat<T>, now: u64) -> bool {
        seat.vitals().is_plain(now) && seat.in_flight() < self.in_flight
    }

    #[inline]
    fn draw(&self, alias: Option<&Alias>, random: u64) -> usize {
        alias.map_or_else(
            || below(self.seats.len(), random >> 32),
            |alias| alias.at(random),
        )
    }

    /// Two positions, which are different unless weights differ.
    #[inline]
    fn two(&self, alias: Option<&Alias>, random: u64) -> (usize, usize) {
        if let Some(alias) = alias {
            return (alias.at(random), alias.at(mix(random)));
        }
        let len = self.seats.len();
        let a = below(len, random >> 32);
        let b = below(len - 1, random);
        (a, if b >= a && len > 1 { b + 1 } else { b })
    }

    #[inline(always)]
    fn cheaper<'a>(&self, a: &'a Seat<T>, b: &'a Seat<T>, by_latency: bool) -> &'a Seat<T> {
        let loads = (a.load(self.weighted), b.load(self.weighted));
        let second = if by_latency {
            let (a, b) = (&a.vitals().ewma, &b.vitals().ewma);
            PeakEwma::is_cheaper((b, loads.1), (a, loads.0), self.decay)
        } else {
            loads.1 < loads.0
        };
        // Which of two is cheaper cannot be foreseen.
        select_unpredictable(second, b, a)
    }

    fn two_with_care(
        &self,
        by_latency: bool,
        alias: Option<&Alias>,
        shared: &Shared,
        cx: &PickContext<'_>,
        now: u64,
    ) -> Result<Chosen<'_, T>, NoEndpointsReason> {
        let mut second = Second::new();
        let mut random = cx.random;
        let (mut first, mut left) = (None, DRAWS);
        while left > 0 {
            left -= 1;
            let at = self.draw(alias, random);
            random = mix(random);
            if first == Some(at) {
                continue;
            }
            match self.look(at, Some(random), shared, cx, now) {
                Found::Yes => {
                    let seat = self.seats.at(at);
                    let Some(other) = first else {
                        first = Some(at);
                        left = left.min(COMPARED);
                        continue;
                    };
                    let other = self.seats.at(other);
                    let seat = self.cheaper(other, seat, by_latency);
                    return Ok(Chosen { seat, probe: false });
                }
                found => {
                    if let Some(chosen) = self.settle(at, found, &mut second) {
                        return Ok(chosen);
                    }
                }
            }
        }
        match first {
            Some(at) => Ok(self.chosen(at, false)),
            None => self.make_do(second, random, shared, cx, now),
        }
    }

    /// The first that takes the call.
    #[inline]
    fn one(
        &self,
        mut candidate: impl FnMut() -> usize,
        shared: &Shared,
        cx: &PickContext<'_>,
        now: u64,
    ) -> Result<Chosen<'_, T>, NoEndpointsReason> {
        let at = candidate();
        if cx.exclude.is_empty() && self.is_plain(self.seats.at(at), now) {
            return Ok(self.chosen(at, false));
        }
        let mut second = Second::new();
        let (mut at, mut random) = (at, cx.random);
        for _ in 0..DRAWS {
            random = mix(random);
            let found = self.look(at, Some(random), shared, cx, now);
            if let Some(chosen) = self.settle(at, found, &mut second) {
                return Ok(chosen);
            }
            at = candidate();
        }
        self.make_do(second, random, shared, cx, now)
    }

    /// The first on the ring that takes the call and is below `bound`. Nobody is passed over for a slow start there: the calls
    /// of a key stay together (Envoy has none for its ring either).
    #[inline]
    fn on_ring(
        &self,
        candidates: impl Iterator<Item = usize>,
        bound: f64,
        shared: &Shared,
        cx: &PickContext<'_>,
        now: u64,
    ) -> Result<Chosen<'_, T>, NoEndpointsReason> {
        let mut second = Second::new();
        for at in candidates {
            let seat = self.seats.at(at);
            let load = seat.in_flight() as f64 * f64::from(seat.vitals().burden());
            let found = if load >= bound {
                match self.look(at, None, shared, cx, now) {
                    Found::Yes => Found::Rather(Rank::Overloaded),
                    found => found,
                }
            } else {
                self.look(at, None, shared, cx, now)
            };
            if let Some(chosen) = self.settle(at, found, &mut second) {
                return Ok(chosen);
            }
        }
        self.make_do(second, cx.random, shared, cx, now)
    }

    /// The calls in flight that one endpoint of mean weight may have: a multiple of the mean with the next call, rounded up.
    fn bound(&self, multiple: f64, shared: &Shared) -> f64 {
        let all = shared.in_flight.load(Relaxed) + 1;
        let out = shared.quota.taken() + shared.quota.held();
        let there = self.seats.len().saturating_sub(out as usize);
        (multiple * all as f64 / there.max(1) as f64).ceil()
    }

    /// Nobody was found who should take the call: whoever can, does.
    #[cold]
    fn make_do(
        &self,
        mut second: Second,
        random: u64,
        shared: &Shared,
        cx: &PickContext<'_>,
        now: u64,
    ) -> Result<Chosen<'_, T>, NoEndpointsReason> {
        if let Some((_, at)) = second.best {
            return Ok(self.chosen(at, false));
        }
        let len = self.seats.len();
        let start = below(len, random);
        for at in (start..len).chain(0..start) {
            let found = self.look(at, None, shared, cx, now);
            if let Some(chosen) = self.settle(at, found, &mut second) {
                return Ok(chosen);
            }
        }
        match second {
            Second {
                best: Some((_, at)),
                ..
            } => Ok(self.chosen(at, false)),
            Second { full: true, .. } => Err(NoEndpointsReason::Full),
            Second { full: false, .. } => Err(NoEndpointsReason::Unusable),
        }
    }

    fn settle(&self, at: usize, found: Found, second: &mut Second) -> Option<Chosen<'_, T>> {
        match found {
            Found::Yes => return Some(self.chosen(at, false)),
            Found::Probe => return Some(self.chosen(at, true)),
            Found::Rather(rank) => {
                let best = second.best.is_none_or(|(best, _)| rank < best);
                if best {
                    second.best = Some((rank, at));
                }
            }
            Found::Full => second.full = true,
            Found::Shut => {}
        }
        None
    }

    /// Looks at one endpoint with care; `random` decides a slow start, which is over without it.
    fn look(
        &self,
        at: usize,
        random: Option<u64>,
        shared: &Shared,
        cx: &PickContext<'_>,
        now: u64,
    ) -> Found {
        let seat = self.seats.at(at);
        let vitals = seat.vitals();
        if seat.in_flight() >= self.in_flight {
            return match vitals.gate.standing() {
                Standing::Admitted => Found::Full,
                _ => Found::Shut,
            };
        }
        let tried = cx.exclude.contains(&EndpointId(vitals.rare.id));
        match vitals.gate.standing() {
            Standing::Admitted => {}
            Standing::ByHand { .. } if vitals.gate.lift(&shared.quota, now) => {}
            Standing::Ejected { until }
                if until <= now && !tried && vitals.gate.claim_probe(now) =>
            {
                return Found::Probe;
            }
            Standing::Ejected { .. } | Standing::Probing { .. } if self.panics(shared) => {}
            _ => return Found::Shut,
        }
        if vitals.backoff(now) > 0 {
            return Found::Rather(Rank::Backoff);
        }
        if tried {
            return Found::Rather(Rank::Tried);
        }
        let slow = vitals.slow(now);
        let share = || slow_start_share(slow, &self.slow_start);
        if slow > 0 && random.is_some_and(|random| unit(mix(random)) >= share()) {
            return Found::Rather(Rank::Slow);
        }
        Found::Yes
    }

    /// Whether so few endpoints are left that ejections are ignored. Those ejected by hand are not among them either way.
    fn panics(&self, shared: &Shared) -> bool {
        let all = self
            .seats
            .len()
            .saturating_sub(shared.quota.held() as usize);
        let left = all.saturating_sub(shared.quota.taken() as usize);
        (left as f64) < all as f64 * self.panic_threshold
    }

    fn chosen(&self, at: usize, probe: bool) -> Chosen<'_, T> {
        Chosen {
            seat: self.seats.at(at),
            probe,
        }
    }
}

impl Second {
    fn new() -> Self {
        Self {
            best: None,
            full: false,
        }
    }
}
