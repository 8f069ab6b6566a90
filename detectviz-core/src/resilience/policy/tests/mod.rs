//! Behaviour of policies, on a paused clock.
mod config;
mod errors;
mod hedges;
mod law;
mod outcomes;
mod times;

use super::*;
use crate::{
    names,
    resilience::{
        breaker::BreakerConfig,
        retry::{BackoffConfig, Reason, RetryConfig},
    },
    telemetry::metrics::{Registry, Value},
};
use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::{Instant, sleep};

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Waits of `base` ms before a retry, doubling, without jitter.
fn steady(base: u64) -> PolicyConfig {
    let backoff = BackoffConfig::default().base(ms(base)).jitter(false);
    PolicyConfig::default().retry(RetryConfig::default().backoff(backoff))
}

/// Opens after so many failures in a row.
fn after_failures(failures: u32) -> BreakerConfig {
    BreakerConfig::default().consecutive_failures(failures)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Broken(u32);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "broken, {}", self.0)
    }
}

impl std::error::Error for Broken {}

/// A policy with its metrics, and what it called.
struct Guarded {
    policy: Policy,
    metrics: Registry,
    begun: Instant,
    /// Number, and when it began and ended (or was dropped), in milliseconds.
    attempts: Arc<Mutex<Vec<(u32, u64, u64)>>>,
}

/// An attempt under way: notes when it is over.
struct Noted {
    begun: Instant,
    at: usize,
    attempts: Arc<Mutex<Vec<(u32, u64, u64)>>>,
}

impl Guarded {
    fn new(config: &PolicyConfig) -> Self {
        let metrics = Registry::new();
        Self {
            policy: Policy::new("db", config, &metrics),
            metrics,
            begun: Instant::now(),
            attempts: Arc::default(),
        }
    }

    /// An attempt that takes so many milliseconds and ends in `result`.
    async fn attempt<T>(&self, about: Attempt, takes: u64, result: T) -> T {
        let now = self.begun.elapsed().as_millis() as u64;
        let at = {
            let mut attempts = self.attempts.lock().unwrap();
            attempts.push((about.number, now, u64::MAX));
            attempts.len() - 1
        };
        let noted = Noted {
            begun: self.begun,
            at,
            attempts: Arc::clone(&self.attempts),
        };
        if takes > 0 {
            sleep(ms(takes)).await;
        }
        drop(noted);
        result
    }

    fn attempts(&self) -> Vec<(u32, u64, u64)> {
        self.attempts.lock().unwrap().clone()
    }

    /// Ended calls by outcome: ok, failed, refused, timed out, cancelled.
    fn outcomes(&self) -> [u64; 5] {
        state::Outcome::ALL
            .map(|outcome| self.count(names::POLICY_CALLS, &["db", outcome.as_str()]))
    }

    fn count(&self, name: &str, labels: &[&str]) -> u64 {
        match self.metrics.snapshot().value(name, labels) {
            Some(Value::Counter(count)) => *count,
            other => panic!("{name} {labels:?}: {other:?}"),
        }
    }

    /// Nothing is held any more.
    #[track_caller]
    fn assert_idle(&self) {
        let limits = self.policy.handle().limits();
        assert_eq!((limits.in_flight, limits.queued), (0, 0));
        assert!(self.policy.timer_is_empty());
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        let now = self.begun.elapsed().as_millis() as u64;
        self.attempts.lock().unwrap()[self.at].2 = now;
    }
}

/// Whether `at` is what was expected, as exactly as a timer is.
#[track_caller]
fn assert_about(at: u64, expected: u64) {
    assert!(
        (expected..=expected + 5).contains(&at),
        "{at} ms, not {expected}"
    );
}
