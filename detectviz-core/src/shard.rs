//! Which of several shards the current thread counts in, so that busy threads do not write to one line of memory.
use std::{
    cell::Cell,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    thread,
};

thread_local! {
    static NUMBER: Cell<usize> = const { Cell::new(UNSET) };
}

const UNSET: usize = usize::MAX;

/// More shards than this cost more to read than they spare in writing.
const MOST: usize = 8;

/// How many shards suit this machine: the CPUs that the process may use, rounded up to a power of two, at most eight.
pub(crate) fn of_machine() -> usize {
    let cpus = thread::available_parallelism().map_or(1, usize::from);
    cpus.next_power_of_two().min(MOST)
}

/// The number of the current thread among those that ever asked.
#[inline]
pub(crate) fn current() -> usize {
    NUMBER.with(|cell| match cell.get() {
        UNSET => first(cell),
        number => number,
    })
}

#[cold]
fn first(cell: &Cell<usize>) -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let number = NEXT.fetch_add(1, Relaxed) % UNSET;
    cell.set(number);
    number
}
