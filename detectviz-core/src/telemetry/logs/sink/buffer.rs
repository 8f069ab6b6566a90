//! Lines that wait to be written.
use super::budget::Budget;
use crate::telemetry::logs::buf::Buf;
use std::mem;
use tracing::Level;

/// Whole lines, and the level of each.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    pub(super) text: Buf,
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

/// A line that is taken back when dropped before it is kept.
struct Begun<'a> {
    text: &'a mut Buf,
    start: usize,
    kept: bool,
}

/// How much is taken from the budget at a time.
const PIECE: usize = 16 * 1024;

/// How much memory a buffer that is not in use may keep.
const KEPT: usize = 64 * 1024;

// === impl Buffer ===

impl Buffer {
    /// Lets `write` append one whole line. When there is no room for it, or `write` panics, nothing is left of it.
    #[inline]
    pub(super) fn push(
        &mut self,
        level: Level,
        budget: &Budget,
        write: impl FnOnce(&mut Buf),
    ) -> Pushed {
        let line = Begun::new(&mut self.text);
        write(line.text);
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
        line.keep();
        self.used += needed;
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
        self.text.clear();
        self.levels.clear();
        if used < self.text.capacity() / 4 {
            self.trim();
        }
    }

    /// Frees the memory of an empty buffer, but for a little.
    pub(super) fn trim(&mut self) {
        if self.text.capacity() > KEPT {
            self.text = Buf::new();
            self.levels = Vec::new();
        }
    }
}

// === impl Begun ===

impl<'a> Begun<'a> {
    #[inline]
    fn new(text: &'a mut Buf) -> Self {
        Self {
            start: text.len(),
            text,
            kept: false,
        }
    }

    #[inline]
    fn len(&self) -> usize {
        self.text.len() - self.start
    }

    #[inline]
    fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Begun<'_> {
    #[inline]
    fn drop(&mut self) {
        if !self.kept {
            self.text.truncate(self.start);
        }
    }
}
