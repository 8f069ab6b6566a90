//! The budget itself: the counts, the limits that they are held against, and since when.
use super::{
    BudgetConfig,
    state::{Ledger, Limits},
};
use crate::{
    origin::Origin,
    shard,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};
use std::{num::NonZeroU32, time::Instant};

/// How many retries there may be, as a share of the traffic. See the [module](super).
///
/// It is shared by reference: put it into an [`Arc`](std::sync::Arc), or into what the clones of a client share.
#[derive(Debug)]
pub struct Budget {
    origin: Origin,
    ledger: Ledger,
    ratio_nanos: AtomicU64,
    /// The floor above, and the window in the lower eight bits: they change together.
    floor_and_window: AtomicU64,
}

/// A token that was withdrawn.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "use it, or give it back"]
pub struct Withdrawal {
    /// The second in which it was withdrawn, and one more.
    second: NonZeroU32,
}

// === impl Budget ===

impl Budget {
    /// A budget without deposits that begins at `now`.
    #[must_use]
    pub fn new(config: &BudgetConfig, now: Instant) -> Self {
        let budget = Self {
            origin: Origin::new(now),
            ledger: Ledger::new(shard::of_machine()),
            ratio_nanos: AtomicU64::new(0),
            floor_and_window: AtomicU64::new(0),
        };
        budget.reconfigure(config);
        budget
    }

    /// Counts one call, which is worth [`ratio`](BudgetConfig::ratio) of a token: one addition to a number that no other
    /// busy thread writes. `now` is good to a second.
    #[inline]
    pub fn deposit(&self, now: Instant) {
        self.ledger.deposit(shard::current(), self.second(now));
    }

    /// Takes a whole token; `None` when there is none left. No two threads get the same one.
    #[must_use]
    pub fn withdraw(&self, now: Instant) -> Option<Withdrawal> {
        let second = self.ledger.withdraw(self.limits(), self.second(now))?;
        let second = NonZeroU32::MIN.saturating_add(second);
        Some(Withdrawal { second })
    }

    /// Takes back a token that came to nothing, because its caller went away before the retry was sent.
    pub fn refund(&self, token: Withdrawal) {
        self.ledger.refund(token.second.get() - 1);
    }

    /// How many whole tokens are left.
    #[must_use]
    pub fn balance(&self, now: Instant) -> u64 {
        self.ledger.balance(self.limits(), self.second(now))
    }

    /// How many calls were ever counted.
    #[must_use]
    pub fn deposits(&self) -> u64 {
        self.ledger.deposits()
    }

    /// Changes the limits; all counts stay. Those at work meet the old limits or the new.
    pub fn reconfigure(&self, config: &BudgetConfig) {
        let limits = config.limits();
        self.ratio_nanos.store(limits.ratio_nanos, Relaxed);
        let packed = limits.floor << 8 | u64::from(limits.window);
        self.floor_and_window.store(packed, Relaxed);
    }

    fn limits(&self) -> Limits {
        let packed = self.floor_and_window.load(Relaxed);
        Limits {
            ratio_nanos: self.ratio_nanos.load(Relaxed),
            floor: packed >> 8,
            window: (packed & 0xff) as u32,
        }
    }

    #[inline]
    fn second(&self, now: Instant) -> u32 {
        (self.origin.nanos(now) / 1_000_000_000) as u32
    }
}
