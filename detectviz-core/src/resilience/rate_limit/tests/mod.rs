//! Behaviour of the rate limit.
mod config;
mod law;
mod service;
mod state;
mod table;

use super::*;
use crate::telemetry::metrics::Registry;
use std::time::{Duration, Instant};

const SECOND: u64 = 1_000_000_000;
const DAY: u64 = 24 * 60 * 60 * SECOND;

fn seed() -> KeySeed {
    KeySeed::new([7, 11])
}

fn limiter(config: &RateLimitConfig, now: Instant) -> (RateLimiter, Registry) {
    let metrics = Registry::new();
    let limiter = RateLimiter::new("api", config, seed(), now, &metrics);
    (limiter, metrics)
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}
