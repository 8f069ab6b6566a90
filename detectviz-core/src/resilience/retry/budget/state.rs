//! The counts of a budget: deposits in shards, withdrawals exact, all of it without a lock.
use crate::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

/// The longest window in seconds. Finagle's limit, `RetryBudget.scala`.
pub(super) const LONGEST: u32 = 60;

/// Seconds that are remembered; a power of two, and more than the longest window.
const SECONDS: usize = 64;

/// A token in the unit that a ratio is kept in, so that every decimal of nine places is exact.
const TOKEN: u128 = 1_000_000_000;

/// How much may be withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Withdrawals per deposit, in billionths.
    pub(crate) ratio_nanos: u64,
    /// Withdrawals in a window that need no deposits.
    pub(crate) floor: u64,
    /// Length of the window in seconds, 1 to 60.
    pub(crate) window: u32,
}

/// What was deposited and withdrawn, of which the last minute can be told apart by the second.
///
/// A count is a total that only grows, and *marks*: each second in which anything is counted begins with one, the total at
/// that time. What was counted in a window is the total less the oldest mark in it. Deposits have a total per shard, that of
/// a thread; withdrawals have one, which is the only word that a grant changes: no two threads are granted the same token.
#[derive(Debug)]
pub(crate) struct Ledger {
    deposits: Box<[Shard]>,
    /// The latest second of any withdrawal: a thread that was held up does not go back.
    latest: AtomicU32,
    granted: AtomicU64,
    grants: Marks,
    /// Withdrawals that were given back, by the second in which they were made.
    refunds: Box<[AtomicU64]>,
}

#[derive(Debug)]
#[repr(align(64))]
struct Shard {
    total: AtomicU64,
    /// The second of the latest mark.
    second: AtomicU32,
    marks: Marks,
}

/// Words with a second in the upper half and a total, cut to 32 bits, in the lower.
#[derive(Debug)]
struct Marks(Box<[AtomicU64]>);

// === impl Ledger ===

impl Ledger {
    /// An empty ledger; `shards` is a power of two.
    pub(crate) fn new(shards: usize) -> Self {
        debug_assert!(shards.is_power_of_two());
        Self {
            deposits: (0..shards).map(|_| Shard::new()).collect(),
            latest: AtomicU32::new(0),
            granted: AtomicU64::new(0),
            grants: Marks::new(),
            refunds: words(),
        }
    }

    /// Counts one deposit made in `second` by a thread of `shard`.
    #[inline]
    pub(crate) fn deposit(&self, shard: usize, second: u32) {
        let shard = &self.deposits[shard & (self.deposits.len() - 1)];
        if shard.second.load(Relaxed) != second {
            shard.turn(second);
        }
        // If another second was entered meanwhile, the deposit counts for that one.
        shard.total.fetch_add(1, Relaxed);
    }

    /// How many deposits were ever made.
    pub(crate) fn deposits(&self) -> u64 {
        let totals = self.deposits.iter().map(|shard| shard.total.load(Relaxed));
        totals.fold(0, u64::wrapping_add)
    }

    /// Takes one token, and tells the second that [`refund`](Self::refund) needs; `None` when there is no whole token left.
    pub(crate) fn withdraw(&self, limits: Limits, second: u32) -> Option<u32> {
        let second = self.latest.fetch_max(second, Relaxed).max(second);
        self.grants.enter(second, &self.granted);
        // Those who deposit may have read the clock long ago; what they deposit from now on is no older than this.
        self.deposits.iter().for_each(|shard| shard.enter(second));
        let mut granted = self.granted.load(Acquire);
        loop {
            let spent = self.spent(granted, limits.window, second);
            if u128::from(spent + 1) * TOKEN > self.allowed(limits, second) {
                return None;
            }
            let next = granted.wrapping_add(1);
            match self
                .granted
                .compare_exchange_weak(granted, next, AcqRel, Acquire)
            {
                Ok(_) => return Some(second),
                Err(now) => granted = now,
            }
        }
    }

