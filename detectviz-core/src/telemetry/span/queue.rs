//! A bounded queue that nobody waits at, whose slots are filled where they are.
use crate::sync::atomic::{
    AtomicUsize,
    Ordering::{Acquire, Relaxed, SeqCst},
};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A bounded queue of many producers and many consumers, after Dmitry Vyukov's bounded MPMC queue, with laps as in crossbeam's
/// `ArrayQueue`, so that a position is found without a division.
///
/// What waits is never moved: who has drawn a slot's turn writes into it, or reads it out. The mutex in the slot is there
/// because the language wants one; by the turns nobody ever finds it held.
#[derive(Debug)]
pub(super) struct Queue<T> {
    slots: Box<[Slot<T>]>,
    /// A power of two, not below the number of slots. A position is a slot plus this for each lap.
    lap: usize,
    tail: Padded,
    head: Padded,
}

/// Alone on its cache line and on the one that is fetched with it.
#[derive(Debug)]
#[repr(align(128))]
struct Padded(AtomicUsize);

#[derive(Debug)]
struct Slot<T> {
    /// The position that may be written, or one more than the one that may be read.
    turn: AtomicUsize,
    value: Mutex<T>,
}

/// A slot while it is used. When that is over, even by a panic, it has its next turn.
struct Turn<'a, T> {
    turn: &'a AtomicUsize,
    next: usize,
    value: Option<MutexGuard<'a, T>>,
}

// === impl Queue ===

impl<T> Queue<T> {
    /// A queue of `capacity` slots, at least 2, all of them made now.
    pub(super) fn new(capacity: usize, make: impl Fn() -> T) -> Self {
        let slot = |turn| Slot {
            turn: AtomicUsize::new(turn),
            value: Mutex::new(make()),
        };
        let slots: Box<[Slot<T>]> = (0..capacity.max(2)).map(slot).collect();
        Self {
            lap: slots.len().next_power_of_two(),
            slots,
            tail: Padded(AtomicUsize::new(0)),
            head: Padded(AtomicUsize::new(0)),
        }
    }

    pub(super) fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// How many values were ever accepted.
    pub(super) fn accepted(&self) -> usize {
        self.count(self.tail.0.load(Relaxed))
    }

    /// How many values wait.
    pub(super) fn len(&self) -> usize {
        let head = self.count(self.head.0.load(Relaxed));
        self.accepted().saturating_sub(head)
    }

    /// Lets `fill` write a slot, which holds what the last reader left there, and says how many wait then. `None` when the
    /// queue is full; `fill` is not called then. A value whose `fill` panics waits as far as it was written.
    #[inline]
    pub(super) fn push_with(&self, fill: impl FnOnce(&mut T)) -> Option<usize> {
        let mut at = self.tail.0.load(Relaxed);
        loop {
            let slot = &self.slots[self.index(at)];
            let turn = slot.turn.load(Acquire);
            if turn == at {
                // `SeqCst` here and in `Turn::drop` for whoever looks at a flag after a push, as `Spans` does.
                let next = self.after(at);
                match self.tail.0.compare_exchange_weak(at, next, SeqCst, Relaxed) {
                    Ok(_) => {
                        Turn::new(slot, at + 1).with(fill);
                        let head = self.count(self.head.0.load(Relaxed));
                        return Some(self.count(next).saturating_sub(head));
                    }
                    Err(now) => at = now,
                }
            } else if turn < at {
                return None;
            } else {
                at = self.tail.0.load(Relaxed);
            }
        }
    }

    /// Lets `read` have the value that waits longest, and leave in its place what a later `fill` may start from.
    pub(super) fn pop_with<R>(&self, read: impl FnOnce(&mut T) -> R) -> Option<R> {
        let mut at = self.head.0.load(Relaxed);
        loop {
            let slot = &self.slots[self.index(at)];
            let turn = slot.turn.load(Acquire);
            if turn == at + 1 {
                let next = self.after(at);
                match self
                    .head
                    .0
                    .compare_exchange_weak(at, next, Relaxed, Relaxed)
                {
                    Ok(_) => return Some(Turn::new(slot, at + self.lap).with(read)),
                    Err(now) => at = now,
                }
            } else if turn <= at {
                return None;
            } else {
                at = self.head.0.load(Relaxed);
            }
        }
    }

    #[inline]
    fn index(&self, position: usize) -> usize {
        position & (self.lap - 1)
    }

    #[inline]
    fn after(&self, position: usize) -> usize {
        if self.index(position) + 1 < self.slots.len() {
            position + 1
        } else {
            (position - self.index(position)) + self.lap
        }
    }

    /// How many positions there are before this one.
    #[inline]
    fn count(&self, position: usize) -> usize {
        let laps = position >> self.lap.trailing_zeros();
        laps * self.slots.len() + self.index(position)
    }
}

// === impl Turn ===

impl<'a, T> Turn<'a, T> {
    #[inline]
    fn new(slot: &'a Slot<T>, next: usize) -> Self {
        Self {
            turn: &slot.turn,
            next,
            value: Some(slot.value.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    #[inline]
    fn with<R>(mut self, work: impl FnOnce(&mut T) -> R) -> R {
        work(self.value.as_mut().expect("held until it is dropped"))
    }
}

impl<T> Drop for Turn<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.value = None;
        self.turn.swap(self.next, SeqCst);
    }
}
