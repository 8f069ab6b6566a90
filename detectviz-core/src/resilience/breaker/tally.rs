//! What threads count without writing to a line of memory that another busy thread writes to.
use crate::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed},
};

/// Totals that only grow, in shards.
#[derive(Debug)]
pub(super) struct Tally {
    /// A power of two.
    shards: Box<[Shard]>,
}

/// Processors fetch lines in pairs, hence the alignment.
#[derive(Debug)]
#[repr(align(128))]
struct Shard {
    successes: AtomicU64,
    refused: AtomicU64,
}

// === impl Tally ===

impl Tally {
    /// All 0, in `shards` shards, which are a power of two.
    pub(super) fn new(shards: usize) -> Self {
        debug_assert!(shards.is_power_of_two());
        let shard = |_| Shard {
            successes: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        };
        let shards = (0..shards).map(shard).collect();
        Self { shards }
    }

    /// Counts a success, and takes part in what [`settled`](Self::settled) promises.
    #[inline]
    pub(super) fn success(&self, shard: usize) {
        self.mine(shard).successes.fetch_add(1, AcqRel);
    }

    pub(super) fn refused(&self, shard: usize) {
        self.mine(shard).refused.fetch_add(1, Relaxed);
    }

    /// All successes; those of the moment may be in it or not.
    pub(super) fn successes(&self) -> u64 {
        let each = self.shards.iter().map(|s| s.successes.load(Acquire));
        each.fold(0, u64::wrapping_add)
    }

    /// All successes; whoever counts one that is not in it sees, from then on, what the caller wrote before.
    ///
    /// Reading by a read-modify-write is what gives the order: the later of the two on a shard sees the earlier.
    pub(super) fn settled(&self) -> u64 {
        let each = self.shards.iter().map(|s| s.successes.fetch_add(0, AcqRel));
        each.fold(0, u64::wrapping_add)
    }

    pub(super) fn refusals(&self) -> u64 {
        let each = self.shards.iter().map(|s| s.refused.load(Relaxed));
        each.fold(0, u64::wrapping_add)
    }

    #[inline]
    fn mine(&self, shard: usize) -> &Shard {
        &self.shards[shard & (self.shards.len() - 1)]
    }
}
