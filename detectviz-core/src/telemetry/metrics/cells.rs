//! Numbers that many threads add to without fighting over a cache line.
use std::{
    cell::Cell,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    thread,
};

thread_local! {
    static THREAD: Cell<usize> = const { Cell::new(UNSET) };
}

const UNSET: usize = usize::MAX;

/// More shards than this cost more to read than they spare in writing.
const MOST_SHARDS: usize = 8;

/// How many numbers share one cache line.
const PER_LINE: usize = 8;

/// A row of numbers per shard; what a number is worth is its sum over the shards.
#[derive(Debug)]
pub(super) struct Cells {
    lines: Box<[Line]>,
    /// Lines of one shard.
    width: usize,
    /// Shards less one; they are a power of two.
    mask: usize,
}

/// One shard of [`Cells`], that of a thread.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a>(&'a [Line]);

#[derive(Debug, Default)]
#[repr(align(64))]
struct Line([AtomicU64; PER_LINE]);

/// How many shards suit this machine: the CPUs that the process may use, rounded up to a power of two, at most eight.
pub(crate) fn shards_of_machine() -> usize {
    let cpus = thread::available_parallelism().map_or(1, usize::from);
    cpus.next_power_of_two().min(MOST_SHARDS)
}

/// The number of the current thread among those that ever recorded something.
#[inline]
pub(crate) fn thread_number() -> usize {
    THREAD.with(|thread| {
        let number = thread.get();
        if number == UNSET {
            first_number(thread)
        } else {
            number
        }
    })
}

#[cold]
fn first_number(thread: &Cell<usize>) -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let number = NEXT.fetch_add(1, Relaxed) % UNSET;
    thread.set(number);
    number
}

// === impl Cells ===

impl Cells {
    /// `cells` numbers, all 0, in `shards` shards, which are a power of two.
    pub(super) fn new(shards: usize, cells: usize) -> Self {
        debug_assert!(shards.is_power_of_two());
        let width = cells.div_ceil(PER_LINE);
        let mut lines = Vec::new();
        lines.resize_with(shards * width, Line::default);
        Self {
            lines: lines.into_boxed_slice(),
            width,
            mask: shards - 1,
        }
    }

    /// The current thread's shard.
    #[inline]
    pub(super) fn mine(&self) -> Row<'_> {
        let start = (thread_number() & self.mask) * self.width;
        Row(&self.lines[start..start + self.width])
    }

    /// The sum of number `cell` over all shards.
    pub(super) fn sum(&self, cell: usize) -> u64 {
        let (line, at) = (cell / PER_LINE, cell % PER_LINE);
        let shards = self.lines.iter().skip(line).step_by(self.width);
        shards.fold(0, |sum, line| sum.wrapping_add(line.0[at].load(Relaxed)))
    }
}

// === impl Row ===

impl Row<'_> {
    /// Adds `n` to number `cell`, wrapping around.
    #[inline]
    pub(super) fn add(self, cell: usize, n: u64) {
        self.0[cell / PER_LINE].0[cell % PER_LINE].fetch_add(n, Relaxed);
    }
}
