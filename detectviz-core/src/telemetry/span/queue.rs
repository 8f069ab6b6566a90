//! A bounded queue that nobody waits at.
use super::SpanRecord;
use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

/// A bounded queue of many producers and many consumers, after Dmitry Vyukov's bounded MPMC queue.
///
/// A slot's turn says whose it is: the producer's or the consumer's that has drawn that position. The mutex in the slot is
/// there because the language wants one; by the turns nobody ever finds it held.
#[derive(Debug)]
pub(super) struct Queue {
    slots: Box<[Slot]>,
    tail: Padded,
    head: Padded,
}

/// Alone on its cache line and on the one that is fetched with it.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Padded(AtomicUsize);

#[derive(Debug)]
struct Slot {
    turn: AtomicUsize,
    span: Mutex<Option<SpanRecord>>,
}

// === impl Queue ===

impl Queue {
    /// A queue of `capacity` slots, at least 2, all of them allocated now.
    pub(super) fn new(capacity: usize) -> Self {
        let slot = |turn| Slot {
            turn: AtomicUsize::new(turn),
            span: Mutex::new(None),
        };
        Self {
            slots: (0..capacity.max(2)).map(slot).collect(),
            tail: Padded::default(),
            head: Padded::default(),
        }
    }

    pub(super) fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// How many spans were ever accepted.
    pub(super) fn accepted(&self) -> usize {
        self.tail.0.load(Ordering::Relaxed)
    }

    /// How many spans wait.
    pub(super) fn len(&self) -> usize {
        let head = self.head.0.load(Ordering::Relaxed);
        self.tail.0.load(Ordering::Relaxed).saturating_sub(head)
    }

    /// Adds a span and says how many wait then; `None` when the queue is full.
    pub(super) fn push(&self, span: SpanRecord) -> Option<usize> {
        let mut at = self.tail.0.load(Ordering::Relaxed);
        loop {
            let slot = &self.slots[at % self.slots.len()];
            let turn = slot.turn.load(Ordering::Acquire);
            if turn == at {
                match self.tail.0.compare_exchange_weak(
                    at,
                    at + 1,
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                ) {
                    Ok(_) => {
                        slot.put(Some(span));
                        slot.turn.store(at + 1, Ordering::Release);
                        let head = self.head.0.load(Ordering::Relaxed);
                        return Some((at + 1).saturating_sub(head));
                    }
                    Err(now) => at = now,
                }
            } else if turn < at {
                return None;
            } else {
                at = self.tail.0.load(Ordering::Relaxed);
            }
        }
    }

    /// Takes the span that waits longest.
    pub(super) fn pop(&self) -> Option<SpanRecord> {
        let mut at = self.head.0.load(Ordering::Relaxed);
        loop {
            let slot = &self.slots[at % self.slots.len()];
            let turn = slot.turn.load(Ordering::Acquire);
            if turn == at + 1 {
                match self.head.0.compare_exchange_weak(
                    at,
                    at + 1,
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                ) {
                    Ok(_) => {
                        let span = slot.put(None);
                        slot.turn.store(at + self.slots.len(), Ordering::Release);
                        return span;
                    }
                    Err(now) => at = now,
                }
            } else if turn <= at {
                return None;
            } else {
                at = self.head.0.load(Ordering::Relaxed);
            }
        }
    }
}

// === impl Slot ===

impl Slot {
    fn put(&self, span: Option<SpanRecord>) -> Option<SpanRecord> {
        let mut held = self.span.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut held, span)
    }
}
