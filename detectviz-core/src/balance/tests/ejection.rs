//! Who is ejected, for how long, and how it comes back.
use super::*;
use proptest::prelude::*;

const LOCAL: Outcome = Outcome::Failure(FailureKind::LocalOrigin);

/// Without jitter and slow start, and in turn, so that every endpoint is met.
fn plain() -> BalanceConfig {
    config(Policy::RoundRobin)
        .outlier(OutlierConfig::default().jitter(0.0))
        .slow_start(SlowStartConfig::default().window(Duration::ZERO))
}

fn fail(bench: &mut Bench, number: u16, outcomes: &[Outcome]) {
    for outcome in outcomes {
        bench.call(number, Duration::ZERO, *outcome);
    }
}

#[test]
fn so_many_failures_in_a_row_eject() {
    let overloaded = Outcome::Overloaded { retry_after: None };
    let row = |outcome, n| vec![outcome; n];
    let cases: [(Vec<Outcome>, bool); 10] = [
        (row(FAILED, 6), false),
        (row(FAILED, 7), true),
        (row(LOCAL, 6), false),
        (row(LOCAL, 7), true),
        (
            [row(FAILED, 6), vec![Outcome::Success], row(FAILED, 6)].concat(),
            false,
        ),
        // An answer ends the row of calls without one, not the other way round.
        ([row(LOCAL, 6), vec![FAILED], row(LOCAL, 6)].concat(), false),
        ([row(FAILED, 6), row(LOCAL, 6), vec![FAILED]].concat(), true),
        // What the caller did, and overload, neither add to a row nor end it.
        ([row(FAILED, 6), row(Outcome::Cancelled, 9)].concat(), false),
        (
            [
                row(FAILED, 6),
                vec![Outcome::Cancelled, Outcome::Ignored, overloaded, FAILED],
            ]
            .concat(),
            true,
        ),
        (row(overloaded, 20), false),
    ];
    for (outcomes, ejected) in cases {
        let mut bench = Bench::new(&plain(), 4);
        fail(&mut bench, 2, &outcomes);
        let mut expected = [EndpointStatus::Active; 4];
        if ejected {
            expected[2] = EndpointStatus::Ejected;
            assert_eq!(bench.counts(4, 300), [100, 100, 0, 100]);
        }
        assert_eq!(bench.statuses(), expected, "{outcomes:?}");
    }
}

#[test]
fn an_ejected_endpoint_comes_back_by_a_probe_and_stays_away_longer_each_time() {
    let mut bench = Bench::new(&plain(), 4);
    fail(&mut bench, 0, &[FAILED; 7]);
    for seconds in [30, 60, 90] {
        bench.later(seconds * SECOND - MS);
        assert_eq!(bench.counts(4, 40)[0], 0, "{seconds}");
        bench.later(MS);
        assert_eq!(bench.statuses()[0], EndpointStatus::HalfOpen);
        let probe = bench.pick_of(0);
        assert!(probe.is_probe());
        assert_eq!(bench.counts(4, 40)[0], 0, "one at a time");
        // A probe that says nothing lets the next one go.
        probe.finish(Outcome::Cancelled, bench.now);
        drop(bench.pick_of(0));
        let probe = bench.pick_of(0);
        assert!(probe.is_probe());
        probe.finish(FAILED, bench.now);
        assert_eq!(bench.statuses()[0], EndpointStatus::Ejected);
    }
    bench.later(300 * SECOND);
    let probe = bench.pick_of(0);
    probe.finish(Outcome::Success, bench.now);
    assert_eq!(bench.statuses()[0], EndpointStatus::Active);
    assert!(!bench.pick_of(0).is_probe());
    assert_eq!(bench.counts(4, 400)[0], 100);
    // Each interval that passes in peace takes an ejection off.
    assert_eq!(bench.views()[0].ejections, 4);
    for left in [3, 2, 1, 0, 0] {
        bench.later(10 * SECOND);
        bench.balancer.tick(bench.now);
        assert_eq!(bench.views()[0].ejections, left);
    }
}

