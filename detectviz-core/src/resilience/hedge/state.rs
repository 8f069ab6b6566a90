//! How long calls take: a quantile of the last seconds, counted without waiting.
use crate::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

/// Each power of two has so many buckets: a quantile is at most an eighth too long.
pub(super) const PER_OCTAVE: u64 = 8;
const PER_OCTAVE_BITS: u32 = PER_OCTAVE.trailing_zeros();

/// Longer times, from 67 s on, count as this many microseconds less one.
pub(super) const LONGEST: u64 = 1 << 26;

/// Up to and with that of `LONGEST - 1`.
pub(super) const BUCKETS: usize = bucket(LONGEST - 1) + 1;

/// Seconds of one window, as a power of two: a quantile is that of the last 8 to 16 s.
const WINDOW_BITS: u32 = 3;

/// The window that is filled, the one before, and the one to come, which is empty.
const WINDOWS: usize = 3;

/// With fewer calls the slowest of twenty is one call.
const FEWEST: u64 = 100;

/// Not known.
const UNKNOWN: u64 = u64::MAX;

/// Times of calls in microseconds, in buckets of a logarithmic histogram, and a quantile of them that is computed once a
/// second.
#[derive(Debug)]
pub(crate) struct Latencies {
    /// The number of the window that is filled.
    window: AtomicU32,
    buckets: [Box<[AtomicU32]>; WINDOWS],
    /// The second of `quantile`, and one more; 0 when it must be computed anew.
    computed: AtomicU32,
    quantile: AtomicU64,
}

// === impl Latencies ===

impl Latencies {
    /// Nothing is known.
    pub(crate) fn new() -> Self {
        let empty = || (0..BUCKETS).map(|_| AtomicU32::new(0)).collect();
        Self {
            window: AtomicU32::new(0),
            buckets: [empty(), empty(), empty()],
            computed: AtomicU32::new(0),
            quantile: AtomicU64::new(UNKNOWN),
        }
    }

    /// Counts a call that ended in `second`.
    #[inline]
    pub(crate) fn record(&self, micros: u64, second: u32) {
        let window = second >> WINDOW_BITS;
        if self.window.load(Acquire) < window {
            self.enter(window);
        }
        let buckets = &self.buckets[window as usize % WINDOWS];
        buckets[bucket(micros.min(LONGEST - 1))].fetch_add(1, Relaxed);
    }

    /// The time within which `per_million` of a million calls end; `None` while fewer than a hundred are known. It is
    /// computed by the first who asks in a second; the others have the one before meanwhile.
    #[inline]
    pub(crate) fn quantile(&self, per_million: u32, second: u32) -> Option<u64> {
        let computed = self.computed.load(Relaxed);
        if computed != second.wrapping_add(1) {
            self.refresh(per_million, computed, second);
        }
        Some(self.quantile.load(Relaxed)).filter(|micros| *micros != UNKNOWN)
    }

    /// Has the quantile computed anew when it is next asked for.
    pub(crate) fn forget(&self) {
        self.computed.store(0, Relaxed);
    }

    #[cold]
    fn refresh(&self, per_million: u32, computed: u32, second: u32) {
        let next = second.wrapping_add(1);
        let taken = self
            .computed
            .compare_exchange(computed, next, Relaxed, Relaxed);
        if taken.is_ok() {
            let quantile = self.compute(per_million, second);
            self.quantile.store(quantile.unwrap_or(UNKNOWN), Relaxed);
        }
    }

    fn compute(&self, per_million: u32, second: u32) -> Option<u64> {
        let window = second >> WINDOW_BITS;
        if self.window.load(Acquire) < window {
            self.enter(window);
        }
        let (now, before) = (window as usize, window as usize + WINDOWS - 1);
        let count = |at: usize| {
            let now = self.buckets[now % WINDOWS][at].load(Relaxed);
            let before = self.buckets[before % WINDOWS][at].load(Relaxed);
            u64::from(now) + u64::from(before)
        };
        let total: u64 = (0..BUCKETS).map(count).sum();
        if total < FEWEST {
            return None;
        }
        let rank = (total * u64::from(per_million)).div_ceil(1_000_000);
        let mut seen = 0;
        let reaches = |at: &usize| {
            seen += count(*at);
            seen >= rank
        };
        // Counts may grow meanwhile, so one of them reaches the rank.
        let at = (0..BUCKETS).find(reaches).unwrap_or(BUCKETS - 1);
        Some(end(at))
    }

    /// Makes `window` the one that is filled. Who does it empties the next one, which nobody writes to; after a pause,
    /// also those that were not emptied in time.
    #[cold]
    fn enter(&self, window: u32) {
        let mut known = self.window.load(Acquire);
        while known < window {
            match self
                .window
                .compare_exchange(known, window, Release, Acquire)
            {
                Ok(_) => {
                    let stale = (window - known).min(WINDOWS as u32);
                    for ahead in 0..stale {
                        let number = (window + 1).wrapping_sub(ahead) as usize;
                        for bucket in &self.buckets[number % WINDOWS] {
                            bucket.store(0, Relaxed);
                        }
                    }
                    return;
                }
                Err(now) => known = now,
            }
        }
    }
}

/// The bucket of a time.
pub(super) const fn bucket(micros: u64) -> usize {
    if micros < PER_OCTAVE {
        return micros as usize;
    }
    let octave = micros.ilog2() - PER_OCTAVE_BITS;
    (octave as u64 * PER_OCTAVE + (micros >> octave)) as usize
}

/// The longest time of a bucket.
pub(super) const fn end(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < 2 * PER_OCTAVE {
        return bucket;
    }
    let octave = bucket / PER_OCTAVE - 1;
    ((bucket % PER_OCTAVE + PER_OCTAVE + 1) << octave) - 1
}
