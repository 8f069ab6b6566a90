//! Ejections, probes and averages when threads meet: the quota is never exceeded and never leaks, one caller alone probes,
//! and no peak is lost.
use loom::{sync::Arc, thread};

#[path = "../../detectviz-core/src/balance/gate.rs"]
#[expect(dead_code, reason = "what the models do not touch")]
mod gate;

#[path = "../../detectviz-core/src/balance/ewma.rs"]
#[expect(dead_code, reason = "what the models do not touch")]
mod ewma;

use self::{
    ewma::{Decay, PeakEwma, Tick},
    gate::{Gate, Quota, Standing},
};

/// Two endpoints, of which one may be ejected.
fn two() -> Arc<(Quota, [Gate; 2])> {
    let quota = Quota::new();
    quota.allow(1);
    let gates = [Gate::new(), Gate::new()];
    gates.iter().for_each(Gate::enter);
    Arc::new((quota, gates))
}

fn is_out(gate: &Gate) -> bool {
    matches!(
        gate.standing(),
        Standing::Ejected { .. } | Standing::Probing { .. }
    )
}

#[test]
fn of_two_that_fail_at_once_one_is_ejected() {
    loom::model(|| {
        let service = two();
        let other = service.clone();
        let ejecting = thread::spawn(move || other.1[0].eject(&other.0, 10));
        let second = service.1[1].eject(&service.0, 10);
        let first = ejecting.join().unwrap();
        assert!(first ^ second);
        assert_eq!(service.0.taken(), 1);
    });
}

#[test]
fn one_endpoint_ejected_twice_at_once_takes_one_place() {
    loom::model(|| {
        let service = two();
        service.0.allow(2);
        let other = service.clone();
        let ejecting = thread::spawn(move || other.1[0].eject(&other.0, 10));
        let second = service.1[0].eject(&service.0, 20);
        assert!(ejecting.join().unwrap() ^ second);
        assert_eq!(service.0.taken(), 1);
    });
}

#[test]
fn one_caller_alone_probes() {
    loom::model(|| {
        let service = two();
        assert!(service.1[0].eject(&service.0, 10));
        let other = service.clone();
        let claiming = thread::spawn(move || other.1[0].claim_probe(11));
        let second = service.1[0].claim_probe(12);
        assert!(claiming.join().unwrap() ^ second);
    });
}

#[test]
fn whatever_ends_an_ejection_gives_its_place_back_once() {
    let ends: [fn(&Gate, &Quota); 4] = [
        |gate, quota| gate.leave(quota),
        |gate, quota| {
            gate.admit(quota);
        },
        |gate, quota| {
            gate.hold(quota, 99);
        },
        |gate, _| {
            gate.shut(10, 20);
        },
    ];
    for end in ends {
        loom::model(move || {
            let service = two();
            assert!(service.1[0].eject(&service.0, 10) && service.1[0].claim_probe(10));
            let other = service.clone();
            let passing = thread::spawn(move || other.1[0].pass(&other.0, 10));
            end(&service.1[0], &service.0);
            passing.join().unwrap();
            let (quota, gates) = &*service;
            assert_eq!(quota.taken(), u32::from(is_out(&gates[0])));
            let held = matches!(gates[0].standing(), Standing::ByHand { .. });
            assert_eq!(quota.held(), u32::from(held));
        });
    }
}

#[test]
fn an_endpoint_that_leaves_while_it_is_ejected_keeps_no_place() {
    loom::model(|| {
        let service = two();
        let other = service.clone();
        let ejecting = thread::spawn(move || other.1[0].eject(&other.0, 10));
        service.1[0].leave(&service.0);
        ejecting.join().unwrap();
        assert_eq!(service.1[0].standing(), Standing::Gone);
        assert_eq!(service.0.taken(), 0);
    });
}

#[test]
fn a_quota_that_shrinks_lets_nobody_in_above_it() {
    loom::model(|| {
        let service = two();
        let other = service.clone();
        let shrinking = thread::spawn(move || {
            other.0.allow(0);
            other.0.taken()
        });
        let ejected = service.1[0].eject(&service.0, 10);
        let seen = shrinking.join().unwrap();
        // Whoever was let in was let in before.
        assert!(seen == u32::from(ejected) || !ejected);
        assert_eq!(service.0.most(), 0);
        assert!(!service.1[1].eject(&service.0, 10));
    });
}

#[test]
fn no_peak_is_lost_to_another_call_that_ends() {
    loom::model(|| {
        let decay = Decay::within(10_000_000_000);
        let ewma = Arc::new(PeakEwma::new());
        let other = ewma.clone();
        let slow = thread::spawn(move || other.observe(5e8, Tick::of(0), decay));
        ewma.observe(1e6, Tick::of(0), decay);
        slow.join().unwrap();
        assert_eq!(ewma.at(Tick::of(0), decay), 5e8);
    });
}
