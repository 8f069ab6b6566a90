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
    let mut config = AdaptiveConfig::default();
    config.probe_interval = Duration::ZERO;
    config.rules()
}

const MILLI: f64 = 1e6;
