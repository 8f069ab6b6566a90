//! Who is chosen how often.
use super::*;
use proptest::prelude::*;

/// The sum of squared deviations from what is expected, over it: with k − 1 degrees of freedom its mean is k − 1 and its
/// deviation √(2(k − 1)).
fn chi_square(counts: &[u32], weights: &[u32]) -> f64 {
    let calls: u32 = counts.iter().sum();
    let total: u32 = weights.iter().sum();
    let terms = counts.iter().zip(weights).filter(|(_, w)| **w > 0);
    terms
        .map(|(&count, &weight)| {
            let expected = f64::from(calls) * f64::from(weight) / f64::from(total);
            (f64::from(count) - expected).powi(2) / expected
        })
        .sum()
}

/// What a chi-square exceeds less than once in ten thousand fixed seeds.
fn bound(weights: &[u32]) -> f64 {
    let freedom = weights.iter().filter(|w| **w > 0).count() as f64 - 1.0;
    freedom + 4.0 * (2.0 * freedom).sqrt() + 8.0
}

#[test]
fn chance_follows_the_weights_while_all_are_alike() {
    for policy in [
        Policy::WeightedRandom,
        Policy::P2cEwma,
        Policy::LeastRequest,
        Policy::RingHash,
    ] {
        for weights in [
            vec![1; 2],
            vec![1; 10],
            vec![1; 300],
            vec![5, 0, 1, 94],
            vec![1, 2, 3, 4, 5],
        ] {
            if policy == Policy::RingHash {
                // A ring is as even as its points; see its own tests.
                continue;
            }
            let mut bench = Bench::new(&config(policy), 0);
            bench.tell_all(weighted(&weights));
            let counts = bench.counts(weights.len() as u16, 40_000);
            let got = chi_square(&counts, &weights);
            assert!(
                got < bound(&weights),
                "{policy:?} {weights:?}: {got} {counts:?}"
            );
            assert!(counts.iter().zip(&weights).all(|(c, w)| *w > 0 || *c == 0));
        }
    }
}

#[test]
fn weights_divide_the_calls_in_flight_too() {
    for policy in [Policy::LeastRequest, Policy::P2cEwma] {
        let mut bench = Bench::new(&config(policy), 0);
        bench.tell_all(weighted(&[1, 1, 2, 4]));
        // All of the same latency, or least-latency would decide.
        for number in 0..4 {
            bench.call(number, 10 * MS, Outcome::Success);
        }
        let held: Vec<_> = (0..8_000).map(|_| bench.pick()).collect();
        let in_flight: Vec<_> = bench.views().iter().map(|view| view.in_flight).collect();
        for (got, expected) in in_flight.iter().zip([1000.0, 1000.0, 2000.0, 4000.0]) {
            let ratio = *got as f64 / expected;
            assert!((0.9..1.1).contains(&ratio), "{policy:?}: {in_flight:?}");
        }
        drop(held);
    }
}

#[test]
fn of_two_the_one_with_the_smaller_product_of_latency_and_calls_is_chosen() {
    let mut bench = Bench::new(&BalanceConfig::default(), 2);
    bench.call(0, 30 * MS, Outcome::Success);
    bench.call(1, 10 * MS, Outcome::Success);
    let mut held = Vec::new();
    let order: Vec<_> = (0..6)
        .map(|_| {
            held.push(bench.pick());
            *held.last().unwrap().transport()
        })
        .collect();
    // 10, 20 and 30 against 30 at rest, then 40 against 30.
    assert_eq!(order.iter().take(2).sum::<u16>(), 2, "{order:?}");
    let first = order.iter().filter(|n| **n == 0).count();
    assert!((1..=2).contains(&first), "{order:?}");
}

#[test]
fn an_endpoint_of_which_nothing_is_known_is_tried_with_one_call() {
    let mut bench = Bench::new(&BalanceConfig::default(), 2);
    bench.call(0, 10 * MS, Outcome::Success);
    let first = bench.pick();
    assert_eq!(*first.transport(), 1);
    let held: Vec<_> = (0..20).map(|_| bench.pick()).collect();
    assert!(held.iter().all(|picked| *picked.transport() == 0));
}

#[test]
fn calls_of_one_key_go_to_one_endpoint_and_those_without_go_anywhere() {
    let mut bench = Bench::new(&config(Policy::RingHash), 20);
    let mut seen = std::collections::BTreeSet::new();
    for key in 0..200_u64 {
        let picks: Vec<_> = (0..5)
            .map(|_| {
                let cx = bench.context().hash(key);
                *bench.balancer.pick(&cx).unwrap().transport()
            })
            .collect();
        assert!(picks.iter().all(|n| *n == picks[0]));
        seen.insert(picks[0]);
    }
    assert_eq!(seen.len(), 20, "200 keys");
    assert!(bench.counts(20, 2_000).iter().all(|count| *count > 0));
}

#[test]
fn no_endpoint_of_a_ring_has_more_than_its_bound() {
    for (endpoints, multiple) in [(4, 1.25), (10, 1.25), (10, 2.0)] {
        let ring = RingConfig::default().bounded_load(multiple);
        let mut bench = Bench::new(&config(Policy::RingHash).ring(ring), endpoints);
        let mut held = Vec::new();
        for calls in 1..=400_usize {
            let cx = bench.context().hash(7);
            held.push(bench.balancer.pick(&cx).unwrap());
            let most = (multiple * calls as f64 / f64::from(endpoints)).ceil() as usize;
            let views = bench.views();
            let got = views.iter().map(|view| view.in_flight).max().unwrap();
            assert!(got <= most, "{got} of {calls} at one of {endpoints}");
        }
        // What has ended does not count.
        held.clear();
        let cx = bench.context().hash(7);
        let first = bench.balancer.pick(&cx).unwrap();
        assert_eq!(bench.views()[usize::from(*first.transport())].in_flight, 1);
    }
}

#[test]
fn the_policy_may_change_while_calls_are_on_their_way() {
    let mut bench = Bench::new(&config(Policy::RingHash), 3);
    let mut held = Vec::new();
    for policy in POLICIES.into_iter().cycle().take(11) {
        held.extend((0..10).map(|_| bench.pick()));
        bench.balancer.reconfigure(&config(policy));
        let in_flight: usize = bench.views().iter().map(|view| view.in_flight).sum();
        assert_eq!(in_flight, held.len(), "{policy:?}");
        held.truncate(held.len() / 2);
    }
    held.clear();
    assert!(bench.views().iter().all(|view| view.in_flight == 0));
    // Nothing is left that a ring would count.
    bench.balancer.reconfigure(&config(Policy::RingHash));
    let mut first = Vec::new();
    for _ in 0..3 {
        let cx = bench.context().hash(7);
        first.push(*bench.balancer.pick(&cx).unwrap().transport());
    }
    assert!(first.iter().all(|n| *n == first[0]), "{first:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn in_turn_each_gets_exactly_its_weight(weights in prop::collection::vec(0_u32..40, 1..12)) {
        let mut bench = Bench::new(&config(Policy::RoundRobin), 0);
        bench.tell_all(weighted(&weights));
        let total: u32 = weights.iter().sum();
        if total == 0 {
            prop_assert!(bench.try_pick().is_err());
        } else {
            let divisor = weights.iter().fold(0, |d, &w| if d == 0 { w } else { gcd(d, w) });
            let counts = bench.counts(weights.len() as u16, total / divisor);
            let expected: Vec<_> = weights.iter().map(|w| w / divisor).collect();
            prop_assert_eq!(counts, expected);
        }
    }
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}
