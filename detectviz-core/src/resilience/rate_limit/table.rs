//! Buckets of many keys in bounded memory, without a lock.
//!
//! The table is set-associative, as a processor's cache is: a key may stand in any of the few slots of its set, and a slot is
//! one word that holds the theoretical arrival time of GCRA above a fingerprint of the key. A slot whose time has passed is a
//! full bucket, which is the same as one that was never made, so nothing has to be removed.
//!
//! A key that has no slot takes that of the set's least word, the bucket that is full or will be so first, and goes on from
//! *its* arrival time. That is Space-Saving (Metwally, Agrawal, El Abbadi, "Efficient Computation of Frequent and Top-k
//! Elements in Data Streams", ICDT 2005): a key that was displaced finds, when it comes back, a least bucket that owes at
//! least as much as its own did. So no key ever gets more than its limit, however many keys there are; the price is that a
//! new key may be refused for what its neighbours did, and only once they are all active.
//!
//! # Why no key gets two slots
//! Words only grow, and who inserts replaces the least word that it saw. Let A and B insert the same key into slots *i* and
//! *j*, each before it saw the other's. A saw *i* ≤ *j*, B saw *j* ≤ *i*, and what each saw of its own slot was its last
//! value, while what the other saw of it was not later, thus not greater. All four are then equal, and of equal words both
//! take the first. `tests/loom` tries it.
use super::{
    decision::{Decision, Terms},
    quota::Quota,
};
use crate::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

/// Slots of a set: with 8 bytes each they fill one cache line.
pub(super) const WAYS: usize = 8;

/// The low bits of a word tell the keys of a set apart. Two keys that share them share a bucket: one pair in a million.
const FINGERPRINT_BITS: u32 = 20;
const FINGERPRINT: u64 = (1 << FINGERPRINT_BITS) - 1;
/// Time is counted in steps of 2^6 = 64 ns.
const STEP_BITS: u32 = 6;
/// The bits above the fingerprint hold the time, which starts anew after 2^44 steps (13 days): it is read relative to now, as
/// a signed number. Each sixteenth of that, all that lies in the past is brought up to date.
const EPOCH_BITS: u32 = 40;
/// How far in the past a word may lie after that, in steps. More than [`Quota::LONGEST_FILL`] lies far from half of 2^44.
const PAST: i64 = 1 << (EPOCH_BITS + 1);
/// After so many epochs without a request every bucket is full.
const ALL_FULL: u64 = 4;

/// Buckets of at least so many keys as there are sets.
#[derive(Debug)]
pub(super) struct Table<const N: usize = WAYS> {
    sets: Box<[Set<N>]>,
    /// Sets less one; they are a power of two.
    mask: u64,
    /// The epoch in which words of the past were last brought up to date.
    epoch: AtomicU64,
}

#[derive(Debug)]
#[repr(align(64))]
struct Set<const N: usize>([AtomicU64; N]);

/// How a request of a key that had no slot was served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a slot of its own, or one whose bucket was full.
    Own,
    /// In a slot that was taken from an active key.
    Taken,
    /// In none: the set is full of active keys, and the request was let through.
    None,
}

/// What the words of a set hold for a key.
struct Found {
    at: usize,
    word: u64,
    /// In steps; not more than 0 when the bucket is full.
    ahead: i64,
    own: bool,
}

// === impl Table ===

impl<const N: usize> Table<N> {
    /// Room for `keys` active keys at half load, so that hardly a set is ever full.
    pub(super) fn for_keys(keys: u32) -> Self {
        let sets = (u64::from(keys) * 2).div_ceil(N as u64).next_power_of_two();
        Self::with_sets(sets)
    }

    /// `sets` is a power of two.
    pub(super) fn with_sets(sets: u64) -> Self {
        let set = |_| Set(std::array::from_fn(|_| AtomicU64::new(0)));
        Self {
            sets: (0..sets).map(set).collect(),
            mask: sets - 1,
            epoch: AtomicU64::new(0),
        }
    }

    /// Takes `cost` units of the key with this hash, or none, at `now` nanoseconds. `share` says whether a key may displace
    /// one that is active, or is let through.
    #[inline]
    pub(super) fn check(
        &self,
        hash: u64,
        quota: Quota,
        now: u64,
        cost: u32,
        share: bool,
    ) -> (Decision, Place) {
        let terms = Terms::new(quota, STEP_BITS);
        let steps = now >> STEP_BITS;
        self.keep_up(steps);
        let fingerprint = (hash & FINGERPRINT).max(1);
        let set = &self.sets[((hash >> FINGERPRINT_BITS) & self.mask) as usize];
        loop {
            let found = set.find(fingerprint, steps);
            let ahead = found.ahead.max(0).cast_unsigned();
            let taken = !found.own && ahead > 0;
            if taken && !share {
                let full = terms.take(0, cost);
                return (
                    terms.decision(full.unwrap_or(0), cost, full.is_some()),
                    Place::None,
                );
            }
            let place = if taken { Place::Taken } else { Place::Own };
            let after = match terms.take(ahead, cost) {
                None => return (terms.decision(ahead, cost, cost == 0), place),
                Some(after) if cost == 0 => return (terms.decision(after, cost, true), place),
                Some(after) => after,
            };
            let next = word(steps + after, fingerprint);
            let slot = &set.0[found.at];
            if slot
                .compare_exchange_weak(found.word, next, Release, Relaxed)
                .is_ok()
            {
                return (terms.decision(after, cost, true), place);
            }
        }
    }

