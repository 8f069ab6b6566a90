//! Endpoints that come, stay and go.
use super::*;
use crate::discovery::Conditions;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

const DRAINING: Conditions = Conditions {
    ready: false,
    serving: true,
    terminating: true,
};

#[test]
fn who_stays_keeps_everything_and_who_goes_finishes_its_calls() {
    let alive = Arc::new(AtomicUsize::new(0));
    struct Pool(u16, Arc<AtomicUsize>);
    impl Drop for Pool {
        fn drop(&mut self) {
            self.1.fetch_sub(1, Relaxed);
        }
    }
    let (now, count) = (Instant::now(), alive.clone());
    let balancer = Balancer::new("orders", &BalanceConfig::default(), now, move |e| {
        count.fetch_add(1, Relaxed);
        (e.port != 9).then(|| Pool(e.port, count.clone()))
    });
    let tell = |numbers: &[u16]| {
        let endpoints = numbers.iter().copied().map(endpoint).collect();
        balancer.update(&EndpointSet::new("orders", endpoints), now);
    };
    tell(&[1, 2, 2]);
    let ids = |n: u64| PickContext::new(now, n << 60);
    let calls: Vec<_> = (0..16).map(|n| balancer.pick(&ids(n)).unwrap()).collect();
    let (of_1, of_2): (Vec<_>, Vec<_>) = calls.into_iter().partition(|p| p.transport().0 == 1);
    tell(&[2, 3]);
    assert_eq!(alive.load(Relaxed), 3, "1 has calls");
    assert_eq!(of_1[0].transport().0, 1);
    let views = balancer.handle().endpoints(now);
    assert_eq!(views.len(), 2);
    assert_eq!(views[0].in_flight, of_2.len());
    for picked in of_1 {
        picked.finish(FAILED, now + SECOND);
    }
    assert_eq!(alive.load(Relaxed), 2);
    for picked in of_2 {
        picked.finish(Outcome::Success, now + SECOND);
    }
    tell(&[2]);
    tell(&[2, 9]);
    let views = balancer.handle().endpoints(now + SECOND);
    assert_eq!(views.len(), 1, "9 is left out");
    assert!(views[0].ewma.is_some_and(|ewma| ewma > 990 * MS));
}

#[test]
fn endpoints_that_drain_take_no_new_calls() {
    for policy in POLICIES {
        let mut bench = Bench::new(&config(policy), 3);
        let mut endpoints = weighted(&[1, 1, 1]);
        endpoints[0] = endpoint(0).with_conditions(DRAINING);
        endpoints[1] = endpoint(1).with_weight(0);
        bench.tell_all(endpoints);
        assert_eq!(bench.counts(3, 100), [0, 0, 100], "{policy:?}");
        assert_eq!(bench.statuses()[..2], [EndpointStatus::Draining; 2]);
        // When nothing is ready, those that still serve are better than none.
        bench.tell_all(vec![endpoint(0).with_conditions(DRAINING)]);
        assert_eq!(bench.counts(3, 10), [10, 0, 0]);
        bench.tell(0);
        let err = bench.try_pick().unwrap_err();
        assert_eq!((err.known, &*err.service), (0, "orders"));
        assert!(err.to_string().contains("start an instance"), "{err}");
    }
}

#[test]
fn a_description_may_change_without_losing_what_is_known() {
    let mut bench = Bench::new(&config(Policy::RoundRobin), 2);
    bench.call(0, 10 * MS, Outcome::Success);
    let described = endpoint(0).with_zone("a").with_weight(3);
    bench.tell_all(vec![described.clone(), endpoint(1)]);
    assert_eq!(bench.counts(2, 400), [300, 100]);
    let views = bench.views();
    assert!(views[0].ewma.is_some());
    assert_eq!((views[0].weight, views[1].weight), (3, 1));
    assert_eq!(*bench.pick_of(0).endpoint(), described);
    bench.tell(2);
    assert_eq!(bench.counts(2, 400), [200, 200]);
}

#[test]
fn new_endpoints_start_slowly_only_beside_old_ones() {
    let mut bench = Bench::new(&config(Policy::RoundRobin), 4);
    assert_eq!(bench.statuses(), [EndpointStatus::Active; 4]);
    bench.later(SECOND);
    bench.tell(6);
    assert_eq!(bench.statuses()[4..], [EndpointStatus::SlowStart; 2]);
    // The old ones leave: somebody must take the calls.
    bench.tell_all(vec![endpoint(4), endpoint(5), endpoint(6)]);
    assert_eq!(bench.statuses(), [EndpointStatus::Active; 3]);
    bench.later(SECOND);
    bench.tell_all(vec![endpoint(4), endpoint(5), endpoint(6), endpoint(7)]);
    assert_eq!(bench.statuses()[3], EndpointStatus::SlowStart);
    bench.later(15 * SECOND);
    assert_eq!(bench.statuses(), [EndpointStatus::Active; 4]);
}

#[test]
fn a_picker_follows_what_changes() {
    let bench = Bench::new(&BalanceConfig::default(), 1);
    let mut picker = bench.balancer.picker();
    for number in [0, 5, 7] {
        bench.tell_all(vec![endpoint(number)]);
        let picked = picker.pick(&PickContext::new(bench.now, 3)).unwrap();
        assert_eq!(*picked.transport(), number);
    }
    bench.tell(0);
    assert!(
        picker
            .clone()
            .pick(&PickContext::new(bench.now, 3))
            .is_err()
    );
}

#[test]
fn what_a_call_holds_is_small() {
    assert!(size_of::<Picked<u16>>() <= 16);
    assert!(size_of::<Option<Picked<u16>>>() <= 16);
    assert!(size_of::<Result<Picked<u16>, NoEndpoints>>() <= 32);
}
