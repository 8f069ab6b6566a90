//! The bulkhead under two threads at once.
use super::*;
use futures_util::future::join_all;
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::SeqCst},
};

/// Counts those who are inside, and the most there ever were.
#[derive(Default)]
struct Inside {
    now: AtomicU32,
    most: AtomicU32,
}

impl Inside {
    fn enter(&self) {
        self.most
            .fetch_max(self.now.fetch_add(1, SeqCst) + 1, SeqCst);
    }

    fn leave(&self) {
        self.now.fetch_sub(1, SeqCst);
    }
}

/// What one caller does, over and over: waits, gives up after some polls, or tries only.
async fn caller(bulkhead: Bulkhead, inside: Arc<Inside>, seed: u64, rounds: u32) -> u32 {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut ran = 0;
    for _ in 0..rounds {
        let patience = random.u32(0..6);
        let acquire = bulkhead.acquire(Priority::Normal, Instant::now());
        let mut acquire = Box::pin(acquire);
        let mut polls = 0;
        let permit = std::future::poll_fn(|cx| {
            polls += 1;
            match acquire.as_mut().poll(cx) {
                Poll::Ready(said) => Poll::Ready(said.ok()),
                Poll::Pending if polls > patience && patience < 4 => Poll::Ready(None),
                Poll::Pending => {
                    if patience < 4 {
                        cx.waker().wake_by_ref();
                    }
                    Poll::Pending
                }
            }
        });
        let Some(permit) = permit.await else {
            continue;
        };
        inside.enter();
        if random.bool() {
            tokio::task::yield_now().await;
        }
        inside.leave();
        drop(permit);
        ran += 1;
    }
    ran
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::disallowed_methods, reason = "callers on two threads")]
async fn never_more_than_the_limit_run_and_nobody_is_forgotten() {
    for (limit, queue) in [(1, 4), (3, 40), (8, 2)] {
        let config = config(limit, queue).max_wait(Duration::from_secs(60));
        let bulkhead = Bulkhead::new(&config);
        let inside = Arc::new(Inside::default());
        let callers =
            (0..16).map(|n| tokio::spawn(caller(bulkhead.clone(), inside.clone(), n, 1_000)));
        let ran: u32 = join_all(callers).await.into_iter().flatten().sum();
        assert!(ran > 0);
        assert!(inside.most.load(SeqCst) <= limit);
        assert_eq!((bulkhead.in_flight(), bulkhead.queued()), (0, 0));
        assert!(bulkhead.try_acquire().is_ok());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::disallowed_methods, reason = "callers on two threads")]
async fn a_limit_that_moves_loses_no_permit() {
    let bulkhead = Bulkhead::new(&config(4, 64).max_wait(Duration::from_secs(60)));
    let inside = Arc::new(Inside::default());
    let moving = {
        let bulkhead = bulkhead.clone();
        tokio::spawn(async move {
            for n in 0..2_000_u32 {
                bulkhead.set_limit(1 + n % 8);
                tokio::task::yield_now().await;
            }
            bulkhead.set_limit(4);
        })
    };
    let callers = (0..16).map(|n| tokio::spawn(caller(bulkhead.clone(), inside.clone(), n, 500)));
    join_all(callers).await;
    moving.await.unwrap();
    assert!(inside.most.load(SeqCst) <= 8);
    assert_eq!((bulkhead.in_flight(), bulkhead.queued()), (0, 0));
    let all: Vec<_> = (0..5).map_while(|_| bulkhead.try_acquire().ok()).collect();
    assert_eq!(all.len(), 4);
}
