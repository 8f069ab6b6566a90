//! What is recorded is what is read.
use super::*;
use crate::telemetry::context::TraceContext;
use proptest::prelude::*;
use std::{sync::Barrier, thread, time::Duration};

#[test]
fn threads_that_record_at_once_add_up_exactly() {
    let registry = Registry::new();
    let requests = registry.counter(&REQUESTS).with(&["GET", "/", "200"]);
    let duration = registry.histogram(&DURATION).with(&["GET"]);
    let active = registry.gauge(&ACTIVE).with(&[]);
    let (threads, rounds) = (12, 2_000);
    let start = Barrier::new(threads);
    thread::scope(|scope| {
        for thread in 0..threads {
            let (requests, duration, active, start) = (&requests, &duration, &active, &start);
            scope.spawn(move || {
                start.wait();
                for round in 0..rounds {
                    active.add(1);
                    requests.add(2);
                    duration.observe(Duration::from_millis(round % 200));
                    // One more is under way per thread at the end.
                    if round > 0 {
                        active.add(-1);
                    }
                }
                assert!(active.value() >= 1.0, "thread {thread}");
            });
        }
    });
    let all = threads as u64 * rounds;
    assert_eq!(requests.value(), 2 * all);
    assert_eq!(active.value(), threads as f64);
    assert_eq!(duration.count(), all);
    let snapshot = registry.snapshot();
    let Some(Value::Histogram(read)) = snapshot.value(DURATION.name, &["GET"]) else {
        panic!("no histogram in {snapshot:?}");
    };
    // Of 200 values in turn, 0 to 5 ms and 6 to 100 ms; none is above 1 s.
    let turns = all / 200;
    assert_eq!(read.counts, [6 * turns, 95 * turns, 99 * turns, 0]);
    let expected = (0..200).sum::<u64>() as f64 / 1000.0 * turns as f64;
    assert!((read.sum - expected).abs() < 1e-6, "{}", read.sum);
}

#[test]
fn a_gauge_is_what_it_was_set_to_and_what_was_added_since() {
    let registry = Registry::new();
    let gauge = registry.gauge(&ACTIVE).with(&[]);
    assert_eq!(gauge.value(), 0.0);
    gauge.add(5);
    gauge.add(-7);
    assert_eq!(gauge.value(), -2.0);
    gauge.set(10.0);
    assert_eq!(gauge.value(), 10.0);
    gauge.add(1);
    assert_eq!(gauge.value(), 11.0);
    gauge.set(0.5);
    assert_eq!(gauge.value(), 0.5);
}

#[test]
fn sizes_are_counted_in_bytes() {
    let registry = Registry::new();
    let body = registry.histogram(&BODY).with(&[]);
    for bytes in [0, 1024, 1025, 5 << 20] {
        body.record(bytes);
    }
    let snapshot = registry.snapshot();
    let Some(Value::Histogram(read)) = snapshot.value(BODY.name, &[]) else {
        panic!("no histogram in {snapshot:?}");
    };
    assert_eq!((read.count, &*read.counts), (4, &[2, 1, 1][..]));
    assert_eq!(read.sum, (1024 + 1025 + (5 << 20)) as f64);
}

#[test]
fn an_exemplar_is_the_latest_sampled_value_of_its_bucket() {
    let registry = Registry::new();
    let duration = registry.histogram(&DURATION).with(&["GET"]);
    let sampled = TraceContext::root(true);
    let unsampled = TraceContext::root(false);
    let later = TraceContext::root(true);
    let millis = Duration::from_millis;
    duration.observe_traced_at(millis(1), &unsampled, 1);
    duration.observe_traced_at(millis(50), &sampled, 2);
    duration.observe_traced_at(millis(60), &later, 3);
    duration.observe_traced_at(millis(70), &unsampled, 4);
    duration.observe_traced(millis(2_000), &sampled);
    duration.observe(millis(3_000));
    let snapshot = registry.snapshot();
    let Some(Value::Histogram(read)) = snapshot.value(DURATION.name, &["GET"]) else {
        panic!("no histogram in {snapshot:?}");
    };
    assert_eq!(read.counts, [1, 3, 0, 2]);
    let [middle, last] = read.exemplars[..] else {
        panic!("two buckets have an exemplar: {:?}", read.exemplars);
    };
    assert_eq!(
        (middle.bucket, middle.value, middle.unix_nanos),
        (1, 0.06, 3)
    );
    assert_eq!(middle.trace_id, later.trace_id());
    assert_eq!(middle.span_id, later.span_id());
    assert_eq!((last.bucket, last.value), (3, 2.0));
    assert!(last.unix_nanos >= snapshot.start_unix_nanos);
}

proptest! {
    #[test]
    fn the_buckets_of_a_histogram_add_up_to_its_count(values: Vec<u32>) {
        let registry = Registry::new();
        let duration = registry.histogram(&DURATION).with(&["GET"]);
        for micros in &values {
            duration.observe(Duration::from_micros(u64::from(*micros)));
        }
        let text = page(&registry, Format::OpenMetrics100);
        let number = |line: &str| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap();
        let of = |suffix: &str| {
            let prefix = format!("http_server_request_duration_seconds{suffix}{{");
            let lines = text.lines().filter(|line| line.starts_with(&prefix));
            lines.map(number).collect::<Vec<_>>()
        };
        let buckets = of("_bucket");
        prop_assert_eq!(buckets.len(), 4);
        prop_assert!(buckets.is_sorted());
        let below = |limit: u32| values.iter().filter(|v| **v <= limit).count() as f64;
        prop_assert_eq!(buckets[0], below(5_000));
        prop_assert_eq!(buckets[2], below(1_000_000));
        prop_assert_eq!(buckets[3], values.len() as f64);
        prop_assert_eq!(of("_count"), vec![values.len() as f64]);
        let sum: u64 = values.iter().copied().map(u64::from).sum();
        let exact = format!("{}.{:06}", sum / 1_000_000, sum % 1_000_000);
        prop_assert_eq!(of("_sum"), vec![exact.parse::<f64>().unwrap()]);
    }
}
