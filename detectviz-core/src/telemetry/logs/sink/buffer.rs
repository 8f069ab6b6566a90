//! Lines that wait to be written.
use super::budget::Budget;
use std::mem;
use tracing::Level;

/// Whole lines, and the level of each.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    pub(super) bytes: Vec<u8>,
    pub(super) levels: Vec<Level>,
    /// What was taken from the budget for this buffer, and how much of that is used.
    reserved: usize,
    used: usize,
}

/// What happened to a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    /// It waits; `reserved` says that the budget was asked.
    Waits { reserved: bool },
    /// There is no room.
    Dropped,
}

/// How much is taken from the budget at a time.
const PIECE: usize = 16 * 1024;

/// How much memory a buffer that is not in use may keep.
const KEPT: usize = 64 * 1024;

// === impl Buffer ===

impl Buffer {
    pub(super) fn push(&mut self, line: &[u8], level: Level, budget: &Budget) -> Pushed {
        let needed = line.len() + size_of::<Level>();
        let left = self.reserved - self.used;
        let mut reserved = false;
        if left < needed {
            let taken = budget.take(needed - left, PIECE);
            if taken == 0 {
                return Pushed::Dropped;
            }
            self.reserved += taken;
            reserved = true;
        }
        self.used += needed;
        self.bytes.extend_from_slice(line);
        self.levels.push(level);
        Pushed::Waits { reserved }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.levels.is_empty()
    }

    /// Empties the buffer after its lines are written or lost, and gives back what it took. Memory that was hardly used is
    /// freed.
    pub(super) fn clear(&mut self, budget: &Budget) {
        budget.give(mem::take(&mut self.reserved));
        let used = mem::take(&mut self.used);
        self.bytes.clear();
        self.levels.clear();
        if used < self.bytes.capacity() / 4 {
            self.trim();
        }
    }

    /// Frees the memory of an empty buffer, but for a little.
    pub(super) fn trim(&mut self) {
        if self.bytes.capacity() > KEPT {
            self.bytes = Vec::new();
            self.levels = Vec::new();
        }
    }
}
