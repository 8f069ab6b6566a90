//! Behaviour of the circuit breaker: the vectors under their numbers, and the laws that they are instances of.
mod config;
mod handle;
mod laws;
mod model;
mod service;
mod threads;
mod vectors;
mod windows;

use super::*;
use crate::{
    names,
    telemetry::metrics::{Registry, Value},
};
use std::time::{Duration, Instant};

/// A circuit and its metrics, at times that a test says.
struct Subject {
    circuit: Circuit,
    registry: Registry,
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// Nothing random, and always open for 5 s.
fn plain() -> BreakerConfig {
    BreakerConfig::default().open(OpenConfig::constant(seconds(5.0)))
}

impl Subject {
    fn new(config: &BreakerConfig) -> Self {
        let registry = Registry::new();
        let circuit = Circuit::new("orders", config, &registry);
        Self { circuit, registry }
    }

    fn at(&self, secs: f64) -> Instant {
        self.circuit.shared.base.at() + seconds(secs)
    }

    fn enter(&self, at: f64) -> Result<Ticket, Open> {
        self.circuit.enter(self.at(at))
    }

    /// A call that is answered at once.
    fn call(&self, at: f64, outcome: Outcome) -> bool {
        self.timed(at, 0.0, outcome)
    }

    /// A call that ends at `at` and took so long; false when it was refused.
    fn timed(&self, at: f64, took: f64, outcome: Outcome) -> bool {
        let ticket = self.enter(at - took);
        let admitted = ticket.is_ok();
        if let Ok(ticket) = ticket {
            self.circuit.record(ticket, outcome, self.at(at));
        }
        admitted
    }

    /// One call for each letter: F fails, S succeeds, I says nothing.
    fn calls(&self, at: f64, letters: &str) {
        for letter in letters.chars() {
            let outcome = match letter {
                'F' => Outcome::Failure,
                'S' => Outcome::Success,
                _ => Outcome::Ignored,
            };
            assert!(self.call(at, outcome), "{letter} of {letters} was refused");
        }
    }

    fn state(&self) -> State {
        self.circuit.state()
    }

    fn counts(&self, at: f64) -> Counts {
        self.circuit.handle().counts_at(self.at(at))
    }

    fn metric(&self, name: &str, labels: &[&str]) -> f64 {
        match self.registry.snapshot().value(name, labels) {
            Some(Value::Counter(count)) => *count as f64,
            Some(Value::Gauge(value)) => *value,
            other => panic!("{name}{labels:?} is {other:?}"),
        }
    }

    fn exceeded(&self, threshold: &str) -> f64 {
        self.metric(names::BREAKER_EXCEEDED, &["orders", threshold])
    }

    fn refused(&self) -> f64 {
        self.metric(names::BREAKER_REFUSED, &["orders"])
    }
}
