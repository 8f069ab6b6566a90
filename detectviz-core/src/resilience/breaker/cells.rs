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
const LOW_BITS: u32 = 44;
const LOW: u64 = (1 << LOW_BITS) - 1;
/// Ticks that are so far behind, modulo all, are earlier; others are later.
const EARLIER: u64 = TICKS / 2;
const END: u64 = (1 << 32) - 1;

/// How far, in milliseconds, one thread's reading of the clock may lie behind another's; more is taken for a clock that went
/// around.
const LATE_MILLIS: u64 = 1 << 24;
/// The same for the numbers of calls, which differ by as many threads as record at once.
const LATE_CALLS: u64 = 1 << 16;

/// How many successes there were since a mark, of which the low bits are known.
pub(super) fn since_mark(successes: u64, mark: u64) -> u64 {
    successes.wrapping_sub(mark) & LOW
}

// === impl Head ===

impl Head {
    pub(super) fn new(series: u64, era: u64, tick: u64, end: u64) -> Self {
        let (series, tick) = (series % SERIES, tick & 0xff_ffff);
        Self(series << 59 | (era & 7) << 56 | tick << 32 | end & END)
    }

    #[inline]
    pub(super) fn is_of(self, series: u64, era: u64) -> bool {
        self.0 >> 56 == series << 3 | era
    }

    pub(super) fn series(self) -> u64 {
        self.0 >> 59
    }

    /// Series and era, where they stand.
    pub(super) fn key(self) -> u64 {
        self.0 >> 56 << 56
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

    /// Makes it the bucket of `tick`, as far as it is not so already: it began when there were `mark` successes.
    pub(super) fn begin(&self, tick: u64, mark: u64) {
        renew(&self.mark, tick, |known| known.unwrap_or(mark & LOW));
        renew(&self.bad, tick, |known| known.unwrap_or(0));
    }

    /// Whether it is known how the bucket of `tick` began.
    pub(super) fn has_begun(&self, tick: u64) -> bool {
        self.mark.load(Acquire) >> LOW_BITS == tick % TICKS
    }

    /// Adds to the bucket of `tick` what went wrong; false when it is a later one by now. Beyond four million nothing is
    /// added.
    pub(super) fn add(&self, tick: u64, failures: u64, slow: u64) -> bool {
        renew(&self.bad, tick, |known| {
            let known = known.unwrap_or(0);
            let all = (known >> COUNT_BITS) + failures;
            let all_slow = (known & COUNT) + slow;
            all.min(COUNT) << COUNT_BITS | all_slow.min(COUNT)
        })
    }

    /// What the bucket of `tick` holds; `None` when there was no call in it.
    pub(super) fn read(&self, tick: u64) -> Option<Bucket> {
        let own = |cell: &AtomicU64| {
            let seen = cell.load(Acquire);
            (seen >> LOW_BITS == tick % TICKS).then_some(seen & LOW)
        };
        let bad = own(&self.bad).unwrap_or(0);
        Some(Bucket {
            failures: bad >> COUNT_BITS,
            slow: bad & COUNT,
            mark: own(&self.mark)?,
        })
    }
}

/// Gives `cell` the value that `value` makes of what it holds for `tick`; false when it holds what belongs to a later tick.
/// A tick is known to all before a cell is given to it, so that none is ever ahead of the head.
fn renew(cell: &AtomicU64, tick: u64, value: impl Fn(Option<u64>) -> u64) -> bool {
    let tick = tick % TICKS;
    let mut seen = cell.load(Relaxed);
    loop {
        let known = match tick.wrapping_sub(seen >> LOW_BITS) % TICKS {
            0 => Some(seen & LOW),
            1..EARLIER => None,
            _ => return false,
        };
        let new = tick << LOW_BITS | value(known);
        if new == seen {
            return true;
        }
        match cell.compare_exchange_weak(seen, new, AcqRel, Relaxed) {
            Ok(_) => return true,
            Err(now) => seen = now,
        }
    }
}
