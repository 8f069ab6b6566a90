//! Where deadlines wait: blocks of slots, each block with the earliest moment at which one of its slots may be due.
//!
//! The idea is that of a hashed timing wheel without hierarchy (Varghese and Lauck, *Hashed and Hierarchical Timing Wheels*,
//! SOSP 1987, scheme 1 with lazy deletion): most deadlines are cancelled long before they are due, so arming and cancelling
//! must be cheap and looking may be a scan. The scan is bounded: a block is looked at when its earliest moment has come, and
//! that is once per length of a deadline, not once per tick.
//!
//! Moments are milliseconds since an origin that the caller keeps.
use crate::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicU8, AtomicU64, Ordering},
};
use std::{
    sync::{Arc, OnceLock, PoisonError, Weak},
    task::Waker,
};

/// No moment at all.
pub(super) const NEVER: u64 = u64::MAX;

/// Slots that are looked at together, and the timer that they are of.
#[derive(Debug)]
pub(super) struct Block<T> {
    pub(super) of: T,
    /// No armed slot is due before; [`NEVER`] says that no slot is armed or keeps a waker.
    earliest: AtomicU64,
    /// Weak, because a slot keeps its block.
    slots: OnceLock<Box<[Weak<Slot<T>>]>>,
}

/// The place of one deadline. Its lock is taken by the one who has the slot and by the one who drives the timer, and by
/// nobody else.
#[derive(Debug)]
pub(super) struct Slot<T> {
    phase: AtomicU8,
    cell: Mutex<Cell>,
    pub(super) block: Arc<Block<T>>,
}

/// What came of [`Slot::poll`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Polled {
    /// The deadline has passed.
    Passed,
    /// It has not, and whoever drives the timer knows of it.
    Waits,
    /// It has not, and whoever drives the timer must be told of this moment.
    Tell(u64),
}

#[derive(Debug)]
struct Cell {
    due: u64,
    /// Stays when a deadline is cancelled, which then costs nothing; replaced by the next one, or swept.
    waker: Option<Waker>,
}

const IDLE: u8 = 0;
const ARMED: u8 = 1;
const FIRED: u8 = 2;
/// Nobody drives the timer any more; the owner arms it anew.
const ORPHANED: u8 = 3;

// === impl Block ===

impl<T> Block<T> {
    /// A block of `slots` idle slots, and these.
    pub(super) fn new(of: T, slots: usize) -> (Arc<Self>, Vec<Arc<Slot<T>>>) {
        let block = Arc::new(Self {
            of,
            earliest: AtomicU64::new(NEVER),
            slots: OnceLock::new(),
        });
        let slots: Vec<_> = (0..slots).map(|_| Arc::new(Slot::new(&block))).collect();
        let weak = slots.iter().map(Arc::downgrade).collect();
        block.slots.get_or_init(|| weak);
        (block, slots)
    }

    /// No armed slot is due before; [`NEVER`] when there is nothing to look at.
    pub(super) fn earliest(&self) -> u64 {
        self.earliest.load(Ordering::SeqCst)
    }

    /// Looks at every slot: the wakers of those that are due at `now` go to `due`; wakers that cancelled deadlines left
    /// behind are dropped.
    pub(super) fn look(&self, now: u64, due: &mut Vec<Waker>) {
        // Before the first slot: who arms a slot that was looked at already finds NEVER here, and lowers it.
        self.earliest.swap(NEVER, Ordering::SeqCst);
        let mut earliest = NEVER;
        for slot in self.slots() {
            let mut cell = slot.lock();
            let armed = slot.phase.load(Ordering::Relaxed) == ARMED;
            if armed && cell.due > now {
                earliest = earliest.min(cell.due);
                continue;
            }
            let waker = cell.waker.take();
            let fired = armed && slot.leave(FIRED);
            drop(cell);
            due.extend(waker.filter(|_| fired));
        }
        self.earliest.fetch_min(earliest, Ordering::SeqCst);
    }

