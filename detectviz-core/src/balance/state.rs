//! What is decided of endpoints apart from the choice: who is an outlier and for how long, what a failure weighs, how fast
//! a new endpoint is warmed up.
//!
//! Times are nanoseconds.

/// What one endpoint did in an interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sample {
    /// Calls that went well.
    pub(crate) succeeded: u64,
    /// Calls that failed.
    pub(crate) failed: u64,
}

/// When an endpoint's success rate makes it an outlier, after Envoy's `success_rate_*` settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SuccessRate {
    /// The fewest endpoints with enough calls.
    pub(crate) hosts: usize,
    /// The fewest calls in the interval.
    pub(crate) requests: u64,
    /// How many standard deviations below the mean is too far.
    pub(crate) stdev_factor: f64,
}

/// How long an ejection lasts, after Envoy's `base_ejection_time` and `max_ejection_time`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ejection {
    pub(crate) base: u64,
    pub(crate) max: u64,
    /// The largest part of the time that chance adds.
    pub(crate) jitter: f64,
}

/// How a new endpoint is warmed up, after Envoy's `SlowStartConfig`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SlowStart {
    pub(crate) window: u64,
    pub(crate) aggression: f64,
    pub(crate) min_weight: f64,
}

/// The success rate below which an endpoint is an outlier; `None` when too few endpoints had enough calls.
pub(crate) fn success_rate_threshold(
    samples: impl Iterator<Item = Sample>,
    rule: &SuccessRate,
) -> Option<f64> {
    let rates: Vec<f64> = samples.filter_map(|s| s.rate(rule)).collect();
    if rates.is_empty() || rates.len() < rule.hosts {
        return None;
    }
    let n = rates.len() as f64;
    let mean = rates.iter().sum::<f64>() / n;
    let variance = rates.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / n;
    Some(mean - rule.stdev_factor * variance.sqrt())
}

/// How long an endpoint is ejected for the `times`-th time in a row; `random` decides the jitter.
pub(crate) fn ejection_time(times: u32, rule: &Ejection, random: u64) -> u64 {
    let time = rule.base.saturating_mul(u64::from(times.max(1)));
    let time = time.min(rule.max.max(rule.base));
    let part = unit(random) * rule.jitter;
    time.saturating_add((time as f64 * part) as u64)
}

/// The share of its weight that an endpoint gets when its slow start ends in `left`: from the least weight to 1.
pub(crate) fn slow_start_share(left: u64, rule: &SlowStart) -> f64 {
    if left == 0 || rule.window == 0 {
        return 1.0;
    }
    let passed = rule.window.saturating_sub(left) as f64 / rule.window as f64;
    let grown = if rule.aggression == 1.0 {
        passed
    } else {
        passed.powf(1.0 / rule.aggression)
    };
    grown.max(rule.min_weight).min(1.0)
}

/// The latency that a failure counts as, whatever the endpoint's average `own` and those of all, `mean`, are: more than an
/// endpoint that works has, so that answers which are fast because they are failures do not attract traffic; and twice as much
/// each time, up to `most`. `most` as well when nothing is known.
pub(crate) fn penalty(own: f32, mean: f32, most: f32) -> f32 {
    if own <= 0.0 && mean <= 0.0 {
        return most;
    }
    let least = mean * 2.0;
    (own * 2.0).min(most).max(least)
}

/// Another number for one that was used: SplitMix64 (Steele, Lea and Flood, Fast splittable pseudorandom number
/// generators, OOPSLA 2014).
#[inline]
pub(crate) fn mix(random: u64) -> u64 {
    let z = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A number of `0..1`.
pub(crate) fn unit(random: u64) -> f64 {
    (random >> 11) as f64 / (1_u64 << 53) as f64
}

// === impl Sample ===

impl Sample {
    /// The success rate from 0 to 1; `None` below the number of calls that is asked for.
    pub(crate) fn rate(&self, rule: &SuccessRate) -> Option<f64> {
        let calls = self.succeeded + self.failed;
        (calls > 0 && calls >= rule.requests).then(|| self.succeeded as f64 / calls as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RULE: SuccessRate = SuccessRate {
        hosts: 5,
        requests: 100,
        stdev_factor: 1.9,
    };
    const SECOND: u64 = 1_000_000_000;

    fn samples(successes: &[u64]) -> Vec<Sample> {
        let sample = |&succeeded| Sample {
            succeeded,
            failed: 100 - succeeded,
        };
        successes.iter().map(sample).collect()
    }

    #[test]
    fn the_threshold_is_so_many_deviations_below_the_mean() {
        let cases: [(&[u64], Option<f64>); 4] = [
            (&[100, 100, 100, 100], None),
            (&[100; 5], Some(1.0)),
            // Mean 0.9, deviation 0.2.
            (&[100, 100, 100, 100, 50], Some(0.9 - 1.9 * 0.2)),
            (&[0; 6], Some(0.0)),
        ];
        for (successes, expected) in cases {
            let got = success_rate_threshold(samples(successes).into_iter(), &RULE);
            let same = match (got, expected) {
                (Some(got), Some(expected)) => (got - expected).abs() < 1e-9,
                (got, expected) => got == expected,
            };
            assert!(same, "{successes:?}: {got:?}");
        }
        // Those with too few calls are not asked.
        let mut few = samples(&[100; 5]);
        few[0].succeeded = 99;
        assert_eq!(success_rate_threshold(few.into_iter(), &RULE), None);
    }

    #[test]
    fn an_ejection_is_longer_each_time_up_to_the_most() {
        let rule = Ejection {
            base: 30 * SECOND,
            max: 300 * SECOND,
            jitter: 0.1,
        };
        for (times, seconds) in [(1, 30), (2, 60), (9, 270), (10, 300), (1000, 300)] {
            let least = ejection_time(times, &rule, 0);
            let most = ejection_time(times, &rule, u64::MAX);
            assert_eq!(least, seconds * SECOND);
            assert!(most > least && most <= least + least / 10, "{most}");
        }
    }

    #[test]
    fn a_slow_start_grows_from_the_least_weight_to_all_of_it() {
        let rule = |aggression| SlowStart {
            window: 10 * SECOND,
            aggression,
            min_weight: 0.1,
        };
        for (aggression, left, expected) in [
            (1.0, 10, 0.1),
            (1.0, 5, 0.5),
            (1.0, 0, 1.0),
            (1.0, 99, 0.1),
            (2.0, 7, 0.3_f64.sqrt()),
        ] {
            let got = slow_start_share(left * SECOND, &rule(aggression));
            assert!((got - expected).abs() < 1e-9, "{aggression} {left}: {got}");
        }
    }

    proptest! {
        #[test]
        fn a_failure_weighs_more_than_what_others_do(own in 0_f32..1e11, mean in 0_f32..1e11) {
            let most = 1e9;
            let got = penalty(own, mean, most);
            prop_assert!(got > mean && got <= most.max(2.0 * mean));
            prop_assert!(own == 0.0 || got >= own.min(most));
        }
    }
}
