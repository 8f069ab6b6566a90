//! Behaviour of the timer, on a paused clock and on several threads.
use super::*;
use crate::task::Tasks;
use std::{
    future::{Future, pending, poll_fn},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Poll, Wake},
    time::{Duration, Instant},
};

mod model;
mod threads;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

#[tokio::test(start_paused = true)]
async fn deadlines_pass_when_they_are_due_in_whatever_order_they_come() {
    let timer = Timer::new();
    let begun = now();
    let calls = [700, 5, 0, 3000, 6, 5, 86_400_000, 1].map(|after| {
        let call = timer.timeout_at(begun + ms(after), pending::<()>());
        Tasks::new().spawn("waits", async move {
            assert_eq!(call.await, Err(Passed));
            (after, now())
        })
    });
    for call in calls {
        let (after, at) = call.await.unwrap();
        assert_eq!(at - begun, ms(after));
    }
    assert!(timer.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_answer_before_the_deadline_is_given_and_the_entry_is_free_again() {
    let timer = Timer::new();
    for _ in 0..1000 {
        let call = async {
            tokio::time::sleep(ms(1)).await;
            7
        };
        let call = timer.timeout_at(now() + ms(2), call);
        assert_eq!(call.await, Ok(7));
        assert_eq!(timer.len(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn an_entry_is_armed_again_for_the_next_attempt() {
    let timer = Timer::new();
    let mut entry = timer.entry();
    let begun = now();
    for attempt in 1..=5_u64 {
        assert!(!entry.is_armed());
        let until = begun + ms(attempt * 10);
        poll_fn(|cx| {
            if !entry.is_armed() {
                entry.arm(begun + ms(100_000), cx);
                // The nearer deadline counts from here on.
                entry.arm(until, cx);
            }
            entry.poll_passed(cx)
        })
        .await;
        assert_eq!(now(), until);
        entry.disarm();
        let idle = poll_fn(|cx| Poll::Ready(entry.poll_passed(cx))).await;
        assert!(idle.is_pending());
    }
}

#[tokio::test(start_paused = true)]
async fn the_task_that_polled_last_is_woken() {
    let timer = Timer::new();
    let mut call = Box::pin(timer.timeout_at(now() + ms(50), pending::<()>()));
    assert!(futures_util::poll!(call.as_mut()).is_pending());
    let moved = Tasks::new().spawn("waits", call);
    assert_eq!(moved.await.unwrap(), Err(Passed));
}

#[test]
fn a_deadline_outlives_the_runtime_that_drove_its_timer() {
    let timer = Timer::new();
    let brief = runtime();
    let first = timer.timeout_at(Instant::now() + ms(5), pending::<()>());
    assert_eq!(brief.block_on(first), Err(Passed));
    let lasting = runtime();
    let waits = timer.timeout_at(Instant::now() + ms(300), pending::<()>());
    let waits = lasting.spawn(waits);
    lasting.block_on(async {
        while timer.is_empty() {
            tokio::task::yield_now().await;
        }
    });
    drop(brief);
    assert_eq!(lasting.block_on(waits).unwrap(), Err(Passed));
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_is_told_to_end_does_so_when_nobody_waits() {
    let tasks = Tasks::new();
    let timer = Timer::with_tasks(&tasks);
    assert_eq!(tasks.len(), 0);
    let begun = now();
    let call = Tasks::new().spawn("waits", timer.timeout_at(begun + ms(500), pending::<()>()));
    tokio::time::sleep(ms(1)).await;
    assert_eq!(tasks.len(), 1);
    tasks.cancel();
    tokio::time::sleep(ms(400)).await;
    assert_eq!(tasks.len(), 1, "somebody waits");
    assert_eq!(call.await.unwrap(), Err(Passed));
    assert_eq!(now() - begun, ms(500));
    tasks.join(ms(100)).await.unwrap();
    // Whoever comes later is served all the same.
    let late = timer.timeout_at(now() + ms(5), pending::<()>());
    assert_eq!(late.await, Err(Passed));
    tasks.join(ms(100)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_driver_ends_with_the_last_handle_and_the_last_entry() {
    let alive = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    let timer = Timer::new();
    let call = timer.timeout_at(now() + ms(500), pending::<()>());
    drop(timer);
    assert_eq!(call.await, Err(Passed));
    tokio::time::sleep(ms(50)).await;
    assert_eq!(alive(), 0);
    let timer = Timer::new();
    let mut call = Box::pin(timer.timeout_at(now() + ms(500), pending::<()>()));
    assert!(futures_util::poll!(call.as_mut()).is_pending());
    drop((timer, call));
    tokio::time::sleep(ms(50)).await;
    assert_eq!(alive(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_deadline_lets_go_of_its_task_within_two_seconds() {
    struct Task;
    impl Wake for Task {
        fn wake(self: Arc<Self>) {}
    }
    let timer = Timer::new();
    let task = Arc::new(Task);
    let waker = Arc::clone(&task).into();
    let mut entry = timer.entry();
    entry.arm(now() + ms(60_000), &std::task::Context::from_waker(&waker));
    drop((entry, waker));
    tokio::time::sleep(ms(2000)).await;
    assert_eq!(Arc::strong_count(&task), 1);
}

#[tokio::test(start_paused = true)]
async fn a_timer_without_deadlines_does_not_wake() {
    let timer = Timer::new();
    let call = timer.timeout_at(now() + ms(10), pending::<()>());
    assert_eq!(call.await, Err(Passed));
    tokio::time::sleep(ms(5000)).await;
    let polled = || {
        tokio::runtime::Handle::current()
            .metrics()
            .worker_park_count(0)
    };
    let before = polled();
    tokio::time::sleep(Duration::from_secs(3600)).await;
    // tokio's own wheel turns a few times for an hour.
    let woken = polled() - before;
    assert!(woken < 60, "{woken}");
}

#[test]
fn outside_a_runtime_waiting_panics_and_leaves_the_timer_usable() {
    let timer = Timer::new();
    let waits = timer.clone();
    let outside = std::thread::Builder::new().spawn(move || {
        let mut entry = waits.entry();
        let waker = std::task::Waker::noop();
        entry.arm(
            Instant::now() + ms(1),
            &std::task::Context::from_waker(waker),
        );
    });
    assert!(outside.unwrap().join().is_err());
    let call = timer.timeout_at(Instant::now() + ms(5), pending::<()>());
    assert_eq!(runtime().block_on(call), Err(Passed));
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .unwrap()
}