#[test]
fn who_comes_back_starts_slowly() {
    let config = plain().slow_start(SlowStartConfig::default());
    let mut bench = Bench::new(&config, 4);
    fail(&mut bench, 0, &[FAILED; 7]);
    bench.later(30 * SECOND);
    bench.pick_of(0).finish(Outcome::Success, bench.now);
    assert_eq!(bench.statuses()[0], EndpointStatus::SlowStart);
    let few = bench.counts(4, 4000)[0];
    assert!((50..200).contains(&few), "{few}");
    bench.later(15 * SECOND);
    assert_eq!(bench.counts(4, 4000)[0], 1000);
}

#[test]
fn a_late_answer_does_not_end_an_ejection() {
    let mut bench = Bench::new(&plain(), 4);
    let (late, worse) = (bench.pick_of(0), bench.pick_of(0));
    fail(&mut bench, 0, &[FAILED; 7]);
    late.finish(Outcome::Success, bench.now);
    worse.finish(FAILED, bench.now);
    assert_eq!(bench.statuses()[0], EndpointStatus::Ejected);
    assert_eq!(bench.views()[0].ejections, 1);
}

#[test]
fn success_rates_far_below_those_of_others_eject() {
    for (endpoints, calls, failing, ejected) in [
        (5, 100, 50, true),
        (4, 100, 50, false),
        (5, 99, 50, false),
        (5, 100, 0, false),
    ] {
        let config = plain().outlier(OutlierConfig::default().consecutive_failures(0));
        let mut bench = Bench::new(&config, endpoints);
        for n in 0..calls {
            for number in 0..endpoints {
                let fails = number == 1 && n < failing;
                fail(
                    &mut bench,
                    number,
                    &[if fails { FAILED } else { Outcome::Success }],
                );
            }
        }
        bench.later(9 * SECOND);
        bench.balancer.tick(bench.now);
        assert_eq!(bench.ejected(), 0, "the interval is not over");
        bench.later(SECOND);
        bench.balancer.tick(bench.now);
        assert_eq!(
            bench.statuses()[1] == EndpointStatus::Ejected,
            ejected,
            "{endpoints} {calls}"
        );
        // The next interval counts from 0.
        bench.later(10 * SECOND);
        bench.balancer.tick(bench.now);
        assert_eq!(bench.ejected(), usize::from(ejected));
    }
}

#[test]
fn in_panic_ejections_are_ignored_but_not_those_by_hand() {
    for (max_ejected, threshold, panics) in [
        (1.0, 0.5, true),
        (1.0, 0.1, true),
        (1.0, 0.0, false),
        (0.5, 0.4, false),
    ] {
        let outlier = OutlierConfig::default()
            .max_ejected(max_ejected)
            .panic_threshold(threshold);
        let mut bench = Bench::new(&plain().outlier(outlier), 10);
        bench.balancer.handle().eject("10.0.0.1:9", None, bench.now);
        for _ in 0..200 {
            let Ok(picked) = bench.try_pick() else { break };
            picked.finish(FAILED, bench.now);
        }
        if !panics {
            let most = if max_ejected < 1.0 { 5 } else { 9 };
            assert_eq!(bench.ejected(), most);
        }
        let open = bench
            .statuses()
            .iter()
            .filter(|s| **s == EndpointStatus::Active)
            .count();
        let calls: Vec<u32> = match bench.try_pick() {
            Ok(_) => bench.counts(10, 1000),
            Err(_) => vec![0; 10],
        };
        assert_eq!(calls[9], 0, "by hand is by hand");
        let used = calls.iter().filter(|count| **count > 0).count();
        assert_eq!(
            used,
            if panics { 9 } else { open },
            "{max_ejected} {threshold}: {calls:?}"
        );
    }
}

