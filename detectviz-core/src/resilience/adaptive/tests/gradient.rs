//! Gradient2 against numbers worked out by hand, against the published code, and its laws.
use super::*;
use crate::config::check;
use proptest::prelude::*;

fn seen(millis: f64, in_flight: u32, dropped: f64) -> Seen {
    Seen {
        short: millis * MILLI,
        in_flight,
        dropped,
    }
}

/// At a limit, after ten windows that fixed the usual latency at 100 ms without moving it.
fn warm(limit: f64) -> Gradient2 {
    let mut gradient = Gradient2::new(limit);
    for _ in 0..10 {
        gradient.update(&published(), &seen(100.0, 0, 0.0));
    }
    gradient
}

#[test]
fn a_window_moves_the_limit_as_published() {
    for (millis, in_flight, dropped, expected) in [
        // The gradient is 1: 100 + 0.2 · 4.
        (100.0, 100, 0.0, 100.8),
        (40.0, 100, 0.0, 100.8),
        // Within the tolerance of 1.5.
        (150.0, 100, 0.0, 100.8),
        // usual = 100 + (200 - 100) · 2/601; gradient = 1.5 · usual / 200.
        (200.0, 100, 0.0, 95.849_917),
        // Never below a half: 0.8 · 100 + 0.2 · (50 + 4).
        (400.0, 100, 0.0, 90.8),
        (9_000.0, 100, 0.0, 90.8),
        // Less than half is used.
        (100.0, 49, 0.0, 100.0),
        (9_000.0, 49, 0.0, 100.0),
        (100.0, 50, 0.0, 100.8),
        // Drops: 0.8 · 100 + 0.2 · (90 + 4), and so on.
        (100.0, 100, 0.1, 98.8),
        (100.0, 100, 0.01, 100.6),
        (100.0, 100, 0.9, 90.8),
    ] {
        let moved = warm(100.0).update(&published(), &seen(millis, in_flight, dropped));
        assert!(
            (moved - expected).abs() < 1e-4,
            "{millis} ms, {in_flight} in flight, {dropped} dropped: {moved} instead of {expected}"
        );
    }
    let mut rules = published();
    rules.square_root = true;
    for (limit, expected) in [(100.0, 102.0), (9.0, 9.8), (400.0, 404.0)] {
        let moved = warm(limit).update(&rules, &seen(100.0, 400, 0.0));
        assert!((moved - expected).abs() < 1e-9, "{limit}: {moved}");
    }
}

/// `Gradient2Limit._update` and `ExpAvgMeasurement.add`, line by line.
struct Java {
    estimated_limit: f64,
    value: f64,
    sum: f64,
    count: u32,
}

impl Java {
    fn update(&mut self, rtt: f64, inflight: f64) -> f64 {
        let queue_size = 4.0;
        let short_rtt = rtt;
        if self.count < 10 {
            self.count += 1;
            self.sum += rtt;
            self.value = self.sum / f64::from(self.count);
        } else {
            let factor = 2.0 / (600.0 + 1.0);
            self.value = self.value * (1.0 - factor) + rtt * factor;
        }
        let long_rtt = self.value;
        if long_rtt / short_rtt > 2.0 {
            self.value *= 0.95;
        }
        if inflight < self.estimated_limit / 2.0 {
            return self.estimated_limit;
        }
        let gradient = (1.5 * long_rtt / short_rtt).clamp(0.5, 1.0);
        let mut new_limit = self.estimated_limit * gradient + queue_size;
        new_limit = self.estimated_limit * (1.0 - 0.2) + new_limit * 0.2;
        new_limit = new_limit.clamp(3.0, 1000.0);
        self.estimated_limit = new_limit;
        new_limit
    }
}

