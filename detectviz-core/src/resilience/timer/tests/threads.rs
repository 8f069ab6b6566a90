//! Calls that move between threads.
use super::*;
use std::{pin::Pin, task::Context};

/// Is polled on several workers, and answers after some polls or never.
struct Roams {
    polls: u32,
    answers: bool,
}

impl Future for Roams {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.polls = self.polls.saturating_sub(1);
        if self.polls > 0 {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.answers {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_call_ends_as_it_should_wherever_it_is_polled_and_dropped() {
    let timer = Timer::new();
    let late = Arc::new(AtomicUsize::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..20_000_u32 {
        // Made here, polled there, and some dropped before they end.
        let deadline = Instant::now() + ms(u64::from(n % 50));
        let call = timer.timeout_at(
            deadline,
            Roams {
                polls: n % 7,
                answers: n % 3 == 0,
            },
        );
        let late = Arc::clone(&late);
        let task = async move {
            if n % 5 == 0 {
                let mut call = Box::pin(call);
                for _ in 0..n % 4 {
                    let _ = futures_util::poll!(call.as_mut());
                }
                return;
            }
            let ended = call.await;
            if n % 3 != 0 {
                assert_eq!(ended, Err(Passed));
                assert!(Instant::now() >= deadline, "never early");
            }
            late.fetch_add(usize::from(ended.is_err()), SeqCst);
        };
        tasks.spawn(task);
        if n % 1000 == 0 {
            tokio::task::yield_now().await;
        }
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    let expected = (0..20_000).filter(|n| n % 5 != 0 && n % 3 != 0).count();
    assert!(late.load(SeqCst) >= expected);
    assert_eq!(timer.len(), 0);
}

#[test]
fn places_come_back_from_the_thread_that_drops_them() {
    let timer = Timer::new();
    for _ in 0..50 {
        let entries: Vec<_> = (0..200).map(|_| timer.entry()).collect();
        let elsewhere = std::thread::Builder::new().spawn(move || drop(entries));
        elsewhere.unwrap().join().unwrap();
    }
    // What was taken at the same time, and what the threads may keep.
    assert!(timer.capacity() <= 600, "{}", timer.capacity());
}
