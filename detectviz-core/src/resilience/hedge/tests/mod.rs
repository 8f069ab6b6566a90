//! Behaviour of hedges, on a paused clock, and the Service contract.
mod state;

use super::*;
use crate::{
    config::check,
    error::BoxError,
    names,
    resilience::{
        contract,
        retry::{Outcome, Policy, Reason},
    },
    telemetry::{
        context::{Slot, TraceContext, current},
        metrics::{Registry, Value},
    },
};
use std::{
    convert::Infallible,
    future::Future,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Waker},
    time::Duration,
};
use tokio::time::{Instant, sleep};
use tower::{Layer, Service, ServiceExt, service_fn};

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn fixed(delay: u64) -> HedgeConfig {
    HedgeConfig::default().delay(ms(delay)).min_per_second(10)
}

/// Keeps requests that are not negative, of which 0 must not take effect twice; `Err(true)` is worth another attempt.
#[derive(Clone, Copy, Debug)]
struct Numbers;

impl Policy<i32, usize, Failed> for Numbers {
    type Saved = i32;

    fn save(&self, req: &i32) -> Option<i32> {
        (*req >= 0).then_some(*req)
    }

    fn restore(&self, saved: &i32, _: u32) -> i32 {
        *saved
    }

    fn classify(&self, _: Option<&Self::Saved>, answer: &Result<usize, Failed>) -> Outcome {
        match answer {
            Ok(_) => Outcome::Success,
            Err(Failed {
                retryable: true, ..
            }) => Outcome::retryable(Reason::Other),
            Err(_) => Outcome::Fatal,
        }
    }

    fn idempotent(&self, saved: &i32) -> bool {
        *saved != 0
    }
}

impl Policy<(), (), Infallible> for Numbers {
    type Saved = ();

    fn save(&self, (): &()) -> Option<()> {
        Some(())
    }

    fn restore(&self, (): &(), _: u32) {}

    fn classify(&self, _: Option<&Self::Saved>, _: &Result<(), Infallible>) -> Outcome {
        Outcome::Success
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Failed {
    attempt: usize,
    retryable: bool,
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "attempt {} failed", self.attempt)
    }
}

impl std::error::Error for Failed {}

/// How long an attempt takes, and how it ends: `+` well, `-` worth another, `!` fatally.
type Attempt = (u64, char);

/// Attempts by a script, and what became of them.
#[derive(Clone)]
struct Upstream {
    script: Arc<Vec<Attempt>>,
    begun: Instant,
    /// The milliseconds at which attempts began.
    calls: Arc<Mutex<Vec<u64>>>,
    held: Arc<AtomicUsize>,
}

