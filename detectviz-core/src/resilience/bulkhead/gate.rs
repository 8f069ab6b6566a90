//! How many run and how many may, in one word: a permit is taken by one compare-and-swap and given back by one subtraction.
//!
//! The limit stands in the same word, so that exactly as many run as may, also while it changes. So does whether someone
//! waits: a newcomer does not overtake, and whoever gives a permit back knows without a lock that nobody needs to be told.
use crate::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed},
};

/// Bits 0–30: in flight. Bit 31: someone waits. Bits 32–63: the limit.
///
/// A line of its own: who reads what stands beside it does not wait for those who count.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Gate {
    word: AtomicU64,
}

const WAITING: u64 = 1 << 31;
const IN_FLIGHT: u64 = WAITING - 1;
const LIMIT: u64 = !(WAITING | IN_FLIGHT);

// === impl Gate ===

impl Gate {
    /// The largest limit.
    pub(super) const MAX: u32 = IN_FLIGHT as u32;

    pub(super) fn new(limit: u32) -> Self {
        Self {
            word: AtomicU64::new(in_place(limit)),
        }
    }

    /// Takes a permit, unless as many run as may or someone waits for one.
    #[inline]
    pub(super) fn take(&self) -> bool {
        self.change(|word| (word & WAITING == 0 && has_room(word)).then_some(word + 1))
    }

    /// Takes a permit whatever the limit; fails only where the count itself ends.
    pub(super) fn take_beyond_limit(&self) -> bool {
        self.change(|word| (word & IN_FLIGHT != IN_FLIGHT).then_some(word + 1))
    }

    /// Takes a permit for one who waits.
    pub(super) fn take_for_waiter(&self) -> bool {
        self.change(|word| has_room(word).then_some(word + 1))
    }

    /// Takes a permit, or else says that someone waits from now on. No permit can come back in between unnoticed: both are
    /// one step.
    pub(super) fn take_or_wait(&self) -> bool {
        if self.take() {
            return true;
        }
        let waits = |word| (!has_room(word)).then_some(word | WAITING);
        while !self.change(waits) {
            if self.take_for_waiter() {
                return true;
            }
        }
        false
    }

    /// Gives a permit back. Returns whether someone waits who can have one.
    #[inline]
    pub(super) fn give_back(&self) -> bool {
        let before = self.word.fetch_sub(1, AcqRel);
        debug_assert_ne!(
            before & IN_FLIGHT,
            0,
            "more permits came back than were taken"
        );
        before & WAITING != 0 && has_room(before - 1)
    }

    /// Says that nobody waits any more.
    pub(super) fn nobody_waits(&self) {
        if self.word.load(Relaxed) & WAITING != 0 {
            self.word.fetch_and(!WAITING, AcqRel);
        }
    }

    /// Changes the limit; what runs goes on running. Returns whether someone waits who can have a permit.
    pub(super) fn set_limit(&self, limit: u32) -> bool {
        self.change(|word| Some(word & !LIMIT | in_place(limit)));
        let word = self.word.load(Acquire);
        word & WAITING != 0 && has_room(word)
    }

    pub(super) fn in_flight(&self) -> u32 {
        (self.word.load(Relaxed) & IN_FLIGHT) as u32
    }

    pub(super) fn limit(&self) -> u32 {
        (self.word.load(Relaxed) >> 32) as u32
    }

    /// Replaces the word by what `next` makes of it; `false` when that is nothing.
    #[inline]
    fn change(&self, next: impl Fn(u64) -> Option<u64>) -> bool {
        let mut word = self.word.load(Relaxed);
        while let Some(new) = next(word) {
            match self.word.compare_exchange_weak(word, new, AcqRel, Relaxed) {
                Ok(_) => return true,
                Err(seen) => word = seen,
            }
        }
        false
    }
}

#[inline]
fn has_room(word: u64) -> bool {
    word & IN_FLIGHT < word >> 32
}

/// The limit where it stands in the word. It is at least 1, for none could ever leave a queue in front of 0.
fn in_place(limit: u32) -> u64 {
    u64::from(limit.clamp(1, Gate::MAX)) << 32
}
