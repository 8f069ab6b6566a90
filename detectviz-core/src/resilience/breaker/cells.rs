//! Buckets and the head of a window, each in one word that many threads write to.
use super::{limits::Geometry, word::SERIES};
use crate::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed},
};

/// Series (5 bits), era (3), tick (24), where the bucket ends (32): a time in milliseconds or the number of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head(pub(super) u64);

/// One bucket of a window.
#[derive(Debug)]
pub(super) struct Slot {
    /// Tick (20 bits), failures (22), slow calls (22).
    bad: AtomicU64,
    /// Tick (20 bits), all successes when the bucket began (44).
    mark: AtomicU64,
}

/// What is read of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bucket {
    pub(super) failures: u64,
    pub(super) slow: u64,
    /// All successes when it began.
    pub(super) mark: u64,
}

const TICKS: u64 = 1 << 20;
const COUNT_BITS: u32 = 22;
const COUNT: u64 = (1 << COUNT_BITS) - 1;
const MARK_BITS: u32 = 44;
const MARK: u64 = (1 << MARK_BITS) - 1;
const END: u64 = (1 << 32) - 1;

/// How far, in milliseconds, one thread's reading of the clock may lie behind another's; more is taken for a clock that went
/// around.
const LATE_MILLIS: u64 = 1 << 24;
/// The same for the numbers of calls, which differ by as many threads as record at once.
const LATE_CALLS: u64 = 1 << 16;

/// How many successes there were since a mark, of which the low bits are known.
pub(super) fn since_mark(successes: u64, mark: u64) -> u64 {
    successes.wrapping_sub(mark) & MARK
}

// === impl Head ===

impl Head {
    pub(super) fn new(series: u64, era: u64, tick: u64, end: u64) -> Self {
        Self(series % SERIES << 59 | (era & 7) << 56 | (tick & 0xff_ffff) << 32 | end & END)
    }

    #[inline]
    pub(super) fn is_of(self, series: u64, era: u64) -> bool {
        self.0 >> 56 == series << 3 | era
    }

    pub(super) fn series(self) -> u64 {
        self.0 >> 59
    }

    pub(super) fn era(self) -> u64 {
        self.0 >> 56 & 7
    }

    pub(super) fn tick(self) -> u64 {
        self.0 >> 32 & 0xff_ffff
    }

    /// Its low 32 bits.
    pub(super) fn end(self) -> u64 {
        self.0 & END
    }

    /// Whether `at` lies in the newest bucket.
    #[inline]
    pub(super) fn holds(self, at: u64, geometry: Geometry) -> bool {
        self.0.wrapping_sub(at).wrapping_sub(1) & END < geometry.width()
    }

    /// How many buckets later than the newest one `at` lies.
    pub(super) fn ticks_until(self, at: u64, geometry: Geometry) -> u64 {
        let late = match geometry.counts_calls() {
            true => LATE_CALLS,
            false => LATE_MILLIS,
        };
        let beyond = at.wrapping_sub(self.0) & END;
        match beyond > END - late {
            true => 0,
            false => beyond / geometry.width() + 1,
        }
    }

    /// How many calls `number` is into the newest bucket, at most all of it.
    pub(super) fn inside(self, number: u64, width: u64) -> u64 {
        (number.wrapping_sub(self.0).wrapping_add(width) & END).min(width)
    }
}

// === impl Slot ===

impl Slot {
    pub(super) fn new() -> Self {
        Self {
            bad: AtomicU64::new(0),
            mark: AtomicU64::new(0),
        }
    }

    /// Makes it the bucket of `tick`, holding `bucket`, unless it is so already or was claimed for a later one.
    pub(super) fn claim(&self, tick: u64, bucket: Bucket) {
        let tick = tick % TICKS;
        let counts = bucket.failures.min(COUNT) << COUNT_BITS | bucket.slow.min(COUNT);
        claim(&self.mark, tick, bucket.mark & MARK);
        claim(&self.bad, tick, counts);
    }

    /// What it holds, if it is the bucket of `tick`.
    pub(super) fn read(&self, tick: u64) -> Option<Bucket> {
        let bad = self.bad.load(Acquire);
        let mark = self.mark.load(Acquire);
        let own = |cell: u64| cell >> MARK_BITS == tick % TICKS;
        (own(bad) && own(mark)).then_some(Bucket {
            failures: bad >> COUNT_BITS & COUNT,
            slow: bad & COUNT,
            mark: mark & MARK,
        })
    }

    /// Adds a call that went wrong, if it is the bucket of `tick`. Beyond four million of them nothing is added.
    pub(super) fn add(&self, tick: u64, failed: bool, slow: bool) -> bool {
        let mut seen = self.bad.load(Relaxed);
        while seen >> MARK_BITS == tick % TICKS {
            let mut new = seen;
            if failed && seen >> COUNT_BITS & COUNT < COUNT {
                new += 1 << COUNT_BITS;
            }
            if slow && seen & COUNT < COUNT {
                new += 1;
            }
            match self.bad.compare_exchange_weak(seen, new, AcqRel, Relaxed) {
                Ok(_) => return true,
                Err(now) => seen = now,
            }
        }
        false
    }
}

/// A thread that slept since it read the head does not take back what others have claimed.
fn claim(cell: &AtomicU64, tick: u64, value: u64) {
    let mut seen = cell.load(Relaxed);
    while (1..TICKS / 2).contains(&(tick.wrapping_sub(seen >> MARK_BITS) % TICKS)) {
        let new = tick << MARK_BITS | value;
        match cell.compare_exchange_weak(seen, new, AcqRel, Relaxed) {
            Ok(_) => return,
            Err(now) => seen = now,
        }
    }
}
