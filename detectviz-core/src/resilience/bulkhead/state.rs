//! The queue: who waits, in which order they go, and who has to leave. Pure; the lock around it is in `shared.rs`.
//!
//! Places are kept in a slab and linked both ways, so that joining, going next and leaving from the middle take the same
//! short time however many wait, and allocate nothing once the slab has grown to what is needed.
use super::error::Reason;
use std::{
    mem,
    task::Waker,
    time::{Duration, Instant},
};

/// How long calls wait, and in which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rules {
    /// How many may wait; 0 is no queue.
    pub(super) max_queue: u32,
    pub(super) max_wait: Duration,
    pub(super) standing: Option<Standing>,
}

/// What changes while the queue has not been empty for `after`: the newest goes first, and newcomers wait no longer than
/// `wait`. These are the adaptive LIFO and the controlled delay of "Fail at Scale" (Maurer, ACM Queue 13.8, 2015).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) after: Duration,
    pub(super) wait: Duration,
}

#[derive(Debug)]
pub(super) struct Queue {
    rules: Rules,
    slots: Vec<Slot>,
    /// The first of the free slots, which are linked by `next`.
    free: u32,
    normal: List,
    sheddable: List,
    /// Since when someone waits.
    busy_since: Option<Instant>,
    is_standing: bool,
}

/// A place in the queue that was taken.
#[derive(Debug)]
pub(super) struct Joined {
    pub(super) slot: u32,
    /// When its time is up.
    pub(super) expires: Instant,
    /// Wakes who had to make room.
    pub(super) displaced: Option<Waker>,
}

/// Who goes next.
#[derive(Debug)]
pub(super) enum Next {
    Nobody,
    /// The time of this one was up: it has left, and is to be woken.
    Expired(Option<Waker>),
    Waits(u32),
}

/// What became of a waiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Waits,
    /// It holds a permit.
    Granted,
    Refused(Reason),
}

/// Whether newcomers may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Open,
    Closed(Reason),
}

#[derive(Debug)]
struct Slot {
    turn: Turn,
    is_sheddable: bool,
    waker: Option<Waker>,
    expires: Instant,
    prev: u32,
    next: u32,
}

#[derive(Debug)]
struct List {
    head: u32,
    tail: u32,
    len: u32,
}

const NONE: u32 = u32::MAX;

/// More than this is allocated only when so many wait.
const MOST_AT_FIRST: u32 = 1024;

/// Stands for no limit where a duration is too long for the clock.
const FAR: Duration = Duration::from_secs(86_400);

// === impl Queue ===

impl Queue {
    pub(super) fn new(rules: Rules) -> Self {
        let places = rules.max_queue.min(MOST_AT_FIRST) as usize;
        Self {
            rules,
            slots: Vec::with_capacity(places),
            free: NONE,
            normal: List::EMPTY,
            sheddable: List::EMPTY,
            busy_since: None,
            is_standing: false,
        }
    }

    /// From now on these rules hold; who waits keeps the time that was given.
    pub(super) fn set_rules(&mut self, rules: Rules) {
        self.rules = rules;
        self.is_standing &= rules.standing.is_some();
    }

    /// How many wait.
    pub(super) fn len(&self) -> u32 {
        self.normal.len + self.sheddable.len
    }

    /// Whether a call that is not sheddable may wait.
    pub(super) fn entry(&self) -> Entry {
        match self.rules.max_queue {
            0 => Entry::Closed(Reason::LimitReached),
            most if self.len() >= most && self.sheddable.len == 0 => {
                Entry::Closed(Reason::QueueFull)
            }
            _ => Entry::Open,
        }
    }

    /// Takes a place at the end. A call that is not sheddable takes that of the youngest sheddable one when the queue is full.
    ///
    /// # Errors
    /// Why it cannot wait.
    pub(super) fn join(
        &mut self,
        is_sheddable: bool,
        now: Instant,
        deadline: Option<Instant>,
    ) -> Result<Joined, Reason> {
        if let Entry::Closed(reason) = self.entry() {
            return Err(reason);
        }
        let is_full = self.len() >= self.rules.max_queue;
        if is_full && is_sheddable {
            return Err(Reason::QueueFull);
        }
        let expires = self.expires(now, deadline);
        if expires <= now {
            return Err(Reason::QueueTimeout);
        }
        self.busy_since.get_or_insert(now);
        // The newcomer first: a queue that is never empty stands.
        let slot = self.link(is_sheddable, expires);
        let displaced = match is_full {
            true => self.settle(self.sheddable.tail, Turn::Refused(Reason::Displaced)),
            false => None,
        };
        Ok(Joined {
            slot,
            expires,
            displaced,
        })
    }

