//! Choices and changes at the same time.
use super::*;
use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    thread,
};

#[test]
fn a_choice_never_sees_half_a_change() {
    for policy in POLICIES {
        let bench = Bench::new(&config(policy), 8);
        let (balancer, now) = (&bench.balancer, bench.now);
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            for seed in 0..2 {
                let done = &done;
                scope.spawn(move || {
                    let mut chance = fastrand::Rng::with_seed(seed);
                    let mut picker = balancer.picker();
                    while !done.load(SeqCst) {
                        let cx = PickContext::new(now, chance.u64(..));
                        let held = balancer.pick(&cx).expect("there is always somebody");
                        let picked = picker.pick(&cx).expect("there is always somebody");
                        assert_eq!(*picked.transport(), number_of(picked.authority()));
                        picked.finish(Outcome::Success, now);
                        drop(held);
                    }
                });
            }
            for round in 0..400_u16 {
                // All others, some others, fewer.
                let from = round * 5 % 64;
                bench.tell_all((from..from + 1 + round % 9).map(endpoint).collect());
            }
            done.store(true, SeqCst);
        });
        assert!(bench.views().iter().all(|view| view.in_flight == 0));
    }
}

#[test]
fn a_limit_holds_whoever_comes_at_once() {
    let limits = EndpointLimits::default().in_flight(3);
    let bench = Bench::new(&BalanceConfig::default().limits(limits), 2);
    let (balancer, now) = (&bench.balancer, bench.now);
    let held: [AtomicUsize; 2] = Default::default();
    let most = AtomicUsize::new(0);
    thread::scope(|scope| {
        for seed in 0..4 {
            let (held, most) = (&held, &most);
            scope.spawn(move || {
                let mut chance = fastrand::Rng::with_seed(seed);
                for _ in 0..2_000 {
                    let cx = PickContext::new(now, chance.u64(..));
                    let picked: Vec<_> = (0..3).filter_map(|_| balancer.pick(&cx).ok()).collect();
                    for one in &picked {
                        let now = held[usize::from(*one.transport())].fetch_add(1, SeqCst) + 1;
                        most.fetch_max(now, SeqCst);
                    }
                    for one in picked {
                        held[usize::from(*one.transport())].fetch_sub(1, SeqCst);
                    }
                }
            });
        }
    });
    assert!((2..=3).contains(&most.load(SeqCst)), "{most:?}");
    assert!(bench.views().iter().all(|view| view.in_flight == 0));
}

#[test]
fn only_one_of_many_callers_probes() {
    let outlier = OutlierConfig::default().consecutive_failures(1).jitter(0.0);
    let mut bench = Bench::new(&config(Policy::RoundRobin).outlier(outlier), 2);
    for _ in 0..100 {
        bench.call(0, Duration::ZERO, FAILED);
        assert_eq!(bench.ejected(), 1);
        bench.later(300 * SECOND);
        let (balancer, now) = (&bench.balancer, bench.now);
        let probes = thread::scope(|scope| {
            let callers: Vec<_> = (0..2)
                .map(|seed| {
                    scope.spawn(move || {
                        let mut chance = fastrand::Rng::with_seed(seed);
                        let cx = || PickContext::new(now, chance.u64(..));
                        let calls = std::iter::repeat_with(cx).take(200);
                        let picked: Vec<_> = calls.map(|cx| balancer.pick(&cx).unwrap()).collect();
                        picked
                    })
                })
                .collect();
            let calls = callers.into_iter().flat_map(|c| c.join().unwrap());
            calls.filter(Picked::is_probe).collect::<Vec<_>>()
        });
        assert_eq!(probes.len(), 1);
        for probe in probes {
            probe.finish(Outcome::Success, bench.now);
        }
        bench.later(60 * SECOND);
        bench.balancer.tick(bench.now);
        assert_eq!(bench.ejected(), 0);
    }
}
