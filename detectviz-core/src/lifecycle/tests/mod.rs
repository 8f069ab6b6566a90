//! Behaviour of the lifecycle, on a paused clock.
mod budget;
mod order;
mod shutdown;
mod start;

use super::*;
use crate::{
    error::BoxError,
    health::{Health, HealthConfig},
    task::{Component, Tasks},
    telemetry::metrics::Registry,
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// What a call to a scripted part does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    Done,
    /// Returns after so many milliseconds.
    After(u64),
    Never,
    Fail,
    Panic,
}

/// Everything that happened, with the millisecond at which it did.
#[derive(Clone)]
struct Journal {
    begun: Instant,
    lines: Arc<Mutex<Vec<(u64, String)>>>,
}

/// A part that does what it is told, and writes it down.
struct Scripted {
    name: &'static str,
    journal: Journal,
    start: Act,
    drain: Act,
    stop: Act,
}

// === impl Journal ===

impl Journal {
    fn new() -> Self {
        Self {
            begun: Instant::now(),
            lines: Arc::default(),
        }
    }

    fn write(&self, what: impl Into<String>) {
        self.lines.lock().unwrap().push((self.ms(), what.into()));
    }

    fn ms(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap()
    }

    /// When `what` happened.
    #[track_caller]
    fn at(&self, what: &str) -> u64 {
        let lines = self.lines.lock().unwrap();
        let found = lines.iter().find(|(_, line)| line == what);
        found
            .unwrap_or_else(|| panic!("no `{what}` in {lines:?}"))
            .0
    }

    fn lines(&self) -> Vec<String> {
        let lines = self.lines.lock().unwrap();
        lines.iter().map(|(_, line)| line.clone()).collect()
    }

    fn part(&self, name: &'static str) -> Scripted {
        Scripted {
            name,
            journal: self.clone(),
            start: Act::Done,
            drain: Act::Done,
            stop: Act::Done,
        }
    }
}

// === impl Scripted ===

impl Scripted {
    fn on_start(mut self, act: Act) -> Self {
        self.start = act;
        self
    }

    fn on_drain(mut self, act: Act) -> Self {
        self.drain = act;
        self
    }

    fn on_stop(mut self, act: Act) -> Self {
        self.stop = act;
        self
    }

    fn arc(self) -> Arc<dyn Component> {
        Arc::new(self)
    }

    async fn act(&self, call: &str, act: Act) -> Result<(), BoxError> {
        let name = self.name;
        self.journal.write(format!("{name} {call}"));
        match act {
            Act::Done => {}
            Act::After(ms) => sleep(Duration::from_millis(ms)).await,
            Act::Never => std::future::pending().await,
            Act::Fail => return Err(std::io::Error::other("refused").into()),
            Act::Panic => panic!("on purpose"),
        }
        self.journal.write(format!("{name} {call} done"));
        Ok(())
    }
}

#[async_trait::async_trait]
impl Component for Scripted {
    async fn start(&self) -> Result<(), BoxError> {
        self.act("start", self.start).await
    }

    async fn drain(&self) -> Result<(), BoxError> {
        self.act("drain", self.drain).await
    }

    async fn stop(&self) -> Result<(), BoxError> {
        self.act("stop", self.stop).await
    }
}

/// After nobody.
const NONE: [&str; 0] = [];

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// A lifecycle with the default budget, and its health.
fn lifecycle() -> (Lifecycle, Health) {
    let tasks = Tasks::new();
    let health = Health::new(&HealthConfig::default(), &tasks, &Registry::new());
    let lifecycle = Lifecycle::new(ShutdownConfig::default(), &tasks).with_health(health.clone());
    (lifecycle, health)
}

/// Runs `lifecycle`, tells it to end at each of `signals` (milliseconds; 0 is as soon as it serves), and says how it ended
/// and when.
async fn run(lifecycle: Lifecycle, signals: &[u64]) -> (Outcome, u64) {
    let (sender, received) = Signals::manual();
    let begun = Instant::now();
    let phase = lifecycle.phase();
    let send = async {
        for ms in signals {
            if *ms == 0 {
                phase.reached(Phase::Serving).await;
            }
            tokio::time::sleep_until(begun + Duration::from_millis(*ms)).await;
            sender.send(Signal::Terminate);
        }
        std::future::pending().await
    };
    let outcome = tokio::select! {
        outcome = lifecycle.run(received) => outcome,
        () = send => unreachable!(),
    };
    let took = u64::try_from(begun.elapsed().as_millis()).unwrap();
    (outcome, took)
}
