//! What the request path reads: one word, which is 0 while nothing is shed.
use super::{Chances, ShedReason};
use crate::resilience::priority::Priority;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The verdict in force, and what came in under it.
#[derive(Debug, Default)]
pub(super) struct Published {
    word: Word,
    mix: Counts,
}

/// Each chance takes 17 bits, as a number from 0 to 2^16, and the reason the bits above them.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Word(AtomicU64);

#[derive(Debug, Default)]
#[repr(align(64))]
struct Counts([AtomicU64; Priority::ALL.len()]);

const CHANCE_BITS: u32 = 17;
const CERTAIN: u64 = 1 << 16;

// === impl Published ===

impl Published {
    /// Whether anything is shed.
    #[inline]
    pub(super) fn is_shedding(&self) -> bool {
        self.word.0.load(Relaxed) != 0
    }

    /// Whether the request goes, and why; `random` is uniform, and its low 16 bits decide.
    #[inline]
    pub(super) fn sheds(&self, priority: Priority, random: u64) -> Option<ShedReason> {
        match self.word.0.load(Relaxed) {
            0 => None,
            word => self.decide(word, priority, random),
        }
    }

    /// Puts a verdict in force.
    pub(super) fn publish(&self, chances: Chances, reason: Option<ShedReason>) {
        let scaled = |chance: f64| (chance.clamp(0.0, 1.0) * CERTAIN as f64) as u64;
        let word = match reason {
            None => 0,
            Some(reason) => {
                let reason = reason as u64 + 1;
                let both = (reason << CHANCE_BITS) | scaled(chances.normal);
                (both << CHANCE_BITS) | scaled(chances.sheddable)
            }
        };
        self.word.0.store(word, Relaxed);
    }

    /// What came in since the last time, while something was shed.
    pub(super) fn take_counts(&self) -> [u64; Priority::ALL.len()] {
        self.mix.0.each_ref().map(|count| count.swap(0, Relaxed))
    }

    #[cold]
    fn decide(&self, word: u64, priority: Priority, random: u64) -> Option<ShedReason> {
        self.mix.0[priority as usize].fetch_add(1, Relaxed);
        let shift = match priority {
            Priority::Sheddable => 0,
            Priority::Normal => CHANCE_BITS,
            Priority::Critical => return None,
        };
        let chance = (word >> shift) & ((1 << CHANCE_BITS) - 1);
        let reason = (word >> (2 * CHANCE_BITS)) as usize;
        let goes = random % CERTAIN < chance;
        goes.then(|| ShedReason::ALL[(reason - 1) % ShedReason::ALL.len()])
    }
}
