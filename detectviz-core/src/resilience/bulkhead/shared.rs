//! Where permits go from those who give them back to those who wait.
//!
//! The lock is taken only while calls wait, for a few steps at a time, and nobody is woken, cloned or dropped inside it: a
//! waker is code of someone else. Whoever ends a waiting and whoever notices it may be two: a permit that was given to a call
//! that has just left is given back by its leaving.
use super::{
    error::Reason,
    gate::Gate,
    state::{Entry, Next, Queue, Rules, Turn},
};
use crate::sync::{
    Mutex,
    atomic::{AtomicU32, Ordering::Relaxed},
};
use std::{sync::PoisonError, task::Waker, time::Instant};

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) gate: Gate,
    queue: Mutex<Queue>,
    /// How many wait, for those who look on.
    queued: AtomicU32,
    /// Whether the queue takes nobody, so that the crowd in front of a full one does not come to the lock.
    closed: AtomicU32,
}

/// What became of a call that found no permit.
#[derive(Debug)]
pub(super) enum Arrival {
    /// One had just come free.
    Permit,
    Queued {
        slot: u32,
        expires: Instant,
    },
    Refused(Reason),
}

/// Those to be woken once the lock is gone.
#[derive(Default)]
struct Wakers {
    wakers: [Option<Waker>; Wakers::MOST],
    len: usize,
}

const OPEN: u32 = 0;
const FULL: u32 = 1;
const NO_QUEUE: u32 = 2;

// === impl Shared ===

impl Shared {
    pub(super) fn new(limit: u32, rules: Rules) -> Self {
        let queue = Queue::new(rules);
        Self {
            gate: Gate::new(limit),
            queued: AtomicU32::new(0),
            closed: AtomicU32::new(closed(&queue)),
            queue: Mutex::new(queue),
        }
    }

    pub(super) fn queued(&self) -> u32 {
        self.queued.load(Relaxed)
    }

    /// Lets a call wait that found no permit.
    pub(super) fn arrive(
        &self,
        is_sheddable: bool,
        now: Instant,
        deadline: Option<Instant>,
    ) -> Arrival {
        match self.closed.load(Relaxed) {
            NO_QUEUE => return Arrival::Refused(Reason::LimitReached),
            FULL => return Arrival::Refused(Reason::QueueFull),
            _ => {}
        }
        let mut displaced = None;
        let arrival = self.locked(|queue| {
            if queue.len() == 0 && self.gate.take_or_wait() {
                return Arrival::Permit;
            }
            match queue.join(is_sheddable, now, deadline) {
                Ok(joined) => {
                    displaced = joined.displaced;
                    Arrival::Queued {
                        slot: joined.slot,
                        expires: joined.expires,
                    }
                }
                Err(reason) => Arrival::Refused(reason),
            }
        });
        if let Some(displaced) = displaced {
            displaced.wake();
        }
        arrival
    }

    /// What became of the waiter in `slot`; while it waits, `waker` is told of it.
    pub(super) fn turn(&self, slot: u32, waker: &Waker) -> Turn {
        let known = self.locked(|queue| match queue.turn(slot) {
            Turn::Waits if !queue.is_told(slot, waker) => None,
            turn => Some(turn),
        });
        if let Some(turn) = known {
            return turn;
        }
        let mut waker = Some(waker.clone());
        self.locked(|queue| {
            let turn = queue.turn(slot);
            if turn == Turn::Waits
                && let Some(new) = waker.take()
            {
                waker = queue.tell(slot, new);
            }
            turn
        })
    }

    /// Ends the waiting in `slot`, whose time is up unless it has been given a permit.
    pub(super) fn leave(&self, slot: u32) -> Turn {
        let mut told = None;
        let turn = self.locked(|queue| {
            told = queue.untell(slot);
            queue.leave(slot)
        });
        drop(told);
        turn
    }

    /// Gives a permit back, or on to whoever waits.
    #[inline]
    pub(super) fn give_back(&self, now: impl FnOnce() -> Instant) {
        if self.gate.give_back() {
            self.hand_over(now());
        }
    }

    pub(super) fn set_limit(&self, limit: u32, now: impl FnOnce() -> Instant) {
        if self.gate.set_limit(limit) {
            self.hand_over(now());
        }
    }

    pub(super) fn set_rules(&self, rules: Rules) {
        self.locked(|queue| queue.set_rules(rules));
    }

    /// Gives the free permits to those who wait.
    #[cold]
    fn hand_over(&self, now: Instant) {
        loop {
            let mut wakers = Wakers::default();
            let is_done = self.locked(|queue| {
                while !wakers.is_full() {
                    let waker = match queue.next(now) {
                        Next::Nobody => return true,
                        Next::Expired(waker) => waker,
                        Next::Waits(_) if !self.gate.take_for_waiter() => return true,
                        Next::Waits(slot) => queue.grant(slot),
                    };
                    wakers.push(waker);
                }
                false
            });
            wakers.wake();
            if is_done {
                return;
            }
        }
    }

    /// Works on the queue, and tells those outside of the lock what is new.
    fn locked<R>(&self, work: impl FnOnce(&mut Queue) -> R) -> R {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let result = work(&mut queue);
        if queue.len() == 0 {
            self.gate.nobody_waits();
        }
        self.queued.store(queue.len(), Relaxed);
        self.closed.store(closed(&queue), Relaxed);
        result
    }
}

// === impl Wakers ===

impl Wakers {
    const MOST: usize = 16;

    fn is_full(&self) -> bool {
        self.len == Self::MOST
    }

    fn push(&mut self, waker: Option<Waker>) {
        self.wakers[self.len] = waker;
        self.len += 1;
    }

    fn wake(self) {
        for waker in self.wakers.into_iter().flatten() {
            waker.wake();
        }
    }
}

fn closed(queue: &Queue) -> u32 {
    match queue.entry() {
        Entry::Open => OPEN,
        Entry::Closed(Reason::LimitReached) => NO_QUEUE,
        Entry::Closed(_) => FULL,
    }
}
