//! Numbers that many threads add to without fighting over a cache line, or even locking it.
//!
//! An addition that another thread may make at the same time is a locked instruction; one that no other thread makes is a load
//! and a store, and costs a tenth of it. So the first threads that record much lease a shard each, which only they write, and
//! give it back when they end. All others share.
use super::lease::Leases;
use crate::shard;
use std::{
    cell::Cell,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
};

thread_local! {
    /// Below [`MOST`], the lease of the thread; else it shares, and this is how often it will yet record before it asks for a
    /// lease (again), above [`MOST`]; [`ENDING`] is for ever.
    static THREAD: Cell<usize> = const { Cell::new(MOST + PATIENCE) };
    /// Gives the lease back when the thread ends.
    static OWNED: Owned = const { Owned(Cell::new(None)) };
}

/// The leases of the process, whatever the number of registries: a lease is a place in each of them.
static LEASES: LazyLock<Leases> = LazyLock::new(|| Leases::new(Shards::of_machine().exclusive));

/// How many shards there are for one thread each at most: more cost more to read than they spare in writing.
const MOST: usize = 10;

/// Shards for all other threads of a machine that has more CPUs than leases; a power of two.
const SHARED: usize = 8;

/// A thread that records less than this, such as the one that starts the service, needs no lease.
const PATIENCE: usize = 64;

/// How often a thread records before it asks again.
const AGAIN: usize = 4096;

/// The thread has given its lease back, or cannot see to it that it will.
const ENDING: usize = usize::MAX;

/// How many numbers share one cache line.
const PER_LINE: usize = 8;

/// How many shards numbers have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shards {
    exclusive: usize,
    /// A power of two.
    shared: usize,
}

/// A row of numbers per shard; what a number is worth is its sum over the shards.
#[derive(Debug)]
pub(super) struct Cells {
    /// The shards of one thread each: a thread that has none does not find one either.
    exclusive: Box<[Line]>,
    shared: Box<[Line]>,
    /// Lines of one shard.
    width: usize,
    shards: Shards,
}

/// One shard of [`Cells`], that of a thread.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    lines: &'a [Line],
    exclusive: bool,
}

#[derive(Debug, Default)]
#[repr(align(64))]
struct Line([AtomicU64; PER_LINE]);

struct Owned(Cell<Option<usize>>);

// === impl Shards ===

impl Shards {
    /// One for each CPU that the process may use and two for threads beside the workers, at most ten; and one that all other
    /// threads share, or eight where ten are too few.
    pub(super) fn of_machine() -> Self {
        let cpus = thread::available_parallelism().map_or(1, usize::from);
        Self {
            exclusive: (cpus + 2).min(MOST),
            shared: if cpus + 2 > MOST { SHARED } else { 1 },
        }
    }
}

// === impl Cells ===

impl Cells {
    /// `cells` numbers, all 0.
    pub(super) fn new(shards: Shards, cells: usize) -> Self {
        let width = cells.div_ceil(PER_LINE);
        let lines = |shards: usize| (0..shards * width).map(|_| Line::default()).collect();
        Self {
            exclusive: lines(shards.exclusive),
            shared: lines(shards.shared),
            width,
            shards,
        }
    }

    /// Adds `n` to the first number of the current thread's shard, wrapping around; `self` has no more than one line per shard.
    #[inline]
    pub(super) fn add_to_first(&self, n: u64) {
        debug_assert_eq!(self.width, 1);
        let thread = THREAD.get();
        match self.exclusive.get(thread) {
            Some(line) => line.0[0].store(line.0[0].load(Relaxed).wrapping_add(n), Relaxed),
            None => self.add_shared(thread, n),
        }
    }

    /// The current thread's shard.
    #[inline]
    pub(super) fn mine(&self) -> Row<'_> {
        let thread = THREAD.get();
        // A thread without a lease has a number so high that it is beyond the end, however wide a shard is.
        let start = thread.wrapping_mul(self.width);
        match self.exclusive.get(start..start.wrapping_add(self.width)) {
            Some(lines) => Row {
                lines,
                exclusive: true,
            },
            None => self.shared(thread),
        }
    }

    /// The sum of number `cell` over all shards.
    pub(super) fn sum(&self, cell: usize) -> u64 {
        let (line, at) = (cell / PER_LINE, cell % PER_LINE);
        let shards = self.shards().map(|shard| shard[line].0[at].load(Relaxed));
        shards.fold(0, u64::wrapping_add)
    }

    /// The sums of all numbers over all shards, from the first on, as far as `out` goes.
    pub(super) fn sums(&self, out: &mut [u64]) {
        out.fill(0);
        for shard in self.shards() {
            for (line, out) in shard.iter().zip(out.chunks_mut(PER_LINE)) {
                for (cell, out) in line.0.iter().zip(out) {
                    *out = out.wrapping_add(cell.load(Relaxed));
                }
            }
        }
    }

    fn shards(&self) -> impl Iterator<Item = &[Line]> {
        let exclusive = self.exclusive.chunks_exact(self.width);
        exclusive.chain(self.shared.chunks_exact(self.width))
    }

    #[inline(never)]
    fn add_shared(&self, thread: usize, n: u64) {
        self.shared(thread).add(0, n);
    }

    /// The shard of a thread that has no lease.
    #[inline(never)]
    fn shared(&self, thread: usize) -> Row<'_> {
        THREAD.set(match thread {
            MOST => lease(),
            0..MOST | ENDING => thread,
            patience => patience - 1,
        });
        let shard = shard::current() & (self.shards.shared - 1);
        Row {
            lines: &self.shared[shard * self.width..][..self.width],
            exclusive: false,
        }
    }
}

