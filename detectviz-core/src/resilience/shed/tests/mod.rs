//! Behaviour of load shedding.
mod config;
mod plant;
mod sampler;
mod service;
mod split;

use super::*;
use crate::{
    resilience::priority::Priority,
    telemetry::metrics::{Registry, Value},
};
use std::time::{Duration, Instant};

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A shedder that refuses everything that it may.
fn overloaded() -> (Shedder, Registry) {
    let metrics = Registry::new();
    let shedder = Shedder::new(ShedConfig::default(), &metrics);
    let delay = Readings {
        queue_delay: Some(Duration::from_secs(9)),
        ..Readings::default()
    };
    let begun = Instant::now();
    for reading in 0..100 {
        let growing = Readings {
            queue_delay: delay.queue_delay.map(|delay| delay + ms(reading)),
            ..delay
        };
        shedder.update(&growing, begun + ms(100 * reading));
    }
    (shedder, metrics)
}