    /// Nobody will look again: the wakers of all armed slots go to `armed`, and their owners arm them anew.
    pub(super) fn abandon(&self, armed: &mut Vec<Waker>) {
        self.earliest.swap(NEVER, Ordering::SeqCst);
        for slot in self.slots() {
            let mut cell = slot.lock();
            let waker = cell.waker.take();
            let orphaned = slot.leave(ORPHANED);
            drop(cell);
            armed.extend(waker.filter(|_| orphaned));
        }
    }

    /// How many slots are armed.
    pub(super) fn armed(&self) -> usize {
        let phases = self.slots().map(|slot| slot.phase.load(Ordering::Relaxed));
        phases.filter(|phase| *phase == ARMED).count()
    }

    fn slots(&self) -> impl Iterator<Item = Arc<Slot<T>>> {
        let slots = self.slots.get().into_iter().flatten();
        slots.filter_map(Weak::upgrade)
    }

    /// After the slot's lock was given back: if it was looked at before, what `look` wrote here is seen; if not, `look` finds
    /// the slot armed.
    #[inline]
    fn lower(&self, due: u64) -> bool {
        if due >= self.earliest.load(Ordering::Relaxed) {
            return false;
        }
        self.earliest.fetch_min(due, Ordering::SeqCst);
        true
    }
}

// === impl Slot ===

impl<T> Slot<T> {
    fn new(block: &Arc<Block<T>>) -> Self {
        Self {
            phase: AtomicU8::new(IDLE),
            cell: Mutex::new(Cell {
                due: NEVER,
                waker: None,
            }),
            block: Arc::clone(block),
        }
    }

    /// Arms the slot, or moves its deadline. Returns whether whoever drives the timer must be told of `due`.
    #[inline]
    #[must_use]
    pub(super) fn arm(&self, due: u64, waker: &Waker) -> bool {
        let mut cell = self.lock();
        cell.due = due;
        let stale = cell.keep(waker);
        self.phase.store(ARMED, Ordering::Relaxed);
        drop(cell);
        drop(stale);
        self.block.lower(due)
    }

    /// Whether it was armed and not cancelled since; for its owner.
    #[inline]
    pub(super) fn is_armed(&self) -> bool {
        self.phase.load(Ordering::Relaxed) != IDLE
    }

    /// Cancels the deadline. The waker may be woken once more.
    #[inline]
    pub(super) fn cancel(&self) {
        self.phase.store(IDLE, Ordering::Relaxed);
    }

    /// Whether the deadline has passed; else `waker` is woken when it does.
    pub(super) fn poll(&self, waker: &Waker) -> Polled {
        if self.phase.load(Ordering::Acquire) == FIRED {
            return Polled::Passed;
        }
        let mut cell = self.lock();
        let orphaned = match self.phase.load(Ordering::Relaxed) {
            FIRED => return Polled::Passed,
            IDLE => return Polled::Waits,
            phase => phase == ORPHANED,
        };
        let due = cell.due;
        let stale = cell.keep(waker);
        self.phase.store(ARMED, Ordering::Relaxed);
        drop(cell);
        drop(stale);
        if orphaned && self.block.lower(due) {
            Polled::Tell(due)
        } else {
            Polled::Waits
        }
    }

    #[inline]
    fn lock(&self) -> MutexGuard<'_, Cell> {
        self.cell.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From armed to `phase`, unless it is cancelled meanwhile.
    fn leave(&self, phase: u8) -> bool {
        let left = self
            .phase
            .compare_exchange(ARMED, phase, Ordering::Release, Ordering::Relaxed);
        left.is_ok()
    }
}

// === impl Cell ===

impl Cell {
    /// Keeps `waker`; returns what is to be dropped outside the lock.
    #[inline]
    fn keep(&mut self, waker: &Waker) -> Option<Waker> {
        match &self.waker {
            Some(kept) if kept.will_wake(waker) => None,
            _ => self.waker.replace(waker.clone()),
        }
    }
}