fn windows() -> impl Strategy<Value = Vec<(f64, u32)>> {
    prop::collection::vec((0.01_f64..1_000.0, 0_u32..1_200), 1..200)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn without_looks_and_drops_it_is_the_published_algorithm(
        initial in 3.0_f64..1_000.0,
        windows in windows(),
    ) {
        let mut ours = Gradient2::new(initial);
        let mut java = Java { estimated_limit: initial, value: 0.0, sum: 0.0, count: 0 };
        for (millis, in_flight) in windows {
            let moved = ours.update(&published(), &seen(millis, in_flight, 0.0));
            let expected = java.update(millis * MILLI, f64::from(in_flight));
            prop_assert!((moved - expected).abs() < 1e-6, "{moved} instead of {expected}");
        }
    }

    #[test]
    fn the_limit_keeps_its_bounds_and_moves_by_steps(
        windows in prop::collection::vec((0.0_f64..1e9, 0_u32..u32::MAX, 0.0_f64..=1.0), 1..200),
        probes: bool,
    ) {
        let mut rules = if probes { AdaptiveConfig::default().rules() } else { published() };
        (rules.min, rules.max) = (5.0, 50.0);
        let mut gradient = Gradient2::new(20.0);
        let mut last = 20.0;
        for (millis, in_flight, dropped) in windows {
            let short = (millis * MILLI).max(1.0);
            let moved = gradient.update(&rules, &Seen { short, in_flight, dropped });
            prop_assert!((5.0..=50.0).contains(&moved), "{moved}");
            prop_assert!(moved >= last * 0.9 && moved <= last + 0.2 * rules.queue_size + 1e-9);
            last = moved;
        }
    }

    #[test]
    fn slower_calls_and_more_drops_never_raise_the_limit(
        history in windows(),
        window in (0.01_f64..1_000.0, 0_u32..1_200, 0.0_f64..=1.0),
        slower in 1.0_f64..10.0,
        more in 0.0_f64..=1.0,
    ) {
        let rules = AdaptiveConfig::default().rules();
        let after = |millis: f64, dropped: f64| {
            let mut gradient = Gradient2::new(100.0);
            for (millis, in_flight) in &history {
                gradient.update(&rules, &seen(*millis, *in_flight, 0.0));
            }
            gradient.update(&rules, &seen(millis, window.1, dropped))
        };
        let (millis, _, dropped) = window;
        let plain = after(millis, dropped);
        prop_assert!(after(millis * slower, dropped) <= plain + 1e-9);
        prop_assert!(after(millis, dropped.max(more)) <= plain + 1e-9);
    }
}

#[test]
fn a_window_needs_time_and_calls() {
    // Calls, the pause between two of them, and after which calls the limit is new.
    for (calls, pause, expected) in [
        // After 100 ms, which is longer than twice the latency.
        (30, 10, vec![10, 20]),
        // Ten calls take longer than 100 ms.
        (25, 50, vec![9, 19]),
        // After a second there are fewer than ten, which are forgotten.
        (40, 200, vec![]),
    ] {
        let mut limiter = Limiter::new(published(), 1);
        let begun = Instant::now();
        let is_new = |n: &u32| {
            let sample = Sample {
                latency: Duration::from_millis(10),
                in_flight: 20,
                is_dropped: false,
            };
            limiter.sample(begun + *n * Duration::from_millis(pause), sample)
        };
        let new: Vec<u32> = (0..calls).filter(is_new).collect();
        assert_eq!(new, expected, "every {pause} ms");
    }
}

#[test]
fn settings_that_cannot_work_are_refused() {
    type Change = fn(&mut AdaptiveConfig);
    let cases: [(Change, &str); 14] = [
        (|c| c.min_limit = 0, "min_limit"),
        (|c| c.min_limit = 2_000, "min_limit"),
        (|c| c.max_limit = 1_000_001, "max_limit"),
        (|c| c.initial_limit = 1_001, "initial_limit"),
        (|c| c.tolerance = 0.9, "tolerance"),
        (|c| c.tolerance = f64::NAN, "tolerance"),
        (|c| c.smoothing = 0.0, "smoothing"),
        (|c| c.smoothing = 1.1, "smoothing"),
        (|c| c.queue_size = 0, "queue_size"),
        (|c| c.long_window = 9, "long_window"),
        (|c| c.min_samples = 0, "min_samples"),
        (|c| c.max_window = Duration::from_millis(99), "max_window"),
        (
            |c| c.probe_interval = Duration::from_secs(4),
            "probe_interval",
        ),
        (|c| c.queue.max_wait = Duration::ZERO, "queue.max_wait"),
    ];
    for (change, key) in cases {
        let mut config = AdaptiveConfig::default();
        change(&mut config);
        let problems = check(&config).unwrap_err().to_string();
        assert!(problems.contains(key), "{key}: {problems}");
    }
    assert!(check(&AdaptiveConfig::default()).is_ok());
}