    /// After a change of the terms: a bucket that owes more than the new ones allow is empty, and not worse than that.
    pub(super) fn settle(&self, quota: Quota, now: u64) {
        let most = Terms::new(quota, STEP_BITS).tolerance();
        let steps = now >> STEP_BITS;
        self.keep_up(steps);
        for slot in self.slots() {
            let mut known = slot.load(Relaxed);
            while ahead(known, steps) > most.cast_signed() {
                let less = word(steps + most, known & FINGERPRINT);
                match slot.compare_exchange_weak(known, less, Relaxed, Relaxed) {
                    Ok(_) => break,
                    Err(changed) => known = changed,
                }
            }
        }
    }

    /// How many keys have a bucket that is not full. Looks at every slot.
    pub(super) fn active(&self, now: u64) -> usize {
        let steps = now >> STEP_BITS;
        self.keep_up(steps);
        let active = |slot: &&AtomicU64| ahead(slot.load(Relaxed), steps) > 0;
        self.slots().filter(active).count()
    }

    fn slots(&self) -> impl Iterator<Item = &AtomicU64> {
        self.sets.iter().flat_map(|set| &set.0)
    }

    #[inline]
    fn keep_up(&self, steps: u64) {
        if steps >> EPOCH_BITS > self.epoch.load(Acquire) {
            self.bring_up(steps);
        }
    }

    /// Raises what lies long in the past, before it could be taken for the future. The arrival time of a full bucket may be
    /// any that has passed, so this changes no bucket. Whoever comes first in an epoch does it, also several at once: a word
    /// that was read before the epoch was set is older than the epoch.
    #[cold]
    fn bring_up(&self, steps: u64) {
        let epoch = steps >> EPOCH_BITS;
        for slot in self.slots() {
            let known = slot.load(Acquire);
            let last = self.epoch.load(Acquire);
            if last >= epoch {
                return;
            }
            if epoch - last >= ALL_FULL || ahead(known, steps) < -PAST {
                let raised = word(
                    steps.wrapping_sub(PAST.cast_unsigned()),
                    known & FINGERPRINT,
                );
                // Whoever changed it meanwhile wrote a time of today.
                let _ = slot.compare_exchange(known, raised, Relaxed, Relaxed);
            }
        }
        self.epoch.fetch_max(epoch, Release);
    }
}

// === impl Set ===

impl<const N: usize> Set<N> {
    /// The slot of the key, or else that of the least word.
    #[inline]
    fn find(&self, fingerprint: u64, steps: u64) -> Found {
        let words: [u64; N] = std::array::from_fn(|at| self.0[at].load(Acquire));
        // Where a key stands is random: a loop that ends at its place would be mispredicted each time.
        let same = |word: &u64| u32::from(word & FINGERPRINT == fingerprint);
        let mut matches = 0;
        for (at, word) in words.iter().enumerate() {
            matches |= same(word) << at;
        }
        let at = matches.trailing_zeros() as usize;
        if let Some(&word) = words.get(at) {
            let ahead = ahead(word, steps);
            return Found {
                at,
                word,
                ahead,
                own: true,
            };
        }
        least(&words, steps)
    }
}

#[inline(never)]
fn least<const N: usize>(words: &[u64; N], steps: u64) -> Found {
    let (mut at, mut word) = (0, words[0]);
    for (next, &other) in words.iter().enumerate() {
        if order(other, steps) < order(word, steps) {
            (at, word) = (next, other);
        }
    }
    let ahead = ahead(word, steps);
    Found {
        at,
        word,
        ahead,
        own: false,
    }
}

#[inline]
fn word(tat: u64, fingerprint: u64) -> u64 {
    (tat << FINGERPRINT_BITS) | fingerprint
}

/// Where a word stands among the others: by its time relative to now, then by its fingerprint.
#[inline]
fn order(word: u64, steps: u64) -> i64 {
    word.wrapping_sub(steps << FINGERPRINT_BITS).cast_signed()
}

/// How far ahead of now the time of a word is, in steps.
#[inline]
fn ahead(word: u64, steps: u64) -> i64 {
    order(word, steps) >> FINGERPRINT_BITS
}
