//! The gate and the quota, one thread at a time; `tests/loom` has the others.
use crate::balance::gate::{Gate, Quota, Standing};

fn open() -> Gate {
    let gate = Gate::new();
    gate.enter();
    gate
}

#[test]
fn after_an_ejection_one_probe_at_a_time_decides() {
    let (gate, quota) = (open(), Quota::new());
    assert!(!gate.eject(&quota, 10), "the quota is empty");
    quota.allow(1);
    assert!(gate.eject(&quota, 10));
    assert!(!gate.eject(&quota, 20), "it is ejected already");
    for (now, claimed) in [(9, false), (10, true), (11, false)] {
        assert_eq!(gate.claim_probe(now), claimed, "{now}");
    }
    assert!(gate.shut(10, 30));
    assert!(!gate.claim_probe(29));
    assert!(gate.claim_probe(31));
    assert!(!gate.pass(&quota, 10), "a probe of before");
    assert!(gate.pass(&quota, 31));
    assert!(gate.is_open());
    assert_eq!((quota.taken(), quota.most()), (0, 1));
}

#[test]
fn what_ends_an_ejection_gives_its_place_back_once() {
    let ends: [fn(&Gate, &Quota); 3] = [
        |gate, quota| assert!(gate.admit(quota)),
        |gate, quota| assert!(gate.hold(quota, Gate::LATEST)),
        |gate, quota| gate.leave(quota),
    ];
    for end in ends {
        for probed in [false, true] {
            let (gate, quota) = (open(), Quota::new());
            quota.allow(1);
            assert!(gate.eject(&quota, 10));
            assert!(!probed || gate.claim_probe(10));
            end(&gate, &quota);
            assert!(!gate.pass(&quota, 10) && !gate.shut(10, 20));
            assert_eq!(quota.taken(), 0);
        }
    }
}

#[test]
fn who_is_gone_stays_so_until_it_enters() {
    let (gate, quota) = (Gate::new(), Quota::new());
    quota.allow(1);
    assert!(!gate.eject(&quota, 1) && !gate.admit(&quota) && !gate.hold(&quota, 1));
    assert_eq!(gate.standing(), Standing::Gone);
    gate.enter();
    assert!(gate.hold(&quota, 5) && gate.hold(&quota, 6) && !gate.lift(&quota, 5));
    assert_eq!(quota.held(), 1);
    assert!(gate.lift(&quota, 6) && gate.is_open());
    assert_eq!(quota.held(), 0);
}
