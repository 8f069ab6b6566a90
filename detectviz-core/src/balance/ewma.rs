//! The peak-sensitive moving average of latencies, in one word.
use crate::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How long answers take, after Finagle's `PeakEwma`: it rises to a longer latency at once, and decays towards shorter ones
/// and, while there is none, towards nothing, so that an endpoint that was slow is tried again.
///
/// The latency in nanoseconds as an `f32` stands in the high half, the moment of its last change in [`Tick`]s in the low one.
/// 0 means that nothing is known.
#[derive(Debug)]
pub(crate) struct PeakEwma {
    word: AtomicU64,
}

/// A moment in units of about a millisecond; it wraps after 52 days, which an average survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tick(u32);

/// What turns a number of [`Tick`]s into halvings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Decay(pub(crate) f32);

// === impl PeakEwma ===

impl PeakEwma {
    /// Nothing is known.
    pub(crate) fn new() -> Self {
        Self {
            word: AtomicU64::new(0),
        }
    }

    /// The average in nanoseconds as it has decayed until `now`; 0 when nothing is known.
    #[inline]
    pub(crate) fn at(&self, now: Tick, decay: Decay) -> f32 {
        let (value, at) = unpack(self.word.load(Relaxed));
        value * decay.over(now.since(at))
    }

    /// Whether a further call costs less at the first of two endpoints, each given with its load: the calls it has with that
    /// one. The cost is the product of load and latency.
    ///
    /// Both have decayed by the same factor since the later of their last changes, which therefore is of no matter.
    #[inline(always)]
    pub(crate) fn is_cheaper(one: (&Self, f32), other: (&Self, f32), decay: Decay) -> bool {
        let (a, a_at) = unpack(one.0.word.load(Relaxed));
        let (b, b_at) = unpack(other.0.word.load(Relaxed));
        if a == 0.0 || b == 0.0 {
            return untried(a, one.1) < untried(b, other.1);
        }
        let (a, b) = (a * one.1, b * other.1);
        // Endpoints that are busy have changed just now.
        let apart = a_at.0.wrapping_sub(b_at.0).cast_signed();
        let halvings = apart as f32 * decay.0;
        if halvings.abs() < 1.0 / 1024.0 {
            a < b
        } else if halvings > 0.0 {
            a < b * halved(halvings)
        } else {
            a * halved(-halvings) < b
        }
    }

    /// Takes a latency in nanoseconds into the average.
    #[inline]
    pub(crate) fn observe(&self, latency: f32, now: Tick, decay: Decay) {
        let latency = latency.max(1.0);
        self.change(|value, at| {
            if latency > value {
                return Some((latency, now));
            }
            // Within one tick nothing has decayed, so that a busy endpoint's word is written once a tick.
            let kept = match now.since(at) {
                0 => return None,
                elapsed => decay.over(elapsed),
            };
            Some((value * kept + latency * (1.0 - kept), now))
        });
    }

    /// Raises the average to what `raise` makes of it as it has decayed until `now`; it does not fall.
    pub(crate) fn raise(&self, now: Tick, decay: Decay, raise: impl Fn(f32) -> f32) {
        self.change(|value, at| {
            let decayed = value * decay.over(now.since(at));
            let raised = raise(decayed);
            (raised > decayed).then_some((raised, now))
        });
    }

    #[inline]
    fn change(&self, change: impl Fn(f32, Tick) -> Option<(f32, Tick)>) {
        let mut word = self.word.load(Relaxed);
        loop {
            let (value, at) = unpack(word);
            let Some((value, at)) = change(value, at) else {
                return;
            };
            let next = u64::from(value.to_bits()) << 32 | u64::from(at.0);
            match self
                .word
                .compare_exchange_weak(word, next, Relaxed, Relaxed)
            {
                Ok(_) => return,
                Err(now) => word = now,
            }
        }
    }
}

/// What a further call costs where nothing may be known: nothing at an endpoint without calls, which is tried; more than
/// anywhere else at one whose first call is on its way, so that it is not given a second on trust. Finagle's `PeakEwma` does the
/// same.
#[cold]
fn untried(latency: f32, load: f32) -> f32 {
    match latency {
        0.0 if load <= 1.0 => 0.0,
        0.0 => 1e30 * load,
        known => known * load,
    }
}

#[inline]
fn unpack(word: u64) -> (f32, Tick) {
    (f32::from_bits((word >> 32) as u32), Tick(word as u32))
}

// === impl Tick ===

impl Tick {
    /// Nanoseconds in one tick.
    pub(crate) const NANOS: u64 = 1 << 20;

    #[inline]
    pub(crate) fn of(nanos: u64) -> Self {
        Self((nanos / Self::NANOS) as u32)
    }

    /// Ticks since `earlier`; 0 when it is not earlier, which clocks of two threads may bring about.
    #[inline]
    fn since(self, earlier: Self) -> u32 {
        let elapsed = self.0.wrapping_sub(earlier.0);
        if elapsed > u32::MAX / 2 { 0 } else { elapsed }
    }
}

// === impl Decay ===

impl Decay {
    /// Decay by e in `nanos`.
    pub(crate) fn within(nanos: u64) -> Self {
        Self(std::f32::consts::LOG2_E * Tick::NANOS as f32 / nanos.max(1) as f32)
    }

    /// What is left after `elapsed` ticks.
    #[inline]
    fn over(self, elapsed: u32) -> f32 {
        halved(elapsed as f32 * self.0)
    }
}

/// 2^-x for x ≥ 0, with a relative error below 10⁻⁵: the whole halvings go into the exponent, the rest into a polynomial of
/// the fourth degree that is exact at both ends.
#[inline]
fn halved(x: f32) -> f32 {
    let x = x.min(100.0);
    let whole = x as u32;
    let rest = x - whole as f32;
    let part = 1.0
        + rest
            * (-0.693_055_76
                + rest * (0.239_405_12 + rest * (-0.053_126_78 + rest * 0.006_777_42)));
    f32::from_bits(part.to_bits() - (whole << 23))
}
