//! The budget of retries: no token is granted twice, none that was deposited is lost.
#[path = "../../detectviz-core/src/resilience/retry/budget/state.rs"]
mod state;

use loom::thread;
use state::{Ledger, Limits};
use std::sync::Arc;

/// One withdrawal for each deposit, within two seconds.
const EVEN: Limits = Limits {
    ratio_nanos: 1_000_000_000,
    floor: 0,
    window: 2,
};

#[test]
fn one_token_is_granted_to_one_thread() {
    loom::model(|| {
        let ledger = Arc::new(Ledger::new(1));
        ledger.deposit(0, 0);
        let other = Arc::clone(&ledger);
        let theirs = thread::spawn(move || other.withdraw(EVEN, 0).is_some());
        let mine = ledger.withdraw(EVEN, 0).is_some();
        let theirs = theirs.join().expect("no panic");
        assert!(mine != theirs, "exactly one of them");
    });
}

#[test]
fn withdrawals_of_two_seconds_see_each_other() {
    loom::model(|| {
        let ledger = Arc::new(Ledger::new(1));
        ledger.deposit(0, 1);
        let other = Arc::clone(&ledger);
        let later = thread::spawn(move || other.withdraw(EVEN, 2).is_some());
        let now = ledger.withdraw(EVEN, 1).is_some();
        let later = later.join().expect("no panic");
        assert!(now != later, "exactly one of them");
        assert_eq!(ledger.balance(EVEN, 2), 0);
        assert_eq!(ledger.withdraw(EVEN, 2), None);
    });
}

#[test]
fn deposits_of_two_threads_at_the_turn_of_a_second_all_count() {
    loom::model(|| {
        let ledger = Arc::new(Ledger::new(1));
        ledger.deposit(0, 0);
        let other = Arc::clone(&ledger);
        let theirs = thread::spawn(move || other.deposit(0, 1));
        ledger.deposit(0, 1);
        theirs.join().expect("no panic");
        assert_eq!(ledger.deposits(), 3);
        assert_eq!(ledger.balance(EVEN, 1), 3);
        assert_eq!(ledger.balance(EVEN, 2), 2, "the first is forgotten");
    });
}

#[test]
fn a_refund_beside_a_withdrawal_is_granted_once() {
    loom::model(|| {
        let ledger = Arc::new(Ledger::new(1));
        ledger.deposit(0, 1);
        let token = ledger.withdraw(EVEN, 1).expect("there is one");
        let other = Arc::clone(&ledger);
        let refund = thread::spawn(move || other.refund(token));
        let beside = ledger.withdraw(EVEN, 2).is_some();
        refund.join().expect("no panic");
        let after = ledger.withdraw(EVEN, 2).is_some();
        assert!(beside != after, "exactly one of them");
    });
}
