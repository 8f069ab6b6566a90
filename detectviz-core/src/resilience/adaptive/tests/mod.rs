//! Behaviour of the adaptive limit.
use super::{
    state::{Gradient2, Limiter, Rules, Sample, Seen},
    *,
};
use std::time::{Duration, Instant};

mod gradient;
mod service;
mod simulated;

fn published() -> Rules {
    AdaptiveConfig::default()
        .probe_interval(Duration::ZERO)
        .rules()
}

const MILLI: f64 = 1e6;
