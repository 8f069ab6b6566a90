//! The circuit breaker: at the half-open edge, at the end of a bucket, and where a success opens.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "the library uses what these models do not"
)]

#[path = "../../detectviz-core/src/resilience/breaker/cells.rs"]
mod cells;
#[path = "../../detectviz-core/src/resilience/breaker/last.rs"]
mod last;
#[path = "../../detectviz-core/src/resilience/breaker/limits.rs"]
mod limits;
#[path = "../../detectviz-core/src/resilience/breaker/state.rs"]
mod state;
#[path = "../../detectviz-core/src/resilience/breaker/tally.rs"]
mod tally;
#[path = "../../detectviz-core/src/resilience/breaker/ticket.rs"]
mod ticket;
#[path = "../../detectviz-core/src/resilience/breaker/transition.rs"]
mod transition;
#[path = "../../detectviz-core/src/resilience/breaker/window.rs"]
mod window;
#[path = "../../detectviz-core/src/resilience/breaker/word.rs"]
mod word;

use self::{
    limits::{Geometry, Limits, OFF},
    state::{Core, Passed, Report},
    ticket::Ticket,
    word::State,
};
use loom::{model::Builder, sync::Arc, thread};

const SECOND: u64 = 1_000_000_000;

/// Two buckets in a ring of four, so that it goes round at once.
fn circuit(geometry: Geometry, limits: &Limits) -> Core {
    Core::new(State::Closed, limits, OFF, geometry, 2, 4)
}

/// Opens at half of two calls, for a second, and closes after so many probes.
fn limits(probes: u64) -> Limits {
    Limits {
        minimum: 2,
        failure_rate: 0.5,
        slow_rate: f64::INFINITY,
        consecutive: OFF,
        probes,
        open: SECOND,
        open_max: SECOND,
        factor: 1.0,
        jitter: 0.0,
    }
}

/// Two buckets of a second.
fn time() -> Geometry {
    Geometry::new(false, 2, 1_000)
}

/// Two buckets of two calls.
fn calls() -> Geometry {
    Geometry::new(true, 2, 2)
}

fn explore(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(model);
}

fn enter(core: &Core, shard: usize, now: u64) -> Option<Ticket> {
    let admitted = core.admit(|| now);
    admitted.or_else(|| core.ask(shard, now, 0).0.ok())
}

/// Records as the library does; whether it changed the state.
fn record(core: &Core, ticket: Ticket, shard: usize, failed: bool, now: u64) -> bool {
    let report = Report {
        ticket,
        shard,
        failed,
        now,
        random: 0,
    };
    let passed = match failed {
        true => Passed::Unsettled,
        false => core.pass(ticket, shard, || now),
    };
    let transition = match passed {
        Passed::Done => None,
        Passed::Watched => core.judge(report, 0, false),
        Passed::Unsettled => core.settle(report),
    };
    transition.is_some()
}

fn call(core: &Core, shard: usize, failed: bool, now: u64) -> bool {
    enter(core, shard, now).is_some_and(|ticket| record(core, ticket, shard, failed, now))
}

/// Open since 0, for a second.
fn opened(probes: u64) -> Core {
    let core = circuit(calls(), &limits(probes));
    call(&core, 0, true, 0);
    assert!(call(&core, 0, true, 0));
    assert_eq!(core.state(), State::Open);
    core
}

#[test]
fn at_the_edge_exactly_the_permitted_probes_get_through() {
    for probes in [1, 2] {
        explore(move || {
            let core = Arc::new(opened(probes));
            let asking = |shard| {
                let core = Arc::clone(&core);
                thread::spawn(move || {
                    let asked = || enter(&core, shard, 2 * SECOND).is_some();
                    u64::from(asked()) + u64::from(asked())
                })
            };
            let (one, two) = (asking(0), asking(1));
            assert_eq!(one.join().unwrap() + two.join().unwrap(), probes);
        });
    }
}

#[test]
fn a_cancelled_probe_makes_room_for_exactly_one() {
    explore(|| {
        let core = Arc::new(opened(1));
        let probe = enter(&core, 0, 2 * SECOND).unwrap();
        let other = Arc::clone(&core);
        let asking = thread::spawn(move || enter(&other, 1, 2 * SECOND).is_some());
        core.cancel(probe);
        let late = enter(&core, 0, 2 * SECOND).is_some();
        assert!(asking.join().unwrap() ^ late);
        // Once more, it is no longer this probe's.
        core.cancel(Ticket::SPENT);
        assert!(enter(&core, 0, 2 * SECOND).is_none());
    });
}

