//! Behaviour of retries, on a paused clock, and the Service contract.
mod calls;
mod law;
mod rules;

use super::{BackoffConfig, Outcome, Policy, Reason, RetryConfig, budget::BudgetConfig};
use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::Instant;

pub(super) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Waits of `base` ms, doubling, without jitter.
pub(super) fn steady(base: u64) -> RetryConfig {
    let backoff = BackoffConfig::default().base(ms(base)).jitter(false);
    RetryConfig::default().backoff(backoff)
}

pub(super) fn no_budget() -> BudgetConfig {
    BudgetConfig::default().ratio(0.0).min_per_second(0)
}

/// A status, as an answer or as an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Status(pub(super) u16);

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Status {}

/// Retries what is 500 or more; keeps requests that are not negative, of which 0 is tried again only after 599, when nothing
/// of it was sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Statuses;

impl Policy<i32, Status, Status> for Statuses {
    type Saved = i32;

    fn save(&self, req: &i32) -> Option<i32> {
        (*req >= 0).then_some(*req)
    }

    fn restore(&self, saved: &i32, _: u32) -> i32 {
        *saved
    }

    fn classify(&self, saved: Option<&i32>, answer: &Result<Status, Status>) -> Outcome {
        match answer {
            Err(Status(599)) => Outcome::retryable(Reason::Connect),
            Err(status) if status.0 >= 500 && saved == Some(&0) => Outcome::NotSafe,
            Ok(status) | Err(status) if status.0 >= 500 => Outcome::retryable(Reason::ServerError),
            Ok(_) => Outcome::Success,
            Err(_) => Outcome::Fatal,
        }
    }
}

impl Policy<(), (), std::convert::Infallible> for Statuses {
    type Saved = ();

    fn save(&self, (): &()) -> Option<()> {
        Some(())
    }

    fn restore(&self, (): &(), _: u32) {}

    fn classify(
        &self,
        _: Option<&Self::Saved>,
        _: &Result<(), std::convert::Infallible>,
    ) -> Outcome {
        Outcome::Success
    }
}

/// Answers with one status after the other, the last one for ever, and tells when it was called.
#[derive(Clone, Debug)]
pub(super) struct Upstream {
    begun: Instant,
    script: Arc<Vec<Result<Status, Status>>>,
    takes: Duration,
    /// The milliseconds at which it was called.
    pub(super) calls: Arc<Mutex<Vec<u64>>>,
}

impl Upstream {
    /// An error from 400, an answer below.
    pub(super) fn new(script: &[u16]) -> Self {
        let result = |status: &u16| match status {
            400.. => Err(Status(*status)),
            status => Ok(Status(*status)),
        };
        Self {
            begun: Instant::now(),
            script: Arc::new(script.iter().map(result).collect()),
            takes: Duration::ZERO,
            calls: Arc::default(),
        }
    }

    pub(super) fn takes(mut self, time: Duration) -> Self {
        self.takes = time;
        self
    }

    pub(super) async fn call(self) -> Result<Status, Status> {
        let number = {
            let mut calls = self.calls.lock().unwrap();
            calls.push(self.begun.elapsed().as_millis() as u64);
            calls.len() - 1
        };
        if !self.takes.is_zero() {
            tokio::time::sleep(self.takes).await;
        }
        self.script[number.min(self.script.len() - 1)]
    }

    pub(super) fn calls(&self) -> Vec<u64> {
        self.calls.lock().unwrap().clone()
    }
}