struct Held(Arc<AtomicUsize>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

impl Upstream {
    fn new(script: &[Attempt]) -> Self {
        Self {
            script: Arc::new(script.to_vec()),
            begun: Instant::now(),
            calls: Arc::default(),
            held: Arc::default(),
        }
    }

    async fn call(self) -> Result<usize, Failed> {
        let attempt = {
            let mut calls = self.calls.lock().unwrap();
            calls.push(self.begun.elapsed().as_millis() as u64);
            calls.len() - 1
        };
        self.held.fetch_add(1, SeqCst);
        let _held = Held(self.held.clone());
        let (takes, ends) = self.script[attempt.min(self.script.len() - 1)];
        sleep(ms(takes)).await;
        let retryable = ends == '-';
        match ends {
            '+' => Ok(attempt),
            _ => Err(Failed { attempt, retryable }),
        }
    }
}

async fn call(hedge: &Hedge, upstream: &Upstream, req: i32) -> Result<usize, BoxError> {
    let inner = upstream.clone();
    let svc = service_fn(move |_: i32| inner.clone().call());
    let layer = HedgeLayer::new(hedge.clone(), Numbers);
    layer.layer(svc).oneshot(req).await
}

fn counted(metrics: &Registry, name: &str) -> u64 {
    match metrics.snapshot().value(name, &["orders"]) {
        Some(Value::Counter(count)) => *count,
        other => panic!("{name}: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_success_wins_and_the_others_are_dropped() {
    for (script, hedges, answer, took, calls) in [
        // Fast enough.
        (&[(90, '+')][..], 1, Ok(0), 90, &[0][..]),
        // The hedge is faster, or not.
        (&[(900, '+'), (20, '+')], 1, Ok(1), 120, &[0, 100]),
        (&[(150, '+'), (200, '+')], 1, Ok(0), 150, &[0, 100]),
        // Two hedges, each as long after the one before.
        (
            &[(900, '+'), (900, '+'), (10, '+')],
            2,
            Ok(2),
            210,
            &[0, 100, 200],
        ),
        // A failure before there is a hedge is the caller's; later it waits for the others.
        (&[(50, '-')], 1, Err(0), 50, &[0]),
        (&[(150, '-'), (200, '+')], 1, Ok(1), 300, &[0, 100]),
        (&[(400, '+'), (20, '-')], 1, Ok(0), 400, &[0, 100]),
        (&[(150, '-'), (200, '-')], 1, Err(1), 300, &[0, 100]),
        (&[(150, '-'), (30, '-')], 1, Err(0), 150, &[0, 100]),
        (
            &[(150, '-'), (300, '+'), (90, '+')],
            2,
            Ok(2),
            290,
            &[0, 100, 200],
        ),
        // What no attempt can mend ends the call.
        (&[(400, '+'), (20, '!')], 1, Err(1), 120, &[0, 100]),
        // Nothing is hedged.
        (&[(900, '+'), (20, '+')], 0, Ok(0), 900, &[0]),
    ] {
        let upstream = Upstream::new(script);
        let hedge = Hedge::new(&fixed(100).max_hedges(hedges));
        let given = call(&hedge, &upstream, 1).await;
        let given = given.map_err(|e| e.downcast_ref::<Failed>().unwrap().attempt);
        assert_eq!(given, answer, "{script:?}");
        assert_eq!(upstream.begun.elapsed(), ms(took), "{script:?}");
        assert_eq!(*upstream.calls.lock().unwrap(), calls, "{script:?}");
        assert_eq!(upstream.held.load(SeqCst), 0, "losers are dropped");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_must_not_be_repeated_is_not_hedged() {
    for (req, calls) in [(-1, &[0][..]), (0, &[0]), (1, &[0, 100])] {
        let upstream = Upstream::new(&[(900, '+')]);
        let answer = call(&Hedge::new(&fixed(100)), &upstream, req).await;
        assert_eq!(answer.unwrap(), 0);
        assert_eq!(*upstream.calls.lock().unwrap(), calls, "{req}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_delay_the_slowest_twentieth_is_hedged() {
    let metrics = Registry::new();
    let hedge = Hedge::with_metrics(&HedgeConfig::default(), "orders", &metrics);
    let now = || Instant::now().into_std();
    assert_eq!(hedge.delay(now()), None, "nothing is known yet");
    for takes in 0..400_u64 {
        // All but one of forty take 10 ms.
        let takes = if takes % 40 == 7 { 300 } else { 10 };
        let upstream = Upstream::new(&[(takes, '+')]);
        call(&hedge, &upstream, 1).await.unwrap();
    }
    let delay = hedge.delay(now()).unwrap();
    assert!(delay >= ms(10) && delay <= ms(12), "{delay:?}");
    let upstream = Upstream::new(&[(300, '+'), (10, '+')]);
    assert_eq!(call(&hedge, &upstream, 1).await.unwrap(), 1);
    let took = upstream.begun.elapsed();
    assert!(took >= ms(20) && took <= ms(23), "{took:?}");
    let snapshot = metrics.snapshot();
    let gauge = snapshot.value(names::HEDGE_DELAY, &["orders"]);
    assert_eq!(gauge, Some(&Value::Gauge(delay.as_secs_f64())));
    hedge.reconfigure(&HedgeConfig::default().min_delay(ms(200)));
    assert_eq!(hedge.delay(now()), Some(ms(200)));
    hedge.reconfigure(&HedgeConfig::default().max_hedges(0));
    assert_eq!(hedge.delay(now()), None);
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_is_slow_as_a_whole_is_hardly_hedged() {
    let metrics = Registry::new();
    let config = HedgeConfig::default().delay(ms(100));
    let hedge = Hedge::with_metrics(&config, "orders", &metrics);
    let upstream = Upstream::new(&[(900, '+')]);
    let calls = (0..1_000).map(|_| call(&hedge, &upstream, 1));
    futures_util::future::join_all(calls).await;
    assert_eq!(counted(&metrics, names::HEDGE_SENT), 50);
    assert_eq!(counted(&metrics, names::HEDGE_DENIED), 950);
    assert_eq!(counted(&metrics, names::HEDGE_WON), 0);
    assert_eq!(upstream.calls.lock().unwrap().len(), 1_050);
}

#[tokio::test(start_paused = true)]
async fn hedges_are_counted_and_noted() {
    let metrics = Registry::new();
    for (config, expected) in [
        (fixed(100), "hedge.sent"),
        (
            fixed(100).max_extra_load(0.0).min_per_second(0),
            "hedge.denied",
        ),
    ] {
        let hedge = Hedge::with_metrics(&config, "orders", &metrics);
        let upstream = Upstream::new(&[(900, '+'), (10, '+')]);
        let notes = Slot::new(TraceContext::root(true))
            .scope(async {
                call(&hedge, &upstream, 1).await.unwrap();
                current(|slot| slot.map(|s| s.notes.clone()).unwrap())
            })
            .await;
        let names: Vec<_> = notes.iter().map(|note| note.name).collect();
        assert_eq!(names, [expected]);
    }
    assert_eq!(counted(&metrics, names::HEDGE_SENT), 1);
    assert_eq!(counted(&metrics, names::HEDGE_WON), 1);
    assert_eq!(counted(&metrics, names::HEDGE_DENIED), 1);
}

#[test]
fn a_hedge_that_another_budget_refuses_counts_as_denied_and_is_the_last() {
    let metrics = Registry::new();
    let hedge = Hedge::with_metrics(&fixed(10), "orders", &metrics);
    let now = Instant::now().into_std();
    let mut call = hedge.begin(now);
    assert!(call.due().is_some());
    call.deny(now);
    assert_eq!((call.due(), call.sent()), (None, 0));
    assert_eq!(counted(&metrics, names::HEDGE_DENIED), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_at_any_time_leaves_no_attempt_behind() {
    for (after, attempts) in [(0, 1), (99, 1), (100, 2), (500, 2)] {
        let upstream = Upstream::new(&[(900, '+')]);
        let inner = upstream.clone();
        let svc = service_fn(move |_: i32| inner.clone().call());
        let hedge = Hedge::new(&fixed(100));
        let mut svc = HedgeLayer::new(hedge, Numbers).layer(svc);
        {
            let mut call = pin!(svc.ready().await.unwrap().call(1));
            let mut cx = Context::from_waker(Waker::noop());
            assert!(call.as_mut().poll(&mut cx).is_pending());
            tokio::time::advance(ms(after)).await;
            assert!(call.as_mut().poll(&mut cx).is_pending());
            assert_eq!(upstream.held.load(SeqCst), attempts, "{after}");
        }
        assert_eq!(upstream.held.load(SeqCst), 0, "{after}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_service_contract_holds() {
    for config in [fixed(100), HedgeConfig::default()] {
        contract::check(&HedgeLayer::new(Hedge::new(&config), Numbers)).await;
    }
}

#[test]
fn a_call_needs_little_room() {
    assert_eq!(size_of::<HedgeCall>(), 24);
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let ok = HedgeConfig::default;
    for (config, key) in [
        (ok().max_hedges(5), "max_hedges"),
        (ok().quantile(0.4), "quantile"),
        (ok().quantile(1.0), "quantile"),
        (ok().quantile(f64::NAN), "quantile"),
        (ok().max_extra_load(1.1), "max_extra_load"),
    ] {
        let problems = check(&config).unwrap_err().to_string();
        assert!(problems.contains(key), "{problems}");
    }
    assert!(check(&ok()).is_ok());
}