    /// Who goes next: the one that waits longest, or in a standing queue shortest; sheddable ones after the others.
    pub(super) fn next(&mut self, now: Instant) -> Next {
        let list = match self.normal.len {
            0 => &self.sheddable,
            _ => &self.normal,
        };
        let slot = if self.is_standing {
            list.tail
        } else {
            list.head
        };
        if slot == NONE {
            return Next::Nobody;
        }
        if self.slots[slot as usize].expires <= now {
            return Next::Expired(self.settle(slot, Turn::Refused(Reason::QueueTimeout)));
        }
        Next::Waits(slot)
    }

    /// Gives a permit to one that waits, and returns how to wake it.
    pub(super) fn grant(&mut self, slot: u32) -> Option<Waker> {
        self.settle(slot, Turn::Granted)
    }

    /// What became of the one in `slot`, which is free again when that is something.
    pub(super) fn turn(&mut self, slot: u32) -> Turn {
        let turn = self.slots[slot as usize].turn;
        if turn != Turn::Waits {
            self.release(slot);
        }
        turn
    }

    /// Takes the one in `slot` out of the queue, or finds what had become of it. The slot is free again.
    pub(super) fn leave(&mut self, slot: u32) -> Turn {
        let turn = self.slots[slot as usize].turn;
        if turn == Turn::Waits {
            self.unlink(slot);
        }
        self.release(slot);
        turn
    }

    /// Whether `waker` is the one that is told already.
    pub(super) fn is_told(&self, slot: u32, waker: &Waker) -> bool {
        let told = &self.slots[slot as usize].waker;
        told.as_ref().is_some_and(|told| told.will_wake(waker))
    }

    /// Makes `waker` the one that is told; gives back the one that was.
    pub(super) fn tell(&mut self, slot: u32, waker: Waker) -> Option<Waker> {
        self.slots[slot as usize].waker.replace(waker)
    }

    /// Nobody is told any more.
    pub(super) fn untell(&mut self, slot: u32) -> Option<Waker> {
        self.slots[slot as usize].waker.take()
    }

    /// When the time of one who joins now is up.
    fn expires(&mut self, now: Instant, deadline: Option<Instant>) -> Instant {
        let mut wait = self.rules.max_wait;
        if let (Some(standing), Some(since)) = (self.rules.standing, self.busy_since) {
            self.is_standing |= now.saturating_duration_since(since) >= standing.after;
            if self.is_standing {
                wait = wait.min(standing.wait);
            }
        }
        let expires = now.checked_add(wait).unwrap_or(now + FAR);
        deadline.map_or(expires, |deadline| deadline.min(expires))
    }

    /// Ends the waiting of the one in `slot`, who still has to notice, and returns how to wake it.
    fn settle(&mut self, slot: u32, turn: Turn) -> Option<Waker> {
        self.unlink(slot);
        let settled = &mut self.slots[slot as usize];
        settled.turn = turn;
        settled.waker.take()
    }

    fn link(&mut self, is_sheddable: bool, expires: Instant) -> u32 {
        let prev = self.list(is_sheddable).tail;
        let new = Slot {
            turn: Turn::Waits,
            is_sheddable,
            waker: None,
            expires,
            prev,
            next: NONE,
        };
        let slot = self.free;
        let slot = if slot == NONE {
            self.slots.push(new);
            (self.slots.len() - 1) as u32
        } else {
            let place = &mut self.slots[slot as usize];
            self.free = mem::replace(place, new).next;
            slot
        };
        self.after(prev, is_sheddable, slot);
        let list = self.list(is_sheddable);
        list.tail = slot;
        list.len += 1;
        slot
    }

    fn unlink(&mut self, slot: u32) {
        let Slot {
            prev,
            next,
            is_sheddable,
            ..
        } = self.slots[slot as usize];
        self.after(prev, is_sheddable, next);
        match next {
            NONE => self.list(is_sheddable).tail = prev,
            next => self.slots[next as usize].prev = prev,
        }
        self.list(is_sheddable).len -= 1;
        if self.len() == 0 {
            self.busy_since = None;
            self.is_standing = false;
        }
    }

    /// Lets `next` stand behind `prev`, or first.
    fn after(&mut self, prev: u32, is_sheddable: bool, next: u32) {
        match prev {
            NONE => self.list(is_sheddable).head = next,
            prev => self.slots[prev as usize].next = next,
        }
    }

    fn list(&mut self, is_sheddable: bool) -> &mut List {
        match is_sheddable {
            true => &mut self.sheddable,
            false => &mut self.normal,
        }
    }

    fn release(&mut self, slot: u32) {
        self.slots[slot as usize].next = self.free;
        self.free = slot;
    }
}

// === impl List ===

impl List {
    const EMPTY: Self = Self {
        head: NONE,
        tail: NONE,
        len: 0,
    };
}
