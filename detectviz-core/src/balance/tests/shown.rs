//! What settings are refused, and what metrics and handles show.
use super::*;
use crate::{
    config::check,
    telemetry::metrics::{Format, Registry},
};

fn page(registry: &Registry) -> String {
    let mut page = Vec::new();
    registry.encode(Format::OpenMetrics100, &mut page);
    String::from_utf8(page).unwrap()
}

#[test]
fn metrics_show_states_picks_ejections_and_refusals() {
    let registry = Registry::new();
    let metrics = BalanceMetrics::new(&registry);
    let mut bench = Bench::new(&config(Policy::RoundRobin), 3);
    bench.balancer.observed_by(&metrics);
    for _ in 0..7 {
        bench.call(0, Duration::ZERO, FAILED);
    }
    bench.call(1, MS, Outcome::Success);
    let shown = page(&registry);
    for line in [
        "detectviz_balance_endpoints{upstream=\"orders\",state=\"active\"} 2",
        "detectviz_balance_endpoints{upstream=\"orders\",state=\"ejected\"} 1",
        "detectviz_balance_picks_total{upstream=\"orders\",endpoint=\"10.0.0.1:0\"} 7",
        "detectviz_balance_ejections_total{upstream=\"orders\",reason=\"consecutive_failures\"} 1",
        "detectviz_balance_refusals_total{upstream=\"orders\",reason=\"full\"} 0",
    ] {
        assert!(shown.contains(&format!("{line}\n")), "{line}: {shown}");
    }
    bench.tell(0);
    assert!(bench.try_pick().is_err());
    let refusal = "detectviz_balance_refusals_total{upstream=\"orders\",reason=\"unusable\"} 1\n";
    assert!(page(&registry).contains(refusal));
    drop(bench);
    assert!(!page(&registry).contains("orders"), "its series go with it");
}

#[test]
fn beyond_a_hundred_endpoints_the_rest_share_one_series_that_only_grows() {
    let registry = Registry::new();
    let metrics = BalanceMetrics::new(&registry);
    let mut bench = Bench::new(&config(Policy::RoundRobin), 150);
    bench.balancer.observed_by(&metrics);
    bench.counts(150, 300);
    let others = "detectviz_balance_picks_total{upstream=\"orders\",endpoint=\"_others\"} 100\n";
    for endpoints in [150, 10] {
        bench.tell(endpoints);
        let shown = page(&registry);
        let series = shown.matches("detectviz_balance_picks_total{").count();
        assert_eq!(series, usize::from(endpoints.min(100)) + 1);
        assert!(shown.contains(others), "{shown}");
    }
}

#[test]
fn a_handle_lists_every_endpoint() {
    let mut bench = Bench::new(&BalanceConfig::default(), 2);
    bench.call(0, 10 * MS, Outcome::Success);
    let held = bench.pick_of(1);
    let handle = bench.balancer.handle();
    assert_eq!(handle.service(), "orders");
    let views = bench.views();
    assert_eq!(views[0].authority, "10.0.0.1:0");
    assert_eq!((views[0].in_flight, views[1].in_flight), (0, 1));
    let ewma = views[0].ewma.unwrap();
    assert!((9 * MS..11 * MS).contains(&ewma), "{ewma:?}");
    assert_eq!(views[1].ewma, None);
    // It took at least so long; more is not known.
    bench.later(SECOND);
    held.finish(Outcome::Cancelled, bench.now);
    assert!(bench.views()[1].ewma.unwrap() > 990 * MS);
}

#[test]
fn settings_that_cannot_work_are_refused() {
    assert!(check(&BalanceConfig::default()).is_ok());
    let base = BalanceConfig::default;
    let (slow, ring) = (SlowStartConfig::default, RingConfig::default);
    let outlier = OutlierConfig::default;
    for (key, refused) in [
        ("decay", base().decay(Duration::ZERO)),
        ("failure_penalty", base().failure_penalty(Duration::ZERO)),
        (
            "slow_start.aggression",
            base().slow_start(slow().aggression(0.0)),
        ),
        (
            "slow_start.min_weight",
            base().slow_start(slow().min_weight(f64::NAN)),
        ),
        ("ring.points", base().ring(ring().points(0))),
        ("ring.max_size", base().ring(ring().max_size(1))),
        ("ring.bounded_load", base().ring(ring().bounded_load(1.0))),
        (
            "limits.in_flight",
            base().limits(EndpointLimits::default().in_flight(0)),
        ),
        ("outlier.interval", base().outlier(outlier().interval(MS))),
        (
            "outlier.success_rate_hosts",
            base().outlier(outlier().success_rate(1, 1)),
        ),
        (
            "outlier.max_ejected",
            base().outlier(outlier().max_ejected(1.1)),
        ),
        (
            "outlier.panic_threshold",
            base().outlier(outlier().panic_threshold(-0.1)),
        ),
        (
            "outlier.max_ejection_time",
            base().outlier(outlier().ejection_time(SECOND, MS)),
        ),
        (
            "outlier.base_ejection_time",
            base().outlier(outlier().ejection_time(Duration::ZERO, MS)),
        ),
    ] {
        let problems = check(&refused).unwrap_err().to_string();
        assert!(problems.contains(key), "{key}: {problems}");
    }
}