// === impl Row ===

impl Row<'_> {
    /// Adds `n` to number `cell`, wrapping around.
    #[inline]
    pub(super) fn add(self, cell: usize, n: u64) {
        let cell = &self.lines[cell / PER_LINE].0[cell % PER_LINE];
        if self.exclusive {
            cell.store(cell.load(Relaxed).wrapping_add(n), Relaxed);
        } else {
            cell.fetch_add(n, Relaxed);
        }
    }
}

// === impl Owned ===

impl Drop for Owned {
    fn drop(&mut self) {
        // What other thread-locals record when they are dropped after this one goes to a shared shard.
        THREAD.set(ENDING);
        if let Some(lease) = self.0.take() {
            LEASES.give_back(lease);
        }
    }
}

/// What the thread is from now on: the owner of a lease, or one that will ask again.
#[cold]
fn lease() -> usize {
    let taken = OWNED.try_with(|owned| {
        let lease = LEASES.take();
        owned.0.set(lease);
        lease
    });
    match taken {
        Ok(Some(lease)) => lease,
        Ok(None) => MOST + AGAIN,
        Err(_) => ENDING,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;

    const SHARDS: Shards = Shards {
        exclusive: 2,
        shared: 1,
    };

    /// Whether this thread has a lease after it has recorded much.
    fn is_exclusive_after_much(cells: &Cells) -> bool {
        for _ in 0..=PATIENCE {
            cells.mine().add(0, 1);
        }
        THREAD.get() < MOST
    }

    #[test]
    fn a_thread_that_records_little_shares() {
        let cells = Cells::new(SHARDS, 1);
        thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..PATIENCE {
                    assert!(!cells.mine().exclusive);
                }
            });
        });
    }

    #[test]
    fn leases_are_given_back_and_nothing_is_lost() {
        let cells = Cells::new(SHARDS, 9);
        let (rounds, threads, each) = (40, 2 * MOST, 500);
        let mut leased = 0;
        for _ in 0..rounds {
            // As many at once as there are leases and more, so that they change hands and run out.
            let start = Barrier::new(threads);
            leased += thread::scope(|scope| {
                let run = || {
                    start.wait();
                    for n in 0..each {
                        let mine = cells.mine();
                        mine.add(0, 1);
                        mine.add(8, n);
                    }
                    THREAD.get() < MOST
                };
                let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
                let ended = threads.into_iter().map(|thread| thread.join().unwrap());
                ended.filter(|leased| *leased).count()
            });
        }
        let all = rounds * threads as u64;
        assert_eq!(cells.sum(0), all * each);
        assert_eq!(cells.sum(8), all * (0..each).sum::<u64>());
        assert!(leased > rounds as usize, "{leased}: leases are used again");
    }

    #[test]
    fn no_two_threads_have_the_same_lease() {
        let cells = Cells::new(Shards::of_machine(), 1);
        let (start, end) = (Barrier::new(MOST), Barrier::new(MOST));
        let mut leases: Vec<usize> = thread::scope(|scope| {
            let run = || {
                start.wait();
                let leased = is_exclusive_after_much(&cells);
                end.wait();
                leased.then(|| THREAD.get())
            };
            let threads: Vec<_> = (0..MOST).map(|_| scope.spawn(run)).collect();
            let leases = threads.into_iter().map(|thread| thread.join().unwrap());
            leases.flatten().collect()
        });
        let before = leases.len();
        leases.sort_unstable();
        leases.dedup();
        assert_eq!(leases.len(), before);
    }

    #[test]
    fn what_a_thread_local_records_while_its_thread_ends_is_counted() {
        struct Last(&'static Cells);
        impl Drop for Last {
            fn drop(&mut self) {
                for _ in 0..2 * AGAIN {
                    self.0.mine().add(0, 1);
                }
            }
        }
        thread_local! {
            static LAST: Cell<Option<Last>> = const { Cell::new(None) };
        }
        static CELLS: LazyLock<Cells> = LazyLock::new(|| Cells::new(SHARDS, 1));
        for _ in 0..4 {
            thread::scope(|scope| {
                // Both orders: the lease is taken before the other thread-local exists, or after it.
                let after = scope.spawn(|| {
                    LAST.set(Some(Last(&CELLS)));
                    is_exclusive_after_much(&CELLS);
                });
                let before = scope.spawn(|| {
                    is_exclusive_after_much(&CELLS);
                    LAST.set(Some(Last(&CELLS)));
                });
                // A scope alone does not wait for thread-locals.
                after.join().unwrap();
                before.join().unwrap();
            });
        }
        let each = (PATIENCE + 1 + 2 * AGAIN) as u64;
        assert_eq!(CELLS.sum(0), 8 * each);
    }
}
