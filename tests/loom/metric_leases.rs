//! Leases of shards: one owner at a time, and the next one sees all that was stored.
use crate::lease::Leases;
use loom::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
};

/// Adds as `Cells` does: a load and a store with a lease, else a locked addition elsewhere.
fn record(leases: &Leases, exclusive: &[AtomicU64], shared: &AtomicU64) {
    match leases.take() {
        Some(lease) => {
            let cell = &exclusive[lease];
            cell.store(cell.load(Relaxed) + 1, Relaxed);
            leases.give_back(lease);
        }
        None => {
            shared.fetch_add(1, Relaxed);
        }
    }
}

fn every_addition_counts(leases: usize, threads: u64) {
    let mut model = loom::model::Builder::new();
    // Every order in which one thread breaks in on another twice.
    model.preemption_bound = Some(2);
    model.check(move || {
        let cells: Vec<AtomicU64> = (0..leases).map(|_| AtomicU64::new(0)).collect();
        let shared = Arc::new((Leases::new(leases), cells, AtomicU64::new(0)));
        let threads: Vec<_> = (1..threads)
            .map(|_| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || record(&shared.0, &shared.1, &shared.2))
            })
            .collect();
        record(&shared.0, &shared.1, &shared.2);
        let others = threads.len() as u64;
        for thread in threads {
            thread.join().expect("it ends well");
        }
        let (leases, exclusive, rest) = &*shared;
        let counted: u64 = exclusive.iter().map(|cell| cell.load(Relaxed)).sum();
        assert_eq!(counted + rest.load(Relaxed), others + 1);
        let free = std::iter::from_fn(|| leases.take()).count();
        assert_eq!(free, exclusive.len(), "all were given back");
    });
}

#[test]
fn nothing_is_lost_when_one_lease_changes_hands() {
    every_addition_counts(1, 3);
}

#[test]
fn nothing_is_lost_when_leases_run_out() {
    every_addition_counts(2, 3);
}