    /// Gives back a token that was withdrawn in `second` and not used.
    pub(crate) fn refund(&self, second: u32) {
        let word = &self.refunds[at(second)];
        let mut seen = word.load(Relaxed);
        // From a second that is forgotten nothing is given back.
        while second_of(seen) <= second {
            let new = match second_of(seen) == second {
                true => seen + 1,
                false => packed(second, 1),
            };
            match word.compare_exchange(seen, new, Relaxed, Relaxed) {
                Ok(_) => return,
                Err(now) => seen = now,
            }
        }
    }

    /// How many tokens are left.
    pub(crate) fn balance(&self, limits: Limits, second: u32) -> u64 {
        let second = self.latest.load(Relaxed).max(second);
        let spent = self.spent(self.granted.load(Acquire), limits.window, second);
        let whole = self.allowed(limits, second) / TOKEN;
        let left = whole.saturating_sub(u128::from(spent));
        u64::try_from(left).unwrap_or(u64::MAX)
    }

    /// In billionths of a token.
    fn allowed(&self, limits: Limits, second: u32) -> u128 {
        let of_shard = |shard: &Shard| {
            let total = shard.total.load(Relaxed);
            u128::from(shard.marks.since(total, limits.window, second))
        };
        let deposits: u128 = self.deposits.iter().map(of_shard).sum();
        let by_traffic = deposits * u128::from(limits.ratio_nanos);
        by_traffic.max(u128::from(limits.floor) * TOKEN)
    }

    /// Withdrawals in the window that ends with `second`, when `granted` were made in all.
    ///
    /// Who is counted in `granted` has seen the mark of its second before; hence, with `granted` loaded by `Acquire`, that
    /// mark is seen here too and none of them is missed.
    fn spent(&self, granted: u64, length: u32, second: u32) -> u64 {
        let since = self.grants.since(granted, length, second);
        if since == 0 {
            return 0;
        }
        let refunded = |s: u32| {
            let word = self.refunds[at(s)].load(Relaxed);
            u32::from(second_of(word) == s) * count_of(word)
        };
        let refunded: u32 = window(length, second).map(refunded).sum();
        u64::from(since.saturating_sub(refunded))
    }
}

// === impl Shard ===

impl Shard {
    fn new() -> Self {
        Self {
            total: AtomicU64::new(0),
            second: AtomicU32::new(0),
            marks: Marks::new(),
        }
    }

    #[cold]
    fn turn(&self, second: u32) {
        self.enter(second);
    }

    fn enter(&self, second: u32) {
        if self.second.load(Relaxed) < second {
            self.marks.enter(second, &self.total);
            self.second.fetch_max(second, Relaxed);
        }
    }
}

// === impl Marks ===

impl Marks {
    /// Second 0 has its mark from the beginning: nothing was counted before.
    fn new() -> Self {
        Self(words())
    }

    /// Sees to it that `second` has a mark.
    fn enter(&self, second: u32, total: &AtomicU64) {
        let word = &self.0[at(second)];
        let mut seen = word.load(Acquire);
        while second_of(seen) < second {
            let new = packed(second, total.load(Relaxed) as u32);
            match word.compare_exchange(seen, new, Release, Acquire) {
                Ok(_) => return,
                Err(now) => seen = now,
            }
        }
    }

    /// What was counted in the window that ends with `second`, when the total is `total`.
    fn since(&self, total: u64, length: u32, second: u32) -> u32 {
        let mark = |s: u32| {
            let word = self.0[at(s)].load(Relaxed);
            (second_of(word) == s).then(|| count_of(word))
        };
        let Some(oldest) = window(length, second).find_map(mark) else {
            return 0;
        };
        // A mark may be newer than the total that was read.
        let since = (total as u32).wrapping_sub(oldest).cast_signed();
        since.max(0).cast_unsigned()
    }
}

fn words() -> Box<[AtomicU64]> {
    (0..SECONDS).map(|_| AtomicU64::new(0)).collect()
}

/// The seconds of a window, the oldest first.
fn window(length: u32, second: u32) -> std::ops::RangeInclusive<u32> {
    let length = length.clamp(1, LONGEST);
    second.saturating_sub(length - 1)..=second
}

fn at(second: u32) -> usize {
    second as usize % SECONDS
}

fn second_of(word: u64) -> u32 {
    (word >> 32) as u32
}

fn count_of(word: u64) -> u32 {
    word as u32
}

fn packed(second: u32, count: u32) -> u64 {
    u64::from(second) << 32 | u64::from(count)
}
