//! Behaviour of the bulkhead.
use super::*;
use crate::{
    config::check,
    telemetry::{
        context::{Slot, TraceContext},
        metrics::{Registry, Value},
    },
};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

mod model;
mod service;
mod threads;

fn config(limit: u32, queue: u32) -> BulkheadConfig {
    BulkheadConfig::default()
        .max_concurrent(limit)
        .max_queue(queue)
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

type Call = Pin<Box<Acquire>>;

fn arrive(bulkhead: &Bulkhead, priority: Priority) -> Call {
    Box::pin(bulkhead.acquire(priority, now()))
}

fn reason(call: &mut Call) -> Option<Reason> {
    match poll(call) {
        Poll::Ready(Err(overloaded)) => Some(overloaded.reason()),
        _ => None,
    }
}

#[tokio::test(start_paused = true)]
async fn l1_ten_run_five_wait_and_five_are_refused_at_once() {
    for (limit, queue, callers) in [(10, 5, 20), (1, 1, 3), (3, 0, 9), (7, 20, 20)] {
        let bulkhead = Bulkhead::new(&config(limit, queue));
        let (mut running, mut waiting, mut refused) = (Vec::new(), Vec::new(), 0);
        let begun = tokio::time::Instant::now();
        for _ in 0..callers {
            match bulkhead.admit(Priority::Normal, now()) {
                Admission::Permit(permit) => running.push(permit),
                Admission::Queued(place) => waiting.push(place),
                Admission::Refused(_) => refused += 1,
            }
        }
        assert_eq!(begun.elapsed(), Duration::ZERO);
        let queued = queue.min(callers - limit);
        assert_eq!(running.len() as u32, limit);
        assert_eq!(waiting.len() as u32, queued);
        assert_eq!(refused, callers - limit - queued);
        assert_eq!((bulkhead.in_flight(), bulkhead.queued()), (limit, queued));

        // Dropping two waiters admits two.
        let gone = waiting.len().min(2);
        waiting.truncate(waiting.len() - gone);
        for at in 0..3 {
            let admitted = bulkhead.admit(Priority::Normal, now());
            if waiting.len() < queue as usize {
                assert!(at < gone.max(queue as usize));
                let Admission::Queued(place) = admitted else {
                    panic!("there is room in the queue")
                };
                waiting.push(place);
            } else {
                assert!(matches!(admitted, Admission::Refused(_)));
            }
        }
        drop(running);
        for place in waiting {
            assert!(Box::pin(place).await.is_ok());
        }
        assert_eq!((bulkhead.in_flight(), bulkhead.queued()), (0, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_says_why() {
    let second = Duration::from_secs(1);
    let no_queue = Bulkhead::new(&config(1, 0).retry_after(2 * second));
    let _running = no_queue.try_acquire().unwrap();
    let refused = no_queue.acquire(Priority::Normal, now()).await.unwrap_err();
    let expected = Overloaded::new(Reason::LimitReached, 1, 2 * second);
    assert_eq!(refused, expected);
    assert_eq!(no_queue.try_acquire().unwrap_err(), expected);

    let queue = Bulkhead::new(&config(1, 1));
    let _running = queue.try_acquire().unwrap();
    let mut waiting = arrive(&queue, Priority::Normal);
    let full = arrive(&queue, Priority::Normal).await.unwrap_err();
    assert_eq!(full.reason(), Reason::QueueFull);
    assert!(poll(&mut waiting).is_pending());
    tokio::time::advance(Duration::from_millis(101)).await;
    assert_eq!(reason(&mut waiting), Some(Reason::QueueTimeout));
    assert_eq!((queue.in_flight(), queue.queued()), (1, 0));
    assert_eq!(
        full.to_string(),
        "overloaded: 1 calls are running and the queue is full"
    );
}

#[tokio::test(start_paused = true)]
async fn waiters_go_in_order_unless_the_queue_stands() {
    let standing = config(1, 10).order(QueueOrder::AdaptiveLifo);
    for (config, filled_after, expected) in [
        (config(1, 10), 0, [0, 1, 2]),
        (standing.clone(), 0, [0, 1, 2]),
        (standing, 100, [2, 1, 0]),
    ] {
        let bulkhead = Bulkhead::new(&config.max_wait(Duration::from_secs(1)));
        let mut running = Some(bulkhead.try_acquire().unwrap());
        let mut calls = [0, 1, 2].map(|n| (n, arrive(&bulkhead, Priority::Normal)));
        tokio::time::advance(Duration::from_millis(filled_after)).await;
        let _last = arrive(&bulkhead, Priority::Sheddable);
        let mut went = Vec::new();
        for _ in 0..3 {
            drop(running.take());
            for (n, call) in &mut calls {
                if went.contains(n) {
                    continue;
                }
                if let Poll::Ready(permit) = poll(call) {
                    went.push(*n);
                    running = permit.ok();
                }
            }
        }
        assert_eq!(went, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn who_joins_a_standing_queue_waits_no_longer_than_a_moment() {
    let config = config(1, 10).order(QueueOrder::AdaptiveLifo);
    let bulkhead = Bulkhead::new(&config.max_wait(Duration::from_millis(300)));
    let running = bulkhead.try_acquire().unwrap();
    let waits = |bulkhead: &Bulkhead| match bulkhead.admit(Priority::Normal, now()) {
        Admission::Queued(place) => (place.expires() - now(), place),
        _ => panic!("there is room in the queue"),
    };
    let (first, _first) = waits(&bulkhead);
    tokio::time::advance(Duration::from_millis(100)).await;
    let (second, second_place) = waits(&bulkhead);
    assert_eq!(first, Duration::from_millis(300));
    assert_eq!(second, Duration::from_millis(5));
    drop((_first, second_place));
    let (third, _third) = waits(&bulkhead);
    assert_eq!(third, Duration::from_millis(300), "it was empty in between");
    drop(running);
}

#[tokio::test(start_paused = true)]
async fn a_permit_never_goes_to_one_whose_time_is_up() {
    let bulkhead = Bulkhead::new(&config(1, 2));
    let running = bulkhead.try_acquire().unwrap();
    let mut late = arrive(&bulkhead, Priority::Normal);
    tokio::time::advance(Duration::from_millis(50)).await;
    let mut in_time = arrive(&bulkhead, Priority::Normal);
    // Neither is polled meanwhile: no timer has told the first.
    tokio::time::advance(Duration::from_millis(50)).await;
    drop(running);
    assert_eq!(reason(&mut late), Some(Reason::QueueTimeout));
    assert!(matches!(poll(&mut in_time), Poll::Ready(Ok(_))));
}

#[tokio::test(start_paused = true)]
async fn a_permit_that_was_given_in_time_is_kept() {
    let bulkhead = Bulkhead::new(&config(1, 2));
    let running = bulkhead.try_acquire().unwrap();
    let mut slow = arrive(&bulkhead, Priority::Normal);
    assert!(poll(&mut slow).is_pending());
    running.release(now());
    tokio::time::advance(Duration::from_secs(10)).await;
    assert!(matches!(poll(&mut slow), Poll::Ready(Ok(_))));
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_the_deadline_of_the_request() {
    let bulkhead = Bulkhead::new(&config(1, 5));
    let _running = bulkhead.try_acquire().unwrap();
    for (left, expected) in [(30, Some(30)), (500, Some(100)), (0, None)] {
        let mut slot = Slot::started_at(TraceContext::root(false), now());
        slot.deadline = Some(now() + Duration::from_millis(left));
        let admitted = slot.sync_scope(|| bulkhead.admit(Priority::Normal, now()));
        match (admitted, expected) {
            (Admission::Queued(place), Some(millis)) => {
                assert_eq!(place.expires() - now(), Duration::from_millis(millis));
            }
            (Admission::Refused(refused), None) => {
                assert_eq!(refused.reason(), Reason::QueueTimeout);
            }
            (admitted, _) => panic!("{left} ms left: {admitted:?}"),
        }
        assert_eq!(bulkhead.queued(), 0);
    }
    // The refusal left no trace: the next one finds a free permit.
    drop(_running);
    assert!(bulkhead.try_acquire().is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_matters_less_gives_way_and_what_matters_most_always_runs() {
    let bulkhead = Bulkhead::new(&config(1, 2));
    let running = bulkhead.try_acquire().unwrap();
    let mut batch = [(); 2].map(|()| arrive(&bulkhead, Priority::Sheddable));
    let mut third = arrive(&bulkhead, Priority::Sheddable);
    assert_eq!(reason(&mut third), Some(Reason::QueueFull));
    let mut user = arrive(&bulkhead, Priority::Normal);
    assert!(poll(&mut user).is_pending());
    assert_eq!(reason(&mut batch[1]), Some(Reason::Displaced));
    assert!(poll(&mut batch[0]).is_pending());

    let Poll::Ready(Ok(probe)) = poll(&mut arrive(&bulkhead, Priority::Critical)) else {
        panic!("a probe waits for nobody");
    };
    assert_eq!((bulkhead.in_flight(), bulkhead.limit()), (2, 1));
    drop(running);
    assert!(poll(&mut user).is_pending(), "the probe still runs");
    drop(probe);
    let Poll::Ready(Ok(permit)) = poll(&mut user) else {
        panic!("the user goes first");
    };
    assert!(poll(&mut batch[0]).is_pending());
    drop(permit);
    assert!(matches!(poll(&mut batch[0]), Poll::Ready(Ok(_))));
}

#[tokio::test(start_paused = true)]
async fn the_limit_changes_while_calls_run_and_wait() {
    let bulkhead = Bulkhead::new(&config(4, 40));
    let mut running: Vec<_> = (0..4).map(|_| bulkhead.try_acquire().unwrap()).collect();
    let mut calls: Vec<_> = (0..40)
        .map(|_| arrive(&bulkhead, Priority::Normal))
        .collect();
    bulkhead.set_limit(2);
    drop(running.pop());
    drop(running.pop());
    assert_eq!((bulkhead.in_flight(), bulkhead.queued()), (2, 40));
    drop(running.pop());
    assert_eq!((bulkhead.in_flight(), bulkhead.queued()), (2, 39));
    bulkhead.set_limit(30);
    assert_eq!((bulkhead.in_flight(), bulkhead.queued()), (30, 11));
    bulkhead.set_limit(100);
    assert_eq!((bulkhead.in_flight(), bulkhead.queued()), (41, 0));
    let mut ran = calls.iter_mut().map(poll);
    assert!(ran.all(|ready| matches!(ready, Poll::Ready(Ok(_)))));
    for (asked, kept) in [(0, 1), (u32::MAX, 0x7fff_ffff), (5, 5)] {
        bulkhead.set_limit(asked);
        assert_eq!(bulkhead.limit(), kept);
    }
    bulkhead.reconfigure(&config(1, 0).retry_after(Duration::ZERO));
    let refused = bulkhead.try_acquire().unwrap_err();
    assert_eq!(
        refused,
        Overloaded::new(Reason::LimitReached, 1, Duration::ZERO)
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_that_leaves_at_any_point_gives_back_what_it_held() {
    for (polls, granted) in [(0, false), (1, false), (2, false), (0, true), (1, true)] {
        let bulkhead = Bulkhead::new(&config(1, 3));
        let running = bulkhead.try_acquire().unwrap();
        let mut leaver = arrive(&bulkhead, Priority::Normal);
        let mut next = arrive(&bulkhead, Priority::Normal);
        for _ in 0..polls {
            assert!(poll(&mut leaver).is_pending());
        }
        let mut running = Some(running);
        if granted {
            drop(running.take());
        }
        drop(leaver);
        assert_eq!(poll(&mut next).is_ready(), granted);
        drop(running);
        drop(next);
        assert_eq!((bulkhead.in_flight(), bulkhead.queued()), (0, 0));
    }
}

#[tokio::test]
async fn a_permit_finds_back_by_whatever_it_holds() {
    let bulkhead = Bulkhead::new(&config(2, 0));
    let now = Instant::now();
    let Admission::Permit(borrowed) = bulkhead.admit_ref(Priority::Normal, now) else {
        panic!("nothing runs yet");
    };
    let shared = std::sync::Arc::new(bulkhead.clone());
    let Admission::Permit(by_arc) = Bulkhead::admit_by(shared, Priority::Normal, now) else {
        panic!("one runs");
    };
    assert_eq!(bulkhead.in_flight(), 2);
    assert!(by_arc.holder().is_some());
    let detached = borrowed.detach();
    assert_eq!(bulkhead.in_flight(), 2);
    drop(bulkhead.attach(detached));
    drop(by_arc);
    assert_eq!(bulkhead.in_flight(), 0);
    assert_eq!(size_of::<Permit>(), size_of::<usize>());
}

#[test]
fn a_detached_permit_is_one_of_those_that_there_are() {
    let bulkhead = Bulkhead::new(&config(1, 0));
    assert!(bulkhead.admit_detached(Priority::Critical).is_none());
    let permit = bulkhead.admit_detached(Priority::Normal).unwrap();
    assert_eq!(bulkhead.in_flight(), 1);
    assert!(bulkhead.admit_detached(Priority::Normal).is_none());
    drop(bulkhead.attach(permit));
    assert_eq!(bulkhead.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_happens_is_recorded() {
    let registry = Registry::new();
    let metrics = BulkheadMetrics::new(&registry);
    let bulkhead = Bulkhead::with_metrics(&config(1, 1), "orders", &metrics);
    let slot = Slot::started_at(TraceContext::root(true), now());
    let notes = slot.sync_scope(|| {
        let _running = bulkhead.try_acquire().unwrap();
        let mut waiting = arrive(&bulkhead, Priority::Normal);
        assert!(reason(&mut arrive(&bulkhead, Priority::Normal)).is_some());
        assert!(poll(&mut waiting).is_pending());
        for (name, value) in [("in_flight", 1.0), ("queued", 1.0), ("limit", 1.0)] {
            let name = format!("detectviz_bulkhead_{name}");
            let found = registry.snapshot();
            assert_eq!(found.value(&name, &["orders"]), Some(&Value::Gauge(value)));
        }
        crate::telemetry::context::current(|slot| slot.map(|slot| slot.notes.len()))
    });
    assert_eq!(notes, Some(1));
    let counted = registry.snapshot();
    for (reason, count) in [("queue_full", 1), ("queue_timeout", 0)] {
        let refused = counted.value("detectviz_bulkhead_refused_total", &["orders", reason]);
        assert_eq!(refused, Some(&Value::Counter(count)), "{reason}");
    }
    drop(bulkhead);
    let gone = registry.snapshot();
    assert_eq!(gone.value("detectviz_bulkhead_limit", &["orders"]), None);
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let lifo = BulkheadConfig::default().order(QueueOrder::AdaptiveLifo);
    let millis = Duration::from_millis;
    for (config, key) in [
        (config(0, 0), Some("max_concurrent")),
        (config(u32::MAX, 0), Some("max_concurrent")),
        (
            config(1, 1).max_wait(Duration::ZERO),
            Some("queue.max_wait"),
        ),
        (config(1, 0).max_wait(Duration::ZERO), None),
        (
            config(1, 1).max_wait(millis(3_600_001)),
            Some("queue.max_wait"),
        ),
        (lifo.clone(), None),
        (lifo.max_wait(millis(5)), Some("queue.standing_wait")),
        (BulkheadConfig::default(), None),
    ] {
        let problems = check(&config).err().map(|problems| problems.to_string());
        match (problems, key) {
            (None, None) => {}
            (Some(problems), Some(key)) => assert!(problems.contains(key), "{problems}"),
            (problems, key) => panic!("{problems:?} instead of {key:?}"),
        }
    }
}
