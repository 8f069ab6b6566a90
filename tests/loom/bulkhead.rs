//! The bulkhead: no permit is lost, none is made up, and nobody who waits is forgotten.
#[path = "../../detectviz-core/src/resilience/bulkhead/error.rs"]
#[expect(
    dead_code,
    unreachable_pub,
    reason = "the models need less than the library"
)]
mod error;
#[path = "../../detectviz-core/src/resilience/bulkhead/gate.rs"]
#[expect(dead_code, reason = "the models need less than the library")]
mod gate;
#[path = "../../detectviz-core/src/resilience/bulkhead/shared.rs"]
#[expect(dead_code, reason = "the models need less than the library")]
mod shared;
#[path = "../../detectviz-core/src/resilience/bulkhead/state.rs"]
mod state;

use self::{
    shared::{Arrival, Shared},
    state::{Rules, Turn},
};
use loom::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
};
use std::{
    task::{Wake, Waker},
    time::{Duration, Instant},
};

/// Wakes a thread of loom.
struct Unpark(thread::Thread);

impl Wake for Unpark {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.unpark();
    }
}

fn bulkhead(limit: u32, max_queue: u32) -> Arc<Shared> {
    let rules = Rules {
        max_queue,
        max_wait: Duration::from_secs(3600),
        standing: None,
    };
    Arc::new(Shared::new(limit, rules))
}

/// Tries every order, with so many switches where a thread did not have to stop.
fn check(switches: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(switches);
    builder.check(model);
}

/// Takes a permit or a place; `None` is a refusal.
fn arrive(shared: &Shared) -> Option<Option<u32>> {
    if shared.gate.take() {
        return Some(None);
    }
    match shared.arrive(false, Instant::now(), None) {
        Arrival::Permit => Some(None),
        Arrival::Queued { slot, .. } => Some(Some(slot)),
        Arrival::Refused(_) => None,
    }
}

/// Waits for a permit, for as long as it takes.
fn wait(shared: &Shared, slot: u32) -> bool {
    let waker = Waker::from(std::sync::Arc::new(Unpark(thread::current())));
    loop {
        match shared.turn(slot, &waker) {
            Turn::Waits => thread::park(),
            turn => return turn == Turn::Granted,
        }
    }
}

/// Runs one call with a permit.
fn run(shared: &Shared, inside: &AtomicUsize, limit: usize) {
    assert!(inside.fetch_add(1, SeqCst) < limit, "more than may run");
    inside.fetch_sub(1, SeqCst);
    shared.give_back(Instant::now);
}

/// At the end everything is as at the beginning.
fn is_untouched(shared: &Shared, limit: u32) {
    assert_eq!((shared.gate.in_flight(), shared.queued()), (0, 0));
    for _ in 0..limit {
        assert!(shared.gate.take(), "a permit was lost");
    }
    assert!(!shared.gate.take(), "a permit was made up");
}

#[test]
fn who_waits_is_woken_by_who_ends() {
    check(3, || {
        let (shared, inside) = (bulkhead(1, 2), Arc::new(AtomicUsize::new(0)));
        let other = {
            let (shared, inside) = (shared.clone(), inside.clone());
            thread::spawn(move || call(&shared, &inside))
        };
        call(&shared, &inside);
        other.join().expect("it ends");
        is_untouched(&shared, 1);
    });

    fn call(shared: &Shared, inside: &AtomicUsize) {
        let place = arrive(shared).expect("the queue has room");
        if place.is_none_or(|slot| wait(shared, slot)) {
            run(shared, inside, 1);
        }
    }
}

#[test]
fn a_permit_for_one_who_leaves_goes_to_the_next() {
    check(3, || {
        let shared = bulkhead(1, 2);
        assert!(shared.gate.take());
        let leaver = arrive(&shared).flatten().expect("the permit is taken");
        let next = arrive(&shared).flatten().expect("the permit is taken");
        let ending = {
            let shared = shared.clone();
            thread::spawn(move || shared.give_back(Instant::now))
        };
        let leaving = {
            let shared = shared.clone();
            thread::spawn(move || {
                if shared.leave(leaver) == Turn::Granted {
                    shared.give_back(Instant::now);
                }
            })
        };
        assert!(wait(&shared, next));
        shared.give_back(Instant::now);
        ending.join().expect("it ends");
        leaving.join().expect("it ends");
        is_untouched(&shared, 1);
    });
}

#[test]
fn a_limit_that_grows_lets_those_in_who_wait() {
    check(3, || {
        let shared = bulkhead(1, 2);
        assert!(shared.gate.take());
        let growing = {
            let shared = shared.clone();
            thread::spawn(move || shared.set_limit(2, Instant::now))
        };
        let place = arrive(&shared).expect("the queue has room");
        assert!(place.is_none_or(|slot| wait(&shared, slot)));
        growing.join().expect("it ends");
        assert_eq!((shared.gate.in_flight(), shared.queued()), (2, 0));
        shared.give_back(Instant::now);
        shared.give_back(Instant::now);
        is_untouched(&shared, 2);
    });
}

#[test]
fn exactly_as_many_run_as_may() {
    check(3, || {
        let shared = bulkhead(2, 0);
        let taken = Arc::new(AtomicUsize::new(0));
        let others: Vec<_> = (0..2)
            .map(|_| {
                let (shared, taken) = (shared.clone(), taken.clone());
                thread::spawn(move || {
                    taken.fetch_add(usize::from(arrive(&shared).is_some()), SeqCst);
                })
            })
            .collect();
        taken.fetch_add(usize::from(arrive(&shared).is_some()), SeqCst);
        for other in others {
            other.join().expect("it ends");
        }
        assert_eq!(taken.load(SeqCst), 2);
        assert_eq!(shared.gate.in_flight(), 2);
    });
}
