//! What holds when threads meet.
use super::*;
use std::{
    sync::{
        Barrier,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
};

#[test]
fn a_thousand_callers_at_the_edge_and_exactly_the_permitted_ones_get_through() {
    const ROUNDS: u64 = 100;
    for probes in [1, 10] {
        let config = plain().consecutive_failures(1).half_open_calls(probes);
        let subject = Subject::new(&config);
        let through = AtomicU64::new(0);
        let barrier = Barrier::new(2);
        let caller = |leads: bool| {
            for round in 0..ROUNDS {
                // Each round opens for 5 s, at 10 s, 20 s and so on.
                let now = 10.0 * (round + 1) as f64;
                if leads {
                    assert!(round > 0 || subject.call(0.0, Outcome::Failure));
                    through.store(0, Relaxed);
                }
                barrier.wait();
                let entered: Vec<Ticket> =
                    (0..500).filter_map(|_| subject.enter(now).ok()).collect();
                through.fetch_add(entered.len() as u64, Relaxed);
                barrier.wait();
                assert_eq!(through.load(Relaxed), u64::from(probes), "round {round}");
                for ticket in entered {
                    subject
                        .circuit
                        .record(ticket, Outcome::Failure, subject.at(now));
                }
                barrier.wait();
                assert_eq!(subject.state(), State::Open);
                barrier.wait();
            }
        };
        thread::scope(|scope| {
            scope.spawn(|| caller(true));
            scope.spawn(|| caller(false));
        });
        assert_eq!(
            subject.metric(names::BREAKER_TRANSITIONS, &["orders", "half_open"]),
            ROUNDS as f64
        );
    }
}

#[test]
fn probes_that_are_cancelled_on_two_threads_leave_none_stuck() {
    let subject = Subject::new(&plain().consecutive_failures(1).half_open_calls(2));
    subject.calls(0.0, "F");
    let cancelled = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while cancelled.load(Relaxed) < 10_000 {
                    if subject.circuit.try_acquire(subject.at(6.0)).is_ok() {
                        cancelled.fetch_add(1, Relaxed);
                    }
                }
            });
        }
    });
    subject.calls(6.0, "SS");
    assert_eq!(subject.state(), State::Closed);
}

#[test]
fn no_call_is_lost_or_counted_twice() {
    const CALLS: u64 = 20_000;
    for window in [
        WindowConfig::Calls(1_000_000),
        WindowConfig::Time(seconds(86_400.0)),
    ] {
        let config = plain().window(window).mode(Mode::MetricsOnly);
        let subject = Subject::new(&config);
        thread::scope(|scope| {
            for thread in 0..2 {
                let subject = &subject;
                scope.spawn(move || {
                    for call in 0..CALLS {
                        let failed = (call + thread) % 5 == 0;
                        let outcome = if failed {
                            Outcome::Failure
                        } else {
                            Outcome::Success
                        };
                        subject.call(call as f64 / 10.0, outcome);
                    }
                });
            }
        });
        let counts = subject.counts(CALLS as f64 / 10.0);
        assert_eq!((counts.calls, counts.failures), (2 * CALLS, 2 * CALLS / 5));
    }
}

#[test]
fn the_call_that_makes_them_enough_opens_whichever_thread_it_is_on() {
    for window in [WindowConfig::Calls(50), WindowConfig::Time(seconds(60.0))] {
        let config = plain().window(window).minimum_calls(10);
        for round in 0..500 {
            let subject = Subject::new(&config);
            let barrier = Barrier::new(2);
            thread::scope(|scope| {
                for outcome in [Outcome::Success, Outcome::Failure] {
                    let (subject, barrier) = (&subject, &barrier);
                    scope.spawn(move || {
                        barrier.wait();
                        for _ in 0..5 {
                            assert!(subject.call(1.0, outcome));
                        }
                    });
                }
            });
            assert_eq!(subject.state(), State::Open, "round {round}");
        }
    }
}
