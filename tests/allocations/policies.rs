//! A guarded call allocates nothing on a warm thread: answered at once or later, at the first attempt or at the second.
use detectviz_benches::allocations::so_far;
use detectviz_core::{
    resilience::{
        hedge::HedgeConfig,
        policy::{Policy, PolicyConfig},
        retry::{BackoffConfig, RetryConfig, budget::BudgetConfig},
    },
    telemetry::{
        context::{Slot, TraceContext},
        metrics::Registry,
    },
};
use std::{
    future::{Future, poll_fn},
    io,
    task::Poll,
    time::Duration,
};

/// Calls that warm up the thread, and as many that are counted.
const ROUNDS: usize = 500;

/// The most that one of the warm calls allocated.
async fn most<C, F>(call: C) -> u64
where
    C: Fn() -> F,
    F: Future<Output = bool>,
{
    let mut most = 0;
    for round in 0..2 * ROUNDS {
        let before = so_far();
        assert!(call().await, "the call succeeds");
        let after = so_far();
        if round >= ROUNDS {
            most = most.max(after - before);
        }
    }
    most
}

/// Pending once.
async fn later() -> io::Result<u32> {
    let mut polled = false;
    poll_fn(|cx| {
        if polled {
            return Poll::Ready(Ok(1));
        }
        polled = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}

fn policy(config: &PolicyConfig) -> Policy {
    Policy::new("db", config, &Registry::new())
}

async fn scenario(name: &str) -> u64 {
    let config = PolicyConfig::default();
    match name {
        "answered at once" => {
            let policy = policy(&config);
            most(async || policy.call(|_| async { io::Result::Ok(1) }).await.is_ok()).await
        }
        "answered later" => {
            let policy = policy(&config);
            most(async || policy.call(|_| later()).await.is_ok()).await
        }
        "idempotent and hedged" => {
            let policy =
                policy(&config.hedge(HedgeConfig::default().delay(Duration::from_secs(1))));
            most(async || policy.call(|_| later()).idempotent().await.is_ok()).await
        }
        _ => {
            let backoff = BackoffConfig::default().base(Duration::from_millis(1));
            let budget = BudgetConfig::default().ratio(2.0);
            let retry = RetryConfig::default().backoff(backoff).budget(budget);
            let mut config = config.retry(retry);
            config.breaker = config.breaker.failure_rate(None).consecutive_failures(9);
            let policy = policy(&config);
            most(async || {
                let call = policy.call(|about| async move {
                    match about.number {
                        1 => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
                        _ => later().await,
                    }
                });
                call.idempotent().await.is_ok()
            })
            .await
        }
    }
}

#[test]
fn a_guarded_call_allocates_nothing() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    let runtime = runtime.expect("a runtime");
    for name in [
        "answered at once",
        "answered later",
        "idempotent and hedged",
        "repeated",
    ] {
        for sampled in [false, true] {
            // What a sampled trace takes down of a retry is the span's.
            if sampled && name == "repeated" {
                continue;
            }
            let slot = Slot::new(TraceContext::root(sampled));
            let allocated = runtime.block_on(slot.scope(scenario(name)));
            assert_eq!(allocated, 0, "{name}, sampled: {sampled}");
        }
    }
}
