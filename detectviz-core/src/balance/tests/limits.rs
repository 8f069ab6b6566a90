//! Limits on the calls of one endpoint, and endpoints that ask to be left alone.
use super::*;

fn limited(policy: Policy, most: u32) -> BalanceConfig {
    config(policy).limits(EndpointLimits::default().in_flight(most))
}

#[test]
fn an_endpoint_at_its_limit_is_not_chosen_while_another_has_room() {
    for policy in POLICIES {
        for (endpoints, most) in [(1, 1), (3, 4), (10, 1), (40, 3)] {
            let mut bench = Bench::new(&limited(policy, most), endpoints);
            let room = u32::from(endpoints) * most;
            let mut held: Vec<_> = (0..room).map(|_| bench.pick()).collect();
            assert!(bench.views().iter().all(|v| v.in_flight == most as usize));
            let err = bench.try_pick().unwrap_err();
            assert_eq!(
                (err.reason, err.known),
                (NoEndpointsReason::Full, endpoints.into())
            );
            assert!(err.to_string().contains("limits.in_flight"), "{err}");
            let free = held.swap_remove(held.len() / 2);
            let number = *free.transport();
            free.finish(Outcome::Success, bench.now);
            assert_eq!(*bench.pick().transport(), number, "{policy:?}");
        }
    }
}

#[test]
fn a_limit_may_change_while_calls_are_on_their_way() {
    let mut bench = Bench::new(&limited(Policy::P2cEwma, 2), 2);
    let held: Vec<_> = (0..4).map(|_| bench.pick()).collect();
    assert!(bench.try_pick().is_err());
    bench.balancer.reconfigure(&limited(Policy::P2cEwma, 3));
    let more = bench.pick();
    bench.balancer.reconfigure(&limited(Policy::P2cEwma, 1));
    drop((held, more));
    let _one = (bench.pick(), bench.pick());
    assert!(bench.try_pick().is_err());
    assert_eq!(bench.balancer.limits().in_flight, Some(1));
}

#[test]
fn retry_after_is_heeded_up_to_a_cap_while_there_are_others() {
    let overloaded = |seconds| Outcome::Overloaded {
        retry_after: Some(seconds * SECOND),
    };
    for policy in POLICIES {
        for (wait, heeded) in [(5, 5), (300, 30)] {
            let mut bench = Bench::new(&config(policy), 3);
            bench.call(0, MS, overloaded(wait));
            assert_eq!(bench.statuses()[0], EndpointStatus::Backoff);
            bench.later(SECOND * heeded - 2 * MS);
            assert_eq!(bench.counts(3, 100)[0], 0, "{policy:?}");
            bench.later(3 * MS);
            assert_ne!(bench.statuses()[0], EndpointStatus::Backoff);
            if policy != Policy::P2cEwma {
                assert_ne!(bench.counts(3, 1000)[0], 0, "{policy:?}");
            }
            // When all ask for it, calls go on.
            for _ in 0..100 {
                bench.pick().finish(overloaded(wait), bench.now);
            }
            assert_eq!(bench.statuses(), [EndpointStatus::Backoff; 3]);
            assert_eq!(bench.counts(3, 30).iter().sum::<u32>(), 30);
            assert_eq!(bench.ejected(), 0);
        }
    }
}

#[test]
fn what_was_tried_is_not_tried_again_while_there_are_others() {
    for policy in POLICIES {
        for endpoints in 1..6 {
            let mut bench = Bench::new(&config(policy), endpoints);
            let mut tried = Tried::new();
            for attempt in 0..6 {
                let cx = bench.context().hash(7);
                let picked = bench.balancer.pick(&cx.exclude(&tried)).unwrap();
                let again = tried.contains(&picked.id());
                let all_tried = attempt >= usize::from(endpoints);
                assert!(
                    !again || all_tried || tried.len() == Tried::MOST,
                    "{policy:?}"
                );
                tried.push(picked.id());
            }
        }
    }
}