#[test]
fn by_hand_an_endpoint_is_ejected_for_a_time_or_for_good() {
    let mut bench = Bench::new(&plain(), 2);
    let handle = bench.balancer.handle();
    assert!(!handle.eject("10.0.0.9:1", None, bench.now));
    assert!(handle.eject("10.0.0.1:0", 5 * SECOND, bench.now));
    assert!(handle.eject("10.0.0.1:1", None, bench.now));
    assert_eq!(bench.statuses(), [EndpointStatus::EjectedByHand; 2]);
    let until: Vec<_> = bench
        .views()
        .iter()
        .map(|view| view.ejected_until)
        .collect();
    assert_eq!(until, [Some(bench.now + 5 * SECOND), None]);
    let err = bench.try_pick().unwrap_err();
    assert_eq!((err.reason, err.known), (NoEndpointsReason::Unusable, 2));
    bench.later(5 * SECOND);
    assert_eq!(bench.counts(2, 10), [10, 0]);
    assert!(handle.uneject("10.0.0.1:1"));
    assert_eq!(bench.counts(2, 10), [5, 5]);
    // An ejection of the other kind ends by hand too.
    fail(&mut bench, 0, &[FAILED; 7]);
    assert!(handle.uneject("10.0.0.1:0"));
    assert_eq!(bench.counts(2, 10), [5, 5]);
    fail(&mut bench, 1, &[FAILED; 7]);
    assert_eq!(bench.ejected(), 1, "the place in the quota is free again");
}

#[test]
fn switched_off_nobody_is_ejected_and_those_who_were_come_back() {
    let mut bench = Bench::new(&plain(), 4);
    fail(&mut bench, 0, &[FAILED; 7]);
    assert_eq!(bench.ejected(), 1);
    bench
        .balancer
        .reconfigure(&plain().outlier(OutlierConfig::default().enabled(false)));
    assert_eq!(bench.ejected(), 0);
    fail(&mut bench, 0, &[FAILED; 70]);
    assert_eq!(bench.ejected(), 0);
}

/// What may happen to a service.
#[derive(Clone, Debug)]
enum Event {
    Call(Option<FailureKind>, bool),
    Pass(u64),
    Tell(u16),
}

fn event() -> impl Strategy<Value = Event> {
    let kind = prop_oneof![Just(FailureKind::Answer), Just(FailureKind::LocalOrigin)];
    prop_oneof![
        20 => (prop::option::weighted(0.8, kind), any::<bool>()).prop_map(|(k, held)| Event::Call(k, held)),
        1 => (0_u64..60).prop_map(Event::Pass),
        1 => (0_u16..12).prop_map(Event::Tell),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn at_most_half_are_ever_ejected(events in prop::collection::vec(event(), 1..400)) {
        let outlier = OutlierConfig::default().consecutive_failures(1).consecutive_local_failures(2);
        let mut bench = Bench::new(&config(Policy::P2cEwma).outlier(outlier), 8);
        let mut held = Vec::new();
        for event in events {
            match event {
                Event::Call(kind, hold) => {
                    let Ok(picked) = bench.try_pick() else { continue };
                    if hold {
                        held.push(picked);
                        if held.len() > 5 {
                            held.remove(0).finish(FAILED, bench.now);
                        }
                    } else {
                        picked.finish(kind.map_or(Outcome::Success, Outcome::Failure), bench.now);
                    }
                }
                Event::Pass(seconds) => bench.later(Duration::from_secs(seconds)),
                Event::Tell(endpoints) => bench.tell(endpoints),
            }
            let known = bench.views().len();
            prop_assert!(bench.ejected() <= known / 2, "{} of {known}", bench.ejected());
            prop_assert!(known == 0 || bench.try_pick().is_ok(), "somebody takes the call");
        }
        drop(held);
        bench.tell(0);
        bench.tell(8);
        prop_assert_eq!(bench.statuses(), [EndpointStatus::Active; 8]);
    }
}