#[test]
fn probes_decide_once_and_a_late_result_changes_nothing() {
    explore(|| {
        let core = Arc::new(circuit(calls(), &limits(2)));
        let late = enter(&core, 0, 0).unwrap();
        call(&core, 0, true, 0);
        assert!(call(&core, 0, true, 0));
        let (one, two) = (enter(&core, 0, 2 * SECOND), enter(&core, 0, 2 * SECOND));
        let other = Arc::clone(&core);
        let ending = thread::spawn(move || {
            let late = record(&other, late, 1, true, 2 * SECOND);
            let changed = record(&other, two.unwrap(), 1, false, 2 * SECOND);
            assert!(!late);
            changed
        });
        let changed = record(&core, one.unwrap(), 0, false, 2 * SECOND);
        assert!(changed ^ ending.join().unwrap());
        assert_eq!(core.state(), State::Closed);
        assert_eq!(core.counts(2 * SECOND).calls, 0);
    });
}

#[test]
fn the_call_that_makes_them_enough_opens_whichever_it_is() {
    for counts_calls in [true, false] {
        explore(move || {
            let core = circuit(Geometry::new(counts_calls, 1, 1_000), &limits(1));
            // Begins the window.
            core.force(State::Closed, 0).unwrap();
            one_fails_and_one_succeeds(core);
        });
    }
}

#[test]
fn two_calls_that_begin_a_window_are_both_in_it() {
    explore(|| one_fails_and_one_succeeds(circuit(Geometry::new(true, 1, 1_000), &limits(1))));
}

/// Of two calls on two threads, the second opens.
fn one_fails_and_one_succeeds(core: Core) {
    let core = Arc::new(core);
    let other = Arc::clone(&core);
    let succeeding = thread::spawn(move || call(&other, 1, false, 0));
    let failed = call(&core, 0, true, 0);
    let succeeded = succeeding.join().expect("it does not panic");
    assert!(failed ^ succeeded, "opened once");
    assert_eq!(core.state(), State::Open);
}

#[test]
fn a_watch_that_is_given_up_is_not_the_one_that_was_just_asked_for() {
    explore(|| {
        // Half of four: the watch begins at two failures.
        let limits = Limits {
            minimum: 4,
            ..limits(1)
        };
        let core = Arc::new(circuit(Geometry::new(true, 1, 8), &limits));
        call(&core, 0, true, 0);
        call(&core, 0, false, 0);
        let other = Arc::clone(&core);
        let failing = thread::spawn(move || call(&other, 1, true, 0));
        let succeeded = call(&core, 0, false, 0);
        assert!(failing.join().unwrap() ^ succeeded);
        assert_eq!(core.state(), State::Open);
    });
}

#[test]
fn at_the_end_of_a_bucket_no_call_is_lost() {
    for (geometry, later) in [(calls(), 0), (time(), 1_500_000_000)] {
        explore(move || {
            let limits = Limits {
                minimum: 100,
                ..limits(1)
            };
            let core = Arc::new(circuit(geometry, &limits));
            call(&core, 0, false, 0);
            let other = Arc::clone(&core);
            let failing = thread::spawn(move || call(&other, 1, true, later));
            call(&core, 0, true, later);
            failing.join().unwrap();
            let counts = core.counts(later);
            assert_eq!((counts.calls, counts.failures), (3, 2));
        });
    }
}

#[test]
fn threads_that_see_different_times_still_find_a_window() {
    // The one who is late moves the head by one, the other past all there is.
    explore(|| {
        let limits = Limits {
            minimum: 100,
            ..limits(1)
        };
        let core = Arc::new(circuit(time(), &limits));
        call(&core, 0, false, 0);
        let other = Arc::clone(&core);
        let early = thread::spawn(move || call(&other, 1, true, 1_500_000_000));
        call(&core, 0, true, 9 * SECOND);
        early.join().unwrap();
        call(&core, 0, true, 9 * SECOND);
        let counts = core.counts(9 * SECOND);
        assert!((2..=3).contains(&counts.failures), "{counts:?}");
        assert_eq!(counts.calls, counts.failures);
    });
}
