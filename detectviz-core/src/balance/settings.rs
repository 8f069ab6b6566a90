//! The configuration as the balancer computes with it: numbers in nanoseconds.
use super::{
    BalanceConfig, OutlierConfig,
    ewma::Decay,
    gate::Gate,
    state::{Ejection, SlowStart, SuccessRate},
};
use std::time::Duration;

#[derive(Debug)]
pub(super) struct Settings {
    pub(super) config: BalanceConfig,
    pub(super) decay: Decay,
    pub(super) failure_penalty: f32,
    pub(super) max_retry_after: u64,
    pub(super) slow_start: SlowStart,
    pub(super) success_rate: SuccessRate,
    pub(super) interval: u64,
    pub(super) ejection: Ejection,
    /// The most calls in flight at one endpoint.
    pub(super) in_flight: usize,
}

impl Settings {
    pub(super) fn new(config: &BalanceConfig) -> Self {
        let outlier = &config.outlier;
        let slow_start = &config.slow_start;
        Self {
            decay: Decay::within(nanos(config.decay)),
            failure_penalty: nanos(config.failure_penalty) as f32,
            max_retry_after: nanos(config.max_retry_after),
            slow_start: SlowStart {
                window: nanos(slow_start.window),
                aggression: slow_start.aggression,
                min_weight: slow_start.min_weight,
            },
            success_rate: SuccessRate {
                hosts: outlier.success_rate_hosts as usize,
                requests: u64::from(outlier.success_rate_requests),
                stdev_factor: outlier.success_rate_stdev_factor,
            },
            interval: nanos(outlier.interval),
            ejection: Ejection {
                base: nanos(outlier.base_ejection_time),
                max: nanos(outlier.max_ejection_time),
                jitter: outlier.jitter,
            },
            in_flight: config.limits.in_flight.map_or(usize::MAX, |n| n as usize),
            config: config.clone(),
        }
    }

    pub(super) fn outlier(&self) -> &OutlierConfig {
        &self.config.outlier
    }

    /// How many of `endpoints` may be ejected.
    pub(super) fn most_ejected(&self, endpoints: usize) -> u32 {
        if !self.outlier().enabled {
            return 0;
        }
        // A little more, since 0.29 × 100 is 28.999….
        let most = (endpoints as f64 * self.outlier().max_ejected + 1e-6).floor();
        (most as u32).min(u32::try_from(endpoints).unwrap_or(u32::MAX))
    }
}

/// `duration` in nanoseconds, as far as a [`Gate`] can say it.
#[inline]
pub(super) fn nanos(duration: Duration) -> u64 {
    let seconds = duration.as_secs().min(Gate::LATEST / 1_000_000_000 - 1);
    seconds * 1_000_000_000 + u64::from(duration.subsec_nanos())
}
